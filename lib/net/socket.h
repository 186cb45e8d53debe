// Listening and connecting: inet, UNIX-domain streams and datagrams, FIFOs.
#pragma once
#include <string>
#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"
#include "net/address.h"

namespace net {
// A listening TCP socket, non-blocking, SO_REUSEADDR, IPV6_V6ONLY for IPv6; backlog as listen(2).
Result<UniqueFd> listen_inet(const Address& address, int backlog);
// A listening UNIX-domain stream at path, which is made anew (an old socket or FIFO there is removed) with this mode.
// The caller has the rights of the directory's owner, who can exchange what is in it.
Result<UniqueFd> listen_unix(const std::string& path, int backlog, unsigned mode);
Result<UniqueFd> bind_datagram(const std::string& path, unsigned mode);
Result<UniqueFd> open_fifo(const std::string& path,
                           unsigned mode);  // the same for a FIFO: read and write, non-blocking

// Connected, non-blocking. from: the local address to bind to, or null. The error's reason is the system's text alone,
// e.g. "Connection refused", with 4.4.1 and sys_errno; ETIMEDOUT when the deadline passed.
Result<UniqueFd> connect_inet(const Address& to, const Address* from, loop::Deadline deadline);
// host: a name, or an address, which may stand in brackets; its addresses are tried in turn, for so long each. A job
// of the pool looks them up. family: AF_INET, AF_INET6, or AF_UNSPEC for both.
Result<UniqueFd> connect_host(std::string_view host, const std::string& port, int family,
                              std::chrono::nanoseconds each);
Result<UniqueFd> connect_unix(const std::string& path, loop::Deadline deadline);

// One connection, or an unset descriptor where none is waiting. Non-blocking, close-on-exec.
Result<UniqueFd> accept_one(int listener, Address& peer);
Result<Address> local_address(int fd);
Result<Address> peer_address(int fd);
// Wakes a service that reads a few bytes from a FIFO or a UNIX-domain socket, a stream or datagrams; takes at most a
// second.
Result<void> trigger(const std::string& path, std::string_view request, loop::Deadline deadline);
}
