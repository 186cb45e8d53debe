// XCLIENT and XFORWARD (XCLIENT_README, XFORWARD_README): what clients that the administrator trusts say of their own
// clients. XCLIENT makes this session theirs, access rules and all, and begins it anew; XFORWARD is for the log of one
// message.
//
// When things fail: one bad attribute refuses the command, and nothing of it holds.
#include <sys/socket.h>
#include <fmt/format.h>
#include "base/bytes.h"
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
}

std::string Forwarded::shown() const {
    std::string out = name.empty() ? "unknown" : name;
    if (!address.empty())
        out += "[" + address + "]";
    return out;
}

bool Session::may_pretend() {
    auto match = service_.xclient_hosts.match(client_.name, client_.address);
    return match && *match;
}
// As the connection itself was: XCLIENT changes nothing here.
bool Session::may_forward() {
    if (!may_forward_) {
        auto match = service_.xforward_hosts.match(client_.name, client_.address);
        may_forward_ = match && *match;
    }
    return *may_forward_;
}

std::optional<Session::Attribute> Session::attribute(std::string_view word) {
    auto [name, raw] = bytes::cut(word, '=');
    if (!raw || raw->empty()) {
        (void)say("501 5.5.4 Error: attribute=value expected");
        return std::nullopt;
    }
    std::string value = mail::xtext_decode(*raw).value_or(std::string(*raw));  // some clients do not encode
    if (value.size() > value_limit) {
        (void)say("501 5.5.4 Error: attribute value too long");
        return std::nullopt;
    }
    bool unavailable = bytes::iequals(value, "[UNAVAILABLE]");
    return Attribute{bytes::uppered(name), std::move(value), unavailable};
}
bool Session::bad_attribute(const Attribute& a) {
    return refuse(fmt::format("501 5.5.4 Bad {} syntax: {}", a.name, bytes::printable(a.value)));
}

bool Session::client_attribute(const Attribute& a, Client& client, std::string& helo, bool& esmtp) {
    if (a.name == "NAME" || a.name == "REVERSE_NAME") {
        bool temporary = bytes::iequals(a.value, "[TEMPUNAVAIL]"), known = !temporary && !a.unavailable;
        if (known && !mail::valid_hostname(a.value))
            return bad_attribute(a);
        (a.name == "NAME" ? client.name : client.reverse_name) = known ? a.value : "unknown";
        (a.name == "NAME" ? client.name_status : client.reverse_status) = known       ? dns::Verdict::ok
                                                                          : temporary ? dns::Verdict::temporary
                                                                                      : dns::Verdict::permanent;
    } else if (a.name == "ADDR") {
        auto address = read_address_value(a.value, settings_[param::inet_protocols]);
        if (!address && !a.unavailable)
            return bad_attribute(a);
        client.address = address ? address->host() : "unknown";
        client.literal = address ? address->smtp_literal() : "unknown";
        client.family = address ? address->family() : AF_UNSPEC;
    } else if (a.name == "DESTADDR") {
        auto address = read_address_value(a.value, settings_[param::inet_protocols]);
        if (!address && !a.unavailable)
            return bad_attribute(a);
        client.server_address = address ? address->host() : "unknown";
    } else if (a.name == "PORT" || a.name == "DESTPORT") {
        if (!a.unavailable && !number(a.value))
            return bad_attribute(a);
        (a.name == "PORT" ? client.port : client.server_port) = a.unavailable ? "unknown" : a.value;
    } else if (a.name == "HELO")
        helo = a.unavailable ? std::string() : mail::received_name(bytes::printable(a.value));
    else if (a.name == "PROTO") {
        esmtp = bytes::iequals(a.value, "ESMTP");
        if (!esmtp && !bytes::iequals(a.value, "SMTP"))
            return bad_attribute(a);
    } else if (a.name == "LOGIN")
        client.login = a.unavailable ? std::string() : bytes::printable(a.value);
    else
        return refuse("501 5.5.4 Bad XCLIENT attribute name: " + bytes::printable(a.name));
    return true;
}

bool Session::xclient(Words& words) {
    if (mail_)
        return refuse("503 5.5.1 Error: MAIL transaction in progress");
    if (!may_pretend())
        return refuse("550 5.7.0 Error: insufficient authorization");
    if (words.size() < 2)
        return refuse("501 5.5.4 Syntax: XCLIENT attribute=value...");
    (void)may_forward();  // of who connected
    Client client = client_;
    std::string helo;
    bool esmtp = false;
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto a = attribute(words[i]);
        if (!a || !client_attribute(*a, client, helo, esmtp))
            return false;
    }
    // As if it had just connected.
    drop_transaction();
    client_ = std::move(client);
    show_client();
    helo_ = std::move(helo);
    esmtp_ = esmtp;
    mynetworks_.reset();
    bare_newline_checked_ = false;
    actions_ = {};
    deferrals_ = {};
    access_denied_.clear();
    discarded_ = service_.discarded_keywords(client_.address);
    where_ = "CONNECT";
    if (!settings_[param::smtpd_delay_reject]) {
        if (auto denied = check_client()) {
            access_denied_ = *denied;
            return refuse(*denied);
        }
    }
    return say("220 " + settings_[param::smtpd_banner]);
}

bool Session::forwarded_attribute(const Attribute& a, Forwarded& forwarded) {
    std::string value = a.unavailable ? std::string() : a.value;
    if (a.name == "NAME") {
        if (!value.empty() && !mail::valid_hostname(value))
            return bad_attribute(a);
        forwarded.name = value;
    } else if (a.name == "ADDR") {
        auto address = read_address_value(value, settings_[param::inet_protocols]);
        if (!address && !a.unavailable)
            return bad_attribute(a);
        forwarded.address = address ? address->host() : std::string();
    } else if (a.name == "PORT") {
        if (!value.empty() && !number(value))
            return bad_attribute(a);
        forwarded.port = value;
    } else if (a.name == "PROTO") {
        if (value.size() > protocol_limit)
            return bad_attribute(a);
        forwarded.protocol = mail::received_name(bytes::printable(value));
    } else if (a.name == "HELO")
        forwarded.helo = mail::received_name(bytes::printable(value));
    else if (a.name == "IDENT")
        forwarded.ident = mail::received_name(bytes::printable(value));
    else if (a.name == "SOURCE") {
        forwarded.source = bytes::lowered(value);
        if (!a.unavailable && forwarded.source != "local" && forwarded.source != "remote")
            return bad_attribute(a);
    } else
        return refuse("501 5.5.4 Bad XFORWARD attribute name: " + bytes::printable(a.name));
    return true;
}

bool Session::xforward(Words& words) {
    if (mail_)
        return refuse("503 5.5.1 Error: MAIL transaction in progress");
    if (!may_forward())
        return refuse("550 5.7.0 Error: insufficient authorization");
    if (words.size() < 2)
        return refuse("501 5.5.4 Syntax: XFORWARD attribute=value...");
    Forwarded forwarded = forwarded_ ? *forwarded_ : Forwarded{};
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto a = attribute(words[i]);
        if (!a || !forwarded_attribute(*a, forwarded))
            return false;
    }
    forwarded_ = std::make_unique<Forwarded>(std::move(forwarded));
    return say("250 2.0.0 Ok");
}
}
