// The names that smtpd_*_restrictions may hold: what is built, and what Postfix 3.12 knows besides. For `postfix
// check`, which names the unbuilt and the misspelt ones before a client meets them. smtpd has the code behind each
// built name.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conf {
struct Restriction {
    std::string_view name;
    enum class Argument : unsigned char { none, table, word, number, restriction } argument;
    bool built;
};
const std::vector<Restriction>& all_restrictions();
const Restriction* find_restriction(std::string_view name);

// What is wrong with one list: unbuilt and unknown names (with the nearest known one), missing arguments. classes are
// the members of smtpd_restriction_classes. Lists nest no deeper than the caller's own calls: a class is a list of its
// own.
std::vector<std::string> restriction_problems(std::string_view list, const std::vector<std::string>& classes);
}
