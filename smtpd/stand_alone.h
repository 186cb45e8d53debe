// smtpd -S: one SMTP session on standard input and output, for `sendmail -bs`. Whoever runs it is trusted as with any
// submission: no access rules, no look-ups; messages go through postdrop into maildrop/.
#pragma once

namespace smtpd {
bool stand_alone_wanted(int argc, char** argv);
int stand_alone(int argc, char** argv);  // the exit status
}
