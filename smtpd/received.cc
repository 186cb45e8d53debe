#include "received.h"
#include <fmt/format.h>
#include <ctime>
#include "base/time.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/smtpd.h"
#include "mail/address.h"
#include "mail/header.h"
#include "session.h"
#include "tls/info.h"
#include "tls/server_context.h"

namespace smtpd {
namespace {
std::string tls_lines(const tls::Info& tls, bool asked) {
    std::string out = fmt::format("\n\t(using {} with cipher {} ({}/{} bits)", tls.protocol, tls.cipher, tls.bits,
                                  tls.algorithm_bits);
    auto add = [&out](std::string_view label, const std::string& value) {
        if (!value.empty())
            out.append(label).append(value);
    };
    add("\n\t key-exchange ", tls.key_exchange);
    add(" server-signature ", tls.server_signature);
    add(" server-digest ", tls.server_digest);
    add("\n\t client-signature ", tls.client_signature);
    add(" client-digest ", tls.client_digest);
    out += ")";
    if (!tls.peer_certificate)
        return out + (asked ? "\n\t(Client did not present a certificate)" : "\n\t(No client certificate requested)");
    const bool good = tls.status == tls::PeerStatus::trusted || tls.status == tls::PeerStatus::verified;
    return out + fmt::format("\n\t(Client CN \"{}\", Issuer \"{}\" ({}))", mail::quoted_in_comment(tls.peer_name),
                             mail::quoted_in_comment(tls.issuer_name), good ? "verified OK" : "not verified");
}
}

std::string received_header(const Session& session) {
    const conf::Settings& settings = session.settings;
    const Client& client = session.client;
    std::string out = "Received: ";
    if (!settings[param::smtpd_hide_client_session]) {
        out += fmt::format("from {} ({} [{}])", client.helo.empty() ? client.name : client.helo, client.name,
                           client.literal);
        if (settings[param::smtpd_tls_received_header] && session.client.encryption)
            out +=
                tls_lines(*session.client.encryption, session.service.tls && session.service.tls->asks_certificate());
        out += "\n\t";
    }
    const std::string date = base::rfc5322_date(std::time(nullptr));
    out += fmt::format("by {} ({}) with {} id {}", settings[param::myhostname], settings[param::mail_name],
                       session.protocol_name(), session.queue_id());
    if (session.mail->accepted == 1)
        out += fmt::format("\n\tfor <{}>; {}", mail::to_external(session.mail->last_recipient), date);
    else
        out += fmt::format(";\n\t{}", date);
    return out;
}
}
