#include "key_check.h"
#include <openssl/x509.h>
#include <sys/stat.h>
#include <ctime>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "tls/keys.h"

namespace postfix {
namespace {
constexpr int warn_days = 14;

void check_chains(const tls::KeyFiles& files, std::vector<std::string>& problems) {
    if (files.none() || files.chain_files == "none" || files.cert_file == "none") return;
    Result<std::vector<tls::Chain>> chains = tls::load_keys(files);
    if (!chains) { problems.push_back(chains.error().reason); return; }
    for (const tls::Chain& c : *chains) {
        const ASN1_TIME* end = X509_get0_notAfter(c.certificate.get());
        std::time_t soon = std::time(nullptr) + warn_days * 86400;
        if (X509_cmp_current_time(end) < 0) problems.push_back("the certificate in " + c.file + " has expired");
        else if (X509_cmp_time(end, &soon) < 0) problems.push_back("the certificate in " + c.file + " expires within " + std::to_string(warn_days) + " days");
    }
    for (const std::string* list : {&files.chain_files, &files.key_file, &files.dkey_file, &files.eckey_file})
        for (std::string_view file : bytes::split(*list, ", \t\r\n")) {
            struct stat st{};
            Result<std::string> text = read_file(std::string(file));       // a chain may be spread over files: only the key is secret
            bool secret = text && text->find("PRIVATE KEY-----") != text->npos;
            if (secret && stat(std::string(file).c_str(), &st) == 0 && (st.st_mode & 004)) problems.push_back("the world can read the private key in " + std::string(file));
        }
}
}

std::vector<std::string> key_problems(const conf::Settings& s) {
    std::vector<std::string> all, once;
    check_chains({s[param::smtpd_tls_chain_files], s[param::smtpd_tls_cert_file], s[param::smtpd_tls_key_file], s[param::smtpd_tls_dcert_file],
                  s[param::smtpd_tls_dkey_file], s[param::smtpd_tls_eccert_file], s[param::smtpd_tls_eckey_file]}, all);
    check_chains({s[param::smtp_tls_chain_files], s[param::smtp_tls_cert_file], s[param::smtp_tls_key_file], s[param::smtp_tls_dcert_file],
                  s[param::smtp_tls_dkey_file], s[param::smtp_tls_eccert_file], s[param::smtp_tls_eckey_file]}, all);
    check_chains({s[param::lmtp_tls_chain_files], s[param::lmtp_tls_cert_file], s[param::lmtp_tls_key_file], s[param::lmtp_tls_dcert_file],
                  s[param::lmtp_tls_dkey_file], s[param::lmtp_tls_eccert_file], s[param::lmtp_tls_eckey_file]}, all);
    for (std::string& p : all) if (std::find(once.begin(), once.end(), p) == once.end()) once.push_back(std::move(p));
    return once;
}
}
