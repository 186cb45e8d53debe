// The records of a queue file: a type byte, the payload's length (7 bits a byte, low first, the top bit on all but the
// last), the payload. This is Postfix's format, on disk in every queue: add, never renumber.
//
// A complete file is: C size, T arrival time, attributes and envelope, S sender, O/R recipients, M, content (N and L),
// X, what was extracted from the header, E. A pointer record says where reading goes on (0: with the next record):
// milters' edits.
//
// When things fail: decode() never reads past its input; what is short, over-long or not a number is an Error.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include "base/error.h"

namespace queue {
enum class RecordType : char {
    size = 'C',         // SizeRecord, always first
    time = 'T',         // "seconds" or "seconds microseconds": arrival
    create_time = 'c',  // obsolete, as is the attribute create_time that took its place
    full_name = 'F',    // sender's full name, for From:
    inspector = 'I',
    filter = 'L',  // envelope and extracted: content filter; in the content: part of a line (same letter)
    part = 'L',
    sender = 'S',
    dsn_envelope_id = 'i',
    dsn_return = '<',
    attribute = 'A',  // name=value
    warn_time = 'W',  // seconds: when to warn the sender of a delay
    verp = 'V',       // VERP delimiters
    redirect = '>',
    flags = 'f',
    priority = 'P',
    errors_to = 'e',
    return_receipt = 'r',
    dsn_original = 'o',  // the DSN fields of the next recipient, in their old form; now attributes
    dsn_notify = 'n',
    original = 'O',   // original recipient, of the next recipient
    recipient = 'R',  // still to be delivered
    done = 'D',       // was R
    canceled = '/',   // was R: a milter took it back
    killed = 'K',     // a record that a milter took back
    pointer = 'p',    // "%15ld"
    padding = 'w',
    message = 'M',    // the content begins
    line = 'N',       // a line, without its line end
    extracted = 'X',  // the content has ended
    end = 'E',
};

inline constexpr std::size_t address_max = 16384;      // that cleanup takes in an envelope
inline constexpr std::size_t payload_max = 16u << 20;  // more than any parameter allows; a larger length is damage
inline constexpr std::size_t pointer_payload = 15;

struct Record {
    RecordType type;
    std::string_view payload;
};
// What stands before a payload of that length; returns its size in bytes.
inline constexpr std::size_t head_max = 8;
std::size_t head(char (&to)[head_max], RecordType type, std::size_t length);
void append(std::string& out, RecordType type, std::string_view payload = {});
// The payload of an attribute record: "name=value".
std::string attribute_payload(std::string_view name, std::string_view value);
// "%15ld": numbers that are rewritten in place later (pointers, the warning time) have this width.
std::string padded_number(std::int64_t number);
// A pointer record to this file offset.
void append_pointer(std::string& out, std::int64_t offset);
std::size_t encoded_size(std::size_t payload);  // header and payload, in bytes

enum class Decoded { record, incomplete, damaged };
// Takes one record off input. incomplete: input is only the beginning of one (input is unchanged; needed is its whole
// size in bytes, or 0 where even that is not known).
Decoded decode(std::string_view& input, Record& record, std::size_t& needed);
// The same where there is no more to come: incomplete is an Error too.
Result<Record> decode(std::string_view& input);

// The first record of every file, written twice: empty at first, with its numbers when the file is complete.
struct SizeRecord {
    static constexpr std::size_t payload = 95;
    std::int64_t message_size =
        0;  // bytes of records from data_offset to the X record as first written: X is at data_offset + message_size
    std::int64_t data_offset = 0;     // of the first record of the content
    std::int64_t recipients = 0;      // recipient records when the file was completed
    std::int64_t qmgr_flags = 0;      // mixed, and notify(n) of each recipient's NOTIFY, or'ed
    std::int64_t content_length = 0;  // as message_size, after edits: the size that is logged and limited
    std::int64_t send_options = 0;    // smtputf8_requested …

    static constexpr std::int64_t mixed = 1;  // recipients among or before other records: read all
    static constexpr std::int64_t notify(int dsn_notify) { return std::int64_t(dsn_notify) << 1; }
    static constexpr std::int64_t smtputf8_requested = 1;

    std::string text() const;
    // Files of older systems may hold fewer numbers: the others are 0, content_length then is message_size.
    static Result<SizeRecord> parse(std::string_view payload);
};

// Names of attribute records, and of the same attributes in requests between daemons.
namespace attribute {
inline constexpr std::string_view create_time = "create_time", rewrite_context = "rewrite_context",
                                  envelope_id = "envelope_id", ret_flags = "ret_flags", notify_flags = "notify_flags",
                                  dsn_orig_rcpt = "dsn_orig_rcpt", trace_flags = "trace_flags", encoding = "encoding",
                                  log_ident = "log_ident", log_client_name = "log_client_name",
                                  log_client_address = "log_client_address", log_client_port = "log_client_port",
                                  log_message_origin = "log_message_origin", log_helo_name = "log_helo_name",
                                  log_protocol_name = "log_protocol_name", client_name = "client_name",
                                  reverse_client_name = "reverse_client_name", client_address = "client_address",
                                  client_port = "client_port", client_address_type = "client_address_type",
                                  server_address = "server_address", server_port = "server_port",
                                  helo_name = "helo_name", protocol_name = "protocol_name", sasl_method = "sasl_method",
                                  sasl_username = "sasl_username", sasl_sender = "sasl_sender";
}
}
