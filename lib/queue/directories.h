// Where queue files are: QUEUE/ID, or QUEUE/x/y/ID in the queues that hash_queue_names lists, hash_queue_depth deep.
// Paths are relative to the queue directory, which daemons (and commands, after chdir) have as their working directory;
// another root may be given. A file found at another depth (the settings changed) is found by scan(), and postsuper -s
// moves it.
//
// When things fail: Errors with errno; a missing hashed directory is made, then the call is tried again.
#pragma once
#include <dirent.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "mail/queue_id.h"

namespace conf {
class Settings;
}

namespace queue {
inline constexpr std::string_view maildrop = "maildrop", incoming = "incoming", active = "active",
                                  deferred = "deferred", hold = "hold", corrupt = "corrupt", defer_log = "defer",
                                  bounce_log = "bounce", trace_log = "trace", flush_log = "flush", saved = "saved";

class Directories {
public:
    explicit Directories(const conf::Settings& settings, std::string root = {});
    Directories(std::vector<std::string> hashed, int depth, std::string root = {});

    std::string path(std::string_view queue, const mail::QueueId& id) const;
    std::string directory(std::string_view queue) const;  // of the queue itself
    bool hashes(std::string_view queue) const;
    int depth() const { return depth_; }

    // Moves id from one queue to another, making the directories that are missing. The Error carries ENOENT where there
    // is no such file.
    Result<void> rename(const mail::QueueId& id, std::string_view from, std::string_view to) const;
    Result<void> remove(std::string_view queue, const mail::QueueId& id) const;
    // Makes the directories above path (below the queue directory), mode 0700.
    Result<void> make_parents(const std::string& path) const;

private:
    std::vector<std::string> hashed_;
    int depth_ = 0;
    std::string root_;
};

// rename(2) of two paths, making missing directories above `to` (mode 0700), never replacing a file that is there
// (EEXIST).
Result<void> rename_path(const std::string& from, const std::string& to);

// A queue's files one after another, in the directory's order, whatever their number: memory is bounded by depth. Files
// that come or go during the scan may or may not be seen.
class Scan {
public:
    Scan(const Directories& directories, std::string_view queue);
    ~Scan();
    Scan(Scan&&) noexcept = default;
    struct Entry {
        mail::QueueId id;
        std::string path;
    };
    struct Named {
        std::string name, path;
    };
    // The next file; absent at the end. Files whose names are no queue ids are passed over.
    std::optional<Entry> next();
    // The next file whatever its name (temporary names hold a dot).
    std::optional<Named> next_named();
    // A directory that is there could not be read: files were passed over.
    bool failed() const { return failed_; }

private:
    struct Level {
        DIR* stream;
        std::string path;
    };
    void enter(std::string path);
    std::vector<Level> levels_{};
    bool failed_ = false;
};
}
