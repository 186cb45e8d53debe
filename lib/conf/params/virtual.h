// Parameters of the area virtual: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text virtual_delivery_status_filter{{.name = "virtual_delivery_status_filter", .fallback = "$default_delivery_status_filter"}};
inline constexpr conf::Text virtual_gid_maps{{.name = "virtual_gid_maps", .fallback = ""}};
inline constexpr conf::Text virtual_mailbox_base{{.name = "virtual_mailbox_base", .fallback = ""}};
inline constexpr conf::Text virtual_mailbox_domains{{.name = "virtual_mailbox_domains", .fallback = "$virtual_mailbox_maps", .implemented = true}};
inline constexpr conf::Int virtual_mailbox_limit{{.name = "virtual_mailbox_limit", .fallback = "51200000", .min = 0}};
inline constexpr conf::Text virtual_mailbox_lock{{.name = "virtual_mailbox_lock", .fallback = "fcntl, dotlock", .min = 1}};
inline constexpr conf::Text virtual_mailbox_maps{{.name = "virtual_mailbox_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Int virtual_minimum_uid{{.name = "virtual_minimum_uid", .fallback = "100", .min = 1}};
inline constexpr conf::Text virtual_uid_maps{{.name = "virtual_uid_maps", .fallback = ""}};
}
