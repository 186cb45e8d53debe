#include "base/memory.h"
#include <atomic>
#include <cstdlib>
#include <new>

namespace base {
namespace {
constexpr std::size_t reserve_size =
    512 * 1024;  // so large that malloc maps it on its own, and gives it back to the system
std::atomic<void*> reserve{nullptr};
bool kept = false;

void spend() {
    void* block = reserve.exchange(nullptr);
    if (!block)
        throw std::bad_alloc();
    std::free(block);
}
}

void keep_memory_reserve() {
    reserve = std::malloc(reserve_size);
    kept = true;
    std::set_new_handler(spend);
}

bool memory_is_short() noexcept {
    if (!kept || reserve.load(std::memory_order_relaxed))
        return false;
    void* block = std::malloc(reserve_size);
    if (block)
        reserve = block;
    return !block;
}
}
