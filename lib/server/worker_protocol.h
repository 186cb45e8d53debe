// How master and its workers talk. A worker is one process of a daemon; one service of master.cf has one or more.
//
// Descriptors that a worker inherits, besides 0, 1 and 2:
//     3  channel: a SOCK_SEQPACKET pair; its end of file means that master is gone, and the worker ends
//     4  snapshot: the settings (conf::Settings::snapshot), read from its start
//     5  board: shared memory of the service with the sessions that each worker has (board.h)
//     6  flow: memory shared by all services: one number, new messages that wait for qmgr (server.h, mail_waiting)
//     7  programs: memory that says which program of the mail system a process is (programs.h), to be read only
//     8… the listening sockets, -s says how many
//
// Arguments: -n NAME (master.cf's first column) -t TYPE -s SOCKETS -m MAXPROC ("-" or a number) -w SLOT (of the board)
//     [-u] drop rights [-c] chroot [-g] another generation serves meanwhile (a refusal costs nothing), then "--master"
//     and the arguments of master.cf as they stand.
//
// Messages are words, one a packet:
//     worker → master
//         ready one|many sessions|processes LIMIT    it has what it needs; LIMIT: sessions of the service (0: no limit)
//         bad REASON       it has not; it exits
//         full, room       it takes no further session, it does again. A one-session worker is full while it has a
//         session busy             it takes sessions but its processor is used up: another worker would help limit the
//         service has all the sessions it may have (for the log) released         after "retire": it accepts no more
//         and its background work has ended going            as released, of its own will (max_idle, max_use); it exits
//         after its last session file PATH        it has read this file: look after it lost N           so many of its
//         lines did not reach the log (for the log) syslog           asks for a descriptor connected to the log daemon
//         (a jail has no /dev/log)
//     master → worker
//         go               accept. For one_process daemons only after the predecessor has released
//         retire           accept no more, finish the sessions, exit
//         drain            after "retire": end the sessions that are idle now, and others when they become so
//         syslog           along with the descriptor that was asked for
//     SIGTERM: accept no more, end sessions that hold no Commit, exit within 5 s. SIGKILL: abort.
//
// A worker takes a connection only when it could take a place on the board: so the number of sessions of a service is
// exact over all workers and generations, and what a killed worker had is given back when master clears its slot.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"
#include "base/fd.h"

namespace server::worker {
inline constexpr int channel_fd = 3, snapshot_fd = 4, board_fd = 5, flow_fd = 6, programs_fd = 7, first_listener_fd = 8;
inline constexpr std::size_t message_size = 4096;
inline constexpr std::string_view master_mark = "--master";

// Sends one packet; false where the peer is gone or does not read (nothing is worth waiting for).
// descriptor: passed along, or -1.
bool send(int channel, std::string_view message, int descriptor = -1);
// One packet without waiting: absent where none is there. `closed` tells that the peer has gone.
// passed: what came along with it, where the caller wants it.
bool receive(int channel, std::string& message, bool& closed, UniqueFd* passed = nullptr);
Result<std::pair<UniqueFd, UniqueFd>> make_channel();
// Memory that can be inherited: memfd, or an unlinked file where there is none.
Result<UniqueFd> make_memory(const char* name, std::size_t size);
}
