// Where a recipient goes: trivial-rewrite's answer, then what the message itself or the administrator says otherwise
// (redirect, content filter, defer_transports, addresses that must not reach a command line).
//
// When things fail: no answer sends the recipient to the retry service with the reason; malformed addresses go to the
// error service.
#pragma once
#include <set>
#include <string>
#include "conf/settings.h"
#include "ipc/trivial_rewrite.h"
#include "message.h"

namespace qmgr {
struct Route {
    std::string transport, nexthop, address;  // address in internal form
    bool discard = false;                     // double-bounce: delivered to nobody, on purpose
};

class Resolver {
public:
    explicit Resolver(const conf::Settings& settings);
    // Waits for trivial-rewrite where the answer is not known.
    Route resolve(const Message& message, const queue::Recipient& recipient);
    // "retry" or "error" with a status and text that those services report.
    Route retry(std::string_view status, std::string_view reason, const std::string& address) const;
    void forget() { trivial_rewrite_.forget(); }

private:
    Route refuse(std::string_view status, std::string_view reason, const std::string& address) const;
    Route routed(const Message& message, ipc::ResolveReply reply) const;

    ipc::TrivialRewrite trivial_rewrite_;
    std::set<std::string, std::less<>> deferred_transports_{};
    std::string error_service_, retry_service_{"retry"}, double_bounce_, filter_nexthop_;
    bool allow_minus_ = false;
    Time quiet_until_{};
};
}
