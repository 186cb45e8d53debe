#include "table/name_service.h"
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <vector>
#include "base/fd.h"
#include "log/log.h"
#include "loop/loop.h"

namespace table {
namespace {
constexpr std::size_t packet_size = 64 * 1024;  // a group of many members
constexpr std::chrono::seconds patience(100);   // a name service that asks a directory over the network
bool unix_table_open = false, jailed = false;

template <class Entry, class Ask> int ask_growing(Entry& entry, Entry*& found, std::vector<char>& buffer, Ask ask) {
    int e = ERANGE;
    for (std::size_t size = 4096; e == ERANGE && size <= (1u << 22); size *= 4) {
        buffer.resize(size);
        e = ask(&entry, buffer.data(), buffer.size(), &found);
    }
    return e;
}

// Blocks.
Result<std::optional<std::string>> look_up(bool groups, const char* key) {
    std::vector<char> buffer;
    std::optional<std::string> value;
    int e = 0;
    if (groups) {
        group entry{}, *found = nullptr;
        e = ask_growing(entry, found, buffer,
                        [&](group* g, char* b, std::size_t n, group** f) { return getgrnam_r(key, g, b, n, f); });
        if (found) {
            value = fmt::format("{}:{}:{}:", found->gr_name, found->gr_passwd, found->gr_gid);
            for (char** member = found->gr_mem; *member; ++member)
                *value += (member == found->gr_mem ? "" : ",") + std::string(*member);
        }
    } else {
        passwd entry{}, *found = nullptr;
        e = ask_growing(entry, found, buffer,
                        [&](passwd* p, char* b, std::size_t n, passwd** f) { return getpwnam_r(key, p, b, n, f); });
        if (found)
            value = fmt::format("{}:{}:{}:{}:{}:{}:{}", found->pw_name, found->pw_passwd, found->pw_uid, found->pw_gid,
                                found->pw_gecos, found->pw_dir, found->pw_shell);
    }
    // What getpwnam_r says of a user who does not exist differs between systems: getpwnam(3) lists these.
    if (!value && e && e != ENOENT && e != ESRCH && e != EBADF && e != EPERM && e != ENOTDIR)
        return temporary(errno_text(e));
    return value;
}

// A question is a packet: serial number, space, 'p' or 'g', key. The answer: the serial, space, then 'F' and the entry,
// 'N', or 'E' and a reason.
[[noreturn]] void answer_questions(int socket) {
    std::string packet(packet_size, '\0');
    for (;;) {
        ssize_t n = ::recv(socket, packet.data(), packet.size(), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(0);  // the daemon has ended
        std::string question(packet, 0, static_cast<std::size_t>(n));
        std::size_t space = question.find(' ');
        if (space == question.npos || space + 1 >= question.size())
            continue;
        Result<std::optional<std::string>> found = look_up(question[space + 1] == 'g', question.c_str() + space + 2);
        std::string reply = question.substr(0, space + 1);
        if (!found)
            reply += 'E' + found.error().reason;
        else
            reply += *found ? 'F' + **found : "N";
        if (reply.size() > packet_size)
            reply = question.substr(0, space + 1) + "Ethe entry is too long";
        (void)::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL);
    }
}

class Helper {
public:
    explicit Helper(UniqueFd socket) : socket_(std::move(socket)) {}

    Result<std::optional<std::string>> ask(bool groups, const std::string& key) {
        while (busy_)
            free_.wait();
        busy_ = true;
        struct Release {
            Helper& h;
            ~Release() {
                h.busy_ = false;
                h.free_.notify_one();
            }
        } release{*this};
        std::string serial = std::to_string(++serial_) + ' ';
        std::string question = serial + (groups ? 'g' : 'p') + key;
        if (::send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0)
            died();
        loop::Deadline deadline = loop::in(patience);
        for (std::string packet(packet_size, '\0');;) {
            if (loop::wait_readable(socket_.get(), deadline) == loop::Wait::timed_out)
                return temporary("the name service does not answer");
            ssize_t n = ::recv(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
            if (n < 0 && (errno == EAGAIN || errno == EINTR))
                continue;
            if (n <= 0)
                died();
            std::string_view reply(packet.data(), static_cast<std::size_t>(n));
            if (!reply.starts_with(serial))
                continue;  // to a question that nobody waits for any more
            reply.remove_prefix(serial.size());
            if (reply.starts_with('F'))
                return std::string(reply.substr(1));
            if (reply == "N")
                return std::nullopt;
            return temporary(std::string(reply.substr(reply.empty() ? 0 : 1)));
        }
    }

private:
    [[noreturn]] static void died() { maillog::fatal("the helper that asks the name service has ended"); }
    UniqueFd socket_;
    loop::Condition free_;
    bool busy_ = false;
    unsigned long serial_ = 0;
};
Helper* helper = nullptr;  // for the life of the process

// Without a jail the process's pool asks. A name service that is slow gets no more than half of its threads: the others
// go on with the disk work of those who ask nothing.
constexpr int questions_max = 8;
int questions = 0;
loop::Condition question_over;

Result<std::optional<std::string>> ask_on_pool(bool groups, const std::string& key) {
    for (loop::Deadline deadline = loop::in(patience); questions >= questions_max;)
        if (question_over.wait(deadline) == loop::Wait::timed_out)
            return temporary("the name service does not answer");
    ++questions;
    struct Release {
        ~Release() {
            --questions;
            question_over.notify_one();
        }
    } release;
    Result<std::optional<std::string>> found;
    loop::offload([&] { found = look_up(groups, key.c_str()); });
    return found;
}
}

void note_unix_table() { unix_table_open = true; }

Result<void> leave_name_service_outside(uid_t user, gid_t group, void (*confined)()) {
    jailed = true;
    if (!unix_table_open)
        return {};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return system_error("socketpair", errno);
    UniqueFd ours(pair[0]), theirs(pair[1]);
    pid_t child = fork();
    if (child < 0)
        return system_error("fork", errno);
    if (child == 0) {
        constexpr int socket = 3;  // the rest, master's channel above all, is the daemon's alone
        if (dup2(theirs.get(), socket) < 0)
            _exit(1);
        close_from(socket + 1);
        if (user != 0 && (setgroups(0, nullptr) != 0 || setgid(group) != 0 || setuid(user) != 0))
            _exit(1);
        confined();
        answer_questions(socket);
    }
    helper = new Helper(std::move(ours));
    return {};
}

Result<std::optional<std::string>> ask_name_service(bool groups, const std::string& key) {
    if (helper)
        return helper->ask(groups, key);
    if (jailed)
        return temporary("in a jail this table must be named in the configuration");
    return ask_on_pool(groups, key);
}
}
