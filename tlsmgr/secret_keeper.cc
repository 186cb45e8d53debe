#include "secret_keeper.h"
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "conf/params/tls.h"
#include "log/log.h"
#include "server/server.h"
#include "tls/log_options.h"

namespace tlsmgr {
namespace {
using namespace std::chrono_literals;
constexpr std::int64_t seed_limit = 255;

// A file in a directory that $mail_owner cannot write goes below data_directory, as it has been since Postfix 2.5.
std::string cache_file(const conf::Settings& settings, std::string_view parameter, const std::string& file) {
    auto [type, path] = bytes::cut(file, ':');
    if (file.empty() || !path)
        return file;
    auto slash = path->rfind('/');
    std::string directory(slash == path->npos ? "." : path->substr(0, std::max<std::size_t>(slash, 1)));
    struct stat st;
    if (stat(directory.c_str(), &st) == 0 && (st.st_uid == geteuid() || geteuid() == 0))
        return file;
    std::string other = fmt::format("{}:{}/{}", type, settings[param::data_directory],
                                    path->substr(slash == path->npos ? 0 : slash + 1));
    maillog::warning("{}: the directory {} is not $mail_owner's; using {}", parameter, directory, other);
    return other;
}

// A positive time below 2 minutes counts as 2 minutes.
std::chrono::seconds at_least(std::chrono::seconds timeout) {
    return timeout.count() > 0 ? std::max<std::chrono::seconds>(timeout, 120s) : timeout;
}

std::int64_t steady_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(loop::Clock::now().time_since_epoch()).count();
}
}

SecretKeeper::SecretKeeper(const conf::Settings& s)
    : settings_(s), pool_(s), ticket_keys_(at_least(s[param::smtpd_tls_session_cache_timeout])) {
    auto add = [&](const char* name, const conf::Text& file, const conf::Time& timeout, const conf::Text& level) {
        const bool told = tls::parse_log_options(s[level]).value_or(0) & tls::log_option::cache;
        caches_.push_back(
            std::make_unique<SessionCache>(name, cache_file(s, file.name, s[file]), at_least(s[timeout]), told));
    };
    add("smtpd", param::smtpd_tls_session_cache_database, param::smtpd_tls_session_cache_timeout,
        param::smtpd_tls_loglevel);
    add("smtp", param::smtp_tls_session_cache_database, param::smtp_tls_session_cache_timeout,
        param::smtp_tls_loglevel);
    add("lmtp", param::lmtp_tls_session_cache_database, param::lmtp_tls_session_cache_timeout,
        param::lmtp_tls_loglevel);
}

SessionCache* SecretKeeper::cache(std::string_view name) {
    for (auto& c : caches_)
        if (c->name() == name)
            return c.get();
    return nullptr;
}

bool SecretKeeper::answer(net::Stream& peer, const ipc::Incoming& in) {
    auto deadline = loop::in(60s);
    auto now = static_cast<std::int64_t>(std::time(nullptr));
    ipc::TlsSessionReply reply;
    if (auto find = in.as<ipc::TlsSessionFind>()) {
        SessionCache* c = cache(find->cache);
        auto session = c ? c->find(find->id, now) : std::nullopt;
        reply.found = session.has_value();
        if (session)
            reply.session = std::move(*session);
    } else if (auto save = in.as<ipc::TlsSessionSave>()) {
        SessionCache* c = cache(save->cache);
        reply.found = c && c->save(save->id, save->session, now);
    } else if (auto remove = in.as<ipc::TlsSessionRemove>()) {
        SessionCache* c = cache(remove->cache);
        reply.found = c && c->remove(remove->id);
    } else if (in.as<ipc::TlsTicketKeysRequest>()) {
        return ipc::send(peer, ticket_keys_.keys(steady_seconds()), deadline) && peer.flush(deadline);
    } else if (auto seed = in.as<ipc::TlsSeedRequest>(); seed && seed->size > 0) {
        ipc::TlsSeedReply octets{
            bytes::base64_encode(random_octets(static_cast<std::size_t>(std::min(seed->size, seed_limit))))};
        return ipc::send(peer, octets, deadline) && peer.flush(deadline);
    } else {
        maillog::warning("unexpected request \"{}\"", in.protocol().substr(0, 40));
        return false;
    }
    return ipc::send(peer, reply, deadline) && peer.flush(deadline);
}

void SecretKeeper::serve(net::Stream& peer) {
    auto next = [&] {
        server::Idle idle;
        return ipc::receive(peer, loop::in(3600s));
    };
    for (;;) {
        auto request = next();
        if (!request || !answer(peer, *request))
            return;
    }
}

void SecretKeeper::keep_house() {
    auto interval = [](std::chrono::seconds s) { return std::max(s, 1s); };
    auto sweep_every = 3600s;
    for (auto& c : caches_)
        if (c->open())
            sweep_every = std::min(sweep_every, interval(c->timeout()));
    auto reseed_every = interval(settings_[param::tls_random_reseed_period]);
    auto save_every = interval(settings_[param::tls_random_prng_update_period]);
    loop::Deadline sweep = loop::in(sweep_every), reseed = loop::in(reseed_every), save = loop::Clock::now();
    for (;;) {
        auto now = loop::Clock::now();
        if (now >= sweep) {
            for (auto& c : caches_)
                c->sweep(std::time(nullptr));
            sweep = now + sweep_every;
        }
        if (now >= reseed) {
            pool_.reseed();
            reseed = now + reseed_every;
        }
        if (now >= save) {
            pool_.save();
            save = now + save_every;
        }
        loop::sleep_until(std::min({sweep, reseed, save}));
    }
}
}
