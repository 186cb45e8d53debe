// postfix tls: turns on opportunistic TLS in client or server, and makes and deploys the server's keys and
// certificates. See postfix-tls(1).
//
// When things fail: one fatal line and status 1; main.cf is as it was, and no file was written over.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include "actions.h"
#include "base/fd.h"
#include "conf/edit.h"
#include "conf/params/cleanup.h"
#include "conf/params/smtpd.h"
#include "conf/values.h"
#include "log/log.h"
#include "mail/address.h"
#include "tls_files.h"

namespace postfix {
namespace {
constexpr const char* usage = "usage: postfix tls enable-client (or enable-server, new-server-key, new-server-cert, "
                              "deploy-server-cert, output-server-csr, "
                              "output-server-tlsa, all-default-client, all-default-server)";

template <class T> T or_die(Result<T> result) {
    if (!result)
        maillog::fatal("{}", result.error().reason);
    return std::move(*result);
}

void say(std::initializer_list<std::string> lines) {
    for (const std::string& line : lines)
        maillog::info("{}", line);
}

struct TlsOptions {
    std::string random_source, bits, key_file, host;
    KeyAlgorithm algorithm = KeyAlgorithm::rsa;
    std::vector<std::string> rest;
};

// letters: for getopt(3). takes_rest: arguments may follow the options.
TlsOptions parse(const System& s, const char* letters, const char* synopsis, bool takes_rest) {
    TlsOptions o;
    std::vector<std::string> words = s.arguments;  // [0] is the subcommand
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    optind = 0;
    opterr = 0;
    const int argc = static_cast<int>(words.size());
    for (int c; (c = getopt(argc, argv.data(), letters)) >= 0;) {
        switch (c) {
        case 'a': o.algorithm = or_die(parse_algorithm(optarg)); break;
        case 'b': o.bits = optarg; break;
        case 'h': o.host = optarg; break;
        case 'k': o.key_file = optarg; break;
        case 'r': o.random_source = optarg; break;
        default: maillog::fatal("usage: postfix tls {}{}", words[0], synopsis);
        }
    }
    o.rest.assign(words.begin() + optind, words.end());
    if (!takes_rest && !o.rest.empty())
        maillog::fatal("usage: postfix tls {}{}", words[0], synopsis);
    if (!o.random_source.empty() && !o.random_source.starts_with("dev:/") && !o.random_source.starts_with("egd:"))
        maillog::fatal("{}: dev:/pathname or egd:pathname is expected", o.random_source);
    return o;
}

std::vector<std::string> host_names(const System& s, std::vector<std::string> names) {
    if (names.empty())
        names.push_back(s.settings[param::myhostname]);
    for (const std::string& name : names)
        if (!mail::valid_hostname(name.starts_with("*.") ? name.substr(2) : name))
            maillog::fatal("{}: a hostname is expected", name);
    return names;
}

// side: "smtp" or "smtpd". All its TLS parameters, the obsolete ones too, have their default values.
bool all_default(const System& s, const std::string& side) {
    const conf::Values& values = s.settings.values();
    for (const conf::Parameter* p : conf::all_parameters()) {
        const std::string name(p->name);
        if (!name.starts_with(side + "_tls_") && name != side + "_use_tls" && name != side + "_enforce_tls")
            continue;
        if (values.assigned(name) && s.settings.value(name) != s.settings.expand(values.fallback(name).value_or("")))
            return false;
    }
    return true;
}

void edit(const System& s, const conf::Overrides& parameters) {
    for (const std::string& warning : or_die(conf::edit_main_cf(s.directory, conf::EditAction::set, parameters)))
        maillog::warning("{}", warning);
}

void say_reload() {
    say({"Run the command:", "  # postfix reload", "if you want the new settings to take effect immediately."});
}

// A new file that nobody else had: the key's is its owner's alone.
void write_new(const std::string& path, std::string_view text, mode_t mode, const char* what) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd && errno == EEXIST)
        maillog::fatal("New {} file already exists: {}", what, path);
    if (!fd || fchmod(fd.get(), mode) != 0)
        maillog::fatal("create {}: {}", path, errno_text(errno));
    Result<void> written = write_all(fd.get(), text);
    if (!written || fsync(fd.get()) != 0) {
        const std::string reason = written ? errno_text(errno) : written.error().reason;
        unlink(path.c_str());
        maillog::fatal("write {}: {}", path, reason);
    }
}

struct Pair {
    std::string cert_file, key_file;
};

