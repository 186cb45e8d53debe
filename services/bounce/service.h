// What the services bounce, defer and trace do when asked (lib/ipc/bounce.h): note a recipient's fate, send the report.
//
//   kind      to the sender                          to the postmaster (notify_classes)        the file
//   bounce    failure, message or header             bounce: its header                        goes
//             (null sender: nobody)                  2bounce: the message                      goes
//   warn      delay, header                          delay: its header                         stays
//   trace     success, header                        nobody                                    goes
//   verify    verify, header                         nobody                                    goes
//
// Recipients whose NOTIFY does not want the kind are left out of the sender's report; with none left there is none. A
// report about a report to the postmaster is never made.
//
// When things fail: the answer is "not ok" with the reason, and the caller keeps the message; a report goes out also
// where the record or the message cannot be read.
#pragma once
#include <string>
#include "base/error.h"

namespace conf {
class Settings;
}
namespace net {
class Stream;
}

namespace bounce {
// service: master.cf's first column, which names the directory of the files.
Result<void> start(const conf::Settings& settings, const std::string& service);
void serve(net::Stream& client);
}
