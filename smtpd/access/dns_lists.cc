// DNS block and allow lists: by the client's address (rbl, dnswl) and by a domain (rhsbl, rhswl).
//
// An answer in 127.255.255.0/24 means that the list did not answer the question (too many queries, blocked resolver): a
// warning, never a match. Answers are remembered for the session.
//
// When things fail: a list that does not answer does not match; one warning.
#include <fmt/format.h>
#include <map>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/reply.h"

namespace smtpd::rule {
namespace {
constexpr std::size_t cache_limit = 100;
// "4.3.2.1" or the nibbles of an IPv6 address, without the arpa suffix.
std::string reversed(const std::string& address) {
    std::string name = dns::reverse_name(address);
    for (std::string_view suffix : {".in-addr.arpa", ".ip6.arpa"})
        if (name.ends_with(suffix))
            name.resize(name.size() - suffix.size());
    return name;
}

const dns::Answer& ask_list(Check& check, const std::string& name, bool txt) {
    auto& cache = check.session().access.dns_cache;
    for (auto& entry : cache)
        if (entry.name == name && entry.txt == txt)
            return entry.answer;
    dns::Answer answer = check.service().resolver.query(name, txt ? dns::Type::txt : dns::Type::a);
    if (cache.size() >= cache_limit)
        cache.clear();
    cache.push_back({name, txt, std::move(answer)});
    return cache.back().answer;
}

// name: the question; what: whom it is about, for texts.
Verdict listed(Check& check, const Restriction& r, const std::string& name, const std::string& what, const Subject& s,
               bool permits) {
    const DnsList& list = *r.list;
    Service& service = check.service();
    dns::Answer answer = ask_list(check, name, false);
    if (!answer) {
        if (answer.temporary()) {
            maillog::warning("{}: RBL lookup error: {}", name, answer.reason);
            if (permits)
                check.defer_if_reject(450, "4.7.1",
                                      fmt::format("<{}>: {} rejected: DNS list lookup error", s.name, s.klass));
        }
        return Verdict::dunno;
    }
    bool match = false;
    for (const dns::Record& record : answer.records) {
        if (record.value.starts_with("127.255.255.")) {
            maillog::warning("{}: the list refused the query: {}", name, record.value);
            continue;
        }
        if (list.matches(record.value))
            match = true;
    }
    if (!match)
        return Verdict::dunno;
    if (permits)
        return check.permit(r, s);

    const conf::Settings& settings = service.settings();
    std::string text = check.settings()[param::default_rbl_reply];
    if (!service.rbl_replies.empty()) {
        auto found = service.rbl_replies.find(r.argument);
        if (found && !*found)
            found = service.rbl_replies.find(list.domain);
        if (!found) {
            maillog::warning("rbl_reply_maps: {}", found.error().reason);
            return check.refuse(451, "4.3.5", s, "Server configuration error");
        }
        if (*found)
            text = **found;
    }
    std::string reason;
    if (text.find("rbl_reason") != text.npos || text.find("rbl_txt") != text.npos) {
        const dns::Answer& txt = ask_list(check, name, true);
        if (txt)
            reason = bytes::printable(std::string_view(txt.records.front().value).substr(0, 500));
    }
    const Client& c = check.client();
    auto from = mail::split_address(check.sender()), to = mail::split_address(check.recipient());
    auto or_null = [](std::string_view text_) { return text_.empty() ? std::string("<>") : std::string(text_); };
    std::map<std::string, std::string> names{{"rbl_code", std::to_string(settings[param::maps_rbl_reject_code])},
                                             {"rbl_class", s.klass},
                                             {"rbl_domain", list.domain},
                                             {"rbl_what", what},
                                             {"rbl_reason", reason},
                                             {"rbl_txt", reason},
                                             {"client", c.shown},
                                             {"client_address", c.address},
                                             {"client_name", c.name},
                                             {"reverse_client_name", c.reverse_name},
                                             {"helo_name", check.client().helo},
                                             {"sender", or_null(check.sender())},
                                             {"sender_name", or_null(from.local)},
                                             {"sender_domain", std::string(from.domain.value_or(""))},
                                             {"recipient", or_null(check.recipient())},
                                             {"recipient_name", or_null(to.local)},
                                             {"recipient_domain", std::string(to.domain.value_or(""))}};
    for (auto& [key, value] : names)
        value = service.censored(std::move(value));
    std::string reply = settings.expand(text, names);
    // "554 5.7.1 Service unavailable; …", the code and the status optional.
    mail::StatusText parts = mail::split_status(reply);
    int code =
        parts.code >= 400 && parts.code < 600 ? parts.code : static_cast<int>(settings[param::maps_rbl_reject_code]);
    return check.refuse(code, fitting_status(code, parts.enhanced.klass ? parts.enhanced.text() : "5.7.1", s.klass),
                        std::string(parts.text));
}

Verdict address(Check& check, const Restriction& r, bool permits) {
    const Client& c = check.client();
    std::string name = reversed(c.address);
    if (name.empty())
        return Verdict::dunno;
    return listed(check, r, name + "." + r.list->domain, c.address, check.subject(Of::client), permits);
}

Verdict domain(Check& check, const Restriction& r, bool permits) {
    const Of of = r.rule->of;
    std::string_view domain = check.host(of);
    if (domain.ends_with('.'))
        domain.remove_suffix(1);
    std::string ascii = mail::to_ascii_domain(domain).value_or("");
    if (ascii.empty() || ascii == "unknown" || ascii.starts_with('[') || !dns::valid_hostname(ascii))
        return Verdict::dunno;
    Subject s = check.subject(of);
    const bool of_client = of == Of::client || of == Of::reverse_client;
    return listed(check, r, ascii + "." + r.list->domain, of_client ? std::string(domain) : s.name, s, permits);
}
}

Verdict address_blocked(Check& check, const Restriction& r) { return address(check, r, false); }
Verdict address_allowed(Check& check, const Restriction& r) { return address(check, r, true); }
Verdict domain_blocked(Check& check, const Restriction& r) { return domain(check, r, false); }
Verdict domain_allowed(Check& check, const Restriction& r) { return domain(check, r, true); }
}
