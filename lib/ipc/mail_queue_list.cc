#include "ipc/mail_queue_list.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include "base/bytes.h"
#include "ipc/attributes.h"

namespace ipc::queue_list {
static constexpr std::string_view protocol_name = "mail_queue_list_protocol";
static constexpr std::size_t value_most = 1u << 20, recipients_most = 1000000;

static void put(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).push_back('\0');
    out.append(value.substr(0, value.find('\0'))).push_back('\0');
}

std::string greeting() { return announcement(protocol_name); }

static constexpr std::string_view details_name = "posthorn-showq-details-";

Result<UniqueFd> connect(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path.size() >= sizeof to.sun_path)
        return temporary("socket path is too long: " + path);
    path.copy(to.sun_path, path.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd)
        return system_error("socket", errno);
#ifdef __linux__
    sockaddr_un mine{};
    mine.sun_family = AF_UNIX;
    const std::string name = std::string(1, '\0').append(details_name) + std::to_string(::getpid());
    name.copy(mine.sun_path, name.size());
    (void)::bind(fd.get(), reinterpret_cast<const sockaddr*>(&mine),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));  // taken: then without
#endif
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        return system_error("connect to " + path, errno);
    return fd;
}

bool wants_details(int client) {
    sockaddr_un peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(client, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
        size <= offsetof(sockaddr_un, sun_path) + 1)
        return false;
    return std::string_view(peer.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1).starts_with(details_name) &&
           peer.sun_path[0] == '\0';
}

void append(std::string& out, const QueueListMessage& m, bool details) {
    put(out, "queue_name", m.queue_name);
    put(out, "queue_id", m.queue_id);
    put(out, "time", std::to_string(m.time));
    put(out, "size", std::to_string(m.size));
    put(out, "forced_expire", m.forced_expire ? "1" : "0");
    put(out, "sender", m.sender);
    for (const auto& r : m.recipients) {
        if (details)
            put(out, "original_recipient", r.original);
        put(out, "recipient", r.address);
        put(out, "reason", r.reason);
    }
    out.push_back('\0');
}

std::string end() { return std::string(1, '\0'); }

// One name, and its value unless the list ends there.
static Result<std::string> read_text(net::Stream& from, loop::Deadline deadline) {
    TRY_ASSIGN(std::string_view text, from.read_until('\0', value_most, deadline));
    return std::string(text);
}

Result<void> read_greeting(net::Stream& from, loop::Deadline deadline) {
    return expect_announcement(from, protocol_name, deadline);
}

Result<std::optional<QueueListMessage>> read_message(net::Stream& from, loop::Deadline deadline) {
    QueueListMessage m;
    std::string original;
    for (bool first = true;; first = false) {
        TRY_ASSIGN(std::string name, read_text(from, deadline));
        if (name.empty()) {
            if (first)
                return std::optional<QueueListMessage>();
            return std::optional<QueueListMessage>(std::move(m));
        }
        TRY_ASSIGN(std::string value, read_text(from, deadline));
        if (name == "queue_name")
            m.queue_name = std::move(value);
        else if (name == "queue_id")
            m.queue_id = std::move(value);
        else if (name == "time")
            m.time = bytes::to_int(value).value_or(0);
        else if (name == "size")
            m.size = bytes::to_int(value).value_or(0);
        else if (name == "forced_expire")
            m.forced_expire = value == "1";
        else if (name == "sender")
            m.sender = std::move(value);
        else if (name == "original_recipient")
            original = std::move(value);
        else if (name == "recipient") {
            if (m.recipients.size() >= recipients_most)
                return temporary("a message with too many recipients");
            m.recipients.push_back({std::move(value), std::exchange(original, {}), {}});
        } else if (name == "reason" && !m.recipients.empty())
            m.recipients.back().reason = std::move(value);
    }
}
}
