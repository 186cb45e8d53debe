// What a sender may ask for with a message (RFC 3461, RFC 6531): bits that travel in ipc messages and queue files as
// decimal numbers, so their values are fixed. And xtext, the encoding of ENVID and ORCPT.
//
// When things fail: the parsers return nothing.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mail {
using DsnNotify = std::uint32_t;  // NOTIFY=, one for each recipient; 0: not said
namespace notify {
inline constexpr DsnNotify none = 0, never = 1, success = 2, failure = 4, delay = 8;
}
using DsnReturn = std::uint32_t;  // RET=, one for each message; 0: not said
namespace ret {
inline constexpr DsnReturn none = 0, full = 1, headers = 2;
}
using Smtputf8 = std::uint32_t;  // why a message needs a peer with SMTPUTF8
namespace smtputf8 {
inline constexpr Smtputf8 none = 0, requested = 1, header = 2, sender = 4, recipient = 8, any = 15;
}
// What else goes with a message to all its hops, beside the bits of Smtputf8 (in requests and queue files:
// send_options).
namespace send_option {
inline constexpr std::uint32_t require_tls = 1 << 8;   // RFC 8689: REQUIRETLS with MAIL FROM
inline constexpr std::uint32_t tls_optional = 1 << 9;  // RFC 8689: the header TLS-Required: no
}

// "SUCCESS,DELAY" or "NEVER", any case. NEVER goes with nothing else.
std::optional<DsnNotify> parse_notify(std::string_view text);
std::string notify_text(DsnNotify bits);                    // "" for none
std::optional<DsnReturn> parse_ret(std::string_view text);  // FULL | HDRS, any case
std::string_view ret_text(DsnReturn bits);

// RFC 3461 section 4: bytes 33..126 but '+' and '=' stand for themselves, others are +XX. With keep_utf8, bytes above
// 127 stand for themselves too (RFC 6533 utf-8-addr-unitext).
std::string xtext_encode(std::string_view raw, bool keep_utf8 = false);
// Absent where text is no xtext. With allow_utf8, bytes above 127 are taken as they are.
std::optional<std::string> xtext_decode(std::string_view text, bool allow_utf8 = false);

// ORCPT: "type;address", the address xtext-encoded on the wire.
struct OriginalRecipient {
    std::string type, address;  // decoded: {"rfc822", "a@b"}, {"utf-8", …}
    std::string text() const;   // "rfc822;a@b": the form in queue files and reports
};
// What follows "ORCPT=": xtext decoded, the type an RFC 822 atom, the address not empty and free of control characters.
// utf-8 addresses may hold \x{HEX} (RFC 6533) and, where utf8 is set, plain UTF-8.
std::optional<OriginalRecipient> parse_orcpt(std::string_view text, bool utf8);
// What to send in RCPT TO: "rfc822;a+2Bb@c".
std::string orcpt_wire(const OriginalRecipient& original, bool utf8);
// The stored form "rfc822;a@b" back in its parts; absent where there is no ';'.
std::optional<OriginalRecipient> split_original_recipient(std::string_view text);
}
