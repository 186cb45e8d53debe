// The conversation with trivial-rewrite's clients (lib/ipc/rewrite.h): any number of requests on a connection, one
// after the other.
//
// When things fail: a request that makes no sense is logged and ends that connection.
#pragma once
#include <memory>
#include "base/error.h"

namespace conf {
class Settings;
}
namespace net {
class Stream;
}

namespace rewrite {
Result<void> open_tables(const conf::Settings& settings);  // before the jail
void serve(net::Stream& client);
}
