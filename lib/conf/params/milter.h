// Parameters of the area milter: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Time milter_command_timeout{{.name = "milter_command_timeout", .fallback = "30s", .min = 1}};
inline constexpr conf::Text milter_connect_macros{{.name = "milter_connect_macros", .fallback = "j {daemon_name} {daemon_addr} v _"}};
inline constexpr conf::Time milter_connect_timeout{{.name = "milter_connect_timeout", .fallback = "30s", .min = 1}};
inline constexpr conf::Time milter_content_timeout{{.name = "milter_content_timeout", .fallback = "300s", .min = 1}};
inline constexpr conf::Text milter_data_macros{{.name = "milter_data_macros", .fallback = "i"}};
inline constexpr conf::Text milter_default_action{{.name = "milter_default_action", .fallback = "shutdown"}};
inline constexpr conf::Text milter_end_of_data_macros{{.name = "milter_end_of_data_macros", .fallback = "i"}};
inline constexpr conf::Text milter_end_of_header_macros{{.name = "milter_end_of_header_macros", .fallback = "i"}};
inline constexpr conf::Text milter_header_checks{{.name = "milter_header_checks", .fallback = ""}};
inline constexpr conf::Text milter_helo_macros{{.name = "milter_helo_macros", .fallback = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}"}};
inline constexpr conf::Text milter_macro_daemon_name{{.name = "milter_macro_daemon_name", .fallback = "$myhostname", .min = 1}};
inline constexpr conf::Text milter_macro_defaults{{.name = "milter_macro_defaults", .fallback = ""}};
inline constexpr conf::Text milter_macro_v{{.name = "milter_macro_v", .fallback = "$mail_name $mail_version", .min = 1}};
inline constexpr conf::Text milter_mail_macros{{.name = "milter_mail_macros", .fallback = "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}"}};
inline constexpr conf::Text milter_protocol{{.name = "milter_protocol", .fallback = "6", .min = 1}};
inline constexpr conf::Text milter_rcpt_macros{{.name = "milter_rcpt_macros", .fallback = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}"}};
inline constexpr conf::Text milter_unknown_command_macros{{.name = "milter_unknown_command_macros", .fallback = ""}};
}
