// The skeleton of a daemon: options, settings, privileges, jail, sockets from master, session limits, signals, watchdog, reload,
// idle exit, logging. A daemon's main() is a declaration:
//
//     int main(int argc, char** argv) {
//         return server::run({.name = "smtpd", .before_jail = smtpd::open_tables, .serve = smtpd::serve_client}, argc, argv);
//     }
//
// Order: options → settings (the snapshot that master hands over) → before_jail (still root: keys, tables) → chroot, drop rights,
// system-call filter → after_jail → "ready" to master → sessions. The working directory is queue_directory throughout, and in
// the jail it is the root: relative paths such as "private/rewrite" work in both.
//
// When things fail: before "ready" one fatal line and exit 1, which master throttles; later what concerns one session ends that
// session only.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"
#include "conf/settings.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/stream.h"

namespace server {
enum class Privileges { dropped, kept };         // kept: local, virtual, pipe, spawn take the recipient's rights themselves
enum class Sessions { many, one };               // many: fibers in a few workers; one: one at a time, blocking calls allowed

struct Session {
    net::Stream& stream;
    net::Address peer;                           // unspecified for UNIX-domain clients
};

struct Daemon {
    std::string_view name;                       // the program's, and process_name in the log
    Privileges privileges = Privileges::dropped;
    Sessions sessions = Sessions::many;
    bool one_process = false;                    // refuses to start unless master.cf's maxproc is 1 (qmgr, tlsmgr, anvil …)
    Result<void> (*before_jail)(const conf::Settings&) = nullptr;
    Result<void> (*after_jail)(const conf::Settings&) = nullptr;     // runs in a fiber: may ask other services
    void (*serve)(Session&) = nullptr;           // one connection, in a fiber; returning closes it
    void (*triggered)(std::string_view request) = nullptr;           // bytes that postkick, a wake-up or a fifo brought, in a fiber
    void (*datagram)(std::string_view data) = nullptr;               // unix-dgram services
    void (*background)() = nullptr;              // a fiber for the life of the process (qmgr's scheduler …); ends by Cancelled
};

// Never returns to anything that should go on: the result is the exit status.
int run(const Daemon& daemon, int argc, char** argv);

// While the daemon runs:
const conf::Settings& settings();                // this service's; the stressed variant while stress is on
const std::string& service_name();               // first column of master.cf
bool stopping();                                 // no new sessions; finish what you do
bool stressed();
// The program was started with master.cf's private/unprivileged/… as here; for tests and stand-alone use ("-S").
bool stand_alone();

// Wakes `public/NAME` or `private/NAME`, never waits long, logs a warning when that fails.
void wake_service(std::string_view path, std::string_view request);
}
