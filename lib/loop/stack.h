// Stacks of fibers: 128 KiB of address space above a guard page; only touched pages cost memory. Two mappings each, so
// at most some 32,000 a process. Kept on a free list, since mmap and mprotect cost more than a small session.
#pragma once
#include <boost/context/stack_context.hpp>
#include <cstddef>

namespace loop {
struct Stack {
    static constexpr std::size_t size = 128 * 1024;
    boost::context::stack_context allocate();  // throws std::bad_alloc
    void deallocate(boost::context::stack_context&) noexcept;
};
// Gives the pages below the caller's frame back to the system: what earlier calls of this fiber used. For a wait that
// may be long; it costs a system call now and page faults later. Does nothing outside a fiber.
void release_unused_stack() noexcept;
}
