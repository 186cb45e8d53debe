// Memory that is kept for the time when there is none: what is under way can end then, and what begins is refused in an
// orderly way.
//
// When an allocation by new fails, the reserve is given back and the allocation is tried again. Until the reserve can
// be made again, a daemon takes nothing new. Where even the reserve was not enough, new throws std::bad_alloc as ever.
#pragma once

namespace base {
// Once, at start, in daemons that carry many sessions.
void keep_memory_reserve();
// True while the reserve is spent; tries to make it again.
bool memory_is_short() noexcept;
}
