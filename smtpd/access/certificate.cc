// Access by client certificate: permit_tls_clientcerts, permit_tls_all_clientcerts, check_ccert_access.
//
// A fingerprint identifies a certificate by itself; names in it prove something only where a CA that we trust vouches
// for them, so that they are looked up for trusted chains alone. What is revoked (smtpd_tls_CRL_file) opens nothing,
// however it is listed.
#include <fmt/format.h>
#include "access/check.h"
#include "log/log.h"
#include "tls/info.h"

namespace smtpd {
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

const tls::Info* Check::client_certificate() const {
    const tls::Info* tls = session_.tls();
    return tls && tls->peer_certificate ? tls : nullptr;
}

Verdict Check::all_certificates(const Restriction& r) {
    const tls::Info* tls = client_certificate();
    return tls && tls->trusted() ? permit(r, client_subject()) : Verdict::dunno;
}

Verdict Check::listed_certificate(const Restriction& r) {
    const tls::Info* tls = client_certificate();
    if (!tls || tls->revoked)
        return Verdict::dunno;
    for (CertificateKey kind : {CertificateKey::cert_fingerprint, CertificateKey::pubkey_fingerprint}) {
        auto found = service_.relay_certificates.find(key_of(*tls, kind));
        if (!found) {
            maillog::warning("relay_clientcerts: {}", found.error().reason);
            return refuse(451, "4.3.5", client_subject(), "Server configuration error");
        }
        if (*found)
            return permit(r, client_subject());
    }
    return Verdict::dunno;
}

Verdict Check::table_certificate(const Restriction& r) {
    const tls::Info* tls = client_certificate();
    if (!tls)
        return Verdict::dunno;
    Subject s{tls->peer_name, "Client certificate"};
    for (CertificateKey kind : *r.certificate_keys) {
        std::string key = key_of(*tls, kind);
        if (key.empty())
            continue;
        auto found = r.table->find(key);
        if (!found)
            return broken_table(r, found.error(), s);
        if (!*found)
            continue;
        Verdict v = act(r, key, **found, s);
        return v == Verdict::permit && tls->revoked ? Verdict::dunno : v;
    }
    return Verdict::dunno;
}
}
