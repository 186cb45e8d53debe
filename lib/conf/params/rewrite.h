// Parameters of the area rewrite: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Bool allow_percent_hack{{.name = "allow_percent_hack", .fallback = "yes", .implemented = true}};
inline constexpr conf::Bool append_at_myorigin{{.name = "append_at_myorigin", .fallback = "yes", .implemented = true}};
inline constexpr conf::Bool append_dot_mydomain{{.name = "append_dot_mydomain", .fallback = "${{$compatibility_level} <level {1} ? {yes} : {no}}", .implemented = true}};
inline constexpr conf::Text default_transport{{.name = "default_transport", .fallback = "smtp", .implemented = true}};
inline constexpr conf::Text empty_address_default_transport_maps_lookup_key{{.name = "empty_address_default_transport_maps_lookup_key", .fallback = "<>", .implemented = true}};
inline constexpr conf::Text empty_address_relayhost_maps_lookup_key{{.name = "empty_address_relayhost_maps_lookup_key", .fallback = "<>", .min = 1, .implemented = true}};
inline constexpr conf::Text local_transport{{.name = "local_transport", .fallback = "local:$myhostname", .implemented = true}};
inline constexpr conf::Text relay_transport{{.name = "relay_transport", .fallback = "relay", .implemented = true}};
inline constexpr conf::Text relayhost{{.name = "relayhost", .fallback = "", .implemented = true}};
inline constexpr conf::Text relocated_maps{{.name = "relocated_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Bool resolve_dequoted_address{{.name = "resolve_dequoted_address", .fallback = "yes", .implemented = true}};
inline constexpr conf::Bool resolve_null_domain{{.name = "resolve_null_domain", .fallback = "no", .implemented = true}};
inline constexpr conf::Bool resolve_numeric_domain{{.name = "resolve_numeric_domain", .fallback = "no", .implemented = true}};
inline constexpr conf::Text sender_dependent_default_transport_maps{{.name = "sender_dependent_default_transport_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Text sender_dependent_relayhost_maps{{.name = "sender_dependent_relayhost_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Bool swap_bangpath{{.name = "swap_bangpath", .fallback = "yes", .implemented = true}};
inline constexpr conf::Text transport_maps{{.name = "transport_maps", .fallback = "", .implemented = true}};
inline constexpr conf::Text virtual_transport{{.name = "virtual_transport", .fallback = "virtual", .implemented = true}};
}
