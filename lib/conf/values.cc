#include "conf/values.h"

#include <errno.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "conf/catalogue.h"
#include "conf/interfaces.h"

namespace conf {
namespace {
constexpr std::size_t first_line_file_max = 64u << 10;

std::string host_name() {
    char buffer[256] = {};
    if (gethostname(buffer, sizeof buffer - 1) != 0 || buffer[0] == '\0')
        return "localhost";
    return buffer;
}

// "mail.example.com" gives "example.com"; one label gives nothing.
std::string_view without_first_label(std::string_view host) {
    std::size_t dot = host.find('.');
    return dot == host.npos ? std::string_view{} : host.substr(dot + 1);
}

std::string program_name() {
#ifdef __linux__
    return program_invocation_short_name;
#else
    return getprogname();
#endif
}
}

Values::Values(std::string directory) : directory_(std::move(directory)) {}

void Values::assign(std::string_view name, std::string value, int line) {
    assigned_.insert_or_assign(std::string(name), Assigned{std::move(value), line});
}

const Assigned* Values::assigned(std::string_view name) const {
    auto found = assigned_.find(name);
    return found == assigned_.end() ? nullptr : &found->second;
}

std::optional<std::string_view> Values::fallback(std::string_view name) const {
    if (auto found = computed_.find(name); found != computed_.end())
        return found->second;
    if (const Parameter* p = find_parameter(name)) {
        if (p->removed)
            return std::nullopt;
        return p->fallback == "(computed)" ? std::string_view{} : p->fallback;
    }
    if (auto family = family_of(name))
        return family->first->fallback;
    return std::nullopt;
}

std::optional<std::string_view> Values::raw(std::string_view name) const {
    if (name == "config_directory")
        return directory_;
    if (auto* own = assigned(name))
        return own->value;
    return fallback(name);
}

Result<std::string> Values::expand(std::string_view text,
                                   const std::function<void(std::string_view)>& undefined) const {
    return conf::expand(
        text,
        [this](std::string_view name) -> std::optional<Found> {
            auto value = raw(name);
            return value ? std::optional(Found{*value}) : std::nullopt;
        },
        undefined);
}

const Result<std::string>& Values::first_line(const std::string& path) {
    auto found = first_lines_.find(path);
    if (found == first_lines_.end()) {
        Result<std::string> text = read_file(path, first_line_file_max);
        if (text)
            text = std::string(bytes::trim(std::string_view(*text).substr(0, text->find('\n'))));
        found = first_lines_.emplace(path, std::move(text)).first;
    }
    return found->second;
}

void Values::compute_names() {
    // myhostname and mydomain may each be written with the other; what is not assigned comes from the kernel's host
    // name.
    std::string host = host_name();
    std::string domain(without_first_label(host));
    if (auto* own = assigned("mydomain"); own)
        domain = own->value;
    else if (domain.empty())
        domain = "localdomain";
    computed_["mydomain"] = domain;
    computed_["myhostname"] = host.find('.') == host.npos ? host + ".$mydomain" : host;
    if (!assigned("mydomain")) {
        if (auto* own = assigned("myhostname")) {
            Result<std::string> expanded = expand(own->value);
            std::string_view rest = expanded ? without_first_label(*expanded) : std::string_view{};
            computed_["mydomain"] = rest.empty() ? "localdomain" : std::string(rest);
        }
    }
    // Shown as plain text, as there is nothing to look up later.
    if (!assigned("myhostname"))
        if (Result<std::string> expanded = expand(computed_["myhostname"]))
            computed_["myhostname"] = *expanded;
}

void Values::compute() {
    computed_["process_id"] = std::to_string(getpid());
    computed_["process_name"] = program_name();
    compute_names();
    auto expanded = [this](std::string_view name) { return expand(raw(name).value_or("")).value_or(""); };
    computed_["mynetworks"] =
        local_networks(expanded("mynetworks_style"), expanded("inet_interfaces"), expanded("inet_protocols"));
}
}
