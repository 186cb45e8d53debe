#include "loop/stack.h"
#include <sys/mman.h>
#include <unistd.h>
#include <cstdint>
#include <new>
#include <vector>
#include "loop/loop.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace loop {
namespace {
const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
constexpr std::size_t most_kept = 256;  // above that a burst's stacks go back to the system

struct FreeList {
    std::vector<void*> stacks;                 // the top of each
    FreeList() { stacks.reserve(most_kept); }  // so that deallocate() cannot throw
    ~FreeList() {
        for (void* top : stacks)
            munmap(static_cast<char*>(top) - Stack::size - page, Stack::size + page);
    }
};
thread_local FreeList free_list;
}

boost::context::stack_context Stack::allocate() {
    boost::context::stack_context s;
    s.size = size;
    if (!free_list.stacks.empty()) {
        s.sp = free_list.stacks.back();
        free_list.stacks.pop_back();
        return s;
    }
    void* p = mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        throw std::bad_alloc();
    if (mprotect(p, page, PROT_NONE) != 0) {
        munmap(p, size + page);
        throw std::bad_alloc();
    }
    s.sp = static_cast<char*>(p) + page + size;
    return s;
}

void Stack::deallocate(boost::context::stack_context& s) noexcept {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(static_cast<char*>(s.sp) - size, size);
#endif
    if (free_list.stacks.size() < most_kept)
        free_list.stacks.push_back(s.sp);
    else
        munmap(static_cast<char*>(s.sp) - size - page, size + page);
}

[[gnu::noinline]] void release_unused_stack() noexcept {
#if !defined(__SANITIZE_ADDRESS__)
    constexpr std::uintptr_t own = 512;  // this call's, madvise's and the red zone's
    Fiber* me = current();
    if (!me)
        return;
    const auto top = reinterpret_cast<std::uintptr_t>(me->stack.sp), bottom = top - Stack::size;
    const auto end = (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - own) / page * page;
    if (end > bottom && end < top)
        (void)madvise(reinterpret_cast<void*>(bottom), end - bottom, MADV_DONTNEED);
#endif
}
}
