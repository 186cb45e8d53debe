// check_…_access: looking a client, name, address or its servers up in a table, and doing what the table says.
#include <fmt/format.h>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/reply.h"

namespace smtpd {
Verdict Check::broken_table(const Restriction& r, const Error& why, const Subject& s) {
    maillog::warning("{}: {}", r.argument, why.reason);
    return refuse(451, "4.3.5", s, "Server configuration error");
}

// The value where there is one; else verdict is what the rule comes to.
std::optional<std::string> Check::table_hit(const Restriction& r, const Result<std::optional<table::AddressMatch>>& hit,
                                            const Subject& s, Verdict& verdict) {
    verdict = Verdict::dunno;
    if (!hit) {
        verdict = broken_table(r, hit.error(), s);
        return std::nullopt;
    }
    if (!*hit)
        return std::nullopt;
    return (*hit)->value;
}

Verdict Check::table_host(const Restriction& r, std::string_view name, const Subject& s, bool with_address) {
    Verdict v;
    std::string_view host = name.ends_with('.') && name.size() > 1 ? name.substr(0, name.size() - 1) : name;
    if (auto value = table_hit(r, table::find_domain(*r.table, host, service_.access_parents), s, v))
        return act(r, name, *value, s);
    if (v != Verdict::dunno || !with_address)
        return v;
    const std::string& address = session_.client().address;
    if (auto value = table_hit(r, table::find_network(*r.table, address), s, v))
        return act(r, address, *value, s);
    return v;
}

Verdict Check::table_address(const Restriction& r, bool of_sender) {
    Subject s = address_subject(of_sender);
    const std::string& address = of_sender ? sender() : recipient();
    Verdict v;
    if (address.empty()) {
        if (auto value =
                table_hit(r, table::find_domain(*r.table, service_.null_access_key, table::Parents::none), s, v))
            return act(r, service_.null_access_key, *value, s);
        return v;
    }
    auto where = resolve(address);
    if (!where || (where->flags & ipc::ResolveReply::failed)) {
        if (!where)
            maillog::warning("{}", where.error().reason);
        return refuse(451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", s.name));
    }
    table::AddressRules rules;
    rules.forms = table::forms_access;
    rules.delimiters = service_.delimiters;
    rules.parents = service_.access_parents;
    if (auto value = table_hit(r, table::find_address(*r.table, where->recipient, rules), s, v))
        return act(r, where->recipient, *value, s);
    return v;
}

// The names and addresses of a domain's MX hosts, name servers, or its own addresses.
Verdict Check::table_servers(const Restriction& r, std::string_view domain, const Subject& s, dns::Type type) {
    if (domain.ends_with('.'))
        domain.remove_suffix(1);
    std::string name = mail::to_ascii_domain(domain).value_or("");
    if (name.empty() || name == "unknown" || name.starts_with('[') || !dns::valid_hostname(name))
        return Verdict::dunno;
    std::vector<std::string> hosts;
    auto temporary = [&](const dns::Answer& a, std::string_view of) {
        maillog::warning("Unable to look up {} host for {}: {}", dns::name_of(type), of, a.reason);
        return Verdict::dunno;
    };
    if (type == dns::Type::a)
        hosts.push_back(name);
    else {
        dns::Answer answer = service_.resolver.query(name, type);
        // Name servers are those of the nearest parent that has some; a domain without MX is its own.
        for (std::size_t dot; type == dns::Type::ns && !answer && !answer.temporary() &&
                              (dot = name.find('.')) != name.npos && name.find('.', dot + 1) != name.npos;) {
            name.erase(0, dot + 1);
            answer = service_.resolver.query(name, type);
        }
        if (answer.temporary())
            return temporary(answer, name);
        if (!answer && type == dns::Type::mx)
            hosts.push_back(name);
        for (const dns::Record& record : answer.records)
            hosts.push_back(record.value);
    }
    if (hosts.size() > 20)
        hosts.resize(20);
    Verdict v;
    for (const std::string& host : hosts) {
        if (type != dns::Type::a) {
            if (auto value = table_hit(r, table::find_domain(*r.table, host, service_.access_parents), s, v))
                return act(r, host, *value, s);
            if (v != Verdict::dunno)
                return v;
        }
        for (dns::Type family : {dns::Type::a, dns::Type::aaaa}) {
            dns::Answer addresses = service_.resolver.query(host, family);
            if (addresses.temporary()) {
                (void)temporary(addresses, host);
                continue;
            }
            for (const dns::Record& record : addresses.records) {
                if (auto value = table_hit(r, table::find_network(*r.table, record.value), s, v))
                    return act(r, record.value, *value, s);
                if (v != Verdict::dunno)
                    return v;
            }
        }
    }
    return Verdict::dunno;
}

// --- what a table's right-hand side means (access(5))

Verdict Check::act(const Restriction& r, std::string_view key, const std::string& value, const Subject& s, int) {
    std::string_view text = bytes::trim(value);
    const conf::Settings& settings = service_.settings();
    if (text.empty()) {
        maillog::warning("access table {} entry {} has empty value", r.argument, key);
        return refuse(451, "4.3.5", s, "Server configuration error");
    }
    std::size_t end = 0;
    while (end < text.size() && !bytes::is_space(text[end]))
        ++end;
    std::string_view word = text.substr(0, end), rest = bytes::trim(text.substr(end));
    auto is = [&](std::string_view name) { return bytes::iequals(word, name); };
    auto event = [&](std::string_view what, std::string text_) { session_.log_event(what, text_); };
    auto said = [&](std::string_view otherwise) {
        return fmt::format("<{}>: {} {}", s.name, s.klass, rest.empty() ? otherwise : rest);
    };
    auto skip = [&](std::string_view why) {
        maillog::warning("access table {} entry \"{}\" {}", r.argument, key, why);
        return Verdict::dunno;
    };
    auto denied = [&](int code, std::string_view otherwise) {
        mail::StatusText parts = mail::split_status(rest);
        std::string_view reason = parts.enhanced.klass ? parts.text : rest;
        if (parts.code)
            reason = rest;  // a number is text here: the code was said already
        return std::pair{fitting_status(code,
                                        parts.enhanced.klass && !parts.code ? parts.enhanced.text()
                                                                            : (code / 100 == 4 ? "4.7.1" : "5.7.1"),
                                        s.klass),
                         std::string(reason.empty() ? otherwise : reason)};
    };
    auto deny = [&](int code) {
        auto [status, reason] = denied(code, "Access denied");
        return refuse(code, status, fmt::format("<{}>: {} rejected: {}", s.name, s.klass, reason));
    };
    const bool after_content = phase_ == Phase::end_of_data;
    const bool no_message = phase_ == Phase::etrn;
    auto useless = [&](std::string_view action) {
        maillog::warning("access table {}: with {}, action {} is always skipped in {} restrictions", r.argument, key,
                         action, "smtpd_etrn");
        return Verdict::dunno;
    };

    bool digits = word.find_first_not_of("0123456789") == word.npos;
    if (digits && word.size() == 3 && (word[0] == '4' || word[0] == '5'))
        return deny((word[0] - '0') * 100 + (word[1] - '0') * 10 + (word[2] - '0'));
    if (is("OK") || is("RELAY") || digits)
        return permit(bytes::printable(word), s, r.argument);
    if (is("DUNNO"))
        return Verdict::dunno;
    if (is("REJECT"))
        return deny(static_cast<int>(settings[param::access_map_reject_code]));
    if (is("DEFER"))
        return deny(static_cast<int>(settings[param::access_map_defer_code]));
    if (is("DEFER_IF_PERMIT") || is("DEFER_IF_REJECT")) {
        int code = static_cast<int>(settings[param::access_map_defer_code]);
        auto [status, reason] = denied(code, "Service unavailable");
        std::string full = fmt::format("<{}>: {} rejected: {}", s.name, s.klass, reason);
        if (is("DEFER_IF_PERMIT"))
            defer_if_permit(code, status, full);
        else
            defer_if_reject(code, status, full);
        return Verdict::dunno;
    }
    if (is("WARN")) {
        event("warn", rest.empty() ? said("triggers WARN action") : std::string(rest));
        return Verdict::dunno;
    }
    if (is("INFO")) {
        event("info", rest.empty() ? said("triggers INFO action") : std::string(rest));
        return Verdict::dunno;
    }
    Actions& actions = session_.actions(phase_);
    if (is("HOLD")) {
        if (no_message)
            return useless("HOLD");
        if (warn_ || actions.hold || actions.discard)
            return Verdict::dunno;
        event("hold", said("triggers HOLD action"));
        actions.hold = true;
        return Verdict::dunno;
    }
    if (is("DISCARD")) {
        if (no_message)
            return useless("DISCARD");
        if (warn_ || actions.discard)
            return Verdict::dunno;
        event("discard", said("triggers DISCARD action"));
        actions.discard = true;
        return Verdict::permit;
    }
    if (is("FILTER")) {
        if (no_message)
            return useless("FILTER");
        if (rest.empty())
            return skip("has FILTER entry without value");
        if (rest.find(':') == rest.npos)
            return skip("requires transport:destination");
        if (warn_)
            return Verdict::dunno;
        event("filter", fmt::format("<{}>: {} triggers FILTER {}", s.name, s.klass, rest));
        actions.filter = rest;
        return Verdict::dunno;
    }
    if (is("REDIRECT") || is("BCC")) {
        if (no_message)
            return useless(word);
        if (rest.find('@') == rest.npos)
            return skip("requires user@domain target");
        if (warn_)
            return Verdict::dunno;
        event(is("BCC") ? "bcc" : "redirect",
              fmt::format("<{}>: {} triggers {} {}", s.name, s.klass, is("BCC") ? "BCC" : "REDIRECT", rest));
        if (is("REDIRECT"))
            actions.redirect = rest;
        else if (actions.bcc.size() < 100)
            actions.bcc.emplace_back(rest);
        return Verdict::dunno;
    }
    if (is("PREPEND")) {
        if (no_message)
            return useless("PREPEND");
        if (after_content || (session_.mail() && session_.mail()->chunking)) {
            maillog::warning("access table {}: action PREPEND must be used before smtpd_end_of_data_restrictions",
                             r.argument);
            return Verdict::dunno;
        }
        if (mail::header_name_length(rest) == 0)
            return skip("requires header: text");
        if (warn_)
            return Verdict::dunno;
        if (actions.prepend.size() < 100)
            actions.prepend.emplace_back(rest);
        return Verdict::dunno;
    }
    // Anything else is a list of restrictions.
    if (++depth_ > 20) {
        maillog::warning("access table {} entry {} causes unreasonable recursion", r.argument, key);
        return misconfigured();
    }
    Verdict v = run(*service_.lists.from_table(text, phase_), 1);
    --depth_;
    return v;
}
}
