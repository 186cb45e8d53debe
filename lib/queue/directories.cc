#include "queue/directories.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

namespace queue {
static constexpr int depth_max = 8;  // more directories than that hash nothing

Directories::Directories(std::vector<std::string> hashed, int depth, std::string root)
    : hashed_(std::move(hashed)), depth_(std::min(depth, depth_max)), root_(std::move(root)) {
    if (!root_.empty() && root_.back() != '/')
        root_ += '/';
}

bool Directories::hashes(std::string_view queue) const {
    for (const auto& name : hashed_)
        if (name == queue)
            return true;
    return false;
}

std::string Directories::directory(std::string_view queue) const { return root_ + std::string(queue); }

std::string Directories::path(std::string_view queue, const mail::QueueId& id) const {
    std::string path = root_;
    path.append(queue) += '/';
    if (hashes(queue))
        path += id.hash_directories(depth_);
    return path.append(id.text());
}

static Result<void> make_parents_of(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
        std::string directory = path.substr(0, slash);
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
            struct stat st {};  // an ancestor that we may not write to but that is there is fine
            int error = errno;
            if (::stat(directory.c_str(), &st) != 0 || !S_ISDIR(st.st_mode))
                return system_error("mkdir " + directory, error);
        }
    }
    return {};
}
Result<void> Directories::make_parents(const std::string& path) const { return make_parents_of(path); }

// Not every kernel and file system has RENAME_NOREPLACE; then the target is looked at first, which is as good as the
// ids are unique.
static int rename_new(const char* from, const char* to) {
#ifdef RENAME_NOREPLACE
    if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
#endif
    struct stat st {};
    if (::lstat(to, &st) == 0) {
        errno = EEXIST;
        return -1;
    }
    return ::rename(from, to);
}

Result<void> rename_path(const std::string& from, const std::string& to) {
    if (rename_new(from.c_str(), to.c_str()) == 0)
        return {};
    int error = errno;
    struct stat st {};
    if (error == ENOENT && ::lstat(from.c_str(), &st) == 0) {
        TRY(make_parents_of(to));
        if (rename_new(from.c_str(), to.c_str()) == 0)
            return {};
        error = errno;
    }
    return system_error("rename " + from + " to " + to, error);
}

Result<void> Directories::rename(const mail::QueueId& id, std::string_view from, std::string_view to) const {
    return rename_path(path(from, id), path(to, id));
}

Result<void> Directories::remove(std::string_view queue, const mail::QueueId& id) const {
    std::string name = path(queue, id);
    if (::unlink(name.c_str()) != 0)
        return system_error("remove " + name, errno);
    return {};
}

Scan::Scan(const Directories& directories, std::string_view queue) { enter(directories.directory(queue)); }
Scan::~Scan() {
    for (auto& level : levels_)
        ::closedir(level.stream);
}

void Scan::enter(std::string path) {
    if (levels_.size() > depth_max)
        return;
    if (DIR* stream = ::opendir(path.c_str()))
        levels_.push_back({stream, std::move(path)});
    else if (errno != ENOENT)
        failed_ = true;
}

static bool is_directory(const std::string& path, unsigned char kind) {
    if (kind != DT_UNKNOWN)
        return kind == DT_DIR;
    struct stat st {};
    return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

std::optional<Scan::Named> Scan::next_named() {
    while (!levels_.empty()) {
        Level& level = levels_.back();
        errno = 0;
        dirent* entry = ::readdir(level.stream);
        if (!entry) {
            if (errno != 0)
                failed_ = true;
            ::closedir(level.stream);
            levels_.pop_back();
            continue;
        }
        std::string_view name = entry->d_name;
        if (name == "." || name == "..")
            continue;
        std::string path = level.path + '/' + std::string(name);
        if (is_directory(path, entry->d_type)) {  // hashed directories have names of one letter
            if (name.size() == 1)
                enter(std::move(path));
            continue;
        }
        return Named{std::string(name), std::move(path)};
    }
    return std::nullopt;
}

std::optional<Scan::Entry> Scan::next() {
    while (auto file = next_named())
        if (auto id = mail::QueueId::parse(file->name))
            return Entry{std::move(*id), std::move(file->path)};
    return std::nullopt;
}
}
