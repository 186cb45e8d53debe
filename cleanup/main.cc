// cleanup: turns what smtpd, pickup, bounce and local bring into one complete, durable queue file (DESIGN.md, section
// 3).
//
// One conversation a message (ipc/cleanup.h): session.cc. A message's way: message.h, and the files it names.
// When things fail: the client is told with an SMTP code; nothing half-written stays in the queue.
#include "server/server.h"
#include "session.h"

int main(int argc, char** argv) {
    return server::run({.name = "cleanup",
                        .needs = server::need::tables | server::need::files_write,
                        .before_jail = cleanup::open_rules,
                        .serve = cleanup::serve,
                        .background = cleanup::notify_queue_manager},
                       argc, argv);
}
