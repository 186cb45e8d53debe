// Parameters of the area milter: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Time milter_command_timeout{{.name = "milter_command_timeout", .fallback = "30s", .min = 1, .doc = "How long a milter may take over one SMTP command."}};
inline constexpr conf::Text milter_connect_macros{{.name = "milter_connect_macros", .fallback = "j {daemon_name} {daemon_addr} v _", .doc = "Macros sent to milters with a new connection."}};
inline constexpr conf::Time milter_connect_timeout{{.name = "milter_connect_timeout", .fallback = "30s", .min = 1, .doc = "How long connecting to a milter may take, negotiation included."}};
inline constexpr conf::Time milter_content_timeout{{.name = "milter_content_timeout", .fallback = "300s", .min = 1, .doc = "How long a milter may take over the content of a message."}};
inline constexpr conf::Text milter_data_macros{{.name = "milter_data_macros", .fallback = "i", .doc = "Macros sent to milters with DATA."}};
inline constexpr conf::Text milter_default_action{{.name = "milter_default_action", .fallback = "shutdown", .doc = "What happens when a milter fails: accept, reject, tempfail, quarantine, shutdown."}};
inline constexpr conf::Text milter_end_of_data_macros{{.name = "milter_end_of_data_macros", .fallback = "i", .doc = "Macros sent to milters at the end of the content."}};
inline constexpr conf::Text milter_end_of_header_macros{{.name = "milter_end_of_header_macros", .fallback = "i", .doc = "Macros sent to milters at the end of the header."}};
inline constexpr conf::Text milter_header_checks{{.name = "milter_header_checks", .fallback = "", .doc = "Tables asked about headers that milters add."}};
inline constexpr conf::Text milter_helo_macros{{.name = "milter_helo_macros", .fallback = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}", .doc = "Macros sent to milters with HELO or EHLO."}};
inline constexpr conf::Text milter_macro_daemon_name{{.name = "milter_macro_daemon_name", .fallback = "$myhostname", .min = 1, .doc = "The value of {daemon_name} for milters."}};
inline constexpr conf::Text milter_macro_defaults{{.name = "milter_macro_defaults", .fallback = "", .doc = "Values, as name=value, of macros that have none."}};
inline constexpr conf::Text milter_macro_v{{.name = "milter_macro_v", .fallback = "$mail_name $mail_version", .min = 1, .doc = "The value of the macro v for milters."}};
inline constexpr conf::Text milter_mail_macros{{.name = "milter_mail_macros", .fallback = "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}", .doc = "Macros sent to milters with MAIL FROM."}};
inline constexpr conf::Text milter_protocol{{.name = "milter_protocol", .fallback = "6", .min = 1, .doc = "The version of the milter protocol, and what of it to leave out."}};
inline constexpr conf::Text milter_rcpt_macros{{.name = "milter_rcpt_macros", .fallback = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}", .doc = "Macros sent to milters with RCPT TO."}};
inline constexpr conf::Text milter_unknown_command_macros{{.name = "milter_unknown_command_macros", .fallback = "", .doc = "Macros sent to milters with an unknown command."}};
}
