#include "entry.h"
#include <ctime>
#include <nlohmann/json.hpp>
#include <algorithm>
#include "base/bytes.h"
#include "ipc/json.h"
#include "record.h"

namespace tlsrpt {
namespace {
using Json = nlohmann::ordered_json;
using ipc::take_member;
using ipc::tlsrpt::FailureDetail;

constexpr std::int64_t time_end = std::int64_t(1) << 40;  // later times are damage, and sums with them could overflow
constexpr std::pair<const char*, std::string FailureDetail::*> texts[] = {
    {"sending-ip", &FailureDetail::sending_ip},   {"mx", &FailureDetail::receiving_mx},
    {"helo", &FailureDetail::receiving_helo},     {"ip", &FailureDetail::receiving_ip},
    {"information", &FailureDetail::information}, {"reason", &FailureDetail::reason}};
constexpr std::pair<Outcome, std::string_view> outcomes[] = {
    {Outcome::waiting, "waiting"}, {Outcome::sent, "sent"}, {Outcome::failed, "failed"}, {Outcome::skipped, "skipped"}};

std::string clipped(const std::string& text) {
    std::size_t n = std::min(text.size(), text_limit);
    while (n < text.size() && n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80)
        --n;  // not within a character
    return text.substr(0, n);
}
std::vector<std::string> clipped(const std::vector<std::string>& list) {
    std::vector<std::string> out;
    for (const std::string& one : list)
        if (out.size() < list_limit)
            out.push_back(clipped(one));
    return out;
}
std::size_t size_of(const std::vector<std::string>& list) {
    std::size_t n = 0;
    for (const std::string& one : list)
        n += one.size() + sizeof(std::string);
    return n;
}

// The policy of a session with this domain, as an entry holds it.
PolicyCounts counts_of(const ipc::tlsrpt::AppliedPolicy& p, const std::string& domain) {
    return {p.type,
            p.domain.empty() ? domain : bytes::lowered(clipped(p.domain)),
            clipped(p.strings),
            clipped(p.mx_hosts),
            0,
            0,
            {}};
}

bool same(const PolicyCounts& a, const PolicyCounts& b) {
    return a.type == b.type && a.domain == b.domain && a.strings == b.strings && a.mx_hosts == b.mx_hosts;
}

// --- reading: each is false where the JSON is of another kind
// Each member of the array, an object, to read(member); an array that is not there is empty.
template <class Read> bool each(const Json& object, const char* key, Read read) {
    auto it = object.find(key);
    if (it == object.end())
        return true;
    return it->is_array() &&
           std::all_of(it->begin(), it->end(), [&](const Json& one) { return one.is_object() && read(one); });
}

bool read_detail(const Json& j, Detail& d) {
    std::string type;
    if (!take_member(j, "result", type) || !take_member(j, "sessions", d.sessions))
        return false;
    for (const auto& [key, member] : texts)
        if (!take_member(j, key, d.what.*member))
            return false;
    auto code = ipc::tlsrpt::parse_result_type(type);
    if (code)
        d.what.code = *code;
    return code.has_value();
}
bool read_policy(const Json& j, PolicyCounts& p) {
    std::string type;
    if (!take_member(j, "type", type) || !take_member(j, "domain", p.domain) || !take_member(j, "string", p.strings) ||
        !take_member(j, "mx", p.mx_hosts))
        return false;
    if (!take_member(j, "sessions", p.sessions) || !take_member(j, "failed", p.failed) || p.failed > p.sessions)
        return false;
    auto known = ipc::tlsrpt::parse_policy_type(type);
    if (known)
        p.type = *known;
    return known && each(j, "failures", [&](const Json& one) { return read_detail(one, p.details.emplace_back()); });
}
bool read_destination(const Json& j, Destination& d) {
    std::string outcome;
    if (!take_member(j, "uri", d.uri) || !take_member(j, "outcome", outcome) || !parse_uri(d.uri))
        return false;
    for (const auto& [value, name] : outcomes)
        if (name == outcome) {
            d.outcome = value;
            return true;
        }
    return false;
}

Json json_of(const PolicyCounts& p) {
    Json j{
        {"type", ipc::tlsrpt::name_of(p.type)}, {"domain", p.domain}, {"sessions", p.sessions}, {"failed", p.failed}};
    if (!p.strings.empty())
        j["string"] = p.strings;
    if (!p.mx_hosts.empty())
        j["mx"] = p.mx_hosts;
    for (const Detail& d : p.details) {
        Json one{{"result", ipc::tlsrpt::name_of(d.what.code)}, {"sessions", d.sessions}};
        for (const auto& [key, member] : texts)
            if (!(d.what.*member).empty())
                one[key] = d.what.*member;
        j["failures"].push_back(std::move(one));
    }
    return j;
}
}

std::string utc(std::int64_t time) {
    std::time_t t = time;
    std::tm tm{};
    gmtime_r(&t, &tm);
    char text[40];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

std::uint64_t Entry::sessions() const {
    std::uint64_t n = 0;
    for (const PolicyCounts& p : policies)
        n += p.sessions;
    return n;
}
std::uint64_t Entry::failed() const {
    std::uint64_t n = 0;
    for (const PolicyCounts& p : policies)
        n += p.failed;
    return n;
}
std::string Entry::key() const {
    const std::string time = utc(begin);
    return time.substr(0, 10) + "/" + time.substr(11, 8) + "/" + domain;
}

std::string Entry::text() const {
    Json j{{"domain", domain}, {"record", record}, {"begin", begin}, {"end", end}, {"policies", Json::array()}};
    for (const PolicyCounts& p : policies)
        j["policies"].push_back(json_of(p));
    if (closed()) {
        j.update({{"id", id}, {"due", due}, {"first-try", first_try}, {"tries", tries}, {"done", done}});
        for (const Destination& d : destinations) {
            auto name = std::find_if(std::begin(outcomes), std::end(outcomes),
                                     [&](const auto& o) { return o.first == d.outcome; });
            j["destinations"].push_back({{"uri", d.uri}, {"outcome", name->second}});
        }
    }
    return j.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::optional<Entry> Entry::parse(std::string_view text) {
    Json j = Json::parse(text, nullptr, false);
    if (!j.is_object())
        return std::nullopt;
    Entry e;
    bool good =
        take_member(j, "domain", e.domain) && take_member(j, "record", e.record) && take_member(j, "begin", e.begin) &&
        take_member(j, "end", e.end) && take_member(j, "id", e.id) && take_member(j, "due", e.due) &&
        take_member(j, "first-try", e.first_try) && take_member(j, "tries", e.tries) &&
        take_member(j, "done", e.done) &&
        each(j, "policies", [&](const Json& one) { return read_policy(one, e.policies.emplace_back()); }) &&
        each(j, "destinations", [&](const Json& one) { return read_destination(one, e.destinations.emplace_back()); });
    for (std::int64_t time : {e.begin, e.end, e.due, e.first_try})
        good = good && time >= 0 && time < time_end;
    if (!good || e.domain.empty() || e.begin == 0 || e.tries < 0 || (e.closed() && (e.end < e.begin || e.id.empty())))
        return std::nullopt;
    return e;
}

std::size_t Entry::add(const ipc::tlsrpt::Datagram& session, bool room, std::size_t details, bool* cut) {
    std::size_t grown = 0, noted = 0;
    if (session.record.size() <= record_limit)
        record = session.record;
    for (const PolicyCounts& p : policies)
        noted += p.details.size();
    for (const ipc::tlsrpt::AppliedPolicy& one : session.policies) {
        PolicyCounts wanted = counts_of(one, domain);
        auto p = std::find_if(policies.begin(), policies.end(),
                              [&](const PolicyCounts& have) { return same(have, wanted); });
        if (p == policies.end() && (policies.empty() || (room && policies.size() < policies_limit))) {
            grown += sizeof wanted + wanted.domain.size() + size_of(wanted.strings) + size_of(wanted.mx_hosts);
            policies.push_back(std::move(wanted));
            p = policies.end() - 1;
        } else if (p == policies.end()) {  // no room: it counts with one of its kind
            *cut = true;
            p = std::find_if(policies.begin(), policies.end(),
                             [&](const PolicyCounts& have) { return have.type == one.type; });
            if (p == policies.end())
                p = policies.begin();
        }
        ++p->sessions;
        p->failed += one.failed;
        for (const FailureDetail& failure : one.failures) {
            FailureDetail what{.code = failure.code};
            for (const auto& [key, member] : texts)
                what.*member = clipped(failure.*member);
            auto d = std::find_if(p->details.begin(), p->details.end(),
                                  [&](const Detail& have) { return have.what == what; });
            if (d != p->details.end()) {
                ++d->sessions;
                continue;
            }
            if (!room || noted >= details) {
                *cut = true;
                continue;
            }
            ++noted;
            grown += sizeof(Detail);
            for (const auto& [key, member] : texts)
                grown += (what.*member).size();
            p->details.push_back({std::move(what), 1});
        }
    }
    return grown;
}
}
