#include "policy_server.h"
#include <fmt/format.h>
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "conf/params/global.h"
#include "conf/params/tls.h"
#include "dns/dns.h"
#include "log/log.h"
#include "net/stream.h"
#include "server/server.h"

namespace mta_sts {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::seconds look_again =
    5min;  // at a domain's TXT record, while mail asks; sooner where a policy lives but for minutes
constexpr std::int64_t hour = 3600, forgotten_after = 30 * 24 * hour;

std::int64_t now() { return std::time(nullptr); }

// Due for another fetch: in the last quarter of its life, or after a week.
bool old(const Cached& c) { return now() - c.fetched > std::min(c.policy.max_age * 3 / 4, 7 * 24 * hour); }
}

Result<std::unique_ptr<PolicyServer>> PolicyServer::create(const conf::Settings& settings) {
    std::unique_ptr<PolicyServer> s(new PolicyServer(settings));
    s->web_.timeout = settings[param::mta_sts_fetch_timeout];
    s->web_.families = conf::families(settings[param::inet_protocols]).value_or(conf::Families{});
    http::open_web(s->web_, settings[param::mta_sts_CAfile], param::mta_sts_permitted_networks.name,
                   settings[param::mta_sts_permitted_networks], "no policy can be fetched");
    return s;
}

void PolicyServer::open_cache() {
    if (std::exchange(opened_, true))
        return;
    const std::string& file = settings_[param::mta_sts_cache_database];
    if (file.empty())
        return;
    table::OpenOptions options;
    options.duplicates = table::Duplicates::replace;
    options.create_mode = 0600;
    options.access = table::Access::update;
    if (auto opened = table::open(file, options))
        file_ = std::move(*opened);
    else
        maillog::warning("MTA-STS cache {}: {}: going on without one", file, opened.error().reason);
}

std::optional<Cached> PolicyServer::cached(const std::string& domain) {
    open_cache();
    std::optional<Cached> entry;
    if (!file_) {
        if (auto it = memory_.find(domain); it != memory_.end())
            entry = it->second;
    } else if (auto value = file_->find(domain); value && *value) {
        entry = Cached::parse(**value);
    }
    return entry && entry->fresh(now()) ? entry : std::nullopt;
}

void PolicyServer::save(const std::string& domain, const Cached& entry) {
    if (!file_) {
        if (memory_.size() < domains_limit || memory_.count(domain))
            memory_[domain] = entry;
        return;
    }
    auto done = file_->put(domain, entry.text());
    if (done)
        done = file_->commit();
    if (!done)
        maillog::warning("MTA-STS cache: {}", done.error().reason);
}

ipc::StsReply PolicyServer::answer(const std::string& name) {
    std::string domain = bytes::lowered(name);
    if (!dns::valid_hostname(domain) || domain.find('.') == domain.npos)
        return {};
    auto entry = cached(domain);
    look_up(domain);
    if (!entry) {
        auto failure = failures_.find(domain);
        return {.failure = failure != failures_.end() ? failure->second : std::string()};
    }
    if (now() - entry->asked >= hour) {  // not at every mail: each is a write
        entry->asked = now();
        save(domain, *entry);
    }
    return {entry->policy.mode, entry->policy.hosts, entry->policy.max_age, {}};
}

void PolicyServer::look_up(const std::string& domain) {
    if (auto it = looked_.find(domain); it != looked_.end() && loop::Clock::now() < it->second)
        return;
    Lane& lane = slow_.contains(domain) ? slow_lane_ : quick_;
    if (lane.waiting.size() >= waiting_limit)
        return;
    if (looked_.size() >= domains_limit &&
        loop::Clock::now() >= next_sweep_) {  // not for each domain that comes while it is full
        std::erase_if(looked_, [](const auto& one) { return loop::Clock::now() >= one.second; });
        next_sweep_ = loop::in(1min);
    }
    if (looked_.size() >= domains_limit)
        return;
    looked_[domain] = loop::in(look_again);
    put(lane, domain);
}

void PolicyServer::put(Lane& lane, const std::string& domain) {
    lane.waiting.push_back(domain);
    if (lane.working >= lane.workers)
        return;
    ++lane.working;
    loop::loop()->spawn([this, &lane] { work(lane); });
}

