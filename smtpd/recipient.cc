// RCPT TO: a recipient, through the access rules into cleanup's envelope.
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/time.h"
#include "cleanup_client.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "session.h"

namespace smtpd {
using queue::RecordType;
namespace attribute = queue::attribute;

// In mail.cc.
std::optional<std::string_view> take_path(Words& words, std::string_view label);

bool Session::open_cleanup() {
    int flags = service_.cleanup_flags;
    if (mail_->smtputf8)
        flags |= ipc::cleanup_flags::smtputf8;
    if (mail_->require_tls)
        flags |= ipc::cleanup_flags::require_tls;
    if (mail_->actions.hold || actions_.hold)
        flags |= ipc::cleanup_flags::hold;
    if (mail_->actions.discard || actions_.discard)
        flags |= ipc::cleanup_flags::discard;
    auto opened = service_.submit ? service_.submit() : CleanupClient::open(service_.cleanup, flags);
    if (!opened) {
        maillog::warning("unable to connect to the {} service: {}", service_.cleanup.path(), opened.error().reason);
        (void)say("451 4.3.0 Error: queue file write error");
        return false;
    }
    mail_->cleanup = std::move(*opened);
    base::WallTime now = base::wall_now();
    mail_->cleanup->put(RecordType::time, fmt::format("{} {}", now.seconds, now.microseconds));
    // The message counts as ours where the client may have its addresses completed (local_header_rewrite_clients).
    bool local = service_.rewrite_interfaces && (service_.local_domains.own_address(client_.address) || client_.here());
    if (!local && service_.rewrite_mynetworks)
        local = in_mynetworks();
    if (!local && !service_.rewrite_networks.empty()) {
        auto match = service_.rewrite_networks.match(client_.name, client_.address);
        local = match && *match;
    }
    if (forwarded_ && !forwarded_->source.empty())
        local = forwarded_->source == "local";
    mail_->cleanup->attribute(attribute::rewrite_context, local ? "local" : "remote");
    if (!mail_->envelope_id.empty())
        mail_->cleanup->attribute(attribute::envelope_id, mail_->envelope_id);
    if (mail_->dsn_return)
        mail_->cleanup->attribute(attribute::ret_flags, std::to_string(mail_->dsn_return));
    mail_->cleanup->put(RecordType::sender, mail_->sender);
    if (!mail_->verp.empty())
        mail_->cleanup->put(RecordType::verp, mail_->verp);
    send_attributes();
    std::string origin;
    if (forwarded_) {
        if (!forwarded_->ident.empty())
            origin += ", orig_queue_id=" + forwarded_->ident;
        origin += ", orig_client=" + forwarded_->shown();
    }
    if (!client_.login.empty())
        origin += ", sasl_method=XCLIENT, sasl_username=" + client_.login;
    maillog::info("{}: client={}{}", mail_->cleanup->queue_id(), client_.shown, origin);
    return true;
}

void Session::send_attributes() {
    CleanupClient& to = *mail_->cleanup;
    if (!mail_->encoding.empty())
        to.attribute(attribute::encoding, mail_->encoding);
    auto known = [&](std::string_view name, std::string_view value) {
        if (!value.empty())
            to.attribute(name, value);
    };
    if (forwarded_) {
        const Forwarded& f = *forwarded_;
        auto or_unknown = [](const std::string& text) { return text.empty() ? "unknown" : text; };
        known(attribute::log_ident, f.ident);
        known(attribute::log_client_name, or_unknown(f.name));
        known(attribute::log_client_address, or_unknown(f.address));
        known(attribute::log_client_port, or_unknown(f.port));
        known(attribute::log_message_origin, f.shown());
        known(attribute::log_helo_name, f.helo);
        known(attribute::log_protocol_name, or_unknown(f.protocol));
    } else {
        known(attribute::log_client_name, client_.name);
        known(attribute::log_client_address, client_.address);
        known(attribute::log_client_port, client_.port);
        known(attribute::log_message_origin, client_.shown);
        known(attribute::log_helo_name, helo_);
        known(attribute::log_protocol_name, esmtp_ ? "ESMTP" : "SMTP");
    }
    if (!client_.login.empty()) {
        known(attribute::sasl_method, "XCLIENT");
        known(attribute::sasl_username, client_.login);
    }
    known(attribute::client_name, client_.name);
    known(attribute::reverse_client_name, client_.reverse_name);
    known(attribute::client_address, client_.address);
    known(attribute::client_port, client_.port);
    known(attribute::server_address, client_.server_address);
    known(attribute::server_port, client_.server_port);
    known(attribute::helo_name, helo_);
    known(attribute::protocol_name, esmtp_ ? "ESMTP" : "SMTP");
    to.attribute(attribute::client_address_type, std::to_string(client_.family ? client_.family : AF_UNSPEC));
}

bool Session::send_recipient(const Recipient& r) {
    CleanupClient& to = *mail_->cleanup;
    if (!r.dsn_original.empty())
        to.attribute(attribute::dsn_orig_rcpt, r.dsn_original);
    if (r.dsn_notify)
        to.attribute(attribute::notify_flags, std::to_string(r.dsn_notify));
    to.put(RecordType::recipient, r.address);
    return !to.failed();
}

bool Session::rcpt_to(Words& words) {
    if (!mail_)
        return refuse("503 5.5.1 Error: need MAIL command");
    if (mail_->chunking)
        return refuse("503 5.5.1 Error: RCPT after BDAT");
    auto path = take_path(words, "to:");
    if (!path)
        return refuse("501 5.5.4 Syntax: RCPT TO:<address>");
    if (!anvil_count("recipient", settings_[param::smtpd_client_recipient_rate_limit],
                     "Recipient address rate limit exceeded"))
        return refuse("450 4.7.1 Error: too many recipients from " + client_.address);
    auto address = mail::balanced(*path)
                       ? read_address(*path, "RCPT", settings_[param::strict_rfc821_envelopes], mail_->smtputf8)
                       : std::nullopt;
    if (!address)
        return refuse("501 5.1.3 Bad recipient address syntax");
    Recipient r;
    r.address = std::move(*address);
    r.shown = service_.external_log_form ? mail::to_external(r.address) : r.address;
    for (std::string_view word : words) {
        if (bytes::istarts_with(word, "NOTIFY=")) {
            if (discarded_ & keyword::dsn)
                return refuse("501 5.7.1 DSN support is disabled");
            auto notify = mail::parse_notify(word.substr(7));
            if (!notify || r.dsn_notify)
                return refuse("501 5.5.4 Error: Bad NOTIFY parameter syntax");
            r.dsn_notify = *notify;
        } else if (bytes::istarts_with(word, "ORCPT=")) {
            if (discarded_ & keyword::dsn)
                return refuse("501 5.7.1 DSN support is disabled");
            auto original = mail::parse_orcpt(word.substr(6), settings_[param::smtputf8_enable]);
            if (!original || !r.dsn_original.empty())
                return refuse("501 5.5.4 Error: Bad ORCPT parameter syntax");
            r.dsn_original = original->text();
        } else
            return refuse("555 5.5.4 Unsupported option: " + bytes::printable(word.substr(0, 200)));
    }
    if (settings_[param::strict_smtputf8] && !mail_->smtputf8 && !bytes::is_ascii(r.address))
        return refuse("553 5.6.7 Must declare SMTPUTF8 to send unicode address");
    if (mail_->accepted >= settings_[param::smtpd_recipient_limit]) {
        // The first ones beyond the limit are no error of the client's (RFC 5321, section 4.5.3.1.10).
        bool excess = ++mail_->refused_over_limit > settings_[param::smtpd_recipient_overshoot_limit];
        (void)say("452 4.5.3 Error: too many recipients");
        return !excess;
    }
    recipient_ = &r;
    auto denied = check_recipient(r);
    recipient_ = nullptr;
    if (denied)
        return refuse(*denied);
    if (!mail_->cleanup && !open_cleanup())
        return false;
    if (!send_recipient(r))
        return refuse("451 4.3.0 Error: queue file write error");
    ++mail_->accepted;
    mail_->last_recipient = r.address;
    return say("250 2.1.5 Ok");
}
}
