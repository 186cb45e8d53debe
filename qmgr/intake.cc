#include "intake.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include "conf/params/commands.h"
#include "log/log.h"
#include "server/server.h"

namespace qmgr {
static constexpr std::size_t taking_most = 16;   // files opened and read at once
static constexpr std::size_t found_most = 2000;  // a scan pauses while so many wait
static constexpr std::size_t batch = 512;        // directory entries in one job for the pool
static constexpr std::size_t remembered_most = 4000000;
static constexpr std::uint32_t crowded_most = 1000,
                               held = UINT32_MAX - crowded_most;  // held + n: for destination n of crowded_

Intake::Intake(Manager& manager, const conf::Settings& settings)
    : manager_(manager), run_delay_(settings[param::queue_run_delay]) {
    manager_.on_deferred = [this](const mail::QueueId& id, std::int64_t due) { remember(id, due); };
    manager_.on_room = [this] { changed_.notify_all(); };
}

void Intake::remember(const mail::QueueId& id, std::int64_t due) {
    if (due_.size() >= remembered_most)
        due_.clear();
    due_[std::hash<mail::QueueId>{}(id)] = static_cast<std::uint32_t>(std::clamp<std::int64_t>(due, 0, held - 1));
}

std::optional<std::size_t> Intake::number_of(Manager::Place place) {
    for (std::size_t n = 0; n < crowded_.size(); ++n)
        if (crowded_[n].place == place)
            return n;
    if (crowded_.size() == crowded_most)
        return std::nullopt;  // for the life of this process: then mail is taken as it comes
    crowded_.push_back({std::move(place), false});
    return crowded_.size() - 1;
}

void Intake::hold_back(const mail::QueueId& id, std::size_t number) {
    if (due_.size() >= remembered_most)
        due_.clear();
    due_[std::hash<mail::QueueId>{}(id)] = held + static_cast<std::uint32_t>(number);
    crowded_[number].mail = true;
}

// Whether what due_ says of a message is that it is held back, and its destination is as crowded as before.
bool Intake::still_held(const ScannedQueue& source, std::uint32_t due) {
    if (due < held)
        return false;
    Crowded& c = crowded_[due - held];
    if (!manager_.share_of(c.place).full())
        return false;
    c.mail = true;
    held_new_ += &source == &incoming_;
    return true;
}

// Every second. At half of its share a destination may have more: not at each message that leaves, since finding some
// is a scan.
void Intake::look_for_held() {
    for (Crowded& c : crowded_) {
        const Manager::Share share = manager_.share_of(c.place);
        if (!c.mail || share.held * 2 > share.most)
            continue;
        c.mail = false;
        incoming_.wanted = deferred_.wanted = true;
        scan_.notify_all();
    }
}

void Intake::tell_waiting() { server::set_mail_waiting(incoming_.found.size() + held_new_); }

void Intake::trigger(std::string_view request) {
    auto has = [&](char c) { return request.find(c) != request.npos; };
    if (has('A'))
        deferred_.all_next = true;
    if (has('F'))
        manager_.revive_all();
    if (has('D'))
        deferred_.wanted = true;
    if (has('I') || has('W'))
        incoming_.wanted = true;
    scan_.notify_all();
}

void Intake::arrived(const std::vector<std::string>& ids) {
    for (const std::string& text : ids) {
        Result<mail::QueueId> id = mail::QueueId::parse(text);
        if (!id) {
            maillog::warning("new mail: {}", id.error().reason);
            continue;
        }
        if (!ready_ || incoming_.found.size() >= found_most) {
            incoming_.wanted = true;
            continue;
        }
        if (manager_.is_active(*id))
            continue;
        if (auto [at, fresh] = waiting_.try_emplace(text, false); !fresh) {
            at->second = true;
            continue;
        }
        incoming_.found.push_back(std::move(*id));
    }
    tell_waiting();
    changed_.notify_all();
    if (incoming_.wanted)
        scan_.notify_all();
}

// One queue manager at a time: while an earlier generation finishes, the next waits. Then what is in active was left by
// one that is gone; it is new mail again.
void Intake::take_over() {
    turn_ = UniqueFd(::open(std::string(queue::active).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int tries = 0; turn_ && ::flock(turn_.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            maillog::warning("lock active: {}", errno_text(errno));
            break;
        }
        if (tries == 300)
            maillog::warning("another queue manager still has the active queue");
        loop::sleep_until(loop::in(std::chrono::milliseconds(100)));
    }
    loop::offload([&] {
        queue::Scan scan(manager_.directories(), queue::active);
        std::vector<mail::QueueId> left;
        while (auto entry = scan.next())
            left.push_back(entry->id);
        for (const auto& id : left) {
            // A message that was flushed before its time has that time still: it is due now.
            ::utimensat(AT_FDCWD, manager_.directories().path(queue::active, id).c_str(), nullptr, 0);
            if (auto moved = manager_.directories().rename(id, queue::active, queue::incoming); !moved)
                maillog::warning("{}: {}", id.text(), moved.error().reason);
        }
    });
}

void Intake::run() {
    take_over();
    ready_ = true;
    server::set_mail_waiting(0);
    incoming_.wanted = deferred_.wanted = true;
    loop::Group::with([&](loop::Group& group) {
        group.spawn([&] { scan_forever(incoming_); });
        group.spawn([&] { scan_forever(deferred_); });
        group.spawn([&] {
            for (;;) {
                loop::sleep_until(loop::in(run_delay_));
                deferred_.wanted = incoming_.wanted = true;
                scan_.notify_all();
            }
        });
        group.spawn([&] {
            for (;;) {
                loop::sleep_until(loop::in(std::chrono::seconds(1)));
                manager_.maintain();
                forget_touched();  // before the kernel's list is full
                look_for_held();
            }
        });
        feed();
    });
}

void Intake::scan_forever(ScannedQueue& source) {
    for (;;) {
        while (!source.wanted)
            scan_.wait();
        source.wanted = false;
        source.all = std::exchange(source.all_next, false);
        scan(source);
    }
}

// What others have changed, moved or removed is no longer known.
void Intake::forget_touched() {
    std::vector<std::string> names;
    if (!touched_.changed(names))
        due_.clear();
    for (const std::string& name : names)
        if (auto id = mail::QueueId::parse(name))
            due_.erase(std::hash<mail::QueueId>{}(*id));
}

static std::int64_t modified(const std::string& path) {
    struct stat st {};
    return ::lstat(path.c_str(), &st) == 0 ? static_cast<std::int64_t>(st.st_mtime) : -1;
}

void Intake::scan(ScannedQueue& source) {
    queue::Scan files(manager_.directories(), source.queue);
    const bool timed = &source == &deferred_ && !source.all;
    if (&source == &incoming_)
        held_new_ = 0;
    if (timed)
        forget_touched();
    std::string directory;
    bool in_doubt = true;  // what is remembered of this directory's files
    bool end = false;
    while (!end) {
        std::vector<queue::Scan::Entry> entries;
        loop::file_job([&] {
            while (entries.size() < batch) {
                auto entry = files.next();
                if (!entry) {
                    end = true;
                    break;
                }
                entries.push_back(std::move(*entry));
            }
        });
        const std::int64_t now = base::wall_now().seconds;
        std::erase_if(entries, [&](const queue::Scan::Entry& e) {
            if (waiting_.contains(e.id.text()) || manager_.is_active(e.id))
                return true;
            auto known = due_.find(std::hash<mail::QueueId>{}(e.id));
            if (known != due_.end() && still_held(source, known->second))
                return true;
            if (!timed)
                return false;
            const std::string_view parent = std::string_view(e.path).substr(0, e.path.rfind('/'));
            if (parent != directory) {
                directory = parent;
                in_doubt = touched_.watch(directory) != Touched::Watched::already;
            }
            return !in_doubt && known != due_.end() && known->second < held && known->second > now;
        });
        if (timed && !entries.empty()) {
            std::vector<std::int64_t> times(entries.size());
            loop::offload([&] {
                for (std::size_t i = 0; i < entries.size(); ++i)
                    times[i] = modified(entries[i].path);
            });
            std::size_t kept = 0;
            for (std::size_t i = 0; i < entries.size(); ++i) {
                if (times[i] > now)
                    remember(entries[i].id, times[i]);
                else if (times[i] >= 0) {
                    if (kept != i)
                        entries[kept] = std::move(entries[i]);
                    ++kept;
                }
            }
            entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(kept), entries.end());
        }
        for (auto& entry : entries) {
            if (!waiting_.try_emplace(entry.id.text(), false).second)
                continue;
            source.found.push_back(std::move(entry.id));
        }
        tell_waiting();
        changed_.notify_all();
        while (source.found.size() > found_most)
            changed_.wait();
    }
}

void Intake::feed() {
    for (;;) {
        const bool room = manager_.active() + taking_ < manager_.config().messages && taking_ < taking_most;
        const bool fresh = room && !incoming_.found.empty();
        const bool old =
            room && !deferred_.found.empty() && manager_.active_old() + taking_ < manager_.config().old_messages();
        if (!fresh && !old) {
            changed_.wait();
            continue;
        }
        ScannedQueue& source = !fresh || (deferred_turn_ && old) ? deferred_ : incoming_;
        deferred_turn_ = &source == &incoming_;
        take(source);
    }
}

void Intake::take(ScannedQueue& source) {
    mail::QueueId id = std::move(source.found.front());
    source.found.pop_front();
    tell_waiting();
    ++taking_;
    loop::loop()->spawn([this, &source, id = std::move(id), flush = source.all] {
        std::optional<std::size_t> crowded;
        if (auto place = manager_.crowded_place(id, source.queue, flush))
            crowded = number_of(std::move(*place));
        due_.erase(std::hash<mail::QueueId>{}(id));
        Taken result = crowded ? Taken::not_ready : manager_.activate(id, source.queue, flush);
        if (crowded) {
            hold_back(id, *crowded);
            held_new_ += &source == &incoming_;
        }
        --taking_;
        taken(source, id, result);
        changed_.notify_all();
    });
}

void Intake::taken(ScannedQueue& source, const mail::QueueId& id, Taken result) {
    if (result == Taken::busy)
        still_delivered(id, source.queue);
    else if (result != Taken::not_ready)
        skipped_.erase(id.text());
    auto waiting = waiting_.find(id.text());
    // It was not complete when a scan came upon it, and was announced while that was found out.
    if (result == Taken::not_ready && waiting != waiting_.end() && std::exchange(waiting->second, false))
        source.found.push_back(id);
    else if (waiting != waiting_.end())
        waiting_.erase(waiting);
}

// An agent that an earlier queue manager started has the message in hand: after a reload it has mostly done in a
// moment. New mail is looked at again soon, then in growing pauses.
void Intake::still_delivered(const mail::QueueId& id, std::string_view from) {
    maillog::info("{}: skipped, still being delivered", id.text());
    const std::int64_t most = manager_.config().minimal_backoff.count();
    const bool fresh = from == queue::incoming;
    const std::int64_t pause =
        fresh ? std::min<std::int64_t>(most, std::int64_t{2} << std::min(skipped_[id.text()]++, 10)) : most;
    const std::int64_t when = base::wall_now().seconds + pause;
    const timespec times[2] = {{when, 0}, {when, 0}};
    loop::offload([&] { ::utimensat(AT_FDCWD, manager_.directories().path(from, id).c_str(), times, 0); });
    if (!fresh)
        return remember(id, when);
    loop::loop()->spawn([this, pause] {
        loop::sleep_until(loop::in(std::chrono::seconds(pause + 1)));
        incoming_.wanted = true;
        scan_.notify_all();
    });
}
}
