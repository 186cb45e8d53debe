// The expansion language of main.cf, also used wherever a value is expanded later (templates, mailbox_command …):
//
//     $name  ${name}  $(name)          the value of name; nothing where name is not defined
//     ${name?text}  ${name?{text}}     text where name has a value that is not empty
//     ${name:text}  ${name:{text}}     text where it has none
//     ${name?{text1}:{text2}}          one or the other
//     ${{text1} == {text2} ? {text3} : {text4}}      ==  !=  <  <=  >=  >  and  ==level  !=level  <level  <=level
//     >=level  >level
//     ${domain_to_ascii{text}}         the IDNA A-label form (UTS 46)
//     $$                               a dollar sign
//
// Comparisons are numeric where both sides are digits only, else by bytes; level comparisons take 3.11 for newer
// than 3.6. What `?` and `:` look at is the value as written, before its own expansion.
//
// When things fail: bad syntax, a parameter that refers to itself, or an expansion that grows beyond bounds is a
// permanent Error that quotes the place. Nothing recurses deeper than the bounds below, whatever the input.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"

namespace conf {
// What a name stands for. A literal value is inserted as it is; another is expanded in turn. text must stay valid
// during the call.
struct Found {
    std::string_view text;
    bool literal = false;
};
using Lookup = std::function<std::optional<Found>(std::string_view name)>;

struct ExpandLimits {
    int depth = 50;                 // of nesting, braces and references together
    int references = 20000;         // looked up in one call
    std::size_t length = 4u << 20;  // bytes of the result and of what leads to it
};

// Expands text. undefined, where given, is called with each name that lookup does not know and that is used without ?
// or :.
Result<std::string> expand(std::string_view text, const Lookup& lookup,
                           const std::function<void(std::string_view)>& undefined = {},
                           const ExpandLimits& limits = {});

// Compares "3.6" with "3.11" as levels: numbers between dots. Absent where one of them is malformed.
std::optional<int> compare_levels(std::string_view a, std::string_view b);

// The names of parameters that text mentions, in its branches too, for warnings about unused and undefined ones;
// conditional: it stands before ? or :, where it need not be defined.
void for_each_name(std::string_view text, const std::function<void(std::string_view name, bool conditional)>& visit);
}
