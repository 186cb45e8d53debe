// The board of a service: how many sessions each of its workers has, in memory that all of them and master share.
// Taking a place first counts itself in and then adds up: of several that do so at once the last sees all others, so
// the limit is never passed; two may both step back from the last place, and try again.
#pragma once
#include <atomic>
#include <cstdint>
#include "base/error.h"

namespace server {
class Board {
public:
    static constexpr int slots = 4096;  // workers of one service
    static constexpr std::size_t size = (slots + 1) * sizeof(std::atomic<std::int32_t>);

    Board() = default;
    static Result<Board> map(int fd);  // the memory stays mapped for the life of the process, or until unmap()
    void unmap();
    // A place for one session of this worker; false where the service has `limit` sessions (0: no limit).
    bool take(int slot, std::int32_t limit) const;
    void give_back(int slot) const;
    void clear(int slot) const;     // master: the worker is dead
    std::int32_t sessions() const;  // of all workers
    std::int32_t sessions(int slot) const;
    void use(int slot) const;  // master: slots up to this one count

private:
    struct Cells {
        std::atomic<std::int32_t> used, sessions[slots];
    };
    Cells* cells_ = nullptr;
};
}
