// Parameters of the area rewrite: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Bool allow_percent_hack{{.name = "allow_percent_hack", .fallback = "yes", .implemented = true, .doc = "Whether user%domain means user@domain."}};
inline constexpr conf::Bool append_at_myorigin{{.name = "append_at_myorigin", .fallback = "yes", .implemented = true, .doc = "Whether an address without domain gets @myorigin."}};
inline constexpr conf::Bool append_dot_mydomain{{.name = "append_dot_mydomain", .fallback = "${{$compatibility_level} <level {1} ? {yes} : {no}}", .implemented = true, .doc = "Whether a domain without dot gets .mydomain."}};
inline constexpr conf::Text default_transport{{.name = "default_transport", .fallback = "smtp", .implemented = true, .doc = "The transport for domains that are nothing special here."}};
inline constexpr conf::Text empty_address_default_transport_maps_lookup_key{{.name = "empty_address_default_transport_maps_lookup_key", .fallback = "<>", .implemented = true, .doc = "The key that sender_dependent_default_transport_maps see for the null sender."}};
inline constexpr conf::Text empty_address_relayhost_maps_lookup_key{{.name = "empty_address_relayhost_maps_lookup_key", .fallback = "<>", .min = 1, .implemented = true, .doc = "The key that sender_dependent_relayhost_maps see for the null sender."}};
inline constexpr conf::Text local_transport{{.name = "local_transport", .fallback = "local:$myhostname", .implemented = true, .doc = "The transport for mydestination and this host's own addresses."}};
inline constexpr conf::Text relay_transport{{.name = "relay_transport", .fallback = "relay", .implemented = true, .doc = "The transport for relay_domains."}};
inline constexpr conf::Text relayhost{{.name = "relayhost", .fallback = "", .implemented = true, .doc = "Where mail for other hosts is sent instead of to their mail exchangers: domain, [host], [host]:port; several are tried in turn."}};
inline constexpr conf::Text relocated_maps{{.name = "relocated_maps", .fallback = "", .implemented = true, .doc = "Tables of users who have moved; mail for them is refused with the new address."}};
inline constexpr conf::Bool resolve_dequoted_address{{.name = "resolve_dequoted_address", .fallback = "yes", .implemented = true, .doc = "Whether @, % and ! within quotes count when the destination is looked for."}};
inline constexpr conf::Bool resolve_null_domain{{.name = "resolve_null_domain", .fallback = "no", .implemented = true, .doc = "Whether user@ is taken for a local user instead of an error."}};
inline constexpr conf::Bool resolve_numeric_domain{{.name = "resolve_numeric_domain", .fallback = "no", .implemented = true, .doc = "Whether user@1.2.3.4 is taken for user@[1.2.3.4] instead of an error."}};
inline constexpr conf::Text sender_dependent_default_transport_maps{{.name = "sender_dependent_default_transport_maps", .fallback = "", .implemented = true, .doc = "Tables that replace default_transport by sender or sender's domain."}};
inline constexpr conf::Text sender_dependent_relayhost_maps{{.name = "sender_dependent_relayhost_maps", .fallback = "", .implemented = true, .doc = "Tables that replace relayhost by sender or sender's domain."}};
inline constexpr conf::Bool swap_bangpath{{.name = "swap_bangpath", .fallback = "yes", .implemented = true, .doc = "Whether site!user means user@site."}};
inline constexpr conf::Text transport_maps{{.name = "transport_maps", .fallback = "", .implemented = true, .doc = "Tables that give transport and next hop for recipients and domains."}};
inline constexpr conf::Text virtual_transport{{.name = "virtual_transport", .fallback = "virtual", .implemented = true, .doc = "The transport for virtual_mailbox_domains."}};
}
