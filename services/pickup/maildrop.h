// Watches maildrop/: every complete file goes to cleanup and is then removed.
//
// When things fail: what passes (no cleanup, no space) leaves the file for the next scan; a file that can never be
// delivered is removed with a warning, as pickup(8) says.
#pragma once
#include <string_view>
#include "base/error.h"
#include "conf/settings.h"

namespace pickup {
Result<void> read_settings(const conf::Settings& settings);
// One scan; a wake-up that comes while it runs makes it go round once more.
void scan(std::string_view request);
}
