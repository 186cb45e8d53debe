// The Received: header that says how the message came.
#include <fmt/format.h>
#include <ctime>
#include "base/time.h"
#include "cleanup_client.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/services.h"
#include "conf/params/smtpd.h"
#include "mail/address.h"
#include "mail/header.h"
#include "session.h"
#include "tls/server_context.h"
#include "tls/info.h"

namespace smtpd {
using queue::RecordType;

// Lines without their ends, separated by LF.
std::string Session::received_header() const {
    std::string out;
    if (!settings_[param::smtpd_hide_client_session]) {
        out = fmt::format("Received: from {} ({} [{}])", helo_.empty() ? client_.name : helo_, client_.name,
                          client_.literal);
        if (settings_[param::smtpd_tls_received_header] && tls_) {
            out += fmt::format("\n\t(using {} with cipher {} ({}/{} bits)", tls_->protocol, tls_->cipher, tls_->bits,
                               tls_->algorithm_bits);
            if (!tls_->key_exchange.empty())
                out += "\n\t key-exchange " + tls_->key_exchange;
            if (!tls_->server_signature.empty())
                out += " server-signature " + tls_->server_signature;
            if (!tls_->server_digest.empty())
                out += " server-digest " + tls_->server_digest;
            if (!tls_->client_signature.empty())
                out += "\n\t client-signature " + tls_->client_signature;
            if (!tls_->client_digest.empty())
                out += " client-digest " + tls_->client_digest;
            out += ")";
            if (tls_->peer_certificate)
                out += fmt::format("\n\t(Client CN \"{}\", Issuer \"{}\" ({}))",
                                   mail::quoted_in_comment(tls_->peer_name), mail::quoted_in_comment(tls_->issuer_name),
                                   tls_->status == tls::PeerStatus::trusted || tls_->status == tls::PeerStatus::verified
                                       ? "verified OK"
                                       : "not verified");
            else
                out += service_.tls && service_.tls->asks_certificate() ? "\n\t(Client did not present a certificate)"
                                                                        : "\n\t(No client certificate requested)";
        }
        out += "\n\t";
    } else {
        out = "Received: ";
    }
    std::string_view id = mail_->cleanup->queue_id();
    std::string date = base::rfc5322_date(std::time(nullptr));
    out += fmt::format("by {} ({}) with {} id {}", settings_[param::myhostname], settings_[param::mail_name],
                       protocol_name(), id);
    if (mail_->accepted == 1)
        out += fmt::format("\n\tfor <{}>; {}", mail::to_external(mail_->last_recipient), date);
    else
        out += fmt::format(";\n\t{}", date);
    return out;
}

// Everything between the envelope and the client's first byte.
bool Session::start_content() {
    CleanupClient& to = *mail_->cleanup;
    send_actions(settings_[param::content_filter]);
    to.put(RecordType::message);
    for (const std::vector<std::string>* prepend : {&actions_.prepend, &mail_->actions.prepend})
        for (const std::string& header : *prepend)
            to.put(RecordType::line, header);
    std::string header = received_header();
    for (std::string_view rest = header;;) {
        std::size_t end = rest.find('\n');
        to.put(RecordType::line, rest.substr(0, end));
        if (end == rest.npos)
            break;
        rest.remove_prefix(end + 1);
    }
    return !to.failed();
}

// What access rules asked for since cleanup was opened, and before. filter: where the message goes when no rule says.
void Session::send_actions(const std::string& content_filter) {
    CleanupClient& to = *mail_->cleanup;
    int flags = 0;
    for (const Actions* a : {&actions_, &mail_->actions}) {
        if (a->hold)
            flags |= ipc::cleanup_flags::hold;
        if (a->discard)
            flags |= ipc::cleanup_flags::discard;
    }
    if (flags)
        to.put(RecordType::flags, std::to_string(flags));
    const std::string& filter = !mail_->actions.filter.empty() ? mail_->actions.filter
                                : !actions_.filter.empty()     ? actions_.filter
                                                               : content_filter;
    const std::string& redirect = mail_->actions.redirect.empty() ? actions_.redirect : mail_->actions.redirect;
    if (!filter.empty())
        to.put(RecordType::filter, filter);
    if (!redirect.empty())
        to.put(RecordType::redirect, redirect);
    for (const Actions* a : {&actions_, &mail_->actions})
        for (const std::string& address : a->bcc) {
            to.attribute(queue::attribute::dsn_orig_rcpt, "rfc822;" + address);
            to.attribute(queue::attribute::notify_flags, "1");  // never: nobody asked for it
            to.put(RecordType::recipient, address);
        }
}
}
