#include "key_check.h"
#include <fmt/format.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/master_cf.h"
#include "conf/params/cleanup.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "tls/keys.h"

namespace postfix {
namespace {
constexpr int warn_days = 14;

class KeyCheck {
public:
    // name: what a server's certificate is to be for; empty: it is not looked at.
    void check(const tls::KeyFiles& files, const std::string& name) {
        if (files.chain_files == "none")
            return;
        // Each pair alone: what is wrong with one hides nothing of another.
        if (!files.chain_files.empty()) {
            check_chains({files.chain_files, "", "", "", "", "", ""}, name);
            for (std::string_view file : bytes::split(files.chain_files, ", \t\r\n"))
                check_secrecy(std::string(file));
            return;
        }
        check_pair({"", files.cert_file, files.key_file, "", "", "", ""}, files.cert_file, files.key_file, name);
        check_pair({"", "", "", files.dcert_file, files.dkey_file, "", ""}, files.dcert_file, files.dkey_file, name);
        check_pair({"", "", "", "", "", files.eccert_file, files.eckey_file}, files.eccert_file, files.eckey_file,
                   name);
    }
    std::vector<std::string> problems;

private:
    void say(std::string text) {
        if (std::find(problems.begin(), problems.end(), text) == problems.end())
            problems.push_back(std::move(text));
    }

    void check_pair(const tls::KeyFiles& pair, const std::string& cert_file, const std::string& key_file,
                    const std::string& name) {
        if (cert_file.empty() || cert_file == "none")
            return;
        check_chains(pair, name);
        check_secrecy(key_file.empty() ? cert_file : key_file);
    }

    void check_chains(const tls::KeyFiles& files, const std::string& name) {
        Result<std::vector<tls::Chain>> chains = tls::load_keys(files);
        if (!chains)
            return say(chains.error().reason);
        for (const tls::Chain& c : *chains) {
            const ASN1_TIME* end = X509_get0_notAfter(c.certificate.get());
            std::time_t soon = std::time(nullptr) + warn_days * 86400;
            if (X509_cmp_current_time(end) < 0)
                say("the certificate in " + c.file + " has expired");
            else if (X509_cmp_time(end, &soon) < 0)
                say(fmt::format("the certificate in {} expires within {} days", c.file, warn_days));
            if (!name.empty() && X509_check_host(c.certificate.get(), name.data(), name.size(), 0, nullptr) != 1)
                say(fmt::format("the certificate in {} is not for {} ($myhostname)", c.file, name));
        }
    }

    // A chain may be spread over files: only the key is secret.
    void check_secrecy(const std::string& file) {
        struct stat st {};
        Result<std::string> text = read_file(file);
        if (text && text->find("PRIVATE KEY-----") != text->npos && stat(file.c_str(), &st) == 0 && (st.st_mode & 004))
            say("the world can read the private key in " + file);
    }
};

void check_settings(KeyCheck& check, const conf::Settings& s, bool names_too) {
    check.check({s[param::smtpd_tls_chain_files], s[param::smtpd_tls_cert_file], s[param::smtpd_tls_key_file],
                 s[param::smtpd_tls_dcert_file], s[param::smtpd_tls_dkey_file], s[param::smtpd_tls_eccert_file],
                 s[param::smtpd_tls_eckey_file]},
                names_too ? s[param::myhostname] : "");
    check.check({s[param::smtp_tls_chain_files], s[param::smtp_tls_cert_file], s[param::smtp_tls_key_file],
                 s[param::smtp_tls_dcert_file], s[param::smtp_tls_dkey_file], s[param::smtp_tls_eccert_file],
                 s[param::smtp_tls_eckey_file]},
                "");
    check.check({s[param::lmtp_tls_chain_files], s[param::lmtp_tls_cert_file], s[param::lmtp_tls_key_file],
                 s[param::lmtp_tls_dcert_file], s[param::lmtp_tls_dkey_file], s[param::lmtp_tls_eccert_file],
                 s[param::lmtp_tls_eckey_file]},
                "");
}

bool names_key(const conf::Assignment& own) {
    return own.name.find("_tls_") != own.name.npos &&
           (own.name.ends_with("cert_file") || own.name.ends_with("key_file") || own.name.ends_with("chain_files"));
}
}

std::vector<std::string> key_problems(const conf::Settings& settings, bool names_too) {
    KeyCheck check;
    check_settings(check, settings, names_too);
    Result<std::vector<conf::MasterEntry>> entries = conf::read_master_cf(settings.directory() + "/master.cf");
    if (!entries)
        return check.problems;  // reported by whoever needs the file
    for (const conf::MasterEntry& entry : conf::effective(*entries)) {
        Result<conf::ServiceOptions> options = conf::options_of(entry);
        if (!options || std::none_of(options->overrides.begin(), options->overrides.end(), names_key))
            continue;
        if (Result<conf::Settings> own = settings.with(options->overrides); own)
            check_settings(check, *own, names_too);
    }
    return check.problems;
}
}
