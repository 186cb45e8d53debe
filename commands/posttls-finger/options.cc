#include "options.h"
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include "base/bytes.h"
#include "conf/master_cf.h"
#include "log/log.h"

namespace finger {
namespace {
namespace log_option = tls::log_option;

[[noreturn]] void usage() {
    std::fputs("usage: posttls-finger [-acCfSvw] [-t conn_tmout] [-T cmd_tmout] [-L logopts] \\\n"
               "\t[-h host_lookup] [-l level] [-d mdalg] [-g grade] [-p protocols] \\\n"
               "\t[-A tafile] [-F CAfile.pem] [-P CApath/] [-s servername] \\\n"
               "\t[ [-H chainfiles] | [-k certfile [-K keyfile]] ] \\\n"
               "\t[-m count] [-r delay] [-o name=value] destination [match ...]\n",
               stderr);
    std::exit(1);
}

int number(char option, const char* text, int least) {
    auto value = bytes::to_int(text);
    if (!value || *value < least || *value > 1000000)
        maillog::fatal("bad '-{}' option value: {}", option, text);
    return static_cast<int>(*value);
}

void choose_lookup(Options& o, const char* list) {
    o.dns = o.native = false;
    for (std::string_view word : bytes::split(list, ", \t")) {
        if (word == "dns")
            o.dns = true;
        else if (word == "native")
            o.native = true;
        else
            maillog::fatal("unknown -h option value \"{}\" in \"{}\"", word, list);
    }
}

void choose_log(Options& o, const char* list) {
    o.log = log_option::none;
    for (std::string_view word : bytes::split(list, ", \t")) {
        if (auto one = tls::parse_log_options(word))
            o.log |= *one;
        else
            maillog::warning("unknown -L option value \"{}\" in \"{}\"", word, list);
    }
}

void choose_level(Options& o, const char* text) {
    auto level = tls::parse_level(text);
    if (!level)
        maillog::fatal("Invalid TLS level \"{}\"", text);
    o.level = *level;
}

// A parameter of both clients: -S chooses which one counts.
void set(Options& o, std::string_view name, std::string_view value) {
    for (const char* side : {"smtp_tls_", "lmtp_tls_"})
        o.parameters.push_back({side + std::string(name), std::string(value)});
}

void override_parameter(Options& o, const char* text) {
    auto assignment = conf::parse_assignment(text);
    if (!assignment)
        usage();
    o.parameters.push_back(*assignment);
}
}

std::string log_text(tls::LogOptions options) {
    constexpr std::pair<tls::LogOptions, const char*> names[] = {
        {log_option::routine, "routine"},
        {log_option::untrusted, "untrusted"},
        {log_option::peercert, "peercert"},
        {log_option::certmatch, "certmatch"},
        {log_option::cache, "cache"},
        {log_option::verbose, "verbose"},
        {log_option::ssl_debug, "ssl-debug"},
        {log_option::handshake_dump, "ssl-handshake-packet-dump"},
        {log_option::session_dump, "ssl-session-packet-dump"}};
    std::string text;
    for (auto [bit, name] : names)
        if (options & bit)
            text += (text.empty() ? "" : ",") + std::string(name);
    return text.empty() ? "none" : text;
}

Options parse(int argc, char** argv) {
    Options o;
    for (const char* name : {"CAfile", "CApath"})
        set(o, name, "");
    std::string protocols = ">=TLSv1", grade = "medium", certificate, key, chains;
    for (int c; (c = getopt(argc, argv, "a:A:cCd:fF:g:h:H:k:K:l:L:m:M:o:p:P:r:s:St:T:vwX")) > 0;) {
        switch (c) {
        case 'a':
            o.family = optarg;
            if (o.family != "any" && o.family != "ipv4" && o.family != "ipv6")
                maillog::fatal("bad '-a' option value: {}", optarg);
            break;
        case 'A': o.anchors.emplace_back(optarg); break;
        case 'c': o.show_chat = false; break;
        case 'C': o.show_chain = true; break;
        case 'd': set(o, "fingerprint_digest", optarg); break;
        case 'f': o.insecure_tlsa = true; break;
        case 'F': set(o, "CAfile", optarg); break;
        case 'g': grade = optarg; break;
        case 'h': choose_lookup(o, optarg); break;
        case 'H': chains += (chains.empty() ? "" : " ") + std::string(optarg); break;
        case 'k': certificate = optarg; break;
        case 'K': key = optarg; break;
        case 'l': choose_level(o, optarg); break;
        case 'L': choose_log(o, optarg); break;
        case 'm': o.reconnects_max = number('m', optarg, 1); break;
        case 'M':
            o.insecure_mx = optarg;
            if (o.insecure_mx != "dane" && o.insecure_mx != "encrypt" && o.insecure_mx != "may")
                maillog::fatal("bad '-M' option value: {}", optarg);
            break;
        case 'o': override_parameter(o, optarg); break;
        case 'p': protocols = optarg; break;
        case 'P': set(o, "CApath", optarg); break;
        case 'r': o.reconnect_after = std::chrono::seconds(number('r', optarg, 1)); break;
        case 's': o.server_name = optarg; break;
        case 'S': o.lmtp = true; break;
        case 't': o.connect_timeout = std::chrono::seconds(number('t', optarg, 1)); break;
        case 'T': o.command_timeout = std::chrono::seconds(number('T', optarg, 1)); break;
        case 'v': maillog::set_verbose(maillog::verbose() + 1); break;
        case 'w': o.wrapper = true; break;
        case 'X': maillog::fatal("-X: tlsproxy mode is not built");
        default: usage();
        }
    }
    if (optind >= argc)
        usage();
    if (!chains.empty() && !(certificate + key).empty())
        maillog::fatal("When the '-H' option is used, neither the '-k', nor the '-K' options may be used");
    if (certificate.empty())
        certificate = key;
    if (key.empty())
        key = certificate;
    set(o, "chain_files", chains);
    for (auto [name, value] : {std::pair{"cert_file", certificate},
                               {"key_file", key},
                               {"eccert_file", std::string()},
                               {"dcert_file", std::string()}})
        set(o, name, value);
    for (const char* name : {"protocols", "mandatory_protocols"})
        set(o, name, protocols);
    for (const char* name : {"ciphers", "mandatory_ciphers"})
        set(o, name, grade);
    o.destination = argv[optind];
    o.match.assign(argv + optind + 1, argv + argc);
    return o;
}
}
