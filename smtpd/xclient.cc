// XCLIENT and XFORWARD (XCLIENT_README, XFORWARD_README): what clients that the administrator trusts say of their own
// clients. XCLIENT makes this session theirs, access rules and all, and begins it anew; XFORWARD is for the log of one
// message.
//
// When things fail: one bad attribute refuses the command, and nothing of it holds.
#include <sys/socket.h>
#include <fmt/format.h>
#include "access/phases.h"
#include "base/bytes.h"
#include "commands.h"
#include "conf/network.h"
#include "conf/params/global.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/header.h"
#include "session.h"

namespace smtpd {
namespace {
constexpr std::size_t value_limit = 255, protocol_limit = 64;

bool number(std::string_view text) {
    return text.size() <= 5 && !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

using Refusal = std::optional<std::string>;  // the reply

// "192.0.2.1", "IPV6:2001:db8::1"; of a family that inet_protocols has.
std::optional<net::Address> read_address_value(std::string_view text, const std::string& protocols) {
    bool v6 = bytes::istarts_with(text, "IPV6:");
    if (v6)
        text.remove_prefix(5);
    if (v6 ? !mail::valid_ipv6(text) : !mail::valid_ipv4(text))
        return std::nullopt;
    const conf::Families families = conf::families(protocols).value_or(conf::Families{});
    if (v6 ? !families.ipv6 : !families.ipv4)
        return std::nullopt;
    return net::Address::parse(text);
}

struct Attribute {
    std::string name{}, value{};  // the name in upper case
    bool unavailable = false;
};
Refusal read(std::string_view word, Attribute& a) {
    auto [name, raw] = bytes::cut(word, '=');
    if (!raw || raw->empty())
        return "501 5.5.4 Error: attribute=value expected";
    a.name = bytes::uppered(name);
    a.value = mail::xtext_decode(*raw).value_or(std::string(*raw));  // some clients do not encode
    if (a.value.size() > value_limit)
        return "501 5.5.4 Error: attribute value too long";
    a.unavailable = bytes::iequals(a.value, "[UNAVAILABLE]");
    return std::nullopt;
}
Refusal bad(const Attribute& a) {
    return fmt::format("501 5.5.4 Bad {} syntax: {}", a.name, bytes::printable(a.value));
}

Refusal set_address(const Attribute& a, Client& client, const std::string& protocols) {
    auto address = read_address_value(a.value, protocols);
    if (!address && !a.unavailable)
        return bad(a);
    if (a.name == "DESTADDR") {
        client.server_address = address ? address->host() : "unknown";
        return std::nullopt;
    }
    client.address = address ? address->host() : "unknown";
    client.literal = address ? address->smtp_literal() : "unknown";
    client.family = address ? address->family() : AF_UNSPEC;
    return std::nullopt;
}

// protocols: inet_protocols.
Refusal set(const Attribute& a, Client& client, const std::string& protocols) {
    if (a.name == "NAME" || a.name == "REVERSE_NAME") {
        bool temporary = bytes::iequals(a.value, "[TEMPUNAVAIL]"), known = !temporary && !a.unavailable;
        if (known && !mail::valid_hostname(a.value))
            return bad(a);
        (a.name == "NAME" ? client.name : client.reverse_name) = known ? a.value : "unknown";
        (a.name == "NAME" ? client.name_status : client.reverse_status) = known       ? dns::NameStatus::ok
                                                                          : temporary ? dns::NameStatus::temporary
                                                                                      : dns::NameStatus::permanent;
    } else if (a.name == "ADDR" || a.name == "DESTADDR")
        return set_address(a, client, protocols);
    else if (a.name == "PORT" || a.name == "DESTPORT") {
        if (!a.unavailable && !number(a.value))
            return bad(a);
        (a.name == "PORT" ? client.port : client.server_port) = a.unavailable ? "unknown" : a.value;
    } else if (a.name == "HELO")
        client.helo = a.unavailable ? std::string() : mail::received_name(bytes::printable(a.value));
    else if (a.name == "PROTO") {
        client.esmtp = bytes::iequals(a.value, "ESMTP");
        if (!client.esmtp && !bytes::iequals(a.value, "SMTP"))
            return bad(a);
    } else if (a.name == "LOGIN")
        client.login = a.unavailable ? std::string() : bytes::printable(a.value);
    else
        return "501 5.5.4 Bad XCLIENT attribute name: " + bytes::printable(a.name);
    return std::nullopt;
}

Refusal set(const Attribute& a, Forwarded& forwarded, const std::string& protocols) {
    std::string value = a.unavailable ? std::string() : a.value;
    if (a.name == "NAME") {
        if (!value.empty() && !mail::valid_hostname(value))
            return bad(a);
        forwarded.name = value;
    } else if (a.name == "ADDR") {
        auto address = read_address_value(value, protocols);
        if (!address && !a.unavailable)
            return bad(a);
        forwarded.address = address ? address->host() : std::string();
    } else if (a.name == "PORT") {
        if (!value.empty() && !number(value))
            return bad(a);
        forwarded.port = value;
    } else if (a.name == "PROTO") {
        if (value.size() > protocol_limit)
            return bad(a);
        forwarded.protocol = mail::received_name(bytes::printable(value));
    } else if (a.name == "HELO")
        forwarded.helo = mail::received_name(bytes::printable(value));
    else if (a.name == "IDENT")
        forwarded.ident = mail::received_name(bytes::printable(value));
    else if (a.name == "SOURCE") {
        forwarded.source = bytes::lowered(value);
        if (!a.unavailable && forwarded.source != "local" && forwarded.source != "remote")
            return bad(a);
    } else
        return "501 5.5.4 Bad XFORWARD attribute name: " + bytes::printable(a.name);
    return std::nullopt;
}

// All words of a command behind its verb into a Client or a Forwarded.
template <class To> Refusal set_all(const Session& session, const Words& words, To& to) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        Attribute a;
        Refusal refusal = read(words[i], a);
        if (!refusal)
            refusal = set(a, to, session.settings[param::inet_protocols]);
        if (refusal)
            return refusal;
    }
    return std::nullopt;
}
}

