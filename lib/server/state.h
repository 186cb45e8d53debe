// The running daemon as lib/server's own files see it. One a process.
#pragma once
#include <optional>
#include <unordered_map>
#include <vector>
#include "base/fd.h"
#include "conf/settings.h"
#include "net/socket.h"
#include "server/board.h"
#include "server/process.h"
#include "server/programs.h"
#include "server/server.h"
#include "server/worker_protocol.h"

namespace server {
enum class Kind { stream, datagram, fifo, pass };

struct State {
    const Daemon* daemon = nullptr;
    Arguments arguments;
    std::string process_name;
    std::optional<conf::Settings> normal,
        stressed;  // stressed: made when first needed, and kept: sessions hold references
    bool stress_on = false;
    std::vector<UniqueFd> listeners;
    Kind kind = Kind::stream;
    Board board;
    Programs programs;
    std::int32_t limit = 0;      // sessions of the service; 0: none
    std::int32_t own_limit = 0;  // sessions of this process; 0: none
    bool stopping = false;       // being ended, sessions too
    bool retired = false;        // a successor has taken over (or master has gone): finish the sessions
    bool limit_told = false;
    int sessions = 0;         // now
    std::int64_t served = 0;  // so far

    bool tell(std::string_view message) const {
        return arguments.stand_alone || worker::send(worker::channel_fd, message);
    }
    bool take_place();    // for the next session; false where the service has all it may have
    void judge_stress();  // a client took its place: stress on or off, and master told of a limit that is reached
    void give_place_back();
    bool full() const { return own_limit > 0 && sessions >= own_limit; }
    bool idle_exit() const { return !daemon->one_process; }
};
extern State state;

// One connection or request: what lies between accept and close. Exceptions end here.
void serve_connection(UniqueFd fd, const net::Address& peer);
// Tells a client that there is no memory for it, where the daemon has words for that: one write that does not wait, nor
// take memory.
void turn_away(int fd);
void read_fifo(int fd);
void read_datagrams(int fd);

// One-session workers: reads what master has said meanwhile. False where it has retired this worker or has gone.
bool hear_master();

// Something went wrong before "ready": master hears why (at a reload the old workers serve on), the log too. The exit
// status.
int refuse(const std::string& reason);

int serve_many();        // fibers (many.cc)
int serve_one_by_one();  // on the main stack (one.cc)
int serve_stand_alone();

// Ends the process after this many seconds, whatever it does; 0: not any more. A watchdog.
void end_in(unsigned seconds);
}
