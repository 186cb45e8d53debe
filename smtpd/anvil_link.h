// The conversation of this process with anvil, shared by all its sessions: one connection, whatever their number. On it
// anvil counts who is connected, until that is taken back or the connection ends with the process.
//
// When things fail: an Error, and the connection is dropped: anvil has forgotten who was connected, and the next
// request begins anew.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "ipc/anvil.h"
#include "ipc/client.h"
#include "loop/loop.h"

namespace smtpd {
class AnvilLink {
public:
    AnvilLink(std::string path, std::chrono::seconds patience)
        : client_(std::move(path), patience), patience_(patience) {}

    // One request at a time: others wait for their turn, all in all no longer than the patience. After "connect" the
    // client counts as connected until disconnected() is called with what serial() gave then.
    Result<ipc::AnvilReply> ask(std::string_view request, const std::string& ident);
    std::uint64_t serial() const { return serial_; }  // of the connection
    // Does not wait: the next request takes it along; `now`: one is made for it, which may wait.
    void disconnected(std::string ident, std::uint64_t serial, bool now);
    const std::string& path() const { return client_.path(); }
    void close();

private:
    Result<ipc::AnvilReply> exchange(std::string_view request, const std::string& ident, loop::Deadline deadline);
    Result<void> connect();

    ipc::Client client_;
    std::chrono::seconds patience_;
    std::optional<ipc::Client::Lease> lease_{};
    std::vector<std::string> gone_{};  // since the last request, on this connection
    std::uint64_t serial_ = 0;
    bool busy_ = false;
    loop::Condition free_{};
};
}
