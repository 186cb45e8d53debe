// What main.cf and its tables say about incoming messages: opened once, before the jail, and read by every message.
//
// When things fail: a table that cannot be opened fails the lookups that reach it (table/maps.h); a malformed class
// name or masquerade entry is an Error at start.
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "conf/settings.h"
#include "mail/address.h"
#include "mail/mime.h"
#include "queue/directories.h"
#include "table/address_lookup.h"
#include "table/local_domains.h"
#include "table/maps.h"

namespace cleanup {
// Which addresses a canonical or masquerade setting is for (canonical_classes …).
namespace address_class {
inline constexpr unsigned envelope_sender = 1, envelope_recipient = 2, header_sender = 4, header_recipient = 8;
}

struct Rules {
    static Result<Rules> open(const conf::Settings& settings);

    table::Maps canonical, sender_canonical, recipient_canonical, virtual_alias, sender_bcc, recipient_bcc;
    table::Maps header_checks, mime_header_checks, nested_header_checks, body_checks;
    table::LocalDomains local_domains;
    unsigned canonical_classes = 0, sender_canonical_classes = 0, recipient_canonical_classes = 0,
             masquerade_classes = 0;
    std::vector<std::string> masquerade_domains;     // in the order written, "!" kept
    std::vector<std::string> masquerade_exceptions;  // user names, lowercased
    bool propagate_canonical = false, propagate_virtual = false;
    std::string always_bcc, empty_recipient, recipient_delimiter, double_bounce_sender;
    bool owner_request_special = true;

    std::string myhostname, undisclosed_recipients, full_name_charset, remote_domain;
    bool always_add_missing_headers = false, from_is_obsolete = false;
    std::vector<std::string> drop_headers;  // names, any case
    std::string end_of_header_action;       // fix_quietly | add_header | reject

    std::size_t header_token_limit = 0, duplicate_limit = 0, body_checks_limit = 0, attribute_limit = 0;
    std::size_t virtual_expansion_limit = 0, virtual_recursion_limit = 0, virtual_length_limit = 0;
    std::int64_t message_size_limit = 0;
    std::size_t hop_limit = 50;
    std::chrono::seconds delay_warning{0}, timeout{3600};
    bool long_ids = false, original_recipient = true, smtputf8 = true, detect_8bit = true, require_tls = true,
         require_tls_header = true, tls_required = true, replace_stray_cr_lf = true, external_log_form = true,
         early_end_ids = true;
    std::string reject_characters, strip_characters;
    mail::MimeOptions mime;
    queue::Directories directories{std::vector<std::string>{}, 0};

    mail::ExtensionRules extensions() const {
        return {recipient_delimiter, double_bounce_sender, owner_request_special};
    }
};
}
