// TLSRPT (RFC 8460): what became of TLS with a host of a domain that wants to know, told to a collector by one datagram
// (ipc/tlsrpt.h). As Postfix does, one result for each connection that got as far as STARTTLS, and besides for hosts
// that the domain's own policy rules out before.
//
// When things fail: delivery goes on as without. A collector that is absent or does not keep up costs the report, and a
// warning a minute at most.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "base/fd.h"
#include "conf/settings.h"
#include "ipc/tlsrpt.h"
#include "loop/loop.h"
#include "tls/info.h"

namespace tls {
struct Policy;
}

namespace smtp {
class Peer;
struct Endpoint;

// What the process has of it.
class TlsReports {
public:
    static constexpr std::size_t domains_limit = 10000;
    // Null where main.cf does not ask for it.
    static std::unique_ptr<TlsReports> open(const conf::Settings& settings, bool lmtp);
    // The destination's TLSRPT record; empty: it wants no reports. May wait for DNS, some seconds at most.
    std::string record_of(const tls::Policy& policy);
    void send(const ipc::tlsrpt::Datagram& datagram);
    bool skips_resumed() const { return skip_resumed_; }

private:
    struct Known {
        std::string record;
        loop::Deadline until;
    };
    std::string socket_;  // relative to the queue directory where it is below it
    bool skip_resumed_ = false;
    UniqueFd out_;
    loop::Deadline quiet_until_{};  // no warning before
    std::map<std::string, Known> known_;
};

// The record among these TXT texts (RFC 8460, section 3); empty where there is not exactly one.
std::string report_record(const std::vector<std::string>& texts);
// A certificate that does not do, as reports call it.
ipc::tlsrpt::ResultType result_type(tls::Flaw flaw);

// The facts of one connection, gathered on the way; then conclude().
class TlsReport {
public:
    TlsReport() = default;  // nobody wants it: everything below does nothing
    TlsReport(TlsReports& reports, std::string domain, std::string record, const Endpoint& endpoint);

    // What the server was held to. Without: no-policy-found.
    void by_policy(ipc::tlsrpt::PolicyType type, const std::string& domain, std::vector<std::string> strings,
                   std::vector<std::string> mx_hosts = {});
    // What is wrong before the server is asked; it is the result if TLS gets a try.
    void foresee(ipc::tlsrpt::ResultType why, std::string_view reason);
    // TLS had its try, and the handshake came to its end. The first result stays.
    void succeeded(bool resumed);
    void failed(ipc::tlsrpt::ResultType why, std::string_view reason);
    // Once: logs and sends what there is. peer: null where the host was not asked at all.
    void conclude(Peer* peer);

private:
    TlsReports* reports_ = nullptr;
    ipc::tlsrpt::Datagram datagram_;
    std::string label_;                  // "mx.example.org[192.0.2.1]"
    ipc::tlsrpt::FailureDetail detail_;  // the failure's, where failed_
    bool failed_ = false, tried_ = false;
};
}
