// Parameters of the area virtual: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text virtual_delivery_status_filter{{.name = "virtual_delivery_status_filter", .fallback = "$default_delivery_status_filter", .implemented = true, .doc = "Tables that replace status code and text of virtual's deliveries."}};
inline constexpr conf::Text virtual_gid_maps{{.name = "virtual_gid_maps", .fallback = "", .implemented = true, .doc = "Tables that give the group of each mailbox."}};
inline constexpr conf::Text virtual_mailbox_base{{.name = "virtual_mailbox_base", .fallback = "", .implemented = true, .doc = "The directory that all mailboxes of virtual are below."}};
inline constexpr conf::Text virtual_mailbox_domains{{.name = "virtual_mailbox_domains", .fallback = "$virtual_mailbox_maps", .implemented = true, .doc = "Domains whose users need no account on this machine."}};
inline constexpr conf::Int virtual_mailbox_limit{{.name = "virtual_mailbox_limit", .fallback = "51200000", .min = 0, .implemented = true, .doc = "Most bytes of a mailbox file of virtual; 0: no limit."}};
inline constexpr conf::Text virtual_mailbox_lock{{.name = "virtual_mailbox_lock", .fallback = "fcntl, dotlock", .min = 1, .implemented = true, .doc = "How mailbox files of virtual are locked."}};
inline constexpr conf::Text virtual_mailbox_maps{{.name = "virtual_mailbox_maps", .fallback = "", .implemented = true, .doc = "Tables that give each user's mailbox, or the list of all users."}};
inline constexpr conf::Int virtual_minimum_uid{{.name = "virtual_minimum_uid", .fallback = "100", .min = 1, .implemented = true, .doc = "The lowest user number that virtual delivers with."}};
inline constexpr conf::Text virtual_uid_maps{{.name = "virtual_uid_maps", .fallback = "", .implemented = true, .doc = "Tables that give the user number of each mailbox."}};
}
