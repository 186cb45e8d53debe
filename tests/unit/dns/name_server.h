// A name server for tests: a thread with a zone, on a UDP port of loopback. Names that start with "drop" or
// "_mta-sts.drop" get no answer; answers about "signed…" have AD where the question has it.
#pragma once
#include <arpa/inet.h>
#include <ares.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include "base/bytes.h"
#include "dns/dns.h"

class NameServer {
public:
    struct Zone {
        int rcode = 0;
        std::string answers;
        int count = 0;
    };
    NameServer() {
        fd_ = socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof a;
        if (bind(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a) ||
            getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &length))
            std::abort();
        char name[] = "/tmp/posthorn-dns-XXXXXX";
        directory_ = mkdtemp(name);
        std::ofstream(directory_ + "/resolv.conf")
            << "nameserver [127.0.0.1]:" << ntohs(a.sin_port) << "\noptions timeout:1 attempts:2\nsearch search.test\n";
        std::ofstream(directory_ + "/hosts") << "192.0.2.77 filed.test filed # a comment\n::1 localhost\n";
        setenv("POSTHORN_RESOLV_CONF", (directory_ + "/resolv.conf").c_str(), 1);
        setenv("POSTHORN_HOSTS", (directory_ + "/hosts").c_str(), 1);
        thread_ = std::thread([this] { serve(); });
    }
    ~NameServer() {
        stop_ = true;
        shutdown(fd_, SHUT_RDWR);
        thread_.join();
        ::close(fd_);
        unlink((directory_ + "/resolv.conf").c_str());
        unlink((directory_ + "/hosts").c_str());
        rmdir(directory_.c_str());
    }
    static std::string number(unsigned n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
    static std::string name(std::string_view text) {
        std::string out;
        for (auto label : bytes::split(text, ".")) {
            out += static_cast<char>(label.size());
            out += label;
        }
        return out + '\0';
    }
    void add(const std::string& owner, dns::Type type, const std::string& data, unsigned ttl = 300) {
        add_to(owner, owner, type, data, ttl);
    }
    // A record of another owner in the answer for `asked`, as recursive servers send them behind a CNAME.
    void add_to(const std::string& asked, const std::string& owner, dns::Type type, const std::string& data,
                unsigned ttl = 300) {
        std::lock_guard l(lock_);
        Zone& z = zones_[asked];
        z.answers += name(owner) + number(static_cast<unsigned>(type)) + number(1) + number(0) + number(ttl) +
                     number(static_cast<unsigned>(data.size())) + data;
        ++z.count;
    }
    void fail(const std::string& owner, int rcode) {
        std::lock_guard l(lock_);
        zones_[owner].rcode = rcode;
    }
    std::atomic<int> asked{0}, answered{0};

private:
    void serve() {
        timeval wait{0, 100000};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        while (!stop_) {
            unsigned char b[1024];
            sockaddr_in peer{};
            socklen_t length = sizeof peer;
            ssize_t n = recvfrom(fd_, b, sizeof b, 0, reinterpret_cast<sockaddr*>(&peer), &length);
            if (n < 17)
                continue;
            ++asked;
            char* text = nullptr;
            long used = 0;
            if (ares_expand_name(b + 12, b, static_cast<int>(n), &text, &used))
                continue;
            std::string wanted = bytes::lowered(text);
            ares_free_string(text);
            if (wanted.starts_with("drop") || wanted.starts_with("_mta-sts.drop"))
                continue;
            ++answered;
            std::string reply(reinterpret_cast<char*>(b), 12 + static_cast<std::size_t>(used) + 4);
            std::lock_guard l(lock_);
            auto it = zones_.find(wanted);
            reply[2] = static_cast<char>(0x81);
            reply[3] = static_cast<char>(0x80 | (it == zones_.end() ? 3 : it->second.rcode));
            if (wanted.find("signed") != wanted.npos && (b[3] & 0x20))
                reply[3] = static_cast<char>(reply[3] | 0x20);
            int count = it == zones_.end() ? 0 : it->second.count;
            reply[7] = static_cast<char>(count);
            reply[9] = reply[11] = 0;
            reply[6] = reply[8] = reply[10] = 0;
            if (it != zones_.end())
                reply += it->second.answers;
            sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), length);
        }
    }
    int fd_;
    std::string directory_;
    std::mutex lock_;  // for zones_
    std::map<std::string, Zone> zones_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};
