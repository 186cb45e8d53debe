// Settings: an immutable snapshot of all parameters, as one service sees them (main.cf, then the -o overrides of its
// master.cf entry). Values are expanded and checked when the snapshot is made, so reading one cannot fail.
//
//     conf::Settings s = *conf::Settings::load("/etc/postfix");
//     std::chrono::seconds t = s[param::smtpd_timeout];
//     s.of(param::transport_destination_concurrency_limit, "relay")      // relay_destination_concurrency_limit, else
//     the default
//
// When things fail: load() and from_snapshot() return an Error whose reason names file, line, parameter and what would
// be right.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "conf/parameter.h"

namespace conf {
class Values;

// One "name = value" as written, later ones win.
struct Assignment {
    std::string name, value;
};
using Overrides = std::vector<Assignment>;

class Settings {
public:
    // Reads DIR/main.cf. An absent main.cf is an error; unknown names are kept (they may be user-defined parameters).
    // Overrides may supply process_name, service_name and the like. Warnings (a name defined twice …) go to `warnings`
    // where given.
    static Result<Settings> load(const std::string& directory, const Overrides& overrides = {},
                                 std::vector<std::string>* warnings = nullptr);
    // All defaults (what `postconf -d` shows), with overrides: for tests.
    static Settings defaults(const Overrides& overrides = {});
    // The snapshot that master hands its daemons: what main.cf said, as one string, and back.
    std::string snapshot() const;
    static Result<Settings> from_snapshot(std::string_view snapshot, const Overrides& overrides = {});

    bool operator[](const Bool& p) const;
    std::int64_t operator[](const Int& p) const;
    std::chrono::seconds operator[](const Time& p) const;
    const std::string& operator[](const Text& p) const;  // expanded, unless the parameter is raw

    // Members of a service family (the rows marked FAMILY in coverage/parameters.tsv): `service` stands for the leading
    // "transport" in the constant's name; without a setting of its own the value of the constant's default holds.
    std::int64_t of(const Int& family, std::string_view service) const;
    std::chrono::seconds of(const Time& family, std::string_view service) const;
    std::string of(const Text& family, std::string_view service) const;

    // The value of any name (known, user-defined or family member), expanded; absent where nothing defines it.
    std::optional<std::string> value(std::string_view name) const;
    bool is_set(std::string_view name) const;  // by main.cf or -o, not by default
    // Expands $name, ${name?{x}:{y}} … in text with these settings; `extra` goes first (conf/expand.h has the
    // language).
    std::string expand(std::string_view text, const std::map<std::string, std::string>& extra = {}) const;

    const std::string& directory() const;  // config_directory
    const Values& values() const;          // what is behind: assignments and their lines, unexpanded
    // The same settings with further overrides on top, e.g. {"stress", "yes"}.
    Result<Settings> with(const Overrides& overrides) const;
    // Copies share what they hold.
    struct Data;

private:
    explicit Settings(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
    std::shared_ptr<const Data> data_;
};

// Checks one value as main.cf would have it: what is wrong with it and what would be right ("a time is expected: …"),
// or nothing.
std::optional<std::string> value_problem(const Parameter& p, std::string_view expanded);

// Everything that load(directory) would refuse, in the order of the file: one text each, as load's error has it.
std::vector<std::string> value_problems(const std::string& directory);

// The whole catalogue, sorted by name. For a family the entry has the "transport_…" name.
const std::vector<const Parameter*>& all_parameters();
const Parameter* find_parameter(std::string_view name);
}
