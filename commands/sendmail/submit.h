// The main use of sendmail: a message from standard input into the queue.
//
// When things fail: an Error with what the user is to be told, without "sendmail: fatal:".
#pragma once
#include "conf/settings.h"
#include "options.h"

namespace sendmail {
Result<void> submit(const Options& options, const conf::Settings& settings);
}
