#include "policy.h"
#include <fmt/format.h>
#include <algorithm>
#include "base/bytes.h"
#include "dns/dns.h"

namespace mta_sts {
namespace {
bool valid_pattern(std::string_view pattern) {
    if (pattern.starts_with("*."))
        pattern.remove_prefix(2);
    return dns::valid_hostname(pattern);
}

Failure bad(std::string reason) { return temporary(std::move(reason), {4, 7, 5}); }

bool known_mode(std::string_view mode) { return mode == "enforce" || mode == "testing" || mode == "none"; }
}

Result<StsPolicy> parse_policy(std::string_view text) {
    if (text.size() > policy_limit)
        return bad("longer than 64 KiB");
    StsPolicy p;
    bool version = false;
    std::optional<std::int64_t> age;
    while (!text.empty()) {
        auto end = text.find('\n');
        std::string_view line = bytes::trim(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (line.empty())
            continue;
        auto [key, value] = bytes::cut(line, ':');
        if (!value)
            return bad("a line without \":\"");
        std::string_view word = bytes::trim(*value);
        if (key == "version") {
            if (word != "STSv1")
                return bad("not version STSv1");
            version = true;
        } else if (key == "mode") {
            if (!p.mode.empty())
                continue;  // of fields given twice the first one holds
            if (!known_mode(word))
                return bad("an unknown mode");
            p.mode = word;
        } else if (key == "max_age") {
            auto n = word.size() <= 10 ? bytes::to_int(word) : std::nullopt;
            if (!n || *n < 0 || *n > max_age_limit)
                return bad("max_age is not a number of seconds up to a year");
            if (!age)
                age = *n;
        } else if (key == "mx") {
            if (!valid_pattern(word))
                return bad("an mx that is no host name");
            if (p.hosts.size() == hosts_limit)
                return bad("too many mx");
            p.hosts.push_back(bytes::lowered(word));
        }
    }
    if (!version)
        return bad("no version");
    if (p.mode.empty())
        return bad("no mode");
    if (!age)
        return bad("no max_age");
    if (p.hosts.empty() && p.mode != "none")
        return bad("no mx");
    p.max_age = *age;
    return p;
}

std::optional<std::string> announced_id(const std::vector<std::string>& txt) {
    std::optional<std::string> found;
    for (const std::string& record : txt) {
        auto fields = bytes::split(record, ";");
        if (fields.empty() || bytes::trim(fields[0]) != "v=STSv1" || record.find(';') == record.npos)
            continue;
        std::string_view id;
        for (std::string_view field : fields) {
            field = bytes::trim(field);
            if (id.empty() && field.starts_with("id="))
                id = field.substr(3);
        }
        bool good = !id.empty() && id.size() <= 32 && std::all_of(id.begin(), id.end(), bytes::is_alnum);
        if (found || !good)
            return std::nullopt;
        found = id;
    }
    return found;
}

std::string Cached::text() const {
    return fmt::format("1 {} {} {} {} {} {}", id, fetched, asked, policy.max_age, policy.mode,
                       fmt::join(policy.hosts, ","));
}

std::optional<Cached> Cached::parse(std::string_view line) {
    auto words = bytes::split(line, " ");
    if (words.size() < 6 || words.size() > 7 || words[0] != "1" || !known_mode(words[5]))
        return std::nullopt;
    auto fetched = bytes::to_int(words[2]), asked = bytes::to_int(words[3]), age = bytes::to_int(words[4]);
    if (!fetched || !asked || !age || *fetched < 0 || *asked < 0 || *age < 0 || *age > max_age_limit)
        return std::nullopt;
    Cached c{std::string(words[1]), *fetched, *asked, {std::string(words[5]), *age, {}}};
    if (words.size() == 7)
        for (std::string_view host : bytes::split(words[6], ",")) {
            if (!valid_pattern(host) || c.policy.hosts.size() == hosts_limit)
                return std::nullopt;
            c.policy.hosts.emplace_back(host);
        }
    if (c.policy.hosts.empty() && c.policy.mode != "none")
        return std::nullopt;
    return c;
}
}
