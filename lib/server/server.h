// The skeleton of a daemon: options, settings, privileges, jail, sockets from master, session limits, signals,
// watchdog, reload, idle exit, logging. A daemon's main() is a declaration:
//
//     int main(int argc, char** argv) {
//         return server::run({.name = "smtpd", .before_jail = smtpd::open_tables, .serve = smtpd::serve_client}, argc,
//         argv);
//     }
//
// Order: options → settings (the snapshot that master hands over) → before_jail (still root: keys, tables) → chroot,
// drop rights → sandbox → after_jail → "ready" to master → (one_process: the predecessor has let go) → sessions. The
// working directory is queue_directory throughout, and in the jail it is the root: relative paths such as
// "private/rewrite" work in both.
//
// When things fail: before "ready" one fatal line and exit 1, which master throttles; later what concerns one session
// ends that session only.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "conf/settings.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/stream.h"
#include "server/sandbox.h"

namespace server {
// kept: local, virtual, pipe and spawn go on with mail_owner's effective ids too, but may take root's and a user's
// (conf/rights.h).
enum class Privileges { dropped, kept };
// many: fibers in a few workers. one: one at a time on the main stack, outside fibers, so that blocking calls are
// allowed.
enum class Sessions { many, one };
// What maxproc in master.cf bounds (DESIGN.md, section 4): concurrent sessions over all workers, or workers.
enum class Bound { sessions, processes };

struct Connection {
    net::Stream& stream;
    net::Address peer;  // unspecified for UNIX-domain clients
};

struct Daemon {
    std::string_view name;                 // the program's, and process_name in the log
    need::Set needs = need::nothing_more;  // of the kernel, once its rights are dropped (sandbox.h)
    bool takes_words = false;              // behind its options in master.cf (arguments() below); else one is fatal
    bool holds_keys = false;               // no core files
    Privileges privileges = Privileges::dropped;
    Sessions sessions = Sessions::many;
    Bound bound = Bound::sessions;  // processes: anvil, trivial-rewrite, verify, proxymap …
    bool one_process =
        false;  // refuses to start unless master.cf's maxproc is 1 (qmgr, tlsmgr, anvil …); never exits for being idle
    const conf::Time* watchdog = nullptr;  // else daemon_timeout: ends a process whose loop stands still that long
    const conf::Int* default_limit =
        nullptr;  // smtpd: the limit where master.cf has "-" and default_process_limit is not set
    // Which programs of this mail system ("qmgr") may speak at its UNIX-domain sockets, beside root; null: all that
    // reach them.
    bool (*may_ask)(std::string_view program) = nullptr;
    Result<void> (*before_jail)(const conf::Settings&) = nullptr;
    Result<void> (*after_jail)(const conf::Settings&) =
        nullptr;                           // runs in a fiber (Sessions::one: outside): may ask other services
    void (*serve)(Connection&) = nullptr;  // one connection, in a fiber; returning closes it
    std::string_view announces =
        {};  // said to each client first: the protocol of Postfix's service, whose commands wait for it
    // Bytes that postkick, a wake-up ("W") or a fifo brought, in a fiber. With serve too: what begins with a small
    // letter (an attribute list) is a session.
    void (*triggered)(std::string_view request) = nullptr;
    void (*datagram)(std::string_view data) = nullptr;  // unix-dgram services
    void (*datagrams_end)() = nullptr;                  // no further datagram waits: write what was gathered
    const std::string& (*no_memory)() =
        nullptr;                     // what a client is told for whom there is no memory; it must not allocate
    void (*background)() = nullptr;  // a fiber for the life of the process (qmgr's scheduler …); ends by Cancelled
    void (*ending)() = nullptr;      // at the very end, outside fibers: last statistics. Must not wait
};

// Never returns to anything that should go on: the result is the exit status.
int run(const Daemon& daemon, int argc, char** argv);

// While the daemon runs:
const conf::Settings& settings();             // this service's; the stressed variant while stress is on
const std::string& service_name();            // first column of master.cf
const std::vector<std::string>& arguments();  // of master.cf, behind the options: "flags=DRhu", "user=…", "argv=…" for
                                              // pipe and spawn
bool stopping();  // the process is being ended, sessions are cut. Not after a reload: then they go on to their end
bool retired();   // a successor has taken over (reload, changed file): sessions of many requests end at the next
bool stressed();
// True while another generation serves and this process gets ready to take its place: what would be borne at a first
// start with a warning (a certificate that cannot be used) is a reason to refuse.
bool successor();
// Run by hand with -S: one session on standard input and output, as this user, with the settings of main.cf; for tests.
bool stand_alone();

// What must not be cut when the mail system stops: from end of data to the reply that says what became of it, writing a
// mailbox. Held by the session's own fiber, for less than 5 s, until the reply is sent; the stop waits for it that
// long.
class Commit {
public:
    Commit();
    ~Commit();
    Commit(const Commit&) = delete;
};

// Held while a session of many requests waits for the next one and nothing of it is under way: the oldest of too many
// generations ends such sessions, and so does a daemon of one process whose successor waits for its end. A session that
// never holds one is always let finish.
class Idle {
public:
    Idle();
    ~Idle();
    Idle(const Idle&) = delete;
};

// New messages that wait for the queue manager. qmgr tells; cleanup, in whatever process, slows down what comes in.
void set_mail_waiting(std::size_t messages);
std::size_t mail_waiting();

// master watches this file by stat, and starts a new worker of the service when it has changed and then rested: for
// files that were opened at start (tables, certificates, keys). Any number of times; absolute paths.
void opened_file(const std::string& path);
// The same for what PREFIX_tls_cert_file, _key_file, _CAfile … of the settings name ("smtpd", "smtp").
void opened_tls_files(const conf::Settings& settings, const std::string& prefix);

// Wakes `public/NAME` or `private/NAME` within trigger_timeout; logs a warning when that fails.
void wake_service(std::string_view path, std::string_view request);
}
