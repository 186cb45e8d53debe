// pickup: takes what postdrop left in maildrop/ to cleanup. Woken by postdrop, and by master every minute for what a
// wake-up missed.
//
// Runs as $mail_owner and opens no file for writing; what a submission holds is checked record by record
// (submission.h). When things fail: see maildrop.h.
#include "maildrop.h"
#include "server/server.h"

int main(int argc, char** argv) {
    return server::run({.name = "pickup",
                        .needs = server::need::files_write,
                        .one_process = true,
                        .before_jail = pickup::read_settings,
                        .triggered = pickup::scan},
                       argc, argv);
}
