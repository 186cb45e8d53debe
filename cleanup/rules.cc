#include "rules.h"
#include "base/bytes.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "conf/params/tls.h"

namespace cleanup {
namespace {
Result<unsigned> classes(const conf::Text& parameter, const conf::Settings& settings) {
    unsigned bits = 0;
    for (std::string_view word : bytes::split(settings[parameter], ", \t\r\n")) {
        if (bytes::iequals(word, "envelope_sender"))
            bits |= address_class::envelope_sender;
        else if (bytes::iequals(word, "envelope_recipient"))
            bits |= address_class::envelope_recipient;
        else if (bytes::iequals(word, "header_sender"))
            bits |= address_class::header_sender;
        else if (bytes::iequals(word, "header_recipient"))
            bits |= address_class::header_recipient;
        else
            return permanent(std::string(parameter.name) + ": unknown class \"" + std::string(word) +
                             "\": use envelope_sender, envelope_recipient, header_sender, header_recipient");
    }
    return bits;
}

std::vector<std::string> words(const std::string& value) {
    std::vector<std::string> out;
    for (std::string_view word : bytes::split(value, ", \t\r\n"))
        out.emplace_back(word);
    return out;
}

template <class P> std::size_t count(const conf::Settings& settings, const P& parameter) {
    return static_cast<std::size_t>(settings[parameter]);
}

void open_maps(Rules& r, const conf::Settings& s) {
    const auto open = [&](const conf::Text& p) { return table::Maps::open(p.name, s[p]); };
    r.canonical = open(param::canonical_maps);
    r.sender_canonical = open(param::sender_canonical_maps);
    r.recipient_canonical = open(param::recipient_canonical_maps);
    r.virtual_alias = open(param::virtual_alias_maps);
    r.sender_bcc = open(param::sender_bcc_maps);
    r.recipient_bcc = open(param::recipient_bcc_maps);
    const auto open_checks = [&](const conf::Text& p) { return table::Maps::open(p.name, s[p], table::any_bytes()); };
    r.header_checks = open_checks(param::header_checks);
    r.mime_header_checks = open_checks(param::mime_header_checks);
    r.nested_header_checks = open_checks(param::nested_header_checks);
    r.body_checks = open_checks(param::body_checks);
    r.local_domains = table::LocalDomains::open(s);
}

void read_limits(Rules& r, const conf::Settings& s) {
    r.header_token_limit = count(s, param::header_address_token_limit);
    r.duplicate_limit = count(s, param::duplicate_filter_limit);
    r.body_checks_limit = count(s, param::body_checks_size_limit);
    r.attribute_limit = count(s, param::queue_file_attribute_count_limit);
    r.virtual_expansion_limit = count(s, param::virtual_alias_expansion_limit);
    r.virtual_recursion_limit = count(s, param::virtual_alias_recursion_limit);
    r.virtual_length_limit = count(s, param::virtual_alias_address_length_limit);
    r.message_size_limit = s[param::message_size_limit];
    r.hop_limit = count(s, param::hopcount_limit);
    r.delay_warning = s[param::delay_warning_time];
    r.timeout = s[param::ipc_timeout];
}

void read_mime(Rules& r, const conf::Settings& s) {
    r.mime.parse = !s[param::disable_mime_input_processing];
    r.mime.nesting_limit = count(s, param::mime_nesting_limit);
    r.mime.header_size_limit = count(s, param::header_size_limit);
    r.mime.boundary_length_limit = count(s, param::mime_boundary_length_limit);
    r.mime.report_8bit_header = s[param::strict_8bitmime] || s[param::strict_7bit_headers];
    r.mime.report_8bit_body = s[param::strict_8bitmime] || s[param::strict_8bitmime_body];
    r.mime.report_encoding_domain = s[param::strict_mime_encoding_domain];
    r.mime.downgrade = s[param::force_mime_input_conversion];
    r.detect_8bit = s[param::detect_8bit_encoding_header];
}
}

Result<Rules> Rules::open(const conf::Settings& s) {
    Rules r;
    TRY_ASSIGN(r.canonical_classes, classes(param::canonical_classes, s));
    TRY_ASSIGN(r.sender_canonical_classes, classes(param::sender_canonical_classes, s));
    TRY_ASSIGN(r.recipient_canonical_classes, classes(param::recipient_canonical_classes, s));
    TRY_ASSIGN(r.masquerade_classes, classes(param::masquerade_classes, s));
    open_maps(r, s);
    read_limits(r, s);
    read_mime(r, s);
    for (const std::string& word : words(s[param::masquerade_domains]))
        r.masquerade_domains.push_back(bytes::lowered(word));
    for (const std::string& word : words(s[param::masquerade_exceptions]))
        r.masquerade_exceptions.push_back(bytes::lowered(word));
    for (const std::string& word : words(s[param::propagate_unmatched_extensions])) {
        r.propagate_canonical |= bytes::iequals(word, "canonical");
        r.propagate_virtual |= bytes::iequals(word, "virtual");
    }
    r.always_bcc = s[param::always_bcc];
    r.empty_recipient = s[param::empty_address_recipient];
    r.recipient_delimiter = s[param::recipient_delimiter];
    r.double_bounce_sender = s[param::double_bounce_sender];
    r.owner_request_special = s[param::owner_request_special];
    r.myhostname = s[param::myhostname];
    r.undisclosed_recipients = s[param::undisclosed_recipients_header];
    r.full_name_charset = s[param::full_name_encoding_charset];
    r.remote_domain = s[param::remote_header_rewrite_domain];
    r.always_add_missing_headers = s[param::always_add_missing_headers];
    r.from_is_obsolete = s[param::header_from_format] == "obsolete";
    r.drop_headers = words(s[param::message_drop_headers]);
    r.end_of_header_action = s[param::non_empty_end_of_header_action];
    r.long_ids = s[param::enable_long_queue_ids];
    r.original_recipient = s[param::enable_original_recipient];
    r.smtputf8 = s[param::smtputf8_enable];
    r.require_tls = s[param::requiretls_enable];
    r.require_tls_header = r.require_tls && s[param::requiretls_esmtp_header];
    r.tls_required = s[param::tls_required_enable];
    r.replace_stray_cr_lf = s[param::cleanup_replace_stray_cr_lf];
    r.early_end_ids = s[param::maillog_early_end_ids];
    r.external_log_form = s[param::info_log_address_format] != "internal";
    r.reject_characters = bytes::unescaped(s[param::message_reject_characters]);
    r.strip_characters = bytes::unescaped(s[param::message_strip_characters]);
    r.directories = queue::Directories(s);
    return r;
}
}
