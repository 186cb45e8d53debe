// What the host says about names: resolv.conf (servers, timeout, attempts, search list), nsswitch.conf (the order of
// sources for hosts) and the hosts file. Read once, as root, so that a jail needs no copies.
//
// When things fail: a missing or unreadable file counts as empty; then the defaults of resolver(5) hold (127.0.0.1, 5
// s, 2 attempts).
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dns {
enum class HostSource { files, dns };

struct System {
    std::vector<std::string> servers;         // "192.0.2.1" or "[2001:db8::1]:53", at most 8
    std::vector<std::string> search;          // at most 6 domains
    std::chrono::milliseconds timeout{5000};  // of one attempt
    int attempts = 2;
    int ndots = 1;
    bool rotate = false;
    std::vector<HostSource> order;                                        // of nsswitch's "hosts:", those that we know
    std::unordered_map<std::string, std::vector<std::string>> addresses;  // hosts: lower-case name → addresses as text
    std::unordered_map<std::string, std::string> names;                   // hosts: address as text → first name

    void read_resolv_conf(std::string_view text);
    void read_nsswitch(std::string_view text);
    void read_hosts(std::string_view text);
};
// Reads the files named above (or in the environment, see dns.h) anew.
System read_system();
// "::1" and "0:0:0:0:0:0:0:1" are one address: the text that inet_ntop writes; empty where text is no address.
std::string canonical_address(std::string_view text);
}
