#include "dns/system.h"
#include <arpa/inet.h>
#include <algorithm>
#include <cstdlib>
#include "base/bytes.h"
#include "base/fd.h"

namespace dns {
namespace {
constexpr std::size_t file_limit = 4u << 20;
constexpr const char* space = " \t\r";

template <class F> void each_line(std::string_view text, std::string_view comment, F f) {
    for (std::string_view line : bytes::split(text, "\n")) {
        if (auto hash = line.find_first_of(comment); hash != line.npos)
            line = line.substr(0, hash);
        auto words = bytes::split(line, space);
        if (!words.empty())
            f(words);
    }
}

std::string contents(const char* variable, const char* path) {
    const char* other = variable ? std::getenv(variable) : nullptr;
    auto text = read_file(other && *other ? other : path, file_limit);
    return text ? std::move(*text) : std::string();
}
}

std::string canonical_address(std::string_view text) {
    std::string s(text);
    char out[INET6_ADDRSTRLEN];
    unsigned char b[16];
    for (int family : {AF_INET, AF_INET6})
        if (inet_pton(family, s.c_str(), b) == 1 && inet_ntop(family, b, out, sizeof out))
            return out;
    return {};
}

void System::read_resolv_conf(std::string_view text) {
    each_line(text, "#;", [this](const std::vector<std::string_view>& words) {
        if (words[0] == "nameserver" && words.size() > 1 && servers.size() < 8) {
            std::string_view server = words[1].substr(0, words[1].find('%'));
            auto end = server.find("]:");
            if (server[0] == '[' && end != server.npos)  // c-ares wants brackets round IPv6 only
                servers.emplace_back(server.find(':') < end ? std::string(server)
                                                            : std::string(server.substr(1, end - 1)) +
                                                                  std::string(server.substr(end + 1)));
            else if (!canonical_address(server).empty())
                servers.push_back(server.find(':') == server.npos ? std::string(server)
                                                                  : "[" + std::string(server) + "]:53");
        } else if (words[0] == "search" || words[0] == "domain") {
            search.clear();
            for (std::size_t i = 1; i < words.size() && search.size() < 6; ++i)
                search.emplace_back(words[i]);
        } else if (words[0] == "options") {
            for (std::string_view w : words) {
                auto [name, number] = bytes::cut(w, ':');
                auto n = number ? bytes::to_int(*number) : std::nullopt;
                if (name == "timeout" && n)
                    timeout = std::chrono::seconds(std::clamp<std::int64_t>(*n, 1, 30));
                if (name == "attempts" && n)
                    attempts = static_cast<int>(std::clamp<std::int64_t>(*n, 1, 5));
                if (name == "ndots" && n)
                    ndots = static_cast<int>(std::clamp<std::int64_t>(*n, 0, 15));
                if (name == "rotate")
                    rotate = true;
            }
        }
    });
}

void System::read_nsswitch(std::string_view text) {
    each_line(text, "#", [this](const std::vector<std::string_view>& words) {
        if (words[0] != "hosts:")
            return;
        order.clear();
        for (std::string_view w : words) {  // "resolve" asks the stub that resolv.conf names, too; others (mdns4,
                                            // myhostname) know no mail hosts
            bool is_dns = w == "dns" || w == "resolve";
            if (w == "files")
                order.push_back(HostSource::files);
            else if (is_dns && std::find(order.begin(), order.end(), HostSource::dns) == order.end())
                order.push_back(HostSource::dns);
        }
    });
}

void System::read_hosts(std::string_view text) {
    each_line(text, "#", [this](const std::vector<std::string_view>& words) {
        std::string address = canonical_address(words[0].substr(0, words[0].find('%')));
        if (address.empty() || words.size() < 2)
            return;
        names.try_emplace(address, words[1]);
        for (std::size_t i = 1; i < words.size(); ++i) {
            auto& of_name = addresses[bytes::lowered(words[i])];
            if (std::find(of_name.begin(), of_name.end(), address) == of_name.end())
                of_name.push_back(address);
        }
    });
}

System read_system() {
    System s;
    s.read_resolv_conf(contents("POSTHORN_RESOLV_CONF", "/etc/resolv.conf"));
    if (s.servers.empty())
        s.servers.emplace_back("127.0.0.1");
    s.read_nsswitch(contents(nullptr, "/etc/nsswitch.conf"));
    if (s.order.empty())
        s.order = {HostSource::files, HostSource::dns};
    s.read_hosts(contents("POSTHORN_HOSTS", "/etc/hosts"));
    return s;
}
}
