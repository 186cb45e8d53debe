// How a message enters: smtpd, pickup, bounce, local (forwarding) and qmqpd to cleanup at public/cleanup. One
// conversation a message, any number of them one after the other on a connection:
//
//     client                          cleanup
//     CleanupOpen                →
//                                ←    CleanupOpened (the queue id; the file exists, nothing is promised)
//     queue records … END        →    (record.h's encoding: envelope, 'M', content, 'X', extracted, 'E')
//                                ←    CleanupReply (ok: complete and on stable storage)
//
// A client that closes before END withdraws the message. cleanup always reads up to END, whatever went wrong on the
// way. Envelope records before 'M', in this order: 'T' time (when absent: now), 'A' attributes (client_name= …, see
// below), 'S' sender, then for each recipient 'o' orcpt, 'n' notify (where given), 'O' original recipient (where
// known), 'R' recipient; the 'A' names are Postfix's (log_client_name, log_client_address, log_client_port,
// log_helo_name, log_protocol_name, client_name, reverse_client_name, client_address, client_port, helo_name,
// protocol_name, sasl_method, sasl_username, sasl_sender, rewrite_context, log_ident, …).
#pragma once
#include "base/error.h"
#include "ipc/attributes.h"

namespace conf {
class Settings;
}

namespace ipc {
namespace cleanup_flags {
inline constexpr int bounce = 1 << 0;  // on a content problem return the message instead of refusing it (pickup)
inline constexpr int filter = 1 << 1;  // header and body checks
inline constexpr int hold = 1 << 2;
inline constexpr int discard = 1 << 3;
inline constexpr int map_addresses = 1 << 4;  // canonical, masquerade, virtual alias, bcc
inline constexpr int milter = 1 << 5;
inline constexpr int smtputf8 = 1 << 6;  // the client asked for SMTPUTF8
inline constexpr int autodetect_smtputf8 = 1 << 7;
inline constexpr int bcc = 1 << 8;                                      // always_bcc and bcc maps
inline constexpr int require_tls = 1 << 9;                              // the client asked for REQUIRETLS
inline constexpr int external = filter | map_addresses | bcc | milter;  // mail from the network
inline constexpr int internal = map_addresses | bcc;  // mail that we make: see internal_mail_filter_classes
}
// What receive_override_options leaves of `external`, and whether recipients that nobody knows are taken. An Error
// names a word that is none of its options.
struct ReceiveOverrides {
    int flags = cleanup_flags::external;
    bool unknown_recipients = false;
};
Result<ReceiveOverrides> receive_overrides(const conf::Settings& settings);

struct CleanupOpen {
    static constexpr std::string_view protocol = "cleanup_open";
    int flags = cleanup_flags::external;
    template <class S, class V> static void fields(S& s, V&& v) { v("flags", s.flags); }
};
struct CleanupOpened {
    static constexpr std::string_view protocol = "cleanup_opened";
    std::string queue_id;  // "" with a failed open: `status` and `reason` then say why, and the conversation ends
    std::string status, reason;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("queue_id", s.queue_id);
        v("status", s.status);
        v("reason", s.reason);
    }
};
struct CleanupReply {
    static constexpr std::string_view protocol = "cleanup_done";
    bool ok = false;
    int smtp_code = 451;  // what an SMTP client gets when not ok
    std::string status;   // "4.3.0"
    std::string reason;   // "Error: queue file write error": the text after the enhanced status
    template <class S, class V> static void fields(S& s, V&& v) {
        v("ok", s.ok);
        v("smtp_code", s.smtp_code);
        v("status", s.status);
        v("reason", s.reason);
    }
};
}
