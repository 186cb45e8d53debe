// virtual_alias_maps: one recipient becomes those that it stands for, again and again until nothing changes.
//
// When things fail: an Error; 4.6.0 "Alias expansion error" where the limits of virtual_alias_* were met, 4.3.0 where a
// table did not answer. What was wrong has been logged.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "rewriting.h"

namespace cleanup {
// internal form in and out; the address itself where there is no alias. id goes into warnings.
Result<std::vector<std::string>> expand_virtual_aliases(const Rules& rules, const Rewriting& rewriting,
                                                        std::string_view id, const std::string& recipient);
}
