#include "tls/tlsmgr_store.h"
#include <openssl/rand.h>
#include "base/bytes.h"
#include "conf/params/smtp.h"
#include "conf/params/tls.h"
#include "ipc/tlsmgr.h"
#include "log/log.h"

namespace tls {
using namespace std::chrono_literals;

TlsmgrStore::TlsmgrStore(const conf::Settings& settings, std::string cache, bool keep_sessions)
    : client_("private/" + settings[param::tlsmgr_service_name], 3s),
      cache_(std::move(cache)),
      keep_sessions_(keep_sessions),
      seed_size_(settings[param::tls_daemon_random_bytes]) {}

template <class Reply, class Request> std::optional<Reply> TlsmgrStore::ask(const Request& request) {
    if (loop::Clock::now() < quiet_until_)
        return std::nullopt;
    Result<Reply> reply = client_.ask<Reply>(request);
    if (reply)
        return std::move(*reply);
    quiet_until_ = loop::in(30s);
    maillog::warning("TLS goes on without session resumption: {}", reply.error().reason);
    return std::nullopt;
}

std::optional<std::string> TlsmgrStore::find(std::string_view id) {
    if (!keep_sessions_)
        return std::nullopt;
    auto reply = ask<ipc::TlsSessionReply>(ipc::TlsSessionFind{cache_, std::string(id)});
    return reply && reply->found ? bytes::base64_decode(reply->session) : std::nullopt;
}

void TlsmgrStore::save(std::string_view id, std::string_view session) {
    if (keep_sessions_)
        ask<ipc::TlsSessionReply>(ipc::TlsSessionSave{cache_, std::string(id), bytes::base64_encode(session)});
}

void TlsmgrStore::remove(std::string_view id) {
    if (keep_sessions_)
        ask<ipc::TlsSessionReply>(ipc::TlsSessionRemove{cache_, std::string(id)});
}

std::vector<TicketKey> TlsmgrStore::ticket_keys() {
    std::vector<TicketKey> keys;
    auto reply = ask<ipc::TlsTicketKeysReply>(ipc::TlsTicketKeysRequest{});
    if (!reply)
        return keys;
    for (const auto& k : reply->keys) {
        auto name = bytes::base64_decode(k.name), cipher = bytes::base64_decode(k.cipher_key),
             mac = bytes::base64_decode(k.mac_key);
        if (name && cipher && mac && name->size() == 16 && cipher->size() == 32 && mac->size() == 32 && keys.size() < 4)
            keys.push_back({std::move(*name), std::move(*cipher), std::move(*mac), k.expires});
    }
    return keys;
}

void TlsmgrStore::seed() {
    auto reply = ask<ipc::TlsSeedReply>(ipc::TlsSeedRequest{seed_size_});
    auto octets = reply ? bytes::base64_decode(reply->seed) : std::nullopt;
    if (octets)
        RAND_seed(octets->data(), static_cast<int>(octets->size()));
}
}
