// A daemon for the supervisor's tests. What it does with a session is said by its arguments in master.cf: "hold" keeps
// it open until the client closes, "crash" aborts, "refuse" fails before it is ready, "one" makes it a one-session
// daemon.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include "base/fd.h"
#include "log/log.h"
#include "server/server.h"

namespace {
bool told(std::string_view word) {
    return std::find(server::arguments().begin(), server::arguments().end(), word) != server::arguments().end();
}

Result<void> prepare(const conf::Settings& settings) {
    if (told("refuse") || settings.value("testd_refuse").value_or("no") == "yes")
        return permanent("told to refuse");
    if (std::string pipe = settings.value("testd_wait").value_or(""); !pipe.empty())
        UniqueFd(::open(pipe.c_str(), O_RDONLY | O_CLOEXEC));  // until somebody writes
    server::opened_file(settings.value("testd_file").value_or(""));
    return {};
}

void serve(server::Connection& session) {
    auto deadline = loop::in(std::chrono::seconds(60));
    if (told("crash"))
        std::abort();
    (void)session.stream.write(fmt::format(
        "pid {} name {} uid {} marker {} stress {}\n", getpid(), server::service_name(), getuid(),
        server::settings().value("testd_marker").value_or("none"), server::settings().value("stress").value_or("")));
    while (Result<net::Stream::Line> line = session.stream.read_line(1000, deadline)) {
        if (line->text == "quit")
            return;
        if (line->text == "commit") {  // what a stop must wait for
            server::Commit commit;
            (void)session.stream.write("begun\n");
            (void)session.stream.flush(deadline);
            loop::sleep_until(loop::in(std::chrono::seconds(2)));
            (void)session.stream.write("committed\n");
            (void)session.stream.flush(deadline);
            continue;
        }
        (void)session.stream.write(fmt::format("echo {}\n", line->text));
    }
}

void triggered(std::string_view request) { maillog::info("triggered: {}", request); }
}

int main(int argc, char** argv) {
    bool one = std::any_of(argv, argv + argc, [](const char* a) { return std::string_view(a) == "one"; });
    bool trigger = std::any_of(argv, argv + argc, [](const char* a) { return std::string_view(a) == "trigger"; });
    return server::run({.name = "testd",
                        .needs = server::need::nothing_more,
                        .takes_words = true,
                        .sessions = one ? server::Sessions::one : server::Sessions::many,
                        .before_jail = prepare,
                        .serve = trigger ? nullptr : serve,
                        .triggered = trigger ? triggered : nullptr},
                       argc, argv);
}