void PolicyServer::work(Lane& lane) {
    struct Gone {
        int& count;
        ~Gone() { --count; }
    } gone{lane.working};
    const bool quick = &lane == &quick_;
    while (!lane.waiting.empty()) {
        std::string domain = std::move(lane.waiting.front());
        lane.waiting.pop_front();
        if (update(domain, quick ? first_try : std::chrono::milliseconds(30s))) {
            slow_.erase(domain);
        } else if (slow_.size() < domains_limit) {
            slow_.insert(domain);
            if (quick && slow_lane_.waiting.size() < waiting_limit)
                put(slow_lane_, domain);
        }
    }
}

bool PolicyServer::update(const std::string& domain, std::chrono::milliseconds limit) {
    const loop::Deadline begin = loop::Clock::now();
    dns::Answer txt = dns::query("_mta-sts." + domain, dns::Type::txt, {.deadline = begin + limit});
    if (txt.temporary() && loop::Clock::now() >= begin + limit)
        return false;
    std::vector<std::string> texts;
    for (const dns::Record& r : txt.records)
        texts.push_back(r.value);
    auto id = announced_id(texts);
    if (!id && !txt.temporary())
        failures_.erase(domain);
    if (!id)
        return true;  // no record: nothing to fetch, and what is cached holds until it ends (RFC 8461, section 5.1)
    auto entry = cached(domain);
    auto again_for = [&](const StsPolicy& p) {
        looked_[domain] = loop::in(std::clamp(std::chrono::seconds(p.max_age / 8), 1s, look_again));
    };
    if (entry)
        again_for(entry->policy);
    if (entry && entry->id == *id && !old(*entry))
        return true;
    ipc::tlsrpt::ResultType failure{};
    const loop::Deadline fetch_begin = loop::Clock::now();
    const bool first = limit == first_try && limit < web_.timeout;
    auto policy = fetch(web_, domain, first ? limit : std::chrono::milliseconds(0), failure);
    const bool in_time = loop::Clock::now() < fetch_begin + limit;
    if (!policy && first && !in_time)
        return false;  // no failure yet: it is tried again with all its time
    if (!policy) {
        if (failures_.size() < domains_limit)
            failures_[domain] = ipc::tlsrpt::name_of(failure);
        if (!web_.ending)
            maillog::warning("MTA-STS policy of {} cannot be fetched: {}{}", domain, policy.error().reason,
                             entry ? "; the cached one holds on" : "");
        return in_time;
    }
    maillog::info("MTA-STS policy of {}: id={}, mode={}, max_age={}, mx={}", domain, *id, policy->mode, policy->max_age,
                  fmt::join(policy->hosts, ","));
    failures_.erase(domain);
    again_for(*policy);
    save(domain, {*id, now(), entry ? entry->asked : now(), std::move(*policy)});
    return true;
}

void PolicyServer::serve(net::Stream& stream) {
    auto next = [&] {
        server::Idle idle;
        return ipc::receive<ipc::StsRequest>(stream, loop::never);
    };
    for (;;) {
        auto request = next();
        if (handed_over_)
            return;
        if (!request || request->domain.size() > 255) {
            if (!stream.at_end() && stream.failure() == net::Stream::Failure::none)
                maillog::warning("request from a client: {}", request ? "too long" : request.error().reason);
            return;
        }
        auto deadline = loop::in(10s);
        if (!ipc::send(stream, answer(request->domain), deadline) || !stream.flush(deadline))
            return;
    }
}

void PolicyServer::keep_house() {
    struct AtEnd {
        PolicyServer& s;
        ~AtEnd() {
            s.web_.ending = true;
            s.file_.reset();  // it is the successor's now, and so are the questions: it would be "no policy" here
            s.opened_ = s.handed_over_ = true;
        }
    } at_end{*this};
    for (;;) {
        loop::sleep_until(loop::in(1h));
        open_cache();
        std::vector<std::string> due, gone;
        auto judge = [&](const std::string& domain, const std::optional<Cached>& c) {
            if (!c || !c->fresh(now()) || now() - c->asked > forgotten_after)
                gone.push_back(domain);
            else if (old(*c))
                due.push_back(domain);
        };
        for (const auto& [domain, entry] : memory_)
            judge(domain, entry);
        if (file_)
            for (auto e = file_->first(); e && *e; e = file_->next())
                judge((*e)->key, Cached::parse((*e)->value));
        for (const std::string& domain : gone) {
            memory_.erase(domain);
            if (file_)
                (void)file_->erase(domain);
        }
        if (file_ && !gone.empty())
            (void)file_->commit();
        for (const std::string& domain : due)
            look_up(domain);
    }
}
}
