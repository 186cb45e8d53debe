#include "reporter.h"
#include <fmt/format.h>
#include <openssl/rand.h>
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/params/tls.h"
#include "log/log.h"
#include "server/server.h"

namespace tlsrpt {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::seconds write_behind = 1s, look_again = 5min;
constexpr std::int64_t kept = 48 * 3600;
constexpr std::string_view not_configured = "tlsrpt_organization_name or tlsrpt_contact_info is not set: no TLS report "
                                            "is sent, and what is counted goes after 48 hours";

std::int64_t now() { return std::time(nullptr); }

std::uint64_t random_number() {
    std::uint64_t n = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&n), sizeof n);
    return n;
}

Limits limits_of(const conf::Settings& s) {
    return {static_cast<std::size_t>(s[param::tlsrpt_domain_limit]),
            static_cast<std::size_t>(s[param::tlsrpt_detail_limit])};
}
}

Reporter::Reporter(const conf::Settings& s)
    : settings_(s),
      collection_(limits_of(s)),
      submitter_{s[param::tlsrpt_organization_name], s[param::tlsrpt_contact_info], s[param::tlsrpt_dkim_domain],
                 s[param::tlsrpt_sender], s[param::tlsrpt_dkim_selector]},
      cleanup_("public/cleanup", s) {}

Result<std::unique_ptr<Reporter>> Reporter::create(const conf::Settings& settings) {
    std::unique_ptr<Reporter> s(new Reporter(settings));
    s->sending_ = !s->submitter_.organization.empty() && !s->submitter_.contact.empty();
    if (!s->sending_) {
        maillog::warning("{}", not_configured);
        return s;
    }
    s->web_.timeout = settings[param::tlsrpt_timeout];
    s->web_.families = conf::families(settings[param::inet_protocols]).value_or(conf::Families{});
    http::open_web(s->web_, settings[param::tlsrpt_CAfile], param::tlsrpt_permitted_networks.name,
                   settings[param::tlsrpt_permitted_networks], "no TLS report can be sent by HTTPS");
    const std::string& file = settings[param::tlsrpt_dkim_key_file];
    if (file.empty())
        return s;
    server::opened_file(file);
    auto key = mailauth::DkimKey::load(file);
    if (key)
        s->key_ = std::move(*key);
    else if (server::successor())
        return tl::unexpected(std::move(key.error()));
    else
        maillog::warning("tlsrpt_dkim_key_file: {}: no TLS report can be sent by mail", key.error().reason);
    return s;
}

// --- what comes in

void Reporter::take(std::string_view datagram) {
    while (!datagram.empty() && (datagram.back() == '\n' || datagram.back() == '\0'))
        datagram.remove_suffix(1);
    if (datagram == "W")
        return;  // a wake-up
    if (datagram == "report" || datagram.starts_with("report "))
        return request(bytes::trim(datagram.substr(6)));
    auto session = ipc::tlsrpt::decode(datagram);
    auto counted = session ? collection_.add(*session, now()) : Result<void>(tl::unexpected(session.error()));
    if (!counted)
        return rubbish(counted.error().reason);
    if (flush_at_ != loop::never)
        return;
    flush_at_ = loop::in(write_behind);
    changed_.notify_all();
}

void Reporter::rubbish(const std::string& why) {
    ++rubbish_;
    if (loop::Clock::now() < rubbish_told_)
        return;
    maillog::warning("datagrams that tell of no session: {}; of the last: {}", std::exchange(rubbish_, 0), why);
    rubbish_told_ = loop::in(1min);
}

void Reporter::request(std::string_view name) {
    std::string domain = bytes::lowered(name);
    if (!sending_)
        return maillog::warning("{}", not_configured);
    if (!domain.empty())
        collection_.close(domain, now());
    schedule_closed();
    std::vector<std::string> keys;
    for (const auto& [key, e] : collection_.entries())
        if (e.closed() && !e.done && (domain.empty() || e.domain == domain))
            keys.push_back(key);
    for (const std::string& key : keys)
        collection_.change(key)->due = now();
    maillog::info("reports to be sent now, as requested: {}{}{}", keys.size(), domain.empty() ? "" : ", for ",
                  bytes::printable(domain, false));
    urgent_ = true;
    changed_.notify_all();
}

