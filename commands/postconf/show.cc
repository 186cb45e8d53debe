#include "show.h"

#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "conf/catalogue.h"
#include "layout.h"
#include "log/log.h"

namespace postconf {
namespace {
// The value as it stands, and expanded where expand is on: an expansion that fails ends the program with its reason.
std::string shown_value(const conf::Values& values, std::string_view name, std::string_view raw, bool expand,
                        const conf::Overrides& overrides = {}) {
    const conf::Parameter* p = conf::find_parameter(name);
    if (!expand || (p && p->raw))
        return std::string(raw);
    Result<std::string> out = conf::expand(raw, [&](std::string_view used) -> std::optional<conf::Found> {
        for (auto own = overrides.rbegin(); own != overrides.rend(); ++own)
            if (own->name == used)
                return conf::Found{own->value};
        auto value = values.raw(used);
        return value ? std::optional(conf::Found{*value}) : std::nullopt;
    });
    if (!out)
        maillog::fatal("{}: {}", name, out.error().reason);
    return *out;
}

void put(std::string_view text) { fwrite(text.data(), 1, text.size(), stdout); }

std::string even(std::string_view value) {
    std::string out = value_line(value, false);
    out.pop_back();
    return out;
}

// One object a line: {"name": "value"}.
void put_json(const std::string& name, std::string_view value) {
    put(nlohmann::json{{name, even(value)}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void put_setting(const Options& o, const std::string& name, std::string_view value) {
    if (o.json)
        put_json(name, value);
    else if (o.names_only)
        put(name + "\n");
    else if (o.values_only)
        put(value_line(value, o.fold));
    else
        put(setting_line(name, value, o.fold));
}

bool wanted(const Options& o, conf::NameClass kind) {
    return kind == conf::NameClass::builtin ? o.builtin : kind == conf::NameClass::service ? o.service : o.user;
}

// The value that the options ask for; absent where the name has none of that kind (a user's name has no default).
std::optional<std::string_view> chosen(const Options& o, const conf::Values& values, std::string_view name) {
    if (o.defaults)
        return values.fallback(name);
    if (o.only_set && name != "config_directory" && !values.assigned(name))
        return std::nullopt;
    return values.raw(name);
}
}

void show_parameters(const Options& o, const conf::Values& values, const conf::Names& names) {
    auto show = [&](const std::string& name) {
        auto raw = chosen(o, values, name);
        if (raw)
            put_setting(o, name, shown_value(values, name, *raw, o.expand));
    };
    if (o.arguments.empty()) {
        for (auto& [name, kind] : names.all())
            if (wanted(o, kind))
                show(name);
        return;
    }
    for (auto& name : o.arguments) {
        auto kind = names.find(name);
        if (o.defaults && kind == conf::NameClass::user)
            kind.reset();
        const conf::Parameter* old = conf::find_parameter(name);
        bool known = kind || (old && old->removed && values.assigned(name) && !o.defaults);
        if (!known) {
            std::string_view near = conf::nearest_name(name);
            maillog::warning("{}: unknown parameter{}", name,
                             near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near));
            continue;
        }
        if (!kind || wanted(o, *kind))
            show(name);
    }
}

bool Pattern::matches(const conf::MasterEntry& entry) const {
    return (service == "*" || service == entry.name) && (type == "*" || type == entry.type);
}

Pattern parse_pattern(std::string_view text, std::size_t parts_max) {
    std::vector<std::string> parts;
    for (std::string_view rest = text;;) {
        auto [head, tail] = bytes::cut(rest, '/');
        parts.emplace_back(head);
        if (!tail)
            break;
        rest = *tail;
    }
    if (parts.size() > parts_max)
        maillog::fatal("malformed master.cf pattern: \"{}\"", text);
    parts.resize(3, "*");
    for (auto& part : parts)
        if (part.empty())
            part = "*";
    return {parts[0], parts[1], parts[2]};
}

const std::vector<Field>& fields() {
    static const std::vector<Field> all{
        {"service", [](const conf::MasterEntry& e) { return e.name; }},
        {"type", [](const conf::MasterEntry& e) { return e.type; }},
        {"private", [](const conf::MasterEntry& e) { return e.private_field; }},
        {"unprivileged", [](const conf::MasterEntry& e) { return e.unprivileged_field; }},
        {"chroot", [](const conf::MasterEntry& e) { return e.chroot_field; }},
        {"wakeup", [](const conf::MasterEntry& e) { return e.wakeup_field; }},
        {"process_limit", [](const conf::MasterEntry& e) { return e.maxproc_field; }},
        {"command",
         [](const conf::MasterEntry& e) {
             std::string line = entry_text(e, false);
             // Behind the other seven columns stands the command with its arguments, in the shape that -M gives it.
             line.pop_back();
             std::string head = entry_text({e.name,
                                            e.type,
                                            e.private_field,
                                            e.unprivileged_field,
                                            e.chroot_field,
                                            e.wakeup_field,
                                            e.maxproc_field,
                                            "",
                                            {},
                                            0,
                                            0},
                                           false);
             return line.substr(head.size() - 1);
         }},
    };
    return all;
}

namespace {
conf::Overrides overrides_of(const conf::MasterEntry& entry) {
    Result<conf::ServiceOptions> options = conf::service_options(entry.argv());
    return options ? std::move(options->overrides) : conf::Overrides{};
}

// What $name stands for in the service: what its daemon is told about itself, below its -o settings.
conf::Overrides scope_of(const conf::MasterEntry& entry, conf::Overrides own) {
    conf::Overrides scope{{"service_name", entry.name},
                          {"process_name", entry.command.substr(entry.command.rfind('/') + 1)}};
    scope.insert(scope.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
    return scope;
}

// The entry with every argument expanded (-x).
conf::MasterEntry expanded_entry(const conf::MasterEntry& entry, const conf::Values& values) {
    conf::MasterEntry out = entry;
    const conf::Overrides overrides = scope_of(entry, overrides_of(entry));
    for (auto& arg : out.args) {
        std::string text = shown_value(values, entry.name, arg, true, overrides);
        bool space = std::any_of(text.begin(), text.end(), bytes::is_space);
        arg = space && !text.starts_with('{') ? "{" + text + "}" : text;
    }
    return out;
}

void show_entry(const Options& o, const conf::MasterEntry& e) {
    if (!o.json) {
        put(entry_text(e, o.fold));
        return;
    }
    nlohmann::ordered_json object;
    for (auto& field : fields())
        object[std::string(field.name)] = field.read(e);
    put(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void show_fields(const Options& o, const conf::MasterEntry& e, const std::string& item, bool& matched) {
    for (auto& field : fields()) {
        if (item != "*" && item != field.name)
            continue;
        matched = true;
        put_setting(o, fmt::format("{}/{}/{}", e.name, e.type, field.name), field.read(e));
    }
}

void show_overrides(const Options& o, const conf::Values& values, const std::vector<conf::MasterEntry>& entries,
                    const conf::MasterEntry& e, const std::string& item, bool& matched) {
    conf::Overrides overrides = overrides_of(e);
    std::map<std::string, std::string> sorted;
    for (auto& own : overrides)
        sorted[own.name] = own.value;
    // Of two entries with one name and type the later holds: its values are the ones that count.
    for (auto& other : entries)
        if (&other != &e && other.name == e.name && other.type == e.type && other.line > e.line)
            for (auto& own : overrides_of(other))
                if (sorted.contains(own.name))
                    overrides.push_back(own);
    for (auto& own : overrides)
        sorted[own.name] = own.value;
    overrides = scope_of(e, std::move(overrides));
    for (auto& [name, value] : sorted) {
        if (item != "*" && item != name)
            continue;
        matched = true;
        put_setting(o, fmt::format("{}/{}/{}", e.name, e.type, name),
                    shown_value(values, name, value, o.expand, overrides));
    }
}
}

void show_master(const Options& o, const conf::Values& values, const std::vector<conf::MasterEntry>& entries) {
    std::vector<Pattern> patterns;
    std::size_t parts = o.mode == Mode::master_services ? 2 : 3;
    for (auto& argument : o.arguments)
        patterns.push_back(parse_pattern(argument, parts));
    if (patterns.empty())
        patterns.emplace_back();
    if (o.mode == Mode::master_fields)
        for (auto& pattern : patterns)
            if (pattern.item != "*" &&
                std::none_of(fields().begin(), fields().end(), [&](auto& f) { return f.name == pattern.item; }))
                maillog::fatal("invalid master.cf field name: \"{}\"", pattern.item);
    std::vector<bool> matched(patterns.size(), false);
    for (auto& entry : entries) {
        for (std::size_t i = 0; i < patterns.size(); ++i) {
            if (!patterns[i].matches(entry))
                continue;
            conf::MasterEntry shown =
                o.expand && o.mode != Mode::master_parameters ? expanded_entry(entry, values) : entry;
            bool here = o.mode == Mode::master_services;
            if (o.mode == Mode::master_services)
                show_entry(o, shown);
            else if (o.mode == Mode::master_fields)
                show_fields(o, shown, patterns[i].item, here);
            else
                show_overrides(o, values, entries, shown, patterns[i].item, here);
            matched[i] = matched[i] || here;
            if (o.mode == Mode::master_services)
                break;
        }
    }
    for (std::size_t i = 0; i < o.arguments.size(); ++i)
        if (!matched[i])
            maillog::warning("unmatched request: \"{}\"", o.arguments[i]);
}
}
