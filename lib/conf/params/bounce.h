// Parameters of the area bounce: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text n2bounce_notice_recipient{{.name = "2bounce_notice_recipient", .fallback = "postmaster", .min = 1}};
inline constexpr conf::Bool backwards_bounce_logfile_compatibility{{.name = "backwards_bounce_logfile_compatibility", .fallback = "yes"}};
inline constexpr conf::Text bounce_notice_recipient{{.name = "bounce_notice_recipient", .fallback = "postmaster", .min = 1}};
inline constexpr conf::Time bounce_queue_lifetime{{.name = "bounce_queue_lifetime", .fallback = "5d", .min = 0, .max = 8640000, .implemented = true}};
inline constexpr conf::Text bounce_service_name{{.name = "bounce_service_name", .fallback = "bounce", .implemented = true}};
inline constexpr conf::Int bounce_size_limit{{.name = "bounce_size_limit", .fallback = "50000", .min = 1}};
inline constexpr conf::Text bounce_template_file{{.name = "bounce_template_file", .fallback = "", .implemented = true}};
inline constexpr conf::Text delay_notice_recipient{{.name = "delay_notice_recipient", .fallback = "postmaster", .min = 1}};
inline constexpr conf::Bool enable_threaded_bounces{{.name = "enable_threaded_bounces", .fallback = "no"}};
inline constexpr conf::Text header_from_format{{.name = "header_from_format", .fallback = "standard", .min = 1, .implemented = true}};
inline constexpr conf::Text internal_mail_filter_classes{{.name = "internal_mail_filter_classes", .fallback = ""}};
inline constexpr conf::Text mail_name{{.name = "mail_name", .fallback = "Postfix", .min = 1}};
inline constexpr conf::Text notify_classes{{.name = "notify_classes", .fallback = "resource, software"}};
inline constexpr conf::Bool requiretls_redact_dsn{{.name = "requiretls_redact_dsn", .fallback = "yes"}};
inline constexpr conf::Text smtputf8_autodetect_classes{{.name = "smtputf8_autodetect_classes", .fallback = "sendmail, verify", .min = 1}};
}
