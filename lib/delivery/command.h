// Runs somebody's command with a message on its standard input: for local, pipe and spawn.
//
// The command gets a session, a directory, an environment and rights of its own, nothing else that is open, and its
// output is kept up to a limit. It ends by itself or, at the time limit, by SIGKILL, with all that it started in its
// process group.
//
// When things fail: what became of the command is a value, CommandEnd; explain() says what that means for the message
// (sysexits.h). An Error (4.3.0) means that it was never started.
#pragma once
#include <sys/types.h>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "conf/settings.h"
#include "delivery/copy.h"
#include "delivery/rights.h"

namespace conf {
class Settings;
}

namespace delivery {
using Environment = std::vector<std::pair<std::string, std::string>>;

struct ForkPatience {
    std::int64_t attempts = 5;
    std::chrono::seconds delay{1};
    ForkPatience() = default;
    explicit ForkPatience(const conf::Settings& settings);
};

struct Command {
    std::vector<std::string> arguments{};  // executed directly when not empty; else:
    std::string line{};   // split at white space, or given to the shell where it needs one or names no program
    std::string shell{};  // "smrsh -c": always used for line when not empty
    Rights rights{};
    Environment environment{};
    std::string directory{}, chroot{};  // "": as it is
    std::int64_t file_size_limit = 0;   // RLIMIT_FSIZE; 0: none
    std::chrono::seconds time_limit{1000};
    ForkPatience patience{};
    std::string speaker = "local: fatal";  // who says ": execvp …" on the command's behalf: its reader sees it
};

struct CommandEnd {
    bool timed_out = false;
    int signal = 0;             // that ended it, or 0
    int status = 0;             // exit status
    bool no_directory = false;  // it was not run: chroot or directory cannot be entered
    std::string output{};       // of both streams; line ends are spaces
};

// fork(2), fork_attempts times with fork_delay between them while the system has no process to give. -1 and errno in
// the end.
pid_t fork_patiently(const ForkPatience& patience);

// write is called to hand the message to the sink; a command that does not read it all is no error.
Result<CommandEnd> run_command(const Command& command, const std::function<Result<void>(const Sink&)>& write);

// What the end means. text: empty for success, else "user unknown", "Command died with status 3: "…"" with the output
// behind it.
struct CommandResult {
    EnhancedStatus status;
    std::string text;
};
CommandResult explain(const CommandEnd& end, std::string_view command);

// SIGKILL for a command that is not waited for yet, and for what it started in its process group.
void kill_command(pid_t pid);

// A fork for good: sets everything up as run_command does for arguments, and executes. Never returns. For spawn, in its
// child.
[[noreturn]] void execute(const Command& command);

// export_environment (names, name=value, { name=value }), and PATH.
Environment exported_environment(const conf::Settings& settings);
// Every byte that is not in allowed becomes '_'.
std::string filtered_text(std::string_view text, std::string_view allowed);
// Does the line need a shell: characters that mean something to it, or one of its own commands?
bool needs_shell(std::string_view line);
}
