// flush: remembers which deferred messages a destination has, so that ETRN and "postqueue -s" need not try the whole
// queue; and asks for delivery of one message ("postqueue -i"). Destinations of fast_flush_domains only.
//
// Requests are ipc::FlushRequest at public/flush; a wake-up from master refreshes. What is asked for goes from deferred
// to incoming, and qmgr is told.
//
// When things fail: the reply says so, and a warning is logged; nothing is lost, for the queue manager tries deferred
// mail anyway.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <ctime>
#include <memory>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/services.h"
#include "ipc/flush.h"
#include "log/log.h"
#include "server/server.h"
#include "site_log.h"
#include "table/address_lookup.h"
#include "table/match_list.h"

namespace {
using ipc::FlushReply;

struct State {
    explicit State(const conf::Settings& settings)
        : directories(settings),
          domains(table::MatchList::open(param::fast_flush_domains.name, settings[param::fast_flush_domains],
                                         table::MatchList::Kind::domains,
                                         table::parents_of(settings, param::fast_flush_domains.name))) {}
    queue::Directories directories;
    table::MatchList domains;
};
std::unique_ptr<State> state;

Result<void> before_jail(const conf::Settings& settings) {
    state = std::make_unique<State>(settings);
    return {};
}

void tell_qmgr() { server::wake_service("public/" + server::settings()[param::queue_service_name], "I"); }

int eligible(const std::string& site) {
    auto listed = state->domains.match(site);
    if (!listed)
        return FlushReply::failed;
    return *listed ? FlushReply::ok : FlushReply::unknown;
}

// Moves what the log names, then says so once.
int send_log(const std::string& name) {
    Result<std::size_t> moved = std::size_t(0);
    loop::offload([&] {
        moved = [&]() -> Result<std::size_t> {
            TRY_ASSIGN(auto ids, flush::take_all(state->directories, name));
            std::size_t n = 0;
            for (const auto& id : ids) {
                auto released = flush::release(state->directories, id);
                if (!released)
                    maillog::warning("{}: {}", id.text(), released.error().reason);
                else if (*released)
                    ++n;
            }
            return n;
        }();
    });
    if (!moved) {
        maillog::warning("{}", moved.error().reason);
        return FlushReply::failed;
    }
    if (*moved > 0)
        tell_qmgr();
    return FlushReply::ok;
}

int add(const std::string& site, const std::string& queue_id) {
    auto id = mail::QueueId::parse(queue_id);
    std::string name = flush::log_name(site);
    if (!id || name.empty())
        return FlushReply::bad;
    if (int answer = eligible(site); answer != FlushReply::ok)
        return answer;
    Result<void> added;
    loop::offload([&] { added = flush::append(state->directories, name, *id); });
    if (!added)
        maillog::warning("{}", added.error().reason);
    return added ? FlushReply::ok : FlushReply::failed;
}

int send_site(const std::string& site) {
    std::string name = flush::log_name(site);
    if (name.empty())
        return FlushReply::bad;
    if (int answer = eligible(site); answer != FlushReply::ok)
        return answer;
    return send_log(name);
}

int send_file(const std::string& queue_id) {
    auto id = mail::QueueId::parse(queue_id);
    if (!id)
        return FlushReply::bad;
    Result<bool> released = false;
    loop::offload([&] { released = flush::release(state->directories, *id); });
    if (!released) {
        maillog::warning("{}: {}", id->text(), released.error().reason);
        return FlushReply::failed;
    }
    if (*released)
        tell_qmgr();
    return FlushReply::ok;
}

struct LogFile {
    std::string name;
    std::int64_t size, read, modified;
};
std::vector<LogFile> list_logs() {
    std::vector<LogFile> logs;
    loop::offload([&] {
        queue::Scan scan(state->directories, queue::flush_log);
        while (auto file = scan.next_named()) {
            struct stat st {};
            if (::lstat(file->path.c_str(), &st) == 0 && S_ISREG(st.st_mode))
                logs.push_back({file->name, st.st_size, st.st_atime, st.st_mtime});
        }
    });
    return logs;
}

// Logs that nobody asked for in a long time are asked for now (all of them with `all`); empty old ones go.
void refresh(bool all) {
    const auto& settings = server::settings();
    const std::int64_t now = std::time(nullptr);
    for (const auto& log : list_logs()) {
        if (log.size > 0 && (all || log.modified + settings[param::fast_flush_refresh_time].count() < now))
            send_log(log.name);
        else if (log.size == 0 && log.modified + settings[param::fast_flush_purge_time].count() < now)
            loop::offload([&] { ::unlink((state->directories.directory(queue::flush_log) + '/' + log.name).c_str()); });
    }
}

int answer(const ipc::FlushRequest& request) {
    if (request.request == "add")
        return add(request.site, request.queue_id);
    if (request.request == "send_site")
        return send_site(request.site);
    if (request.request == "send_file")
        return send_file(request.queue_id);
    if (request.request == "refresh" || request.request == "purge") {
        loop::loop()->spawn([all = request.request == "purge"] { refresh(all); });
        return FlushReply::ok;
    }
    return FlushReply::bad;
}

void serve(server::Connection& session) {
    const auto idle = server::settings()[param::ipc_timeout];
    for (;;) {
        auto request = ipc::receive<ipc::FlushRequest>(session.stream, loop::in(idle));
        if (!request)
            return;
        FlushReply reply;
        reply.status = answer(*request);
        if (!ipc::send(session.stream, reply, loop::in(idle)) || !session.stream.flush(loop::in(idle)))
            return;
    }
}

void triggered(std::string_view request) {
    if (request.find_first_of("W") != request.npos)
        refresh(false);
}
}

int main(int argc, char** argv) {
    return server::run({.name = "flush",
                        .needs = server::need::tables | server::need::files_write,
                        .before_jail = before_jail,
                        .serve = serve,
                        .announces = ipc::FlushRequest::protocol,
                        .triggered = triggered},
                       argc, argv);
}
