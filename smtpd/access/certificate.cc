// Access by client certificate: permit_tls_clientcerts, permit_tls_all_clientcerts, check_ccert_access.
//
// A fingerprint identifies a certificate by itself; names in it prove something only where a CA that we trust vouches
// for them, so that they are looked up for trusted chains alone. What is revoked (smtpd_tls_CRL_file) opens nothing,
// however it is listed.
#include <fmt/format.h>
#include "access/check.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "tls/info.h"

namespace smtpd::rule {
namespace {
std::string key_of(const tls::Info& tls, CertificateKey kind) {
    switch (kind) {
    case CertificateKey::cert_fingerprint: return tls.fingerprint;
    case CertificateKey::pubkey_fingerprint: return tls.key_fingerprint;
    default: break;
    }
    if (!tls.trusted())
        return {};
    switch (kind) {
    case CertificateKey::issuer_cn: return tls.issuer_name;
    case CertificateKey::subject_cn: return tls.peer_name;
    case CertificateKey::issuer_dn: return tls.issuer_dn;
    default: return tls.subject_dn;
    }
}
}

Verdict all_certificates(Check& check, const Restriction& r) {
    const tls::Info* tls = check.client().certificate();
    return tls && tls->trusted() ? check.permit(r, check.subject(Of::client)) : Verdict::dunno;
}

Verdict listed_certificate(Check& check, const Restriction& r) {
    auto listed = check.client().certificate_listed(check.service());
    if (!listed) {
        maillog::warning("relay_clientcerts: {}", listed.error().reason);
        return check.refuse(451, "4.3.5", check.subject(Of::client), "Server configuration error");
    }
    return *listed ? check.permit(r, check.subject(Of::client)) : Verdict::dunno;
}

Verdict table_certificate(Check& check, const Restriction& r) {
    const tls::Info* tls = check.client().certificate();
    if (!tls) {
        if (!check.settings()[param::smtpd_tls_ask_ccert] && !check.settings()[param::smtpd_tls_req_ccert])
            maillog::warning("check_ccert_access is requested, but \"smtpd_tls_ask_ccert = no\"");
        return Verdict::dunno;
    }
    Subject s{tls->peer_name, "Client certificate"};
    for (CertificateKey kind : *r.certificate_keys) {
        std::string key = key_of(*tls, kind);
        if (key.empty())
            continue;
        auto found = r.table->find(key);
        if (!found)
            return broken_table(check, r, found.error(), s);
        if (!*found)
            continue;
        Verdict v = act(check, r, key, **found, s);
        return v == Verdict::permit && tls->revoked ? Verdict::dunno : v;
    }
    return Verdict::dunno;
}
}
