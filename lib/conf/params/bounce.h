// Parameters of the area bounce: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text n2bounce_notice_recipient{{.name = "2bounce_notice_recipient", .fallback = "postmaster", .min = 1, .implemented = true, .doc = "Who hears of mail that could neither be delivered nor returned."}};
inline constexpr conf::Bool backwards_bounce_logfile_compatibility{{.name = "backwards_bounce_logfile_compatibility", .fallback = "yes", .implemented = true, .doc = "Whether the bounce log files also carry the lines that releases before 2.0 read."}};
inline constexpr conf::Text bounce_notice_recipient{{.name = "bounce_notice_recipient", .fallback = "postmaster", .min = 1, .implemented = true, .doc = "Who gets the header of a returned message when notify_classes holds bounce."}};
inline constexpr conf::Time bounce_queue_lifetime{{.name = "bounce_queue_lifetime", .fallback = "5d", .min = 0, .max = 8640000, .implemented = true, .doc = "How long a bounce, which has the null sender, is tried before it is given up."}};
inline constexpr conf::Text bounce_service_name{{.name = "bounce_service_name", .fallback = "bounce", .implemented = true, .doc = "The service that keeps the record of failed recipients and returns mail."}};
inline constexpr conf::Int bounce_size_limit{{.name = "bounce_size_limit", .fallback = "50000", .min = 1, .implemented = true, .doc = "Most bytes of the original message that a non-delivery report carries; above it only the header goes back."}};
inline constexpr conf::Text bounce_template_file{{.name = "bounce_template_file", .fallback = "", .implemented = true, .doc = "A file with texts for bounces, delay warnings, success and verification reports, in place of the built-in ones."}};
inline constexpr conf::Text delay_notice_recipient{{.name = "delay_notice_recipient", .fallback = "postmaster", .min = 1, .implemented = true, .doc = "Who gets the header of a message that waits when notify_classes holds delay."}};
inline constexpr conf::Bool enable_threaded_bounces{{.name = "enable_threaded_bounces", .fallback = "no", .implemented = true, .doc = "Whether reports refer to the original by In-Reply-To and References, so that mail readers file them together."}};
inline constexpr conf::Text header_from_format{{.name = "header_from_format", .fallback = "standard", .min = 1, .implemented = true, .doc = "How a From line that is made here shows the full name: standard (name <address>) or obsolete (address (name))."}};
inline constexpr conf::Text internal_mail_filter_classes{{.name = "internal_mail_filter_classes", .fallback = "", .implemented = true, .doc = "Which mail that the system makes itself goes through header checks and filters: bounce, notify."}};
inline constexpr conf::Text mail_name{{.name = "mail_name", .fallback = "Postfix", .min = 1, .implemented = true, .doc = "The name of the mail system in greetings, Received lines and reports."}};
inline constexpr conf::Text notify_classes{{.name = "notify_classes", .fallback = "resource, software", .implemented = true, .doc = "Which events are reported to the postmaster: bounce, 2bounce, data, delay, policy, protocol, resource, software."}};
inline constexpr conf::Bool requiretls_redact_dsn{{.name = "requiretls_redact_dsn", .fallback = "yes", .implemented = true, .doc = "Whether reports about mail that demanded REQUIRETLS leave out the original's body."}};
inline constexpr conf::Text smtputf8_autodetect_classes{{.name = "smtputf8_autodetect_classes", .fallback = "sendmail, verify", .min = 1, .implemented = true, .doc = "Which mail without an SMTPUTF8 request is looked through for UTF-8 addresses: sendmail, verify, bounce, notify, forward, all."}};
}
