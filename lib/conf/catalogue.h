// The table behind all_parameters(): every declaration of lib/conf/params, each with a number by which Settings stores
// its value.
#pragma once
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>
#include "conf/parameter.h"

namespace conf {
extern const std::initializer_list<const Parameter*> declared_parameters;  // written by cmake/catalogue.cmake

// The whole catalogue, sorted by name. For a family the entry has the "transport_…" name.
const std::vector<const Parameter*>& all_parameters();
const Parameter* find_parameter(std::string_view name);

// The place of a declaration in all_parameters(). Found by address; a copy of a declaration is found by its name.
std::size_t parameter_index(const Parameter& p);

// The families: declarations whose name begins with "transport_" and stands for SERVICE_… .
bool is_family(const Parameter& p);
// Takes "relay_destination_recipient_limit" apart: the family and "relay". Absent where the name ends as no family's
// does.
std::optional<std::pair<const Parameter*, std::string_view>> family_of(std::string_view name);
// The known name that is nearest to a mistyped one, where one is near enough to be meant; else empty.
std::string_view nearest_name(std::string_view name);
}
