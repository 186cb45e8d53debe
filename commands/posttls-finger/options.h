// The command line of posttls-finger. What it says about TLS becomes smtp_tls_* parameters, so that the client's own
// code reads it.
//
// When things fail: usage() or a fatal line, as Postfix's has them.
#pragma once
#include <chrono>
#include <string>
#include <vector>
#include "conf/settings.h"
#include "tls/demand.h"
#include "tls/log_options.h"

namespace finger {
struct Options {
    tls::Level level = tls::Level::dane;
    tls::LogOptions log = tls::log_option::routine | tls::log_option::certmatch;  // -L
    std::string family = "any";                                                   // -a: ipv4, ipv6, any
    std::vector<std::string> anchors;                                             // -A
    bool show_chat = true, show_chain = false;                                    // -c, -C
    bool insecure_tlsa = false;                                                   // -f
    std::string insecure_mx = "dane";                                             // -M
    bool dns = true, native = false;                                              // -h
    std::chrono::seconds reconnect_after{0};                                      // -r
    int reconnects_max = 5;                                                       // -m
    std::string server_name;                                                      // -s
    bool lmtp = false, wrapper = false;                                           // -S, -w
    std::chrono::seconds connect_timeout{30}, command_timeout{30};                // -t, -T
    conf::Overrides parameters;  // -o, and those that other options stand for
    std::string destination;
    std::vector<std::string> match;
};
Options parse(int argc, char** argv);
// What is logged, as smtp_tls_loglevel takes it.
std::string log_text(tls::LogOptions options);
}
