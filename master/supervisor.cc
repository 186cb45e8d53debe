#include "supervisor.h"
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include "conf/check.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "server/maillog.h"

using namespace std::chrono_literals;

namespace master {
namespace {
constexpr auto stop_time = 6s;  // workers have 5 to finish what must not be cut
}

Supervisor::Supervisor(loop::Loop& loop, std::string directory, Options options)
    : loop_(loop), directory_(std::move(directory)), options_(options) {}

// Every socket of the new configuration, so that a reload changes all or nothing.
Result<std::vector<GenerationPtr>> Supervisor::open_all(const ConfigurationPtr& configuration) const {
    Endpoints open;
    for (const std::unique_ptr<Service>& s : services_)
        open.insert(open.end(), s->endpoints().begin(), s->endpoints().end());
    std::vector<GenerationPtr> all;
    for (const conf::MasterEntry& e : configuration->entries) {
        TRY_ASSIGN(Endpoints mine, open_endpoints(e, configuration->settings, open));
        open.insert(open.end(), mine.begin(), mine.end());
        all.push_back(std::make_shared<Generation>(Generation{configuration, e, std::move(mine)}));
    }
    return all;
}

void Supervisor::apply(const std::vector<GenerationPtr>& generations) {
    auto same = [](const Service& s, const GenerationPtr& g) {
        return s.entry().name == g->entry.name && s.entry().type == g->entry.type;
    };
    for (const std::unique_ptr<Service>& s : services_)
        if (std::none_of(generations.begin(), generations.end(), [&](const GenerationPtr& g) { return same(*s, g); }))
            s->remove();
    for (const GenerationPtr& g : generations) {
        auto at = std::find_if(services_.begin(), services_.end(),
                               [&](const std::unique_ptr<Service>& s) { return same(*s, g); });
        if (at != services_.end()) {
            (*at)->reload(g);
            continue;
        }
        auto s = std::make_unique<Service>(loop_, g, options_);
        if (Result<void> r = s->open(); !r)
            maillog::warning("service {}: {}", g->entry.name, r.error().reason);
        else
            services_.push_back(std::move(s));
    }
}

Result<void> Supervisor::start(ConfigurationPtr configuration) {
    configuration_ = std::move(configuration);
    TRY_ASSIGN(std::vector<GenerationPtr> generations, open_all(configuration_));
    apply(generations);
    loop_.spawn([this] { collect_exits(); });
    loop_.spawn([this] { look_for_changes(); });
    return {};
}

void Supervisor::reload() {
    if (stopping_)
        return;
    Result<ConfigurationPtr> next = read_configuration(directory_, generation_ + 1);
    auto refused = [&](const std::string& why) {
        maillog::error("{}", why);
        maillog::warning("reload: the new configuration is refused; the running system goes on with the old one");
    };
    if (!next)
        return refused(next.error().reason);
    // What `postfix reload` refuses: the signal may come from elsewhere.
    if (conf::Findings findings = conf::check((*next)->settings, (*next)->declared); !findings.refusals.empty()) {
        for (std::size_t i = 1; i < findings.refusals.size(); ++i)
            maillog::error("{}", findings.refusals[i]);
        return refused(findings.refusals[0]);
    }
    const conf::Settings& s = (*next)->settings;
    if (s[param::queue_directory] != configuration_->settings[param::queue_directory])
        return refused("queue_directory has changed: this takes \"postfix stop\" and \"postfix start\"");
    if (std::string problem = server::maillog_problem(s); !problem.empty())
        return refused(problem);
    Result<std::vector<GenerationPtr>> generations = open_all(*next);
    if (!generations)
        return refused(generations.error().reason);
    ++generation_;
    configuration_ = std::move(*next);
    server::open_maillog(s, "master", server::Speaker::master);
    maillog::info("reload -- version {}, configuration {}", s[param::mail_version], directory_);
    apply(*generations);
    sweep();
}

// Those that write to a log daemon which has ended wait for it once the socket is full, and would be killed in the
// middle of a delivery: it ends when all others have.
static bool takes_log(const Service& s) { return s.entry().service_type() == conf::ServiceType::unix_dgram; }

void Supervisor::stop(std::string_view why) {
    if (stopping_)
        return;
    stopping_ = true;
    maillog::info("{}", why);
    for (const std::unique_ptr<Service>& s : services_)
        if (!takes_log(*s))
            s->stop();
    exited_.notify_all();
}

void Supervisor::abort() {
    stopping_ = true;
    for (const std::unique_ptr<Service>& s : services_) {
        s->stop();
        s->kill();
    }
    exited_.notify_all();
}

void Supervisor::reap() {
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        options_.programs->ended(pid);  // at once: the number may be another's next
        exits_.push_back({pid, status});
    }
    exited_.notify_all();
}

void Supervisor::sweep() {
    std::erase_if(services_, [](const std::unique_ptr<Service>& s) { return s->empty(); });
}

void Supervisor::collect_exits() {
    loop::Deadline kill_at = loop::never;
    for (;;) {
        while (!exits_.empty()) {
            Exit e = exits_.front();
            exits_.pop_front();
            for (const std::unique_ptr<Service>& s : services_)
                if (s->has_worker(e.pid)) {
                    s->worker_exited(e.pid, e.status);
                    break;
                }
        }
        if (stopping_) {
            const bool others = std::any_of(services_.begin(), services_.end(), [](const std::unique_ptr<Service>& s) {
                return s->alive() && !takes_log(*s);
            });
            if (!others)
                for (const std::unique_ptr<Service>& s : services_)
                    s->stop();
            if (std::none_of(services_.begin(), services_.end(),
                             [](const std::unique_ptr<Service>& s) { return s->alive(); })) {
                loop_.cancel_all();
                return;
            }
            if (kill_at == loop::never)
                kill_at = loop::in(stop_time);
            if (loop::Clock::now() >= kill_at)
                for (const std::unique_ptr<Service>& s : services_)
                    if (!others || !takes_log(*s))
                        s->kill();
            exited_.wait(loop::Clock::now() >= kill_at ? loop::in(1s) : kill_at);
            continue;
        }
        sweep();
        exited_.wait();
    }
}

void Supervisor::look_for_changes() {
    for (;;) {
        loop::sleep_until(loop::in(configuration_->settings[param::file_watch_interval]));
        if (stopping_)
            return;
        for (const std::unique_ptr<Service>& s : services_)
            s->look_at_files();
    }
}
}
