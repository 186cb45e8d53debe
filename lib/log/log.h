// The maillog: one line an event, "name[pid]: text", to syslog, to maillog_file through postlogd, or to stderr for
// commands.
//
//     maillog::info("{}: client={}[{}]", id, name, address);
//
// The number in brackets is the process id, or the number of the session that the line is about (number_lines_by):
// tools pair lines by it. What comes from outside is made printable here: every control character in the finished line
// becomes '?'. A line is cut at 2000 bytes. The levels are Postfix's: info, warning ("warning: …"), error ("error: …"),
// fatal ("fatal: …", the caller ends the process), panic ("panic: …", a broken invariant).
//
// When things fail: a line that cannot be written is lost, never waited for; it goes to stderr when that is a terminal.
#pragma once
#include <fmt/core.h>
#include <cstdint>
#include <string>
#include <string_view>

namespace maillog {
enum class Level { info, warning, error, fatal, panic };

// Who speaks: tag is "postfix/smtpd" (syslog_name/process_name), facility as syslog_facility.
struct Identity {
    std::string tag;
    std::string facility = "mail";
};
void open(Identity identity);         // syslog; may be called again
void retag(std::string tag);          // another tag, the way out stays
void to_stderr(std::string program);  // commands: "postmap: warning: …" (also to syslog where open() was called)
// Another way out, e.g. the stream to postlogd or a test's vector; an empty function goes back. It gets the level and
// the text.
using Sink = void (*)(Level, std::string_view tag, std::string_view text, void* context);
void redirect(Sink sink, void* context);
// Asks this for the number in brackets, where a process serves many: 0 means the process's own. Called in any thread;
// null: always the process's.
void number_lines_by(std::int64_t (*number)());
std::int64_t line_number();  // for the ways out

void write(Level level, std::string_view text);
int verbose();  // number of -v options: write debugging detail as info above 0
void set_verbose(int level);

template <class... A> void info(fmt::format_string<A...> f, A&&... a) {
    write(Level::info, fmt::vformat(f, fmt::make_format_args(a...)));
}
template <class... A> void warning(fmt::format_string<A...> f, A&&... a) {
    write(Level::warning, fmt::vformat(f, fmt::make_format_args(a...)));
}
template <class... A> void error(fmt::format_string<A...> f, A&&... a) {
    write(Level::error, fmt::vformat(f, fmt::make_format_args(a...)));
}
// Logs "fatal: …" and ends the process with status 1, which master throttles. For a broken environment only: never for
// what a peer, a queue file or a message says.
template <class... A> [[noreturn]] void fatal(fmt::format_string<A...> f, A&&... a);
// Logs "panic: …" and aborts: a broken invariant.
template <class... A> [[noreturn]] void panic(fmt::format_string<A...> f, A&&... a);
[[noreturn]] void end_fatal();
[[noreturn]] void end_panic();

template <class... A> void fatal(fmt::format_string<A...> f, A&&... a) {
    write(Level::fatal, fmt::vformat(f, fmt::make_format_args(a...)));
    end_fatal();
}
template <class... A> void panic(fmt::format_string<A...> f, A&&... a) {
    write(Level::panic, fmt::vformat(f, fmt::make_format_args(a...)));
    end_panic();
}
}
