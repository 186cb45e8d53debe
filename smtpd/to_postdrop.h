// Into the queue as a user's submission: stand-alone, a message goes through postdrop(1) into maildrop/.
//
// When things fail: see downstream.h.
#pragma once
#include <memory>
#include <string>
#include "to_queue.h"

namespace smtpd {
// Starts the program; waits for the queue id.
Result<std::unique_ptr<ToQueue>> open_postdrop(const std::string& program);
}
