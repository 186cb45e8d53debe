// Linked into every unit test, between it and conf::Settings (ld's --wrap): with the environment variable
// IGNORE_PARAMETER=name the settings that the test makes do not hold what it sets of that parameter.
// tests/mutation/parameters uses it.
#include <algorithm>
#include <cstdlib>
#include <string>
#include "conf/settings.h"

namespace {
conf::Overrides without_ignored(conf::Overrides overrides) {
    const char* name = std::getenv("IGNORE_PARAMETER");
    if (!name)
        return overrides;
    std::string_view family = name;
    bool members = family.starts_with("transport_") && family != "transport_maps" && family != "transport_retry_time";
    if (members)
        family.remove_prefix(std::string_view("transport").size());
    std::erase_if(overrides, [&](const conf::Assignment& own) {
        return members ? own.name.ends_with(family) && !own.name.starts_with("default_") : own.name == family;
    });
    return overrides;
}
}

// The names are those that the compiler gives to conf::Settings::defaults and conf::Settings::with.
#define DEFAULTS(prefix) prefix##_ZN4conf8Settings8defaultsERKSt6vectorINS_10AssignmentESaIS2_EE
#define WITH(prefix) prefix##_ZNK4conf8Settings4withERKSt6vectorINS_10AssignmentESaIS2_EE
#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif
extern "C" {
conf::Settings DEFAULTS(__real_)(const conf::Overrides&);
conf::Settings DEFAULTS(__wrap_)(const conf::Overrides& overrides) {
    return DEFAULTS(__real_)(without_ignored(overrides));
}
Result<conf::Settings> WITH(__real_)(const conf::Settings*, const conf::Overrides&);
Result<conf::Settings> WITH(__wrap_)(const conf::Settings* settings, const conf::Overrides& overrides) {
    return WITH(__real_)(settings, without_ignored(overrides));
}
}