// A certificate for `names` and its key, in files named after this second.
Pair make_pair_files(const System& s, const tls::KeyPtr& key, const std::vector<std::string>& names) {
    char stamp[32];
    std::time_t now = std::time(nullptr);
    tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
    const char* kind = algorithm_of(key) == KeyAlgorithm::ecdsa ? "ec" : "";
    Pair pair{fmt::format("{}/{}cert-{}.pem", s.directory, kind, stamp),
              fmt::format("{}/{}key-{}.pem", s.directory, kind, stamp)};
    const std::string key_pem = or_die(key_text(key)), cert_pem = or_die(self_signed_text(key, names));
    write_new(pair.key_file, key_pem, 0600, "private key");
    write_new(pair.cert_file, cert_pem, 0644, "certificate");
    return pair;
}

conf::Overrides pair_settings(KeyAlgorithm algorithm, const Pair& pair) {
    const std::string kind = algorithm == KeyAlgorithm::ecdsa ? "ec" : "";
    return {{"smtpd_tls_" + kind + "key_file", pair.key_file}, {"smtpd_tls_" + kind + "cert_file", pair.cert_file}};
}

std::string configured_key_file(const System& s, KeyAlgorithm algorithm) {
    const std::string file = algorithm == KeyAlgorithm::ecdsa ? s.settings[param::smtpd_tls_eckey_file]
                                                              : s.settings[param::smtpd_tls_key_file];
    return file == "none" ? "" : file;
}

// An algorithm's name stands for the key file in main.cf; a relative name is one in config_directory. Empty: nothing
// configured.
std::string key_file_of(const System& s, const std::string& name) {
    if (Result<KeyAlgorithm> algorithm = parse_algorithm(name))
        return configured_key_file(s, *algorithm);
    return name.starts_with('/') ? name : s.directory + "/" + name;
}

void say_made(const Pair& pair, bool new_key) {
    say({"New private key and self-signed certificate created. To deploy run:",
         fmt::format("  # postfix tls deploy-server-cert {} {}", pair.cert_file, pair.key_file),
         "To generate a CSR run:",
         fmt::format("  # postfix tls output-server-csr -k {} [<hostname> ...]", pair.key_file),
         fmt::format("Save the signed certificate chain in {}, and deploy as above.", pair.cert_file),
         "To generate TLSA records run:",
         fmt::format("  # postfix tls output-server-tlsa [-h <hostname>] {}", pair.key_file)});
    if (new_key)
        say({"(deploy after updating the DNS and waiting for stale RRs to expire)."});
}

int enable_client(const System& s) {
    TlsOptions o = parse(s, "+r:", " [-r devrandom]", false);
    if (!all_default(s, "smtp")) {
        say({"*** Non-default SMTP client TLS settings detected, no changes made.",
             "For opportunistic TLS in the Postfix SMTP client, the below settings",
             "are typical:", "  smtp_tls_security_level = may", "  smtp_tls_loglevel = 1",
             "  smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache"});
        return 0;
    }
    conf::Overrides wanted{{"smtp_tls_session_cache_database", "btree:${data_directory}/smtp_scache"},
                           {"smtp_tls_loglevel", "1"},
                           {"smtp_tls_security_level", "may"}};
    if (!o.random_source.empty())
        wanted.push_back({"tls_random_source", o.random_source});
    edit(s, wanted);
    say({"Enabled opportunistic TLS in the Postfix SMTP client."});
    say_reload();
    return 0;
}

int enable_server(const System& s) {
    TlsOptions o = parse(s, "+r:a:b:", " [-r devrandom] [-a algorithm] [-b bits] [hostname...]", true);
    if (!all_default(s, "smtpd")) {
        say({"*** Non-default SMTP server TLS settings detected, no changes made.",
             "For opportunistic TLS in the Postfix SMTP server, the below settings",
             "are typical:", "  smtpd_tls_security_level = may", "  smtpd_tls_loglevel = 1",
             "You can use \"postfix tls new-server-cert\" to create a new certificate.",
             "Or, \"postfix tls new-server-key\" to also force a new private key.",
             "If you publish DANE TLSA records, see:", "  https://tools.ietf.org/html/rfc7671#section-8",
             "  https://tools.ietf.org/html/rfc7671#section-5.1", "  https://tools.ietf.org/html/rfc7671#section-5.2"});
        return 0;
    }
    const auto names = host_names(s, o.rest);
    Pair pair = make_pair_files(s, or_die(make_key(o.algorithm, o.bits)), names);
    conf::Overrides wanted{{"smtpd_tls_security_level", "may"}, {"smtpd_tls_loglevel", "1"}};
    for (const conf::Assignment& one : pair_settings(o.algorithm, pair))
        wanted.push_back(one);
    wanted.push_back({"smtpd_tls_received_header", "yes"});
    if (!o.random_source.empty())
        wanted.push_back({"tls_random_source", o.random_source});
    edit(s, wanted);
    say({"Enabled opportunistic TLS in the Postfix SMTP server", "New TLS private key and certificate deployed."});
    say_reload();
    say({"To generate a CSR run:",
         fmt::format("  # postfix tls output-server-csr -k {} [<hostname> ...]", pair.key_file),
         fmt::format("Save the signed certificate chain in {}.", pair.cert_file), "To generate TLSA records run:",
         fmt::format("  # postfix tls output-server-tlsa [-h <hostname>] {}", pair.key_file),
         "(If you have DANE TLSA RRs, update them as soon as possible to match", "the newly deployed keys)."});
    return 0;
}

