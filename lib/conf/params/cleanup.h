// Parameters of the area cleanup: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Bool always_add_missing_headers{{.name = "always_add_missing_headers", .fallback = "no", .implemented = true}};
inline constexpr conf::Text always_bcc{{.name = "always_bcc", .fallback = "", .implemented = true}};
inline constexpr conf::Text body_checks{{.name = "body_checks", .fallback = "", .implemented = true}};
inline constexpr conf::Int body_checks_size_limit{{.name = "body_checks_size_limit", .fallback = "51200", .min = 0, .implemented = true}};
inline constexpr conf::Text canonical_classes{{.name = "canonical_classes", .fallback = "envelope_sender, envelope_recipient, header_sender, header_recipient", .min = 1, .implemented = true}};
inline constexpr conf::Text canonical_maps{{.name = "canonical_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Bool cleanup_replace_stray_cr_lf{{.name = "cleanup_replace_stray_cr_lf", .fallback = "yes", .implemented = true}};
inline constexpr conf::Text cleanup_service_name{{.name = "cleanup_service_name", .fallback = "cleanup"}};
inline constexpr conf::Int delay_logging_resolution_limit{{.name = "delay_logging_resolution_limit", .fallback = "2", .min = 0, .max = 6, .implemented = true}};
inline constexpr conf::Bool detect_8bit_encoding_header{{.name = "detect_8bit_encoding_header", .fallback = "yes", .implemented = true}};
inline constexpr conf::Bool disable_mime_input_processing{{.name = "disable_mime_input_processing", .fallback = "no", .implemented = true}};
inline constexpr conf::Int duplicate_filter_limit{{.name = "duplicate_filter_limit", .fallback = "1000", .min = 0, .implemented = true}};
inline constexpr conf::Text empty_address_recipient{{.name = "empty_address_recipient", .fallback = "MAILER-DAEMON", .min = 1, .implemented = true}};
inline constexpr conf::Text enable_errors_to{{.name = "enable_errors_to", .fallback = "no", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Bool enable_idna2003_compatibility{{.name = "enable_idna2003_compatibility", .fallback = "no"}};
inline constexpr conf::Bool enable_original_recipient{{.name = "enable_original_recipient", .fallback = "yes", .implemented = true}};
inline constexpr conf::Bool force_mime_input_conversion{{.name = "force_mime_input_conversion", .fallback = "no", .implemented = true}};
inline constexpr conf::Text full_name_encoding_charset{{.name = "full_name_encoding_charset", .fallback = "utf-8", .min = 1, .implemented = true}};
inline constexpr conf::Int header_address_token_limit{{.name = "header_address_token_limit", .fallback = "10240", .min = 1, .implemented = true}};
inline constexpr conf::Text header_checks{{.name = "header_checks", .fallback = "", .implemented = true}};
inline constexpr conf::Int header_size_limit{{.name = "header_size_limit", .fallback = "102400", .min = 1, .implemented = true}};
inline constexpr conf::Time in_flow_delay{{.name = "in_flow_delay", .fallback = "1s", .min = 0, .max = 10}};
inline constexpr conf::Text info_log_address_format{{.name = "info_log_address_format", .fallback = "external", .min = 1, .implemented = true}};
inline constexpr conf::Text masquerade_classes{{.name = "masquerade_classes", .fallback = "envelope_sender, header_sender, header_recipient", .implemented = true}};
inline constexpr conf::Text masquerade_domains{{.name = "masquerade_domains", .fallback = "", .implemented = true}};
inline constexpr conf::Text masquerade_exceptions{{.name = "masquerade_exceptions", .fallback = "", .implemented = true}};
inline constexpr conf::Text message_drop_headers{{.name = "message_drop_headers", .fallback = "bcc, content-length, resent-bcc, return-path", .implemented = true}};
inline constexpr conf::Text message_reject_characters{{.name = "message_reject_characters", .fallback = "", .implemented = true}};
inline constexpr conf::Int message_size_limit{{.name = "message_size_limit", .fallback = "10240000", .min = 0, .implemented = true}};
inline constexpr conf::Text message_strip_characters{{.name = "message_strip_characters", .fallback = "", .implemented = true}};
inline constexpr conf::Int mime_boundary_length_limit{{.name = "mime_boundary_length_limit", .fallback = "2048", .min = 1, .implemented = true}};
inline constexpr conf::Text mime_header_checks{{.name = "mime_header_checks", .fallback = "$header_checks", .implemented = true}};
inline constexpr conf::Int mime_nesting_limit{{.name = "mime_nesting_limit", .fallback = "100", .min = 1, .implemented = true}};
inline constexpr conf::Text myhostname{{.name = "myhostname", .fallback = "(computed)", .implemented = true}};
inline constexpr conf::Text myorigin{{.name = "myorigin", .fallback = "$myhostname", .min = 1, .implemented = true}};
inline constexpr conf::Text nested_header_checks{{.name = "nested_header_checks", .fallback = "$header_checks", .implemented = true}};
inline constexpr conf::Text non_empty_end_of_header_action{{.name = "non_empty_end_of_header_action", .fallback = "fix_quietly", .implemented = true}};
inline constexpr conf::Text non_smtpd_milters{{.name = "non_smtpd_milters", .fallback = ""}};
inline constexpr conf::Text propagate_unmatched_extensions{{.name = "propagate_unmatched_extensions", .fallback = "canonical, virtual", .implemented = true}};
inline constexpr conf::Int queue_file_attribute_count_limit{{.name = "queue_file_attribute_count_limit", .fallback = "100", .min = 1, .implemented = true}};
inline constexpr conf::Text recipient_bcc_maps{{.name = "recipient_bcc_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Text recipient_canonical_classes{{.name = "recipient_canonical_classes", .fallback = "envelope_recipient, header_recipient", .min = 1, .implemented = true}};
inline constexpr conf::Text recipient_canonical_maps{{.name = "recipient_canonical_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Bool requiretls_esmtp_header{{.name = "requiretls_esmtp_header", .fallback = "yes"}};
inline constexpr conf::Text sender_bcc_maps{{.name = "sender_bcc_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Text sender_canonical_classes{{.name = "sender_canonical_classes", .fallback = "envelope_sender, header_sender", .min = 1, .implemented = true}};
inline constexpr conf::Text sender_canonical_maps{{.name = "sender_canonical_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Bool soft_bounce{{.name = "soft_bounce", .fallback = "no", .implemented = true}};
inline constexpr conf::Bool strict_7bit_headers{{.name = "strict_7bit_headers", .fallback = "no", .implemented = true}};
inline constexpr conf::Bool strict_8bitmime{{.name = "strict_8bitmime", .fallback = "no", .implemented = true}};
inline constexpr conf::Bool strict_8bitmime_body{{.name = "strict_8bitmime_body", .fallback = "no", .implemented = true}};
inline constexpr conf::Bool strict_mime_encoding_domain{{.name = "strict_mime_encoding_domain", .fallback = "no", .implemented = true}};
inline constexpr conf::Text undisclosed_recipients_header{{.name = "undisclosed_recipients_header", .fallback = "", .implemented = true}};
inline constexpr conf::Int virtual_alias_address_length_limit{{.name = "virtual_alias_address_length_limit", .fallback = "1000", .min = 1, .implemented = true}};
inline constexpr conf::Int virtual_alias_expansion_limit{{.name = "virtual_alias_expansion_limit", .fallback = "1000", .min = 1, .implemented = true}};
inline constexpr conf::Text virtual_alias_maps{{.name = "virtual_alias_maps", .fallback = "$virtual_maps", .implemented = true}};
inline constexpr conf::Int virtual_alias_recursion_limit{{.name = "virtual_alias_recursion_limit", .fallback = "1000", .min = 1, .implemented = true}};
inline constexpr conf::Text virtual_maps{{.name = "virtual_maps", .fallback = "", .implemented = true, .removed = true, .obsolete = "will be removed; instead, specify \"virtual_alias_maps\""}};
}
