// Parameters of the area local: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text alias_maps{{.name = "alias_maps", .fallback = "$default_database_type:/etc/aliases"}};
inline constexpr conf::Text allow_mail_to_commands{{.name = "allow_mail_to_commands", .fallback = "alias, forward"}};
inline constexpr conf::Text allow_mail_to_files{{.name = "allow_mail_to_files", .fallback = "alias, forward"}};
inline constexpr conf::Bool biff{{.name = "biff", .fallback = "yes"}};
inline constexpr conf::Text command_execution_directory{{.name = "command_execution_directory", .fallback = "", .raw = true}};
inline constexpr conf::Text command_expansion_filter{{.name = "command_expansion_filter", .fallback = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", .min = 1}};
inline constexpr conf::Time command_time_limit{{.name = "command_time_limit", .fallback = "1000s", .min = 1}};
inline constexpr conf::Text default_privs{{.name = "default_privs", .fallback = "nobody", .min = 1}};
inline constexpr conf::Text execution_directory_expansion_filter{{.name = "execution_directory_expansion_filter", .fallback = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", .min = 1}};
inline constexpr conf::Bool expand_owner_alias{{.name = "expand_owner_alias", .fallback = "no"}};
inline constexpr conf::Text export_environment{{.name = "export_environment", .fallback = "TZ MAIL_CONFIG LANG", .implemented = true}};
inline constexpr conf::Text fallback_transport{{.name = "fallback_transport", .fallback = ""}};
inline constexpr conf::Text fallback_transport_maps{{.name = "fallback_transport_maps", .fallback = ""}};
inline constexpr conf::Text forward_expansion_filter{{.name = "forward_expansion_filter", .fallback = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", .min = 1}};
inline constexpr conf::Text forward_path{{.name = "forward_path", .fallback = "$home/.forward${recipient_delimiter}${extension}, $home/.forward", .raw = true}};
inline constexpr conf::Bool frozen_delivered_to{{.name = "frozen_delivered_to", .fallback = "yes"}};
inline constexpr conf::Text home_mailbox{{.name = "home_mailbox", .fallback = ""}};
inline constexpr conf::Text local_command_shell{{.name = "local_command_shell", .fallback = ""}};
inline constexpr conf::Text local_delivery_status_filter{{.name = "local_delivery_status_filter", .fallback = "$default_delivery_status_filter"}};
inline constexpr conf::Text luser_relay{{.name = "luser_relay", .fallback = "", .raw = true}};
inline constexpr conf::Text mail_spool_directory{{.name = "mail_spool_directory", .fallback = "/var/mail"}};
inline constexpr conf::Text mailbox_command{{.name = "mailbox_command", .fallback = "", .raw = true}};
inline constexpr conf::Text mailbox_command_maps{{.name = "mailbox_command_maps", .fallback = ""}};
inline constexpr conf::Int mailbox_size_limit{{.name = "mailbox_size_limit", .fallback = "51200000", .min = 0}};
inline constexpr conf::Text mailbox_transport{{.name = "mailbox_transport", .fallback = ""}};
inline constexpr conf::Text mailbox_transport_maps{{.name = "mailbox_transport_maps", .fallback = ""}};
inline constexpr conf::Bool owner_request_special{{.name = "owner_request_special", .fallback = "yes", .implemented = true}};
inline constexpr conf::Text pipe_delivery_status_filter{{.name = "pipe_delivery_status_filter", .fallback = "$default_delivery_status_filter"}};
inline constexpr conf::Text prepend_delivered_header{{.name = "prepend_delivered_header", .fallback = "command, file, forward"}};
inline constexpr conf::Bool require_home_directory{{.name = "require_home_directory", .fallback = "no"}};
inline constexpr conf::Bool reset_owner_alias{{.name = "reset_owner_alias", .fallback = "no"}};
inline constexpr conf::Bool strict_mailbox_ownership{{.name = "strict_mailbox_ownership", .fallback = "yes"}};
inline constexpr conf::Bool sun_mailtool_compatibility{{.name = "sun_mailtool_compatibility", .fallback = "no"}};
inline constexpr conf::Time transport_time_limit{{.name = "transport_time_limit", .fallback = "$command_time_limit"}};
}
