// A file that is made beside the one it replaces and then renamed over it, so that a reader sees the old table or the
// new one and a full disk or a crash leaves the old. Where the directory may not be written the old file itself is
// written, locked, as Postfix does. Private to lib/table.
#pragma once
#include <string>
#include "base/error.h"
#include "base/fd.h"

namespace table {
class Replacement {
public:
    // Symbolic links are followed. copy: start with the old file's bytes instead of empty.
    static Result<Replacement> begin(const std::string& path, unsigned create_mode, bool copy);
    Replacement(Replacement&&) noexcept;
    Replacement& operator=(Replacement&&) = delete;
    ~Replacement();  // takes away what was not finished
    const std::string& path() const { return work_; }
    bool in_place() const { return in_place_; }
    Result<void> finish();  // after the library closed its handle: sync, owner, mode, rename

private:
    Replacement() = default;
    std::string target_, work_;
    UniqueFd lock_;  // on the old file, against other writers
    unsigned mode_ = 0644;
    bool in_place_ = false, done_ = false;
};

// A lock on the whole file: shared or exclusive; wait=false: an Error where another process has it.
Result<void> lock_file(int fd, bool exclusive, bool wait = true);
void unlock_file(int fd);
}