bool may_pretend(const Session& session) {
    auto match = session.service.xclient_hosts.match(session.client.name, session.client.address);
    return match && *match;
}

bool xclient(Session& session, Words& words) {
    Dialogue& dialogue = session.dialogue;
    if (session.mail)
        return dialogue.refuse("503 5.5.1 Error: MAIL transaction in progress");
    if (words.size() < 2)
        return dialogue.refuse("501 5.5.4 Syntax: XCLIENT attribute=value...");
    if (!may_pretend(session))
        return dialogue.refuse("550 5.7.0 Error: insufficient authorization");
    (void)session.client.may_forward(session.service);  // of who connected
    Client client = session.client.anew();
    if (Refusal refusal = set_all(session, words, client))
        return dialogue.refuse(*refusal);
    client.show(session.settings[param::smtpd_client_port_logging]);
    client.discarded = session.service.discarded_keywords(client.address);
    // As if it had just connected.
    session.drop_transaction();
    session.client = std::move(client);
    session.access.denied.clear();
    session.access.actions = {};
    session.access.deferrals = {};
    session.state = "CONNECT";
    if (!session.settings[param::smtpd_delay_reject]) {
        if (auto denied = check_client(session)) {
            session.access.denied = *denied;
            return dialogue.refuse(*denied);
        }
    }
    return dialogue.say("220 " + session.settings[param::smtpd_banner]);
}

bool xforward(Session& session, Words& words) {
    Dialogue& dialogue = session.dialogue;
    if (session.mail)
        return dialogue.refuse("503 5.5.1 Error: MAIL transaction in progress");
    if (words.size() < 2)
        return dialogue.refuse("501 5.5.4 Syntax: XFORWARD attribute=value...");
    if (!session.client.may_forward(session.service))
        return dialogue.refuse("550 5.7.0 Error: insufficient authorization");
    Forwarded forwarded = session.forwarded ? *session.forwarded : Forwarded{};
    if (Refusal refusal = set_all(session, words, forwarded))
        return dialogue.refuse(*refusal);
    session.forwarded = std::make_unique<Forwarded>(std::move(forwarded));
    return dialogue.say("250 2.0.0 Ok");
}
}
