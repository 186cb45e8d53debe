#include "ipc/tlsrpt.h"
#include <nlohmann/json.hpp>
#include <utility>
#include "ipc/json.h"

namespace ipc::tlsrpt {
namespace {
using Json = nlohmann::ordered_json;
constexpr std::size_t text_limit = 4000, record_limit = 4000;  // bytes of one string

template <class Value> struct Name {
    Value value;
    std::string_view text;
};
constexpr Name<PolicyType> policy_types[] = {
    {PolicyType::tlsa, "tlsa"}, {PolicyType::sts, "sts"}, {PolicyType::no_policy_found, "no-policy-found"}};
constexpr Name<ResultType> result_types[] = {
    {ResultType::starttls_not_supported, "starttls-not-supported"},
    {ResultType::certificate_host_mismatch, "certificate-host-mismatch"},
    {ResultType::certificate_not_trusted, "certificate-not-trusted"},
    {ResultType::certificate_expired, "certificate-expired"},
    {ResultType::validation_failure, "validation-failure"},
    {ResultType::sts_policy_fetch_error, "sts-policy-fetch-error"},
    {ResultType::sts_policy_invalid, "sts-policy-invalid"},
    {ResultType::sts_webpki_invalid, "sts-webpki-invalid"},
    {ResultType::tlsa_invalid, "tlsa-invalid"},
    {ResultType::dnssec_invalid, "dnssec-invalid"},
    {ResultType::dane_required, "dane-required"},
};

template <class Value, std::size_t n> std::string_view name_in(const Name<Value> (&table)[n], Value value) {
    for (const auto& one : table)
        if (one.value == value)
            return one.text;
    return "?";
}
template <class Value, std::size_t n>
std::optional<Value> value_in(const Name<Value> (&table)[n], std::string_view text) {
    for (const auto& one : table)
        if (one.text == text)
            return one.value;
    return std::nullopt;
}

constexpr std::pair<const char*, std::string FailureDetail::*> details[] = {
    {"s", &FailureDetail::sending_ip},   {"n", &FailureDetail::receiving_mx}, {"h", &FailureDetail::receiving_helo},
    {"r", &FailureDetail::receiving_ip}, {"a", &FailureDetail::information},  {"f", &FailureDetail::reason}};

Json clipped(const std::vector<std::string>& list) {
    Json array = Json::array();
    for (const std::string& text : list)
        array.push_back(text.substr(0, text_limit));
    return array;
}

std::string text_of(const Datagram& d) {
    Json policies = Json::array();
    for (const AppliedPolicy& p : d.policies) {
        Json policy{{"policy-type", static_cast<int>(p.type)}, {"policy-domain", p.domain.substr(0, text_limit)}};
        if (!p.strings.empty())
            policy["policy-string"] = clipped(p.strings);
        if (!p.mx_hosts.empty())
            policy["mx-host"] = clipped(p.mx_hosts);
        if (!p.failures.empty())
            policy["failure-details"] = Json::array();
        for (const FailureDetail& f : p.failures) {
            Json detail{{"c", static_cast<int>(f.code)}};
            for (const auto& [key, member] : details)
                if (!(f.*member).empty())
                    detail[key] = (f.*member).substr(0, text_limit);
            policy["failure-details"].push_back(std::move(detail));
        }
        policy["t"] = p.failures.size();
        policy["f"] = p.failed ? 1 : 0;
        policies.push_back(std::move(policy));
    }
    Json all{{"dpv", "1"},
             {"d", d.domain.substr(0, text_limit)},
             {"pr", d.record.substr(0, record_limit)},
             {"policies", std::move(policies)}};
    return all.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// Makes it less, by what is worth least; false: nothing is left to take.
bool shrink(Datagram& d) {
    bool less = false;
    for (auto list : {&AppliedPolicy::strings, &AppliedPolicy::mx_hosts}) {
        for (AppliedPolicy& p : d.policies) {
            less = less || !(p.*list).empty();
            (p.*list).resize((p.*list).size() / 2);
        }
    }
    if (less)
        return true;
    for (AppliedPolicy& p : d.policies) {
        less = less || p.failures.size() > 1;
        p.failures.resize((p.failures.size() + 1) / 2);
    }
    if (less)
        return true;
    if (d.policies.size() < 2)
        return false;
    d.policies.resize(d.policies.size() / 2);
    return true;
}

// --- reading: each returns false where the JSON is of another kind

// A number of the table; it has to be there.
template <class Value, std::size_t n>
bool take_code(const Json& object, const char* key, const Name<Value> (&table)[n], Value& to) {
    auto it = object.find(key);
    if (it == object.end() || !it->is_number_integer())
        return false;
    for (const auto& one : table) {
        if (it->get<std::int64_t>() != static_cast<std::int64_t>(one.value))
            continue;
        to = one.value;
        return true;
    }
    return false;
}

bool take_failures(const Json& object, AppliedPolicy& policy) {
    auto it = object.find("failure-details");
    if (it == object.end())
        return true;
    if (!it->is_array())
        return false;
    for (const Json& one : *it) {
        FailureDetail& f = policy.failures.emplace_back();
        if (!one.is_object() || !take_code(one, "c", result_types, f.code))
            return false;
        for (const auto& [key, member] : details)
            if (!take_member(one, key, f.*member))
                return false;
    }
    return true;
}

tl::unexpected<Error> bad(const char* what) { return permanent(what, {5, 6, 0}); }
}

std::string_view name_of(PolicyType type) { return name_in(policy_types, type); }
std::string_view name_of(ResultType type) { return name_in(result_types, type); }
std::optional<PolicyType> parse_policy_type(std::string_view name) { return value_in(policy_types, name); }
std::optional<ResultType> parse_result_type(std::string_view name) { return value_in(result_types, name); }

std::string encode(const Datagram& datagram) {
    std::string text = text_of(datagram);
    if (text.size() <= datagram_limit)
        return text;
    Datagram less = datagram;
    while (text.size() > datagram_limit && shrink(less))
        text = text_of(less);
    return text;
}

Result<Datagram> decode(std::string_view text) {
    if (text.size() > datagram_limit)
        return bad("too long");
    Json all = Json::parse(text, nullptr, false);
    if (!all.is_object())
        return bad("not a JSON object");
    Datagram d;
    std::string version;
    if (!take_member(all, "dpv", version) || (!version.empty() && version != "1"))
        return bad("another version of the protocol than 1");
    if (!take_member(all, "d", d.domain) || d.domain.empty())
        return bad("no recipient domain");
    if (!take_member(all, "pr", d.record) || d.record.empty())
        return bad("no TLSRPT record");
    auto policies = all.find("policies");
    if (policies == all.end() || !policies->is_array() || policies->empty())
        return bad("no policies");
    for (const Json& one : *policies) {
        AppliedPolicy& p = d.policies.emplace_back();
        if (!one.is_object() || !take_code(one, "policy-type", policy_types, p.type))
            return bad("a policy of no known type");
        if (!take_member(one, "policy-domain", p.domain) || !take_member(one, "policy-string", p.strings) ||
            !take_member(one, "mx-host", p.mx_hosts))
            return bad("a policy that is not made of text");
        if (!take_failures(one, p))
            return bad("malformed failure details");
        auto failed = one.find("f");
        if (failed == one.end() || !failed->is_number_integer())
            return bad("a policy without its result");
        p.failed = failed->get<std::int64_t>() != 0;
    }
    return d;
}
}
