// Parameters of the area global: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Time application_event_drain_time{{.name = "application_event_drain_time", .fallback = "100s", .min = 1}};
inline constexpr conf::Text connection_cache_service_name{{.name = "connection_cache_service_name", .fallback = "scache"}};
inline constexpr conf::Bool daemon_table_open_error_is_fatal{{.name = "daemon_table_open_error_is_fatal", .fallback = "no"}};
inline constexpr conf::Time daemon_timeout{{.name = "daemon_timeout", .fallback = "18000s", .min = 1, .implemented = true}};
inline constexpr conf::Text default_cache_db_type{{.name = "default_cache_db_type", .fallback = "btree", .min = 1}};
inline constexpr conf::Text default_delivery_status_filter{{.name = "default_delivery_status_filter", .fallback = "", .implemented = true}};
inline constexpr conf::Int default_process_limit{{.name = "default_process_limit", .fallback = "100", .min = 1, .implemented = true}};
inline constexpr conf::Text defer_service_name{{.name = "defer_service_name", .fallback = "defer", .implemented = true}};
inline constexpr conf::Int default_session_limit{{.name = "default_session_limit", .fallback = "10000", .min = 0, .implemented = true, .doc = "How many sessions an smtpd service may have that has \"-\" as maxproc in master.cf, while default_process_limit is not set; 0: as many as descriptors and memory carry."}};
inline constexpr conf::Bool disable_verp_bounces{{.name = "disable_verp_bounces", .fallback = "no"}};
inline constexpr conf::Bool dns_ncache_ttl_fix_enable{{.name = "dns_ncache_ttl_fix_enable", .fallback = "no"}};
inline constexpr conf::Int dont_remove{{.name = "dont_remove", .fallback = "0", .min = 0, .implemented = true}};
inline constexpr conf::Text double_bounce_sender{{.name = "double_bounce_sender", .fallback = "double-bounce", .min = 1, .implemented = true}};
inline constexpr conf::Text error_service_name{{.name = "error_service_name", .fallback = "error", .implemented = true}};
inline constexpr conf::Int extract_recipient_limit{{.name = "extract_recipient_limit", .fallback = "10240", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Int fault_injection_code{{.name = "fault_injection_code", .fallback = "0", .min = 0}};
inline constexpr conf::Text flush_service_name{{.name = "flush_service_name", .fallback = "flush"}};
inline constexpr conf::Text inet_interfaces{{.name = "inet_interfaces", .fallback = "all", .implemented = true}};
inline constexpr conf::Text inet_protocols{{.name = "inet_protocols", .fallback = "all", .implemented = true}};
inline constexpr conf::Time ipc_idle{{.name = "ipc_idle", .fallback = "5s", .min = 1, .implemented = true}};
inline constexpr conf::Time ipc_timeout{{.name = "ipc_timeout", .fallback = "3600s", .min = 1, .implemented = true}};
inline constexpr conf::Time ipc_ttl{{.name = "ipc_ttl", .fallback = "1000s", .min = 1, .implemented = true}};
inline constexpr conf::Text known_tcp_ports{{.name = "known_tcp_ports", .fallback = "lmtp=24, smtp=25, smtps=submissions=465, submission=587", .implemented = true}};
inline constexpr conf::Text mail_release_date{{.name = "mail_release_date", .fallback = "20260821", .min = 1, .implemented = true}};
inline constexpr conf::Text mail_version{{.name = "mail_version", .fallback = "3.12.0", .min = 1, .implemented = true}};
inline constexpr conf::Text maillog_file_permissions{{.name = "maillog_file_permissions", .fallback = "0600", .min = 1, .implemented = true}};
inline constexpr conf::Text maps_rbl_domains{{.name = "maps_rbl_domains", .fallback = ""}};
inline constexpr conf::Text master_service_disable{{.name = "master_service_disable", .fallback = "", .implemented = true}};
inline constexpr conf::Time max_idle{{.name = "max_idle", .fallback = "100s", .min = 1, .implemented = true}};
inline constexpr conf::Int max_use{{.name = "max_use", .fallback = "100", .min = 1, .implemented = true}};
inline constexpr conf::Text mydomain{{.name = "mydomain", .fallback = "(computed)", .implemented = true}};
inline constexpr conf::Text mynetworks_style{{.name = "mynetworks_style", .fallback = "${{$compatibility_level} <level {2} ? {subnet} : {host}}", .min = 1, .implemented = true}};
inline constexpr conf::Text non_bdb_custom_mapping{{.name = "non_bdb_custom_mapping", .fallback = ""}};
inline constexpr conf::Text non_bdb_migration_allow_root_prefixes{{.name = "non_bdb_migration_allow_root_prefixes", .fallback = "/etc /usr/local/etc"}};
inline constexpr conf::Text non_bdb_migration_allow_user_prefixes{{.name = "non_bdb_migration_allow_user_prefixes", .fallback = "$data_directory /var/lib/mailman /var/lib/mailman3"}};
inline constexpr conf::Text non_bdb_migration_level{{.name = "non_bdb_migration_level", .fallback = "disable", .min = 1}};
inline constexpr conf::Bool non_bdb_migration_log_redirect{{.name = "non_bdb_migration_log_redirect", .fallback = "yes"}};
inline constexpr conf::Text non_bdb_migration_service_name{{.name = "non_bdb_migration_service_name", .fallback = "nbdb_reindex"}};
inline constexpr conf::Text pickup_service_name{{.name = "pickup_service_name", .fallback = "pickup"}};
inline constexpr conf::Time postlogd_watchdog_timeout{{.name = "postlogd_watchdog_timeout", .fallback = "10s", .min = 10}};
inline constexpr conf::Text process_id{{.name = "process_id", .fallback = "(computed)", .implemented = true}};
inline constexpr conf::Text process_id_directory{{.name = "process_id_directory", .fallback = "pid", .implemented = true}};
inline constexpr conf::Text process_name{{.name = "process_name", .fallback = "(computed)", .implemented = true}};
inline constexpr conf::Int process_session_limit{{.name = "process_session_limit", .fallback = "0", .min = 0, .implemented = true, .doc = "How many sessions one process may have; 0: as many as its descriptors carry. 1 gives each session a process of its own."}};
inline constexpr conf::Text proxymap_service_name{{.name = "proxymap_service_name", .fallback = "proxymap"}};
inline constexpr conf::Text proxywrite_service_name{{.name = "proxywrite_service_name", .fallback = "proxywrite"}};
inline constexpr conf::Text queue_directory{{.name = "queue_directory", .fallback = "/var/spool/postfix", .implemented = true}};
inline constexpr conf::Text queue_service_name{{.name = "queue_service_name", .fallback = "qmgr", .implemented = true}};
inline constexpr conf::Text relay_clientcerts{{.name = "relay_clientcerts", .fallback = ""}};
inline constexpr conf::Bool relocated_prefix_enable{{.name = "relocated_prefix_enable", .fallback = "yes", .implemented = true}};
inline constexpr conf::Bool respectful_logging{{.name = "respectful_logging", .fallback = "${{$compatibility_level} <level {3.6} ? {no} : {yes}}"}};
inline constexpr conf::Text rewrite_service_name{{.name = "rewrite_service_name", .fallback = "rewrite", .implemented = true}};
inline constexpr conf::Text sample_directory{{.name = "sample_directory", .fallback = "/etc/postfix"}};
inline constexpr conf::Text sender_based_routing{{.name = "sender_based_routing", .fallback = "no", .implemented = true, .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Text service_name{{.name = "service_name", .fallback = "", .implemented = true}};
inline constexpr conf::Time service_throttle_time{{.name = "service_throttle_time", .fallback = "60s", .min = 1, .implemented = true}};
inline constexpr conf::Text showq_service_name{{.name = "showq_service_name", .fallback = "showq"}};
inline constexpr conf::Int socketmap_max_query_size{{.name = "socketmap_max_query_size", .fallback = "10000", .min = 1}};
inline constexpr conf::Int socketmap_max_reply_size{{.name = "socketmap_max_reply_size", .fallback = "100000", .min = 1}};
inline constexpr conf::Text stress{{.name = "stress", .fallback = "", .implemented = true}};
inline constexpr conf::Text trace_service_name{{.name = "trace_service_name", .fallback = "trace", .implemented = true}};
}
