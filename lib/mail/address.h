// Mail addresses as plain text, in two forms. External, as in headers and commands: quotes where the grammar wants them
// ("a b"@c.d). Internal, as in envelopes, tables and queue files: no quotes (a b@c.d); the domain is what follows the
// last '@'. No address holds CR, LF or NUL: to_external(), to_internal(), path_address() and AddressList make blanks of
// them, as do the readers of queue files and of submissions, so that no line of an address can end where it goes: a
// command, a header field, a log line.
//
// For everybody who looks at an address. Nothing here waits or looks at settings; results are new strings.
// When things fail: functions that check return false or nothing.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace mail {
struct AddressParts {
    std::string_view local;
    std::optional<std::string_view> domain;  // absent where there is no '@'
};
AddressParts split_address(std::string_view internal);  // at the last '@'
// user@host.domain of letters, digits and . - _ + = in the local part: the same in both forms, and with nothing that
// address rewriting could complete, or read as a route or an option.
bool is_plain(std::string_view address);

// Quotes the local part where RFC 5321 and RFC 5322 want it: special characters, dots in a row or at an end, empty.
// Bytes above 127 need no quotes.
std::string to_external(std::string_view internal);
// In quotes, with a backslash before each quote and backslash (RFC 5322, section 3.2.4).
std::string quoted_string(std::string_view text);
// Takes quotes and backslashes out of the local part. Comments and white space outside quotes stay (see parse_path and
// AddressList for reading what people wrote).
std::string to_internal(std::string_view external);

struct ExtensionSplit {
    std::string_view user;                      // "joe"
    std::optional<std::string_view> extension;  // "list"; may be empty; absent where there is none
    char delimiter = 0;                         // '+'
};
struct ExtensionRules {
    std::string_view delimiters;                              // recipient_delimiter
    std::string_view double_bounce_sender = "double-bounce";  // never split, as are postmaster and mailer-daemon
    bool owner_request_special = true;                        // with '-': owner-list and list-request stay whole
};
// At the first delimiter that is not the first character.
ExtensionSplit split_extension(std::string_view local, const ExtensionRules& rules);
// joe+list@dom -> {joe@dom, "+list"}; extension empty where there is none.
struct Stripped {
    std::string address, extension;
};
Stripped strip_extension(std::string_view internal, const ExtensionRules& rules);
// Puts "+list" behind the local part of each address of a table result (propagate_unmatched_extensions).
std::string add_extension(std::string_view internal, std::string_view extension);

// The path of MAIL FROM and RCPT TO: what follows the colon (path.cc).
struct Path {
    std::string address;    // internal form, source route dropped; "" for <>
    std::string_view rest;  // behind the path, leading space dropped: ESMTP parameters
};
// Absent where brackets or quotes stay open, and where path_address() finds no address that could be meant.
std::optional<Path> parse_path(std::string_view text, bool strict);
// The address in a whole word that stands for a path, in internal form; "" for <> and where there is none. strict: in
// <>, without comments, phrases and groups. Otherwise whatever has just one address in it, as
// strict_rfc821_envelopes=no has it. Absent where the word holds several addresses or breaks the syntax. Whether the
// domain can be a host's is not looked at.
std::optional<std::string> path_address(std::string_view word, bool strict);
// Where the word that text begins with ends: at a blank outside quotes and <>. open: these are not closed.
std::size_t word_end(std::string_view text, bool& open);
// Are all quotes and <> of the word closed?
bool balanced(std::string_view word);

// Hosts: labels of letters, digits, '-' and (as seen in the field) '_'; 63 bytes a label, 255 in all; not all digits.
// With utf8, UTF-8 labels that have an ASCII form count too.
bool valid_hostname(std::string_view name, bool utf8 = false);
bool valid_ipv4(std::string_view text);  // numbers may have leading zeros
bool valid_ipv6(std::string_view text);
// "1.2.3.4" or "IPv6:…" without the brackets, as in [literal]; gives the bare address.
std::optional<std::string> address_literal(std::string_view inside_brackets);
// user@host or user@[literal] with a host that is valid; the local part not empty.
bool valid_mail_domain(std::string_view domain, bool utf8 = false);

// IDNA (UTS 46). Absent where the name has no such form. ASCII names pass lowercased only by to_utf8_domain's caller's
// wish: they are returned as they are.
std::optional<std::string> to_ascii_domain(std::string_view domain, bool idna2003_compatible = false);
std::optional<std::string> to_utf8_domain(std::string_view domain, bool idna2003_compatible = false);
// Case folding for comparing and looking up; bytes that are no UTF-8 are folded as ASCII.
std::string fold_case(std::string_view text);

// What to look up for an address, most specific first (canonical(5), virtual(5), generic(5)).
struct LookupKey {
    std::string key;                 // internal form
    bool without_extension = false;  // the extension was left off: it may be propagated
    bool domain = false;             // "@domain": matches whatever the local part
};
struct LookupOptions {
    bool full = true, local_part = true, domain = true;  // user@domain; user (where `local` says so); @domain
};
// local: is the domain $myorigin, one of $mydestination, $inet_interfaces or $proxy_interfaces.
std::vector<LookupKey> lookup_keys(std::string_view internal, const ExtensionRules& rules, bool local,
                                   LookupOptions options = {});
}
