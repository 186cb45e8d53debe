// STARTTLS, and TLS from the first byte (smtpd_tls_wrappermode).
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "session.h"
#include "tls/server_context.h"
#include "tls/session.h"

namespace smtpd {
bool Session::starttls(Words& words) {
    if (words.size() != 1)
        return refuse("501 5.5.4 Syntax: STARTTLS");
    if (service_.tls_level == TlsLevel::none || (discarded_ & keyword::starttls))
        return refuse("502 5.5.1 Error: command not implemented");
    if (!service_.tls_usable)
        return refuse("454 4.7.0 TLS not available due to local problem");
    if (encrypted())
        return refuse("554 5.5.1 Error: TLS already active");
    if (anvil_over("newtls_status", settings_[param::smtpd_client_new_tls_session_rate_limit])) {
        maillog::warning("Refusing STARTTLS request from {} for service {}", client_.shown, service_.service_ident);
        return refuse("454 4.7.0 Error: too many new TLS sessions from " + client_.shown);
    }
    // What was sent in the clear behind STARTTLS is thrown away: acted upon within TLS it would be an attacker's
    // (CVE-2011-0411).
    if (std::string_view behind = stream_.buffered(); !behind.empty()) {
        maillog::info("improper command pipelining after STARTTLS from {}: {}", client_.shown,
                      bytes::escaped(behind.substr(0, 100)));
        early_ = true;
        stream_.discard_input();
    }
    (void)say("220 2.0.0 Ready to start TLS");
    if (!stream_.flush(command_deadline())) {
        lost(stream_.failure());
        return false;
    }
    if (!handshake(false)) {
        hang_up_ = true;
        return false;
    }
    // RFC 3207: everything that was said before is forgotten.
    drop_transaction();
    helo_.clear();
    esmtp_ = false;
    return true;
}

bool Session::handshake(bool wrapper) {
    if (!service_.tls) {
        maillog::warning("Wrapper-mode request dropped from {} for service {}. TLS context initialization failed. For "
                         "details see earlier warnings in your logs.",
                         client_.shown, service_.service_ident);
        return false;
    }
    if (wrapper && anvil_over("newtls_status", settings_[param::smtpd_client_new_tls_session_rate_limit])) {
        maillog::warning("Refusing TLS service request from {} for service {}", client_.shown, service_.service_ident);
        return false;
    }
    stream_.discard_input();  // plaintext before the handshake is never acted upon
    auto info = tls::accept(stream_, *service_.tls, loop::in(settings_[param::smtpd_starttls_timeout]), client_.shown,
                            {client_.name, client_.address});
    if (!info) {
        maillog::info("{}lost connection after {} from {}", early_end(), where_, client_.shown);
        return false;
    }
    tls_ = std::make_unique<tls::Info>(std::move(*info));
    if (!tls_->resumed && !anvil_count("newtls", settings_[param::smtpd_client_new_tls_session_rate_limit],
                                       "New TLS session rate limit exceeded"))
        return false;
    // smtpd_tls_req_ccert: the handshake was good, the client is not.
    if (service_.tls->requires_certificate() && !tls_->trusted()) {
        maillog::info("NOQUEUE: abort: TLS from {}: {}", client_.shown,
                      tls_->peer_certificate ? "Client certificate not trusted" : "No client certificate presented");
        hang_up_ = true;
        return !wrapper;
    }
    return true;
}
}
