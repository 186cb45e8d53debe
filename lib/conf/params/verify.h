// Parameters of the area verify: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Time address_verify_cache_cleanup_interval{{.name = "address_verify_cache_cleanup_interval", .fallback = "12h", .min = 0, .doc = "How often old results are taken out of the verification cache."}};
inline constexpr conf::Text address_verify_default_transport{{.name = "address_verify_default_transport", .fallback = "$default_transport", .doc = "Replaces default_transport for probes."}};
inline constexpr conf::Text address_verify_local_transport{{.name = "address_verify_local_transport", .fallback = "$local_transport", .doc = "Replaces local_transport for probes."}};
inline constexpr conf::Text address_verify_map{{.name = "address_verify_map", .fallback = "$default_cache_db_type:$data_directory/verify_cache", .doc = "Where results of probes are kept."}};
inline constexpr conf::Bool address_verify_negative_cache{{.name = "address_verify_negative_cache", .fallback = "yes", .doc = "Whether results that say no are kept."}};
inline constexpr conf::Time address_verify_negative_expire_time{{.name = "address_verify_negative_expire_time", .fallback = "3d", .min = 1, .doc = "How long a result that says no is good."}};
inline constexpr conf::Time address_verify_negative_refresh_time{{.name = "address_verify_negative_refresh_time", .fallback = "3h", .min = 1, .doc = "After how long a result that says no is probed again."}};
inline constexpr conf::Int address_verify_pending_request_limit{{.name = "address_verify_pending_request_limit", .fallback = "5000", .min = 1, .doc = "Most probes in the queue; above it new ones wait."}};
inline constexpr conf::Int address_verify_poll_count{{.name = "address_verify_poll_count", .fallback = "${stress?{1}:{3}}", .min = 1, .doc = "How often smtpd asks for a result before it answers without one."}};
inline constexpr conf::Time address_verify_poll_delay{{.name = "address_verify_poll_delay", .fallback = "3s", .min = 1, .doc = "How long smtpd waits between two questions."}};
inline constexpr conf::Time address_verify_positive_expire_time{{.name = "address_verify_positive_expire_time", .fallback = "31d", .min = 1, .doc = "How long a result that says yes is good."}};
inline constexpr conf::Time address_verify_positive_refresh_time{{.name = "address_verify_positive_refresh_time", .fallback = "7d", .min = 1, .doc = "After how long a result that says yes is probed again."}};
inline constexpr conf::Text address_verify_relay_transport{{.name = "address_verify_relay_transport", .fallback = "$relay_transport", .doc = "Replaces relay_transport for probes."}};
inline constexpr conf::Text address_verify_relayhost{{.name = "address_verify_relayhost", .fallback = "$relayhost", .doc = "Replaces relayhost for probes."}};
inline constexpr conf::Text address_verify_sender{{.name = "address_verify_sender", .fallback = "$double_bounce_sender", .doc = "The sender of probes; empty: the null sender."}};
inline constexpr conf::Text address_verify_sender_dependent_default_transport_maps{{.name = "address_verify_sender_dependent_default_transport_maps", .fallback = "$sender_dependent_default_transport_maps", .doc = "Replaces sender_dependent_default_transport_maps for probes."}};
inline constexpr conf::Text address_verify_sender_dependent_relayhost_maps{{.name = "address_verify_sender_dependent_relayhost_maps", .fallback = "$sender_dependent_relayhost_maps", .doc = "Replaces sender_dependent_relayhost_maps for probes."}};
inline constexpr conf::Time address_verify_sender_ttl{{.name = "address_verify_sender_ttl", .fallback = "0s", .min = 0, .doc = "How often the probes' sender changes, against those who block it; 0: never."}};
inline constexpr conf::Text address_verify_service_name{{.name = "address_verify_service_name", .fallback = "verify", .doc = "The service that probes addresses and keeps the results."}};
inline constexpr conf::Text address_verify_transport_maps{{.name = "address_verify_transport_maps", .fallback = "$transport_maps", .doc = "Replaces transport_maps for probes."}};
inline constexpr conf::Text address_verify_virtual_transport{{.name = "address_verify_virtual_transport", .fallback = "$virtual_transport", .doc = "Replaces virtual_transport for probes."}};
}
