// The conversation of ipc/cleanup.h with one client, for as many messages as it has.
#pragma once
#include "conf/settings.h"
#include "server/server.h"

namespace cleanup {
// Opens tables and reads rules: before the jail.
Result<void> open_rules(const conf::Settings& settings);
void serve(server::Connection& session);
// Tells the queue manager of new mail, once for all messages that came meanwhile; for the life of the process.
void notify_queue_manager();
}
