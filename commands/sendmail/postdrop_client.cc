#include "postdrop_client.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <vector>
#include "base/bytes.h"

namespace sendmail {
namespace {
constexpr std::size_t answer_max = 65536;

// "name\0value\0 … \0": the value of one name.
std::optional<std::string> value_of(std::string_view message, std::string_view name) {
    while (!message.empty()) {
        const std::size_t end = message.find('\0');
        if (end == std::string_view::npos || end == 0)
            return {};
        const std::string_view key = message.substr(0, end);
        message.remove_prefix(end + 1);
        const std::size_t value_end = message.find('\0');
        if (value_end == std::string_view::npos)
            return {};
        if (key == name)
            return std::string(message.substr(0, value_end));
        message.remove_prefix(value_end + 1);
    }
    return {};
}

Result<std::pair<UniqueFd, UniqueFd>> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return system_error("pipe", errno);
    return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

// What a set-gid program may need of ours, and nothing else.
std::vector<std::string> environment() {
    std::vector<std::string> out{"PATH=/usr/bin:/bin", "LANG=C"};
    for (const char* name : {"MAIL_CONFIG", "MAIL_DEBUG", "MAIL_LOGTAG", "TZ"})
        if (const char* value = std::getenv(name))
            out.push_back(std::string(name) + "=" + value);
    return out;
}
}

Result<Postdrop> Postdrop::start(const std::string& program) {
    Postdrop p;
    p.program_ = program;
    TRY_ASSIGN(auto to, make_pipe());
    TRY_ASSIGN(auto from, make_pipe());
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to.first.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, from.second.get(), STDOUT_FILENO);
    const char* arguments[] = {"postdrop", "-r", nullptr};
    std::vector<std::string> settings = environment();
    std::vector<char*> pointers;
    for (std::string& setting : settings)
        pointers.push_back(setting.data());
    pointers.push_back(nullptr);
    const int error =
        ::posix_spawn(&p.child_, program.c_str(), &actions, nullptr, const_cast<char**>(arguments), pointers.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error) {
        p.child_ = -1;
        return system_error("execute " + program, error);
    }
    p.in_ = std::move(to.second);
    p.out_ = std::move(from.first);
    to.first.reset();
    from.second.reset();
    TRY_ASSIGN(std::string hello, p.read_message());
    const auto id = value_of(hello, "queue_id");
    if (!id)
        return temporary(program + ": unexpected answer");
    p.queue_id_ = *id;
    return p;
}

Postdrop::~Postdrop() {
    in_.reset();
    out_.reset();
    if (child_ > 0)
        ::waitpid(child_, nullptr, 0);
}

Result<std::string> Postdrop::read_message() {
    std::string text;
    while (text.size() < answer_max) {
        if (text.ends_with(std::string_view("\0\0", 2))) {
            // An empty value also ends in two NULs: the list is over when pairs are complete and an empty name follows.
            std::size_t nuls = 0;
            for (char c : text)
                nuls += c == '\0';
            if (nuls % 2 == 1)
                return text;
        }
        char chunk[1024];  // no answer comes before it is asked for: nothing of the next one is in it
        const ssize_t n = ::read(out_.get(), chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return temporary("unable to execute " + program_ + " -r: no answer");
        text.append(chunk, static_cast<std::size_t>(n));
    }
    return temporary(program_ + ": answer too long");
}

void Postdrop::flush() {
    if (!broken_ && !write_all(in_.get(), buffer_))
        broken_ = true;
    buffer_.clear();
}

void Postdrop::put(queue::RecordType type, std::string_view payload) {
    if (broken_)
        return;
    queue::append(buffer_, type, payload);
    if (buffer_.size() >= 65536)
        flush();
}

Result<Postdrop::Answer> Postdrop::finish() {
    flush();
    TRY_ASSIGN(std::string text, read_message());
    const auto status = value_of(text, "status");
    const auto number = status ? bytes::to_int(*status) : std::nullopt;
    if (!number)
        return temporary(program_ + ": unexpected answer");
    in_.reset();
    int state = 0;
    const pid_t child = std::exchange(child_, -1);
    if (::waitpid(child, &state, 0) == child && *number == 0 && (!WIFEXITED(state) || WEXITSTATUS(state) != 0))
        return temporary(program_ + " failed");
    return Answer{static_cast<int>(*number), value_of(text, "reason").value_or("")};
}
}
