// Every parameter is expanded and checked once, when the snapshot is made, into two arrays that the declarations'
// numbers index (conf/catalogue.h). A thousand parameters take well under a millisecond.
#include "conf/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/time.h"
#include "conf/catalogue.h"
#include "conf/idna.h"
#include "conf/main_cf.h"
#include "conf/params/cleanup.h"
#include "conf/values.h"

namespace conf {
struct Settings::Data {
    explicit Data(Values v) : values(std::move(v)) {}
    Values values;
    std::vector<std::int64_t> numbers;  // by parameter_index
    std::vector<std::string> texts;
};

namespace {
constexpr std::string_view snapshot_magic = "posthorn settings 1";
constexpr std::string_view first_line_mark = "first line";  // in the place of the number of main.cf's line

// The unit that a bare number has: that of the default as it is declared ("100s", "5d"; what "$command_time_limit"
// stands for by default), whatever unit the administrator has given to the parameter that the default names.
char default_unit(const Parameter& p) {
    static const Values declared{""};
    std::string_view fallback = p.fallback;
    if (!fallback.empty() && bytes::is_alpha(fallback.back()) && fallback.front() != '$')
        return bytes::lower(fallback.back());
    Result<std::string> expanded = declared.expand(fallback);
    if (expanded && !expanded->empty() && bytes::is_alpha(expanded->back()))
        return bytes::lower(expanded->back());
    return 's';
}

// A default may be another parameter's value and a unit ("${x}h"): a value with a unit of its own ("5m", and so "5mh")
// keeps that.
void drop_second_unit(std::string& text) {
    if (text.size() > 2 && bytes::is_alpha(text.back()) && bytes::is_alpha(text[text.size() - 2]))
        text.pop_back();
}

std::string range_text(const Parameter& p, std::string_view unit) {
    bool low = p.min != std::numeric_limits<std::int64_t>::min(),
         high = p.max != std::numeric_limits<std::int64_t>::max();
    if (low && high)
        return fmt::format("from {}{} to {}{}", p.min, unit, p.max, unit);
    if (low)
        return fmt::format("of {}{} or more", p.min, unit);
    if (high)
        return fmt::format("of {}{} or less", p.max, unit);
    return "";
}

// "example.com", "bücher.example", "example.com.", "[192.0.2.1]": what mail can have behind the @.
bool is_mail_domain(std::string_view value) {
    if (value.starts_with('['))
        return value.ends_with(']') && value.size() > 2 && value.find_first_of("@<>\\\" \t[", 1) == value.npos;
    if (value.size() > 1 && value.ends_with('.'))
        value.remove_suffix(1);
    std::optional<std::string> ascii = domain_to_ascii(value);
    return ascii && bytes::valid_hostname(*ascii);
}

// Reads a value into number; what is wrong, or nothing.
std::optional<std::string> read_number(const Parameter& p, std::string_view value, char unit, std::int64_t& number) {
    switch (p.kind) {
    case Kind::boolean:
        if (bytes::iequals(value, "yes")) {
            number = 1;
            return {};
        }
        if (bytes::iequals(value, "no")) {
            number = 0;
            return {};
        }
        return "yes or no is expected";
    case Kind::integer: {
        std::string range = range_text(p, "");
        auto n = bytes::to_int(value);
        if (!n)
            return fmt::format("a whole number{}{} is expected", range.empty() ? "" : " ", range);
        number = *n;
        if (*n < p.min || *n > p.max)
            return fmt::format("out of range: a number {} is expected", range);
        return {};
    }
    case Kind::time: {
        auto t = base::parse_duration(value, unit);
        if (!t)
            return fmt::format("a time is expected: a number and one of s, m, h, d or w behind it (without one: {})",
                               unit);
        number = t->count();
        if (number < p.min || number > p.max)
            return fmt::format("out of range: a time {} is expected", range_text(p, "s"));
        return {};
    }
    case Kind::text: break;
    }
    if (p.min == 1 && value.empty())
        return "it must not be empty";
    constexpr std::string_view labels = "labels of letters, digits, \"-\" and \"_\" with a dot between them";
    if (p.form == Form::hostname && !bytes::valid_hostname(value))
        return fmt::format("a host or domain name is expected: {}", labels);
    if (p.form == Form::origin && !value.starts_with('/') && !is_mail_domain(value))
        return fmt::format("a mail domain is expected ({}), or the name of a file with it, such as /etc/mailname",
                           labels);
    return {};
}

std::string origin(const Values& values, const std::string& name) {
    const Assigned* own = values.assigned(name);
    if (!own)
        return fmt::format("default of {}", name);
    if (own->line == 0)
        return fmt::format("-o {}={}", name, bytes::printable(own->value));
    return fmt::format("{}/main.cf, line {}: {} = {}", values.directory(), own->line, name,
                       bytes::printable(own->value));
}

// Expands and reads one parameter under its name; what is wrong, with where it was written, or nothing.
std::optional<std::string> evaluate(const Parameter& p, const std::string& name, const Values& values,
                                    std::int64_t& number, std::string& text) {
    std::string_view raw = values.raw(name).value_or("");
    if (p.raw) {
        text = raw;
    } else {
        Result<std::string> expanded = values.expand(raw);
        if (!expanded)
            return fmt::format("{}: {}", origin(values, name), expanded.error().reason);
        text = *expanded;
    }
    if (p.removed && !values.assigned(name))
        return {};
    if (p.kind == Kind::time && !values.assigned(name))
        drop_second_unit(text);
    char unit = p.kind == Kind::time ? default_unit(p) : 's';
    if (auto problem = read_number(p, text, unit, number)) {
        std::string became = text == raw ? "" : fmt::format(" (which is \"{}\")", bytes::printable(text));
        return fmt::format("{}{}: {}", origin(values, name), became, *problem);
    }
    return {};
}

// "myorigin = /etc/mailname": the file's first line takes the place of its name; what is wrong, with where it was
// written, or nothing.
std::optional<std::string> read_origin(Values& values, std::string& text) {
    if (!text.starts_with('/'))
        return {};
    const std::string name(param::myorigin.name);
    const Result<std::string>& line = values.first_line(text);
    if (!line)
        return fmt::format("{}: {}", origin(values, name), line.error().reason);
    // What the file holds is not shown: a command may be set-gid and its main.cf somebody else's.
    if (line->starts_with('/') || !is_mail_domain(*line))
        return fmt::format("{}: the first line of {} is no mail domain", origin(values, name), bytes::printable(text));
    text = *line;
    return {};
}

Result<std::shared_ptr<const Settings::Data>> make(Values values, const Overrides& overrides,
                                                   std::vector<std::string>* all_problems = nullptr) {
    for (const Assignment& a : overrides)
        values.assign(a.name, a.value);
    values.compute();
    auto data = std::make_shared<Settings::Data>(std::move(values));
    auto& all = all_parameters();
    data->numbers.resize(all.size() + 1);
    data->texts.resize(all.size() + 1);
    // What is wrong where it was written, by line; a default that is only wrong because it refers to such a value is
    // not named.
    std::vector<std::pair<int, std::string>> problems;
    std::string consequence;
    auto note = [&](std::optional<std::string> problem, std::string_view name) {
        if (!problem)
            return;
        if (const Assigned* own = data->values.assigned(name))
            problems.emplace_back(own->line, std::move(*problem));
        else if (consequence.empty())
            consequence = std::move(*problem);
    };
    for (std::size_t i = 0; i < all.size(); ++i)
        note(evaluate(*all[i], std::string(all[i]->name), data->values, data->numbers[i], data->texts[i]),
             all[i]->name);
    note(read_origin(data->values, data->texts[parameter_index(param::myorigin)]), param::myorigin.name);
    for (auto& [name, own] : data->values.all_assigned()) {
        if (find_parameter(name))
            continue;
        auto family = family_of(name);
        if (!family)
            continue;
        std::int64_t number = 0;
        std::string text;
        note(evaluate(*family->first, name, data->values, number, text), name);
    }
    if (problems.empty() && consequence.empty())
        return data;
    std::sort(problems.begin(), problems.end());
    if (all_problems)
        for (auto& problem : problems)
            all_problems->push_back(problem.second);
    std::string reason = problems.empty() ? consequence : problems.front().second;
    if (problems.size() > 1)
        reason += fmt::format(" (and {} more: postfix check names them)", problems.size() - 1);
    return permanent(reason);
}
}

std::optional<std::string> value_problem(const Parameter& p, std::string_view expanded) {
    std::int64_t number = 0;
    return read_number(p, expanded, p.kind == Kind::time ? default_unit(p) : 's', number);
}

Result<Settings> Settings::load(const std::string& directory, const Overrides& overrides,
                                std::vector<std::string>* warnings) {
    TRY_ASSIGN(MainFile file, read_main_cf(directory + "/main.cf"));
    Values values(directory);
    for (MainLine& line : file.lines)
        values.assign(line.name, std::move(line.value), line.line);
    if (warnings)
        *warnings = std::move(file.warnings);
    TRY_ASSIGN(std::shared_ptr<const Data> data, make(std::move(values), overrides));
    return Settings(std::move(data));
}

std::vector<std::string> value_problems(const std::string& directory) {
    std::vector<std::string> out;
    Result<MainFile> file = read_main_cf(directory + "/main.cf");
    if (!file)
        return {file.error().reason};
    Values values(directory);
    for (MainLine& line : file->lines)
        values.assign(line.name, std::move(line.value), line.line);
    if (auto made = make(std::move(values), {}, &out); !made && out.empty())
        out.push_back(made.error().reason);
    return out;
}

Settings Settings::defaults(const Overrides& overrides) {
    Result<std::shared_ptr<const Data>> data = make(Values("/etc/postfix"), overrides);
    if (data)
        return Settings(std::move(*data));
    // Only a test's own override can be wrong here: show it, and go on with the defaults alone.
    fmt::print(stderr, "conf::Settings::defaults: {}\n", data.error().reason);
    return Settings(*make(Values("/etc/postfix"), {}));
}

std::string Settings::snapshot() const {
    std::string out(snapshot_magic);
    auto add = [&out](std::string_view s) {
        out += '\0';
        out += s;
    };
    add(directory());
    for (auto& [name, own] : data_->values.all_assigned()) {
        add(name);
        add(own.value);
        add(std::to_string(own.line));
    }
    for (auto& [path, line] : data_->values.first_lines()) {
        add(path);
        add(line.value_or(""));
        add(first_line_mark);
    }
    return out;
}

Result<Settings> Settings::from_snapshot(std::string_view snapshot, const Overrides& overrides) {
    std::vector<std::string_view> fields;
    for (std::size_t at = 0; at <= snapshot.size();) {
        std::size_t end = snapshot.find('\0', at);
        if (end == snapshot.npos)
            end = snapshot.size();
        fields.push_back(snapshot.substr(at, end - at));
        at = end + 1;
    }
    if (fields.size() < 2 || fields[0] != snapshot_magic || (fields.size() - 2) % 3 != 0)
        return permanent("the settings from master are cut short or of another version");
    Values values{std::string(fields[1])};
    for (std::size_t i = 2; i < fields.size(); i += 3) {
        if (fields[i + 2] == first_line_mark) {
            values.keep_first_line(std::string(fields[i]), std::string(fields[i + 1]));
            continue;
        }
        auto line = bytes::to_int(fields[i + 2]);
        if (fields[i].empty() || !line || *line < 0 || *line > INT32_MAX)
            return permanent("the settings from master are malformed");
        values.assign(fields[i], std::string(fields[i + 1]), static_cast<int>(*line));
    }
    TRY_ASSIGN(std::shared_ptr<const Data> data, make(std::move(values), overrides));
    return Settings(std::move(data));
}

Result<Settings> Settings::with(const Overrides& overrides) const {
    TRY_ASSIGN(std::shared_ptr<const Data> data, make(data_->values, overrides));
    return Settings(std::move(data));
}

bool Settings::operator[](const Bool& p) const { return data_->numbers[parameter_index(p)] != 0; }
std::int64_t Settings::operator[](const Int& p) const { return data_->numbers[parameter_index(p)]; }
std::chrono::seconds Settings::operator[](const Time& p) const {
    return std::chrono::seconds(data_->numbers[parameter_index(p)]);
}
const std::string& Settings::operator[](const Text& p) const { return data_->texts[parameter_index(p)]; }

namespace {
std::string member_name(const Parameter& family, std::string_view service) {
    std::string name(service);
    name += family.name.substr(std::string_view("transport").size());
    return name;
}

// The member's own value, else the family's. What is assigned was checked when the snapshot was made.
std::pair<std::int64_t, std::string> member(const Settings::Data& data, const Parameter& family,
                                            std::string_view service) {
    std::pair<std::int64_t, std::string> out{};
    std::string name = member_name(family, service);
    if (const Parameter* declared = find_parameter(name)) {
        std::size_t i = parameter_index(*declared);
        // The member may be declared with less precision than the family (a text for a number): read it again as the
        // family's kind.
        if (declared->kind == family.kind)
            return {data.numbers[i], data.texts[i]};
    }
    if (evaluate(family, name, data.values, out.first, out.second)) {
        std::size_t i = parameter_index(family);
        return {data.numbers[i], data.texts[i]};
    }
    return out;
}
}

std::int64_t Settings::of(const Int& family, std::string_view service) const {
    return member(*data_, family, service).first;
}
std::chrono::seconds Settings::of(const Time& family, std::string_view service) const {
    return std::chrono::seconds(member(*data_, family, service).first);
}
std::string Settings::of(const Text& family, std::string_view service) const {
    return member(*data_, family, service).second;
}

std::optional<std::string> Settings::value(std::string_view name) const {
    auto raw = data_->values.raw(name);
    if (!raw)
        return std::nullopt;
    if (const Parameter* p = find_parameter(name))
        return data_->texts[parameter_index(*p)];
    Result<std::string> expanded = data_->values.expand(*raw);
    return expanded ? std::optional(*expanded) : std::nullopt;
}

bool Settings::is_set(std::string_view name) const { return data_->values.assigned(name) != nullptr; }

std::string Settings::expand(std::string_view text, const std::map<std::string, std::string>& extra) const {
    // What `extra` holds may come from outside: it is inserted as it is, never expanded.
    Result<std::string> out = conf::expand(text, [&](std::string_view name) -> std::optional<Found> {
        if (auto found = extra.find(std::string(name)); found != extra.end())
            return Found{found->second, true};
        auto raw = data_->values.raw(name);
        return raw ? std::optional(Found{*raw}) : std::nullopt;
    });
    return out ? *out : std::string(text);
}

const std::string& Settings::directory() const { return data_->values.directory(); }
const Values& Settings::values() const { return data_->values; }
}
