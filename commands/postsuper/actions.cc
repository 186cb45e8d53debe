#include "actions.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <iterator>
#include "base/fd.h"
#include "log/log.h"
#include "progress.h"

namespace postsuper {
// maildrop holds what was requeued a moment ago; it can be deleted from there, but is nothing to hold, expire or
// requeue.
static std::vector<std::string> usual_queues(Verb verb) {
    switch (verb) {
    case Verb::remove: return {"maildrop", "hold", "incoming", "active", "deferred"};
    case Verb::hold: return {"incoming", "active", "deferred"};
    case Verb::release: return {"hold"};
    default: return {"hold", "incoming", "active", "deferred"};
    }
}

// Of the queues that were given those that the verb has to do with.
static std::vector<std::string> queues_for(Verb verb, const std::vector<std::string>& given) {
    const auto usual = usual_queues(verb);
    if (given.empty())
        return usual;
    std::vector<std::string> out;
    std::copy_if(given.begin(), given.end(), std::back_inserter(out),
                 [&](const std::string& queue) { return std::find(usual.begin(), usual.end(), queue) != usual.end(); });
    return out;
}

void Actions::remove_logs(const mail::QueueId& id, std::string_view queue, const struct stat& message) const {
    for (std::size_t i = 0; i < log_queues.size(); ++i) {
        if (logs_ && !logs_->may_have(i, id, queue, message))
            continue;
        std::string path = directories_.path(log_queues[i], id);
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            maillog::warning("remove file {}: {}", path, errno_text(errno));
    }
}

bool Actions::remove(const mail::QueueId& id, const std::string& queue, bool say) {
    std::string path = directories_.path(queue, id);
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    // The logs first: a message without its logs is complete, logs without a message stay for ever.
    remove_logs(id, queue, st);
    if (::unlink(path.c_str()) != 0) {
        if (errno != ENOENT)
            maillog::warning("remove file {}: {}", path, errno_text(errno));
        return false;
    }
    ++counts_.removed;
    if (say)
        maillog::info("{}: removed", id.text());
    return true;
}

bool Actions::expire(const mail::QueueId& id, const std::string& queue, bool say) {
    std::string path = directories_.path(queue, id);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    struct stat st {};
    if (!fd) {
        if (errno != ENOENT)
            maillog::warning("expire file {}: {}", path, errno_text(errno));
        return false;
    }
    if (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0100) == 0 || (st.st_mode & 0010) != 0)
        return false;
    if (::fchmod(fd.get(), (st.st_mode & 07777) | 0010) != 0) {
        maillog::warning("expire file {}: {}", path, errno_text(errno));
        return false;
    }
    ++counts_.expired;
    if (say)
        maillog::info("{}: expired", id.text());
    return true;
}

bool Actions::move(const mail::QueueId& id, const std::string& from, std::string_view to, std::size_t& count,
                   const char* done, bool say, struct stat* seen) {
    std::string path = directories_.path(from, id);
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0100) == 0)
        return false;
    if (auto moved = directories_.rename(id, from, to); !moved) {
        if (moved.error().sys_errno != ENOENT)
            maillog::warning("{}", moved.error().reason);
        return false;
    }
    ++count;
    if (seen)
        *seen = st;
    if (say)
        maillog::info("{}: {}", id.text(), done);
    return true;
}

// pickup and cleanup make a new message of it; the reasons for its delay do not belong to that one.
bool Actions::requeue(const mail::QueueId& id, const std::string& queue, bool say) {
    struct stat message {};
    if (!move(id, queue, queue::maildrop, counts_.requeued, "requeued", say, &message))
        return false;
    ::utimensat(AT_FDCWD, directories_.path(queue::maildrop, id).c_str(), nullptr, 0);
    remove_logs(id, queue, message);
    return true;
}

bool Actions::apply(Verb verb, const mail::QueueId& id, const std::string& queue, bool say) {
    switch (verb) {
    case Verb::remove: return remove(id, queue, say);
    case Verb::expire: return expire(id, queue, say);
    case Verb::expire_release: {
        bool expired = expire(id, queue, say);
        bool released =
            queue == queue::hold && move(id, queue, queue::deferred, counts_.released, "released from hold", say);
        return expired || released;
    }
    case Verb::hold: return queue != queue::hold && move(id, queue, queue::hold, counts_.held, "placed on hold", say);
    case Verb::release:
        return queue == queue::hold && move(id, queue, queue::deferred, counts_.released, "released from hold", say);
    case Verb::requeue: return requeue(id, queue, say);
    }
    return false;
}

// Twice: the queue manager may have moved it from a queue that we were still to see to one that we had seen.
void Actions::one(Verb verb, const mail::QueueId& id, const std::vector<std::string>& given) {
    const auto queues = queues_for(verb, given);
    for (int pass = 0; pass < 2; ++pass)
        for (const auto& queue : queues)
            if (apply(verb, id, queue, true))
                return;
}

void Actions::all(Verb verb, const std::vector<std::string>& given) {
    if (verb == Verb::remove || verb == Verb::requeue)
        logs_.emplace(directories_);
    for (const auto& queue : queues_for(verb, given)) {
        queue::Scan scan(directories_, queue);
        Progress progress(queue);
        while (auto entry = scan.next()) {
            apply(verb, entry->id, queue, false);
            progress.step();
        }
    }
    logs_.reset();
}
}
