#include "server/board.h"
#include <sys/mman.h>
#include <cerrno>

namespace server {
static_assert(std::atomic<std::int32_t>::is_always_lock_free);  // other processes see it

Result<Board> Board::map(int fd) {
    void* at = mmap(nullptr, sizeof(Cells), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return system_error("map the session board", errno);
    Board b;
    b.cells_ = static_cast<Cells*>(at);
    return b;
}
void Board::unmap() {
    if (cells_)
        munmap(cells_, sizeof(Cells));
    cells_ = nullptr;
}

bool Board::take(int slot, std::int32_t limit) const {
    for (int attempt = 0; attempt < 3; ++attempt) {
        cells_->sessions[slot].fetch_add(1);
        if (limit <= 0 || sessions() <= limit)
            return true;
        cells_->sessions[slot].fetch_sub(1);
    }
    return false;
}
void Board::give_back(int slot) const { cells_->sessions[slot].fetch_sub(1); }
void Board::clear(int slot) const { cells_->sessions[slot].store(0); }
std::int32_t Board::sessions(int slot) const { return cells_->sessions[slot].load(); }
std::int32_t Board::sessions() const {
    std::int32_t sum = 0;
    for (std::int32_t i = 0, n = cells_->used.load(); i < n; ++i)
        sum += cells_->sessions[i].load();
    return sum;
}
void Board::use(int slot) const {
    if (cells_->used.load() <= slot)
        cells_->used.store(slot + 1);
}
}
