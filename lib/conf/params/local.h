// Parameters of the area local: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text alias_maps{{.name = "alias_maps", .fallback = "$default_database_type:/etc/aliases", .implemented = true, .doc = "Tables of aliases for local delivery."}};
inline constexpr conf::Text allow_mail_to_commands{{.name = "allow_mail_to_commands", .fallback = "alias, forward", .implemented = true, .doc = "Where \"|command\" may be a destination: alias, forward, include."}};
inline constexpr conf::Text allow_mail_to_files{{.name = "allow_mail_to_files", .fallback = "alias, forward", .implemented = true, .doc = "Where /file/name may be a destination: alias, forward, include."}};
inline constexpr conf::Bool biff{{.name = "biff", .fallback = "yes", .implemented = true, .doc = "Whether users who asked for it are told of new mail over the biff service."}};
inline constexpr conf::Text command_execution_directory{{.name = "command_execution_directory", .fallback = "", .implemented = true, .raw = true, .doc = "The directory in which local runs a user's command; $name as in forward_path."}};
inline constexpr conf::Text command_expansion_filter{{.name = "command_expansion_filter", .fallback = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", .min = 1, .implemented = true, .doc = "The characters that stay in what $name stands for in mailbox_command; others become _."}};
inline constexpr conf::Time command_time_limit{{.name = "command_time_limit", .fallback = "1000s", .min = 1, .implemented = true, .doc = "How long a command that mail is delivered to may run."}};
inline constexpr conf::Text default_privs{{.name = "default_privs", .fallback = "nobody", .min = 1, .implemented = true, .doc = "The account that files and commands in aliases are delivered with when nobody in particular owns the alias."}};
inline constexpr conf::Text execution_directory_expansion_filter{{.name = "execution_directory_expansion_filter", .fallback = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", .min = 1, .implemented = true, .doc = "The characters that stay in what $name stands for in command_execution_directory."}};
inline constexpr conf::Bool expand_owner_alias{{.name = "expand_owner_alias", .fallback = "no", .implemented = true, .doc = "Whether an owner- alias is replaced by its members when it becomes the sender of mail to a list."}};
inline constexpr conf::Text export_environment{{.name = "export_environment", .fallback = "TZ MAIL_CONFIG LANG", .implemented = true, .doc = "The environment variables, or name=value settings, that commands outside the mail system receive."}};
inline constexpr conf::Text fallback_transport{{.name = "fallback_transport", .fallback = "", .implemented = true, .doc = "The transport for recipients who are neither alias nor user here."}};
inline constexpr conf::Text fallback_transport_maps{{.name = "fallback_transport_maps", .fallback = "", .implemented = true, .doc = "Tables that give such a transport for single recipients."}};
inline constexpr conf::Text forward_expansion_filter{{.name = "forward_expansion_filter", .fallback = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", .min = 1, .implemented = true, .doc = "The characters that stay in what $name stands for in forward_path."}};
inline constexpr conf::Text forward_path{{.name = "forward_path", .fallback = "$home/.forward${recipient_delimiter}${extension}, $home/.forward", .implemented = true, .raw = true, .doc = "Where a user's forward file may be; $user, $home, $shell, $recipient, $extension, $domain and $local stand for their values."}};
inline constexpr conf::Bool frozen_delivered_to{{.name = "frozen_delivered_to", .fallback = "yes", .implemented = true, .doc = "Whether the Delivered-To address stays that of the first recipient while aliases are expanded."}};
inline constexpr conf::Text home_mailbox{{.name = "home_mailbox", .fallback = "", .implemented = true, .doc = "The mailbox below a user's home; a / at the end makes it a maildir."}};
inline constexpr conf::Text local_command_shell{{.name = "local_command_shell", .fallback = "", .implemented = true, .doc = "The shell that runs commands of local delivery; empty: only where the command needs one."}};
inline constexpr conf::Text local_delivery_status_filter{{.name = "local_delivery_status_filter", .fallback = "$default_delivery_status_filter", .implemented = true, .doc = "Tables that replace status code and text of local's deliveries."}};
inline constexpr conf::Text luser_relay{{.name = "luser_relay", .fallback = "", .implemented = true, .raw = true, .doc = "Where mail for users that do not exist goes."}};
inline constexpr conf::Text mail_spool_directory{{.name = "mail_spool_directory", .fallback = "/var/mail", .implemented = true, .doc = "The directory of mailboxes by user name; a / at the end makes them maildirs."}};
inline constexpr conf::Text mailbox_command{{.name = "mailbox_command", .fallback = "", .implemented = true, .raw = true, .doc = "The command that delivers to a user's mailbox, run with the user's rights."}};
inline constexpr conf::Text mailbox_command_maps{{.name = "mailbox_command_maps", .fallback = "", .implemented = true, .doc = "Tables that give such a command for single users."}};
inline constexpr conf::Int mailbox_size_limit{{.name = "mailbox_size_limit", .fallback = "51200000", .min = 0, .implemented = true, .doc = "Most bytes of a mailbox file, and of any file a delivery writes; 0: no limit."}};
inline constexpr conf::Text mailbox_transport{{.name = "mailbox_transport", .fallback = "", .implemented = true, .doc = "The transport that delivers for all users of this machine, after aliases and forward files."}};
inline constexpr conf::Text mailbox_transport_maps{{.name = "mailbox_transport_maps", .fallback = "", .implemented = true, .doc = "Tables that give such a transport for single users."}};
inline constexpr conf::Bool owner_request_special{{.name = "owner_request_special", .fallback = "yes", .implemented = true, .doc = "Whether owner- and -request addresses are treated apart, so that they do not get their own owner and extension."}};
inline constexpr conf::Text pipe_delivery_status_filter{{.name = "pipe_delivery_status_filter", .fallback = "$default_delivery_status_filter", .implemented = true, .doc = "Tables that replace status code and text of pipe's deliveries."}};
inline constexpr conf::Text prepend_delivered_header{{.name = "prepend_delivered_header", .fallback = "command, file, forward", .implemented = true, .doc = "Where a Delivered-To header is put: command, file, forward."}};
inline constexpr conf::Bool require_home_directory{{.name = "require_home_directory", .fallback = "no", .implemented = true, .doc = "Whether mail waits while a user's home directory is missing."}};
inline constexpr conf::Bool reset_owner_alias{{.name = "reset_owner_alias", .fallback = "no", .implemented = true, .doc = "Whether mail to an alias without owner- alias gets back its own sender."}};
inline constexpr conf::Bool strict_mailbox_ownership{{.name = "strict_mailbox_ownership", .fallback = "yes", .implemented = true, .doc = "Whether a mailbox file must belong to its user."}};
inline constexpr conf::Bool sun_mailtool_compatibility{{.name = "sun_mailtool_compatibility", .fallback = "no", .implemented = true, .doc = "Once made locking agree with the mailtool program; use mailbox_delivery_lock."}};
inline constexpr conf::Time transport_time_limit{{.name = "transport_time_limit", .fallback = "$command_time_limit", .implemented = true, .doc = "How long the command of this service may run.", .programs = "pipe spawn"}};
}