// A report's id and time, once.
void Reporter::schedule_closed() {
    for (const std::string& key : collection_.newly_closed()) {
        Entry* e = collection_.change(key);
        if (!e)
            continue;
        const auto span = static_cast<std::uint64_t>(settings_[param::tlsrpt_report_delay].count());
        e->id =
            fmt::format("{}.{:016x}@{}", utc(e->begin).substr(0, 10), random_number(), settings_[param::myhostname]);
        e->due = e->end + 1 + static_cast<std::int64_t>(random_number() % (span + 1));
        urgent_ = true;
    }
}

// --- the fiber that keeps house

void Reporter::run() {
    struct AtEnd {
        Reporter& s;
        ~AtEnd() {
            s.flush(false);
            s.store_.reset();
        }
    } at_end{*this};
    open_store();
    loop::Group::with([this](loop::Group& senders) {
        struct Stop {
            http::Web& web;
            ~Stop() { web.ending = true; }
        } stop{web_};
        for (;;) {
            collection_.turn(now());
            schedule_closed();
            expire(now());
            if (collection_.changed() && flush_at_ == loop::never)
                flush_at_ = loop::in(write_behind);
            if (urgent_ || loop::Clock::now() >= flush_at_)
                flush(true);
            start_deliveries(senders, now());
            changed_.wait(next_event(now()));
        }
    });
}

void Reporter::open_store() {
    const std::string& name = settings_[param::tlsrpt_database];
    if (name.empty())
        return;
    auto opened = Store::open(name, collection_, now());
    if (opened)
        store_ = std::move(*opened);
    else
        maillog::warning("TLS report database {}: {}: going on without one", name, opened.error().reason);
}

void Reporter::flush(bool may_wait) {
    schedule_closed();
    urgent_ = false;
    flush_at_ = loop::never;
    Collection::Changes changes = collection_.changes();
    if (!store_ || changes.empty())
        return;
    Result<void> done;
    auto write = [&] { done = store_->write(changes); };
    if (may_wait)
        loop::offload(write);
    else
        write();
    if (done)
        return;
    collection_.again(changes);
    flush_at_ = loop::in(write_behind);
    if (loop::Clock::now() < write_told_)
        return;
    maillog::warning("TLS report database: {}", done.error().reason);
    write_told_ = loop::in(1min);
}

void Reporter::expire(std::int64_t time) {
    for (const Entry& e : collection_.expire(time, kept)) {
        if (sending_)
            maillog::info(
                "report for {}: date={}, to=, sessions={}, failed={}, result=failed (not sent within 48 hours)",
                e.domain, utc(e.begin).substr(0, 10), e.sessions(), e.failed());
    }
}

void Reporter::start_deliveries(loop::Group& senders, std::int64_t time) {
    if (!sending_)
        return;
    for (const auto& entry : collection_.entries()) {
        const std::string& key = entry.first;
        const Entry& e = entry.second;
        if (busy_.size() >= workers)
            return;
        if (!e.closed() || e.done || e.due > time || !busy_.insert(key).second)
            continue;
        senders.spawn([this, key = key] {
            struct Free {
                Reporter& s;
                const std::string& key;
                ~Free() {
                    s.busy_.erase(key);
                    s.changed_.notify_all();
                }
            } free{*this, key};
            try {
                deliver(key);
            } catch (const std::exception& problem) {
                maillog::warning("report {}: {}", key, problem.what());
            }
        });
    }
}

loop::Deadline Reporter::next_event(std::int64_t time) const {
    std::int64_t at = std::min(time + look_again.count(), time / day * day + day);
    if (sending_ && busy_.size() < workers)
        for (const auto& [key, e] : collection_.entries())
            if (e.closed() && !e.done && !busy_.contains(key))
                at = std::min(at, e.due);
    loop::Deadline next = loop::in(std::chrono::seconds(std::max<std::int64_t>(at - time, 1)));
    if (urgent_)
        next = loop::Clock::now();
    return std::min(next, flush_at_);
}
}
