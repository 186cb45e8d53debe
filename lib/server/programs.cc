#include "server/programs.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>

namespace server {
namespace {
constexpr std::size_t ids =
    4u << 20;  // the kernel's own bound of process ids; of the memory only what is used takes room
// The octet of a program is its place here; 0: none of them.
constexpr std::array<std::string_view, 24> names = {
    "",      "anvil",   "bounce", "cleanup", "discard",         "error",   "flush",  "lmtp",
    "local", "mta-sts", "pickup", "pipe",    "postlogd",        "qmgr",    "showq",  "smtp",
    "smtpd", "spawn",   "tlsmgr", "tlsrpt",  "trivial-rewrite", "virtual", "verify", "proxymap"};
constexpr std::uint8_t passes_on_bit = 0x80;
bool in_range(pid_t pid) { return pid > 0 && static_cast<std::size_t>(pid) < ids; }
}

#ifdef F_SEAL_FUTURE_WRITE
Result<void> Programs::make() {
    fd_ = UniqueFd(::memfd_create("programs", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd_ || ::ftruncate(fd_.get(), ids) != 0)
        return system_error("shared memory", errno);
    void* at = ::mmap(nullptr, ids, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (at == MAP_FAILED)
        return system_error("shared memory", errno);
    // This mapping can still be written, and no other that is made from now on.
    if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return system_error("seal of shared memory", errno);
    cells_ = static_cast<std::uint8_t*>(at);
    return {};
}
#else
Result<void> Programs::make() { return permanent("this system cannot seal shared memory"); }
#endif

Result<void> Programs::map(int fd) {
    off_t size = ::lseek(fd, 0, SEEK_END);
    if (size < static_cast<off_t>(ids))
        return {};  // master has none to hand out
    void* at = ::mmap(nullptr, ids, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return system_error("map the memory of process ids", errno);
    cells_ = static_cast<std::uint8_t*>(at);
    return {};
}

void Programs::started(pid_t pid, std::string_view program, bool passes_on) {
    if (!cells_ || !in_range(pid))
        return;
    auto at = std::find(names.begin(), names.end(), program);
    cells_[pid] =
        static_cast<std::uint8_t>((at == names.end() ? 0 : at - names.begin()) | (passes_on ? passes_on_bit : 0));
}
void Programs::ended(pid_t pid) {
    if (cells_ && in_range(pid))
        cells_[pid] = 0;
}

std::string_view Programs::of(pid_t pid) const {
    if (!cells_ || !in_range(pid))
        return "";
    const std::uint8_t number = cells_[pid] & ~passes_on_bit;
    return number < names.size() ? names[number] : "";
}
bool Programs::passes_on(pid_t pid) const { return cells_ && in_range(pid) && (cells_[pid] & passes_on_bit); }
}
