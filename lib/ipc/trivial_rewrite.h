// Asks trivial-rewrite ($rewrite_service_name) for the standard form of an address, and where mail for it goes. For
// smtpd, cleanup, qmgr, local.
//
// Answers are kept for a few seconds, so that a list of recipients asks once for each address, and a queue run not for
// each message. Where the local part makes no difference (no transport_maps, no relocated_maps), one answer holds for a
// domain.
//
// When things fail: an Error 4.3.0 that names the service. Answers that say "a table failed" are not kept.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include "ipc/client.h"
#include "ipc/rewrite.h"

namespace ipc {
class TrivialRewrite {
public:
    explicit TrivialRewrite(const conf::Settings& settings);
    TrivialRewrite(const conf::Settings& settings, std::chrono::seconds timeout);  // instead of ipc_timeout

    // context: "local" or "remote". address and result in external form. Waits where the answer is not known.
    Result<std::string> rewrite(std::string_view context, std::string_view address);
    // address in standard and internal form; sender "" is the null sender. Waits where the answer is not known.
    Result<ResolveReply> resolve(std::string_view sender, std::string_view address);
    void forget();  // what is known; a table may have changed
    void close_idle() { client_.close_idle(); }

private:
    template <class Reply> class Known {
    public:
        const Reply* find(const std::string& key) const;
        void keep(std::string key, const Reply& reply);
        void clear() { replies_.clear(); }

    private:
        struct Entry {
            Reply reply;
            loop::Clock::time_point until;
        };
        std::unordered_map<std::string, Entry> replies_;
    };
    TrivialRewrite(ipc::Client client, const conf::Settings& settings);

    Client client_;
    bool sender_matters_;
    Known<std::string> rewritten_;
    Known<ResolveReply> addresses_, domains_;
};
}
