#include "structure.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <ctime>
#include "log/log.h"
#include "progress.h"

namespace postsuper {
static constexpr std::time_t temporary_age = 7 * 86400;  // an incomplete file that old has no writer any more

static bool holds_messages(std::string_view queue) {
    for (auto name : {queue::maildrop, queue::incoming, queue::active, queue::deferred, queue::hold})
        if (name == queue)
            return true;
    return false;
}

// The name the file should have: its microseconds and its own inode. Absent where it is right already.
static std::optional<mail::QueueId> better_name(const mail::QueueId& id, const struct stat& st,
                                                const StructureOptions& options) {
    if (id.long_form()) {
        if (options.long_ids && (!options.fix_long || id.inode() == static_cast<std::uint64_t>(st.st_ino)))
            return std::nullopt;
        if (options.long_ids)
            return mail::QueueId::make(*id.time(), st.st_ino, true);
    } else if (id.inode() == static_cast<std::uint64_t>(st.st_ino)) {
        return std::nullopt;
    }
    char number[32];
    std::snprintf(number, sizeof number, "%lX", static_cast<unsigned long>(st.st_ino));
    std::string head = id.hash_text().substr(0, 5);
    while (head.size() < 5)
        head += '0';
    auto made = mail::QueueId::parse(head + number);
    if (!made || *made == id)
        return std::nullopt;
    return *made;
}

// Its logs are named after it.
static void rename_logs(const queue::Directories& directories, const mail::QueueId& from, const mail::QueueId& to) {
    for (auto log : {queue::defer_log, queue::bounce_log, queue::trace_log}) {
        auto renamed = queue::rename_path(directories.path(log, from), directories.path(log, to));
        if (!renamed && renamed.error().sys_errno != ENOENT)
            maillog::warning("{}", renamed.error().reason);
    }
}

// Directories of one letter that hold nothing go, unless the depth wants them.
static void remove_empty(const std::string& path, int level) {
    if (level > 8)
        return;
    DIR* stream = ::opendir(path.c_str());
    if (!stream)
        return;
    std::vector<std::string> below;
    while (dirent* entry = ::readdir(stream))
        if (std::string_view(entry->d_name).size() == 1 && entry->d_name[0] != '.')
            below.emplace_back(entry->d_name);
    ::closedir(stream);
    for (const auto& name : below) {
        remove_empty(path + '/' + name, level + 1);
        ::rmdir((path + '/' + name).c_str());  // fails while something is in it, which is right
    }
}

// What a file should be called. Absent where it is right as it is, or has just been purged.
struct Move {
    mail::QueueId from, to;
    std::string path, wanted;
};

static std::optional<Move> look_at(const queue::Directories& directories, const StructureOptions& options,
                                   const std::string& queue, const queue::Scan::Named& file) {
    auto id = mail::QueueId::parse(file.name);
    struct stat st {};
    if (::lstat(file.path.c_str(), &st) != 0)
        return std::nullopt;
    const bool stale = (st.st_mode & 0100) == 0 && st.st_mtime + temporary_age < std::time(nullptr);
    if (!id) {  // QUEUE/microseconds.pid: ours, in the making
        if (options.purge && stale && holds_messages(queue))
            ::unlink(file.path.c_str());
        else if (queue != queue::flush_log)
            maillog::warning("bogus file name: {}", file.path);
        return std::nullopt;
    }
    if (!S_ISREG(st.st_mode)) {
        maillog::warning("{}: uid {}: not a regular file", file.path, st.st_uid);
        return std::nullopt;
    }
    if (options.purge && stale && holds_messages(queue)) {
        if (::unlink(file.path.c_str()) != 0 && errno != ENOENT)
            maillog::warning("remove file {}: {}", file.path, errno_text(errno));
        return std::nullopt;
    }
    if (!options.fix)
        return std::nullopt;
    auto name = holds_messages(queue) && (st.st_mode & 0100) != 0 ? better_name(*id, st, options) : std::nullopt;
    mail::QueueId to = name ? std::move(*name) : *id;
    std::string wanted = directories.path(queue, to);
    if (wanted == file.path)
        return std::nullopt;
    return Move{std::move(*id), std::move(to), file.path, std::move(wanted)};
}

std::size_t repair(const queue::Directories& directories, const StructureOptions& options,
                   const std::vector<std::string>& queues) {
    std::size_t renamed = 0;
    for (const auto& queue : queues) {
        std::vector<Move> moves;  // later: renaming while reading would show files twice
        queue::Scan scan(directories, queue);
        Progress progress(queue);
        while (auto file = scan.next_named()) {
            if (auto move = look_at(directories, options, queue, *file))
                moves.push_back(std::move(*move));
            progress.step();
        }
        for (const Move& m : moves) {
            if (auto moved = queue::rename_path(m.path, m.wanted); !moved) {
                if (moved.error().sys_errno != ENOENT)
                    maillog::warning("{}", moved.error().reason);
                continue;
            }
            if (m.from == m.to)
                continue;
            ++renamed;
            rename_logs(directories, m.from, m.to);
        }
        if (options.fix)
            remove_empty(directories.directory(queue), 0);
    }
    return renamed;
}
}