int new_pair(const System& s, bool new_key) {
    TlsOptions o = parse(s, "+a:b:", " [-a algorithm] [-b bits] [hostname...]", true);
    const auto names = host_names(s, o.rest);
    const std::string deployed = new_key ? "" : configured_key_file(s, o.algorithm);
    tls::KeyPtr key = or_die(deployed.empty() ? make_key(o.algorithm, o.bits) : read_key(deployed));
    say_made(make_pair_files(s, key, names), deployed.empty());
    return 0;
}
int new_server_key(const System& s) { return new_pair(s, true); }
int new_server_cert(const System& s) { return new_pair(s, false); }

int deploy_server_cert(const System& s) {
    TlsOptions o = parse(s, "+", " certfile keyfile", true);
    if (o.rest.size() != 2)
        maillog::fatal("usage: postfix tls deploy-server-cert certfile keyfile");
    auto absolute = [&](const std::string& name) { return name.starts_with('/') ? name : s.directory + "/" + name; };
    Pair pair{absolute(o.rest[0]), absolute(o.rest[1])};
    tls::KeyPtr key = or_die(read_key(pair.key_file));
    if (!or_die(certificate_matches(pair.cert_file, key)))
        maillog::fatal("Certificate in {} does not match key in {}", pair.cert_file, pair.key_file);
    edit(s, pair_settings(algorithm_of(key), pair));
    if (!s.settings[param::smtpd_tls_chain_files].empty())
        maillog::warning("smtpd_tls_chain_files is set, and holds in place of the new settings");
    say({"New TLS private key and certificate deployed."});
    say_reload();
    return 0;
}

int output_server_csr(const System& s) {
    TlsOptions o = parse(s, "+k:", " [-k keyfile] [hostname...]", true);
    const auto names = host_names(s, o.rest);
    const std::string file = key_file_of(s, o.key_file.empty() ? "rsa" : o.key_file);
    if (file.empty() || access(file.c_str(), R_OK) != 0)
        maillog::fatal("No usable keyfile specified or configured");
    const std::string text = or_die(request_text(or_die(read_key(file)), names));
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0 ? 0 : 1;
}

int output_server_tlsa(const System& s) {
    TlsOptions o = parse(s, "+h:", " [-h hostname] [keyfile...]", true);
    const std::string host =
        host_names(s, o.host.empty() ? std::vector<std::string>{} : std::vector<std::string>{o.host})[0];
    if (o.rest.empty())
        o.rest = {"rsa", "ecdsa"};
    bool any = false;
    for (const std::string& name : o.rest) {
        const std::string file = key_file_of(s, name);
        if (file.empty())
            continue;
        any = true;
        fmt::print("; {}\n_25._tcp.{}. IN TLSA 3 1 1 {}\n", file, host,
                   or_die(public_key_digest(or_die(read_key(file)))));
    }
    if (!any)
        maillog::fatal("No usable keyfiles specified or configured");
    return std::fflush(stdout) == 0 ? 0 : 1;
}

int all_default_client(const System& s) {
    parse(s, "+", "", false);
    return all_default(s, "smtp") ? 0 : 1;
}
int all_default_server(const System& s) {
    parse(s, "+", "", false);
    return all_default(s, "smtpd") ? 0 : 1;
}

struct Row {
    const char* name;
    Action action;
};
constexpr Row rows[] = {{"all-default-client", all_default_client}, {"all-default-server", all_default_server},
                        {"enable-client", enable_client},           {"enable-server", enable_server},
                        {"new-server-key", new_server_key},         {"new-server-cert", new_server_cert},
                        {"deploy-server-cert", deploy_server_cert}, {"output-server-csr", output_server_csr},
                        {"output-server-tlsa", output_server_tlsa}};
}

int tls_command(const System& s) {
    const std::string name = s.arguments.empty() ? "" : s.arguments[0];
    for (const Row& row : rows)
        if (name == row.name)
            return row.action(s);
    maillog::error("unknown tls command: '{}'", name);
    maillog::fatal("{}", usage);
}
}
