// The system-call filters that cmake/sandbox_filters.cc makes while the programs are built: BPF programs (Linux).
#pragma once
#include <linux/filter.h>
#include <cstdint>
#include <initializer_list>
#include <span>
#include "server/sandbox.h"

namespace server {
struct CompiledFilter {
    need::Set needs;
    std::span<const sock_filter> program;
};
extern const std::initializer_list<CompiledFilter> compiled_filters;

// Stands in the programs for the id of the process that loads one: signals to itself alone.
inline constexpr std::uint32_t own_process = 0x7f6f776e;
constexpr bool asks_own_process(const sock_filter& i) {
    return i.code == (BPF_JMP | BPF_JEQ | BPF_K) && i.k == own_process;
}
}
