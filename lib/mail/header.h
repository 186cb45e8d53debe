// Header fields: their names, what the mail system knows of each, and taking a field apart.
//
// When things fail: what is no header is reported as such; unknown names are ordinary.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {
enum class HeaderId : std::uint8_t {
    other,
    apparently_to,
    bcc,
    cc,
    content_description,
    content_disposition,
    content_id,
    content_length,
    content_transfer_encoding,
    content_type,
    date,
    delivered_to,
    disposition_notification_to,
    errors_to,
    from,
    mail_followup_to,
    message_id,
    mime_version,
    received,
    reply_to,
    resent_bcc,
    resent_cc,
    resent_date,
    resent_from,
    resent_message_id,
    resent_reply_to,
    resent_sender,
    resent_to,
    return_path,
    return_receipt_to,
    sender,
    subject,
    to,
    tls_required
};
// What the mail system does with a field.
namespace header_use {
inline constexpr std::uint32_t sender = 1;     // addresses of the sender's kind (header_sender)
inline constexpr std::uint32_t recipient = 2;  // … of the recipient's kind (header_recipient)
inline constexpr std::uint32_t resent = 4;     // belongs to the Resent- family
inline constexpr std::uint32_t extract = 8;    // sendmail -t takes recipients from it
inline constexpr std::uint32_t mime = 16;      // Content-*, MIME-Version
}
struct HeaderInfo {
    HeaderId id;
    std::string_view name;  // as we write it: "Message-Id"
    std::uint32_t use;
};
const HeaderInfo& header_info(HeaderId id);
const HeaderInfo& find_header(std::string_view name);  // case ignored; the entry `other` for unknown names

// Bytes of the field name when line begins with "name:" (white space before the colon is forgiven); 0 when it is no
// header line.
std::size_t header_name_length(std::string_view line);
struct HeaderField {
    const HeaderInfo* info;
    std::string_view name, value;  // value: behind the colon, leading white space dropped, line ends inside kept
};
std::optional<HeaderField> split_header(std::string_view field);

// What the MIME structure needs of "multipart/mixed; boundary=x" (RFC 2045), in lower case, quotes undone.
struct ContentType {
    std::string type, subtype;            // text/plain where nothing is said; empty where it is no word
    std::vector<std::string> boundaries;  // of each "boundary=", in the order written; may be empty
};
ContentType parse_content_type(std::string_view value);
// The first token of Content-Transfer-Encoding, lowercased.
std::string first_token(std::string_view value);
// What others say of themselves, for Received: and the log; '?' stands for what could be taken for something else
// there, as with Postfix. A name (HELO): blanks, controls, ()<>;@"\ and what turns or breaks lines in Unicode. Text
// that is no UTF-8 is the caller's to refuse.
std::string received_name(std::string_view text);
// Text between quotes within a comment (names in a certificate): quotes, backslashes, what is not printable ASCII, and
// parentheses that have no partner.
std::string quoted_in_comment(std::string_view text);
// Text for a header: encoded-word (RFC 2047, base64) when it holds bytes above 127, else as it is. charset as the
// administrator says.
std::string encoded_phrase(std::string_view text, std::string_view charset);
}
