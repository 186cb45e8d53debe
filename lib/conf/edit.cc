#include "conf/edit.h"
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <map>
#include "base/bytes.h"

namespace conf {
EditedText::EditedText(std::string_view text) {
    int logical = -1;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        if (end == text.npos)
            end = text.size();
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        std::string_view content = bytes::trim(line);
        if (content.empty() || content.front() == '#') {
            lines_.push_back({std::string(line), -1, false});
            continue;
        }
        bool first = !bytes::is_space(line.front());
        if (first)
            ++logical;
        lines_.push_back({std::string(line), logical, first});
        if (first)
            logical_.emplace_back();
        if (logical >= 0)
            logical_.back() += line;
    }
}

std::string EditedText::with(const std::vector<LineChange>& changes) const {
    std::string out;
    for (const Line& line : lines_) {
        static const LineChange none;
        const LineChange& change = line.logical < 0 ? none : changes[static_cast<std::size_t>(line.logical)];
        if (change.action == EditAction::keep)
            out += line.text + "\n";
        else if (change.action == EditAction::comment_out)
            out += "#" + line.text + "\n";
        else if (change.action == EditAction::set && line.first)
            out += change.text;
    }
    return out;
}

Result<Replacement> Replacement::open(std::string path) {
    Replacement file(std::move(path));
    // Two programs at once take turns on the temporary file, which each may find removed by the other.
    for (int attempt = 0; attempt < 100; ++attempt) {
        file.fd_ = UniqueFd(::open(file.temporary_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file.fd_)
            return permanent(fmt::format("open {}: {}", file.temporary_, errno_text(errno)));
        if (flock(file.fd_.get(), LOCK_EX) != 0)
            return permanent(fmt::format("lock {}: {}", file.temporary_, errno_text(errno)));
        struct stat held {
        }, named{};
        if (fstat(file.fd_.get(), &held) == 0 && stat(file.temporary_.c_str(), &named) == 0 &&
            held.st_ino == named.st_ino && held.st_dev == named.st_dev)
            break;
    }
    TRY_ASSIGN(file.text_, read_file(file.path_));
    return file;
}

Replacement::~Replacement() {
    if (fd_)
        unlink(temporary_.c_str());
}

Result<void> Replacement::commit(std::string_view text) {
    auto failed = [](const char* what, const std::string& path) {
        return permanent(fmt::format("{} {}: {}", what, path, errno_text(errno)));
    };
    struct stat st {};
    if (stat(path_.c_str(), &st) != 0)
        return failed("stat", path_);
    if (ftruncate(fd_.get(), 0) != 0)
        return failed("truncate", temporary_);
    if (auto written = write_all(fd_.get(), text); !written)
        return permanent(fmt::format("write {}: {}", temporary_, written.error().reason));
    if (fchown(fd_.get(), st.st_uid, st.st_gid) != 0 && geteuid() == 0)
        return failed("chown", temporary_);
    if (fchmod(fd_.get(), st.st_mode & 07777) != 0)
        return failed("chmod", temporary_);
    if (fsync(fd_.get()) != 0)
        return failed("sync", temporary_);
    if (rename(temporary_.c_str(), path_.c_str()) != 0)
        return permanent(fmt::format("rename {} to {}: {}", temporary_, path_, errno_text(errno)));
    fd_ = UniqueFd();
    (void)sync_directory(path_.substr(0, path_.rfind('/')));
    return {};
}

Result<std::vector<std::string>> edit_main_cf(const std::string& directory, EditAction action,
                                              const Overrides& parameters) {
    std::map<std::string, std::string> lines;  // the new line of each name
    std::vector<std::string> order;
    for (const Assignment& p : parameters) {
        if (!lines.contains(p.name))
            order.push_back(p.name);
        // As given: white space inside the value may matter to whoever wrote it.
        lines[p.name] = p.value.empty() ? p.name + " =\n" : p.name + " = " + p.value + "\n";
    }
    std::string path = directory + "/main.cf";
    TRY_ASSIGN(Replacement file, Replacement::open(path));
    EditedText old(file.text());
    std::vector<LineChange> changes;
    std::vector<std::string> warnings;
    std::map<std::string, int> found;
    for (const std::string& text : old.logical()) {
        std::string name(bytes::trim(bytes::cut(text, '=').first));
        auto entry = lines.find(name);
        if (entry != lines.end() && ++found[name] == 2)
            warnings.push_back(fmt::format("{}: multiple entries for \"{}\"", path, name));
        changes.push_back(entry == lines.end() ? LineChange{} : LineChange{action, entry->second});
    }
    std::string out = old.with(changes);
    if (action == EditAction::set)
        for (const std::string& name : order)
            if (!found.contains(name))
                out += lines[name];
    TRY(file.commit(out));
    return warnings;
}
}
