// main.cf: lines, expansion, values; the snapshot that master hands out; restriction lists.
#include "fuzz.h"
#include "conf/expand.h"
#include "conf/main_cf.h"
#include "conf/restrictions.h"
#include "conf/settings.h"

namespace {
void expand(std::string_view text) {
    conf::ExpandLimits limits;
    auto lookup = [&](std::string_view name) -> std::optional<conf::Found> {
        if (name == "self")
            return conf::Found{text};
        if (name == "twice")
            return conf::Found{"$one $one"};
        if (name == "one")
            return conf::Found{"1", true};
        return std::nullopt;
    };
    auto result = conf::expand(text, lookup, {}, limits);
    if (result)
        fuzz::require(result->size() <= limits.length, "an expansion is bounded");
    conf::for_each_name(text, [&](std::string_view name, bool) {
        fuzz::require(name.size() <= text.size(), "a name lies within the text");
    });
}
}

void fuzz::one(std::string_view bytes) {
    static const conf::Settings defaults = conf::Settings::defaults({{"myhostname", "mx.example.test"}});
    expand(bytes);
    (void)defaults.expand(bytes);
    for (const auto& problem : conf::restriction_problems(bytes, {"a_class"}))
        fuzz::require(problem.size() <= bytes.size() + 400, "a problem is a sentence", problem);
    auto file = conf::parse_main_cf(bytes, "main.cf");
    if (file) {
        conf::Overrides overrides{{"myhostname", "mx.example.test"}};
        for (const auto& line : file->lines) {
            fuzz::require(!line.name.empty() && line.line <= line.last, "a line has a name");
            if (const auto* p = conf::find_parameter(line.name))
                (void)conf::value_problem(*p, line.value);
        }
    }
    static const std::string directory = [] { return fuzz::scratch(); }();
    fuzz::write_file("main.cf", bytes);
    auto settings = conf::Settings::load(directory, {{"myhostname", "mx.example.test"}});
    if (settings) {
        std::string snapshot = settings->snapshot();
        auto again = conf::Settings::from_snapshot(snapshot, {{"myhostname", "mx.example.test"}});
        fuzz::require(again.has_value(), "a snapshot is good for its daemons", again ? "" : again.error().reason);
        fuzz::same(snapshot, again->snapshot(), "a snapshot survives");
    }
    (void)conf::Settings::from_snapshot(bytes);
}
