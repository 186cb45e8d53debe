// Reads master.cf: one service a line (continued as in main.cf), eight columns and more:
//
//     service type private unprivileged chroot wakeup maxproc command [argument …]
//
// '-' stands for the column's default and is kept as written; the accessors resolve it. Arguments are separated by
// white space;
// `{ long argument }` is one argument without its braces and the white space inside them. Quotes mean nothing.
//
// When things fail: an unreadable file, a short line, an unknown type, a bad column or an unclosed brace is an Error
// that names file and line. Two entries of one name and type are a warning; the later one holds (see effective()).
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "conf/settings.h"

namespace conf {
enum class ServiceType { inet, unix_stream, unix_dgram, fifo, pass };

struct MasterEntry {
    std::string name;  // "smtp", "127.0.0.1:10025", "[::1]:25", "cleanup"
    std::string type;  // "inet", "unix", "unix-dgram", "fifo", "pass"
    std::string private_field, unprivileged_field, chroot_field, wakeup_field,
        maxproc_field;              // as written, "-" for the default
    std::string command;            // a program of daemon_directory, or an absolute path
    std::vector<std::string> args;  // as written, braces kept
    int line = 0, last = 0;         // of master.cf: where the entry begins and ends

    ServiceType service_type() const;
    bool is_private() const;    // '-': yes; inet services are public whatever the column says
    bool unprivileged() const;  // '-': yes
    bool chrooted(std::string_view compatibility_level = "3.11") const;  // '-': no; yes below level 1
    std::chrono::seconds wakeup() const;                                 // '-' and 0: never, which is zero
    bool wakeup_only_if_used() const;                                    // 300?
    std::optional<int> maxproc() const;  // '-': absent (default_process_limit); 0: no limit
    std::string host() const;            // inet: what stands before the port, without brackets; empty: inet_interfaces
    std::string port() const;            // inet: a number or a name of services(5)
    std::string socket_path() const;     // others: "private/NAME" or "public/NAME", below queue_directory
    std::vector<std::string> argv() const;  // args as the daemon gets them: braces removed
};

Result<std::vector<MasterEntry>> read_master_cf(const std::string& path, std::vector<std::string>* warnings = nullptr);
Result<std::vector<MasterEntry>> parse_master_cf(std::string_view text, const std::string& path,
                                                 std::vector<std::string>* warnings = nullptr);
// One logical line; path and line are for the error.
Result<MasterEntry> parse_master_line(std::string_view text, const std::string& path, int line);
// The entries that hold: of several with one name and type the last, in the place of the first.
std::vector<MasterEntry> effective(const std::vector<MasterEntry>& entries);
// True where master_service_disable ("smtp/inet, inet, !submission/inet": a name/type, or a type) names this entry.
bool disabled(const MasterEntry& entry, std::string_view list);

// What a daemon's arguments say. Options end at the first argument that does not begin with '-'.
struct ServiceOptions {
    Overrides overrides;                 // -o name=value, -o { name = value }
    int verbose = 0;                     // -v, -vv
    bool debug = false;                  // -D
    std::vector<std::string> arguments;  // the others, e.g. "flags=R", "user=vmail", "argv=…"; and what follows "--"
};
// args: without the program's name, as argv() gives them. Letters may stand together (-vo name=value). An -o without
// name=value, a name in quotes and an unknown option are an Error that names it.
Result<ServiceOptions> service_options(const std::vector<std::string>& args);
// Those of an entry. A word behind the options that the program would not take is an Error: it is what is left of a
// value with white space that was not written in braces, and without it the rest may let strangers in. A program that
// is none of this mail system's is not judged.
Result<ServiceOptions> options_of(const MasterEntry& entry);
// The text about such a word.
std::string unexpected_word(std::string_view word, const Overrides& overrides);
// "name = value" or "name=value": what -o takes. An Error where there is no name or no '='.
Result<Assignment> parse_assignment(std::string_view text);
}
