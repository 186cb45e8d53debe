// showq: lists the queue to whoever connects to public/showq (ipc/mail_queue_list.h).
//
// When things fail: a client that goes away or does not read for ipc_timeout ends the listing; a message that goes
// meanwhile is not listed.
#include <memory>
#include "conf/params/global.h"
#include "ipc/mail_queue_list.h"
#include "log/log.h"
#include "queue/listing.h"
#include "server/server.h"

namespace {
std::unique_ptr<queue::Directories> directories;

Result<void> before_jail(const conf::Settings& settings) {
    directories = std::make_unique<queue::Directories>(settings);
    return {};
}

void serve(server::Connection& session) {
    const auto limit = server::settings()[param::ipc_timeout];
    net::Stream& client = session.stream;
    if (!client.write(ipc::queue_list::greeting()))
        return;
    const bool details = ipc::queue_list::wants_details(client.fd());
    bool alive = true;
    queue::list_queues(
        *directories,
        [details](const queue::ListedMessage& m, std::string& out) { ipc::queue_list::append(out, m, details); },
        [&](std::string_view text) {
            alive = client.write(text, loop::in(limit)) && client.flush(loop::in(limit));
            return alive;
        });
    if (alive && client.write(ipc::queue_list::end()))
        (void)client.flush(loop::in(limit));
}
}

int main(int argc, char** argv) {
    return server::run({.name = "showq", .needs = server::need::files_read, .before_jail = before_jail, .serve = serve},
                       argc, argv);
}
