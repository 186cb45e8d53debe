// Parameters of the area global: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Time application_event_drain_time{{.name = "application_event_drain_time", .fallback = "100s", .min = 1, .doc = "How long a command waits for the daemons it has woken."}};
inline constexpr conf::Text connection_cache_service_name{{.name = "connection_cache_service_name", .fallback = "scache", .doc = "The service that keeps open connections for later deliveries."}};
inline constexpr conf::Bool daemon_table_open_error_is_fatal{{.name = "daemon_table_open_error_is_fatal", .fallback = "no", .implemented = true, .doc = "Whether a table that cannot be opened ends the daemon; otherwise only what needs the table fails."}};
inline constexpr conf::Time daemon_timeout{{.name = "daemon_timeout", .fallback = "18000s", .min = 1, .implemented = true, .doc = "How long a daemon may take over one request before it is taken for stuck and ended."}};
inline constexpr conf::Text default_cache_db_type{{.name = "default_cache_db_type", .fallback = "btree", .min = 1, .doc = "The database type of caches whose parameter names none."}};
inline constexpr conf::Text default_delivery_status_filter{{.name = "default_delivery_status_filter", .fallback = "", .implemented = true, .doc = "Tables that replace a delivery's status code and text, for every delivery agent without its own."}};
inline constexpr conf::Int default_process_limit{{.name = "default_process_limit", .fallback = "100", .min = 1, .implemented = true, .doc = "Most processes of a service, or sessions where one process serves one client, when master.cf gives no number."}};
inline constexpr conf::Text defer_service_name{{.name = "defer_service_name", .fallback = "defer", .implemented = true, .doc = "The service that records why mail is deferred."}};
inline constexpr conf::Int default_session_limit{{.name = "default_session_limit", .fallback = "10000", .min = 0, .implemented = true, .doc = "How many sessions an smtpd service may have that has \"-\" as maxproc in master.cf, while default_process_limit is not set; 0: as many as descriptors and memory carry."}};
inline constexpr conf::Bool disable_verp_bounces{{.name = "disable_verp_bounces", .fallback = "no", .implemented = true, .doc = "Whether bounces are sent to the plain sender even if the mail was sent with VERP."}};
inline constexpr conf::Bool dns_ncache_ttl_fix_enable{{.name = "dns_ncache_ttl_fix_enable", .fallback = "no", .doc = "Whether negative DNS answers are believed for the time their SOA record allows."}};
inline constexpr conf::Int dont_remove{{.name = "dont_remove", .fallback = "0", .min = 0, .implemented = true, .doc = "Whether finished queue files go to the saved queue instead of being removed: for looking into trouble."}};
inline constexpr conf::Text double_bounce_sender{{.name = "double_bounce_sender", .fallback = "double-bounce", .min = 1, .implemented = true, .doc = "The sender of mail about failed mail; a failure of that is not reported again."}};
inline constexpr conf::Text error_service_name{{.name = "error_service_name", .fallback = "error", .implemented = true, .doc = "The service that returns or defers mail for recipients known to be undeliverable."}};
inline constexpr conf::Int extract_recipient_limit{{.name = "extract_recipient_limit", .fallback = "10240", .doc = "Once limited the recipients taken from a header.", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Int fault_injection_code{{.name = "fault_injection_code", .fallback = "0", .min = 0, .doc = "Which fault is provoked, for tests of the mail system."}};
inline constexpr conf::Time file_watch_interval{{.name = "file_watch_interval", .fallback = "30s", .min = 1, .implemented = true, .doc = "How often master looks whether files that daemons have read (tables, certificates, resolv.conf) have changed; a changed one that rests for another interval is taken up."}};
inline constexpr conf::Text flush_service_name{{.name = "flush_service_name", .fallback = "flush", .implemented = true, .doc = "The service that keeps records for fast_flush_domains."}};
inline constexpr conf::Text inet_interfaces{{.name = "inet_interfaces", .fallback = "all", .implemented = true, .doc = "The addresses that mail is received on: all, loopback-only, or names and addresses of this host."}};
inline constexpr conf::Text inet_protocols{{.name = "inet_protocols", .fallback = "all", .implemented = true, .doc = "Which protocols are used: all, ipv4, ipv6 or both."}};
inline constexpr conf::Time ipc_idle{{.name = "ipc_idle", .fallback = "5s", .min = 1, .implemented = true, .doc = "After how long without use a client closes its connection to another daemon."}};
inline constexpr conf::Time ipc_timeout{{.name = "ipc_timeout", .fallback = "3600s", .min = 1, .implemented = true, .doc = "How long one exchange between daemons may take."}};
inline constexpr conf::Time ipc_ttl{{.name = "ipc_ttl", .fallback = "1000s", .min = 1, .implemented = true, .doc = "How long a connection between daemons is used before it is made anew."}};
inline constexpr conf::Text known_tcp_ports{{.name = "known_tcp_ports", .fallback = "lmtp=24, smtp=25, smtps=submissions=465, submission=587", .implemented = true, .doc = "Port numbers of service names that are known without asking the system."}};
inline constexpr conf::Text mail_release_date{{.name = "mail_release_date", .fallback = "20260821", .min = 1, .implemented = true, .doc = "The release date of the level that mail_version names."}};
inline constexpr conf::Text mail_version{{.name = "mail_version", .fallback = "3.12.0", .min = 1, .implemented = true, .doc = "The Postfix release whose behaviour this is, which tools read."}};
inline constexpr conf::Text maillog_file_permissions{{.name = "maillog_file_permissions", .fallback = "0600", .min = 1, .implemented = true, .doc = "The mode that maillog_file is made with, in octal."}};
inline constexpr conf::Text maps_rbl_domains{{.name = "maps_rbl_domains", .fallback = "", .doc = "The lists that reject_maps_rbl asks."}};
inline constexpr conf::Text master_service_disable{{.name = "master_service_disable", .fallback = "", .implemented = true, .doc = "Services, as name/type or type alone, that are not listened on."}};
inline constexpr conf::Time max_idle{{.name = "max_idle", .fallback = "100s", .min = 1, .implemented = true, .doc = "After how long without work a daemon process ends."}};
inline constexpr conf::Int max_use{{.name = "max_use", .fallback = "100", .min = 1, .implemented = true, .doc = "How many sessions a daemon process serves before it ends."}};
inline constexpr conf::Text mydomain{{.name = "mydomain", .fallback = "(computed)", .implemented = true, .doc = "This host's domain; the default is myhostname without its first label."}};
inline constexpr conf::Text mynetworks_style{{.name = "mynetworks_style", .fallback = "${{$compatibility_level} <level {2} ? {subnet} : {host}}", .min = 1, .implemented = true, .doc = "How mynetworks are found when they are not set: the host alone, its subnets, or its class A, B or C networks."}};
inline constexpr conf::Text non_bdb_custom_mapping{{.name = "non_bdb_custom_mapping", .fallback = "", .doc = "Other types that take the place of hash and btree, as type=type pairs."}};
inline constexpr conf::Text non_bdb_migration_allow_root_prefixes{{.name = "non_bdb_migration_allow_root_prefixes", .fallback = "/etc /usr/local/etc", .doc = "Directories whose tables may be converted from Berkeley DB with root's rights."}};
inline constexpr conf::Text non_bdb_migration_allow_user_prefixes{{.name = "non_bdb_migration_allow_user_prefixes", .fallback = "$data_directory /var/lib/mailman /var/lib/mailman3", .doc = "Directories whose tables may be converted from Berkeley DB with their owner's rights."}};
inline constexpr conf::Text non_bdb_migration_level{{.name = "non_bdb_migration_level", .fallback = "disable", .min = 1, .doc = "What happens to hash and btree tables on a system without Berkeley DB: disable, enable-redirect, enable-reindex."}};
inline constexpr conf::Bool non_bdb_migration_log_redirect{{.name = "non_bdb_migration_log_redirect", .fallback = "yes", .doc = "Whether each use of another type in place of hash or btree is logged."}};
inline constexpr conf::Text non_bdb_migration_service_name{{.name = "non_bdb_migration_service_name", .fallback = "nbdb_reindex", .doc = "The service that converts Berkeley DB tables."}};
inline constexpr conf::Text pickup_service_name{{.name = "pickup_service_name", .fallback = "pickup", .implemented = true, .doc = "The service that takes mail from the maildrop queue."}};
inline constexpr conf::Text posthorn_version{{.name = "posthorn_version", .fallback = "0.1.0", .min = 1, .implemented = true, .doc = "The release of Posthorn itself."}};
inline constexpr conf::Time postlogd_watchdog_timeout{{.name = "postlogd_watchdog_timeout", .fallback = "10s", .min = 10, .implemented = true, .doc = "How long postlogd may take over one request before it is taken for stuck."}};
inline constexpr conf::Text process_id{{.name = "process_id", .fallback = "(computed)", .implemented = true, .doc = "The number of the process that reads this value."}};
inline constexpr conf::Text process_id_directory{{.name = "process_id_directory", .fallback = "pid", .implemented = true, .doc = "Where lock and pid files of daemons are, below queue_directory."}};
inline constexpr conf::Text process_name{{.name = "process_name", .fallback = "(computed)", .implemented = true, .doc = "The program name of the process that reads this value."}};
inline constexpr conf::Int process_session_limit{{.name = "process_session_limit", .fallback = "0", .min = 0, .implemented = true, .doc = "How many sessions one process may have; 0: as many as its descriptors carry. 1 gives each session a process of its own."}};
inline constexpr conf::Text proxymap_service_name{{.name = "proxymap_service_name", .fallback = "proxymap", .doc = "The service that looks up tables for others."}};
inline constexpr conf::Text proxywrite_service_name{{.name = "proxywrite_service_name", .fallback = "proxywrite", .doc = "The service that looks up and changes tables for others."}};
inline constexpr conf::Text queue_directory{{.name = "queue_directory", .fallback = "/var/spool/postfix", .implemented = true, .doc = "Where the queue is; daemons run in it, and those in a jail see nothing else."}};
inline constexpr conf::Text queue_service_name{{.name = "queue_service_name", .fallback = "qmgr", .implemented = true, .doc = "The service that schedules deliveries."}};
inline constexpr conf::Text relay_clientcerts{{.name = "relay_clientcerts", .fallback = "", .implemented = true, .doc = "Tables of fingerprints of client certificates and keys, for permit_tls_clientcerts."}};
inline constexpr conf::Bool relocated_prefix_enable{{.name = "relocated_prefix_enable", .fallback = "yes", .implemented = true, .doc = "Whether the text of relocated_maps gets \"5.1.6 User has moved to\" put before it."}};
inline constexpr conf::Bool respectful_logging{{.name = "respectful_logging", .fallback = "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", .doc = "Whether log lines say allowlist and denylist."}};
inline constexpr conf::Text rewrite_service_name{{.name = "rewrite_service_name", .fallback = "rewrite", .implemented = true, .doc = "The service that rewrites addresses and finds where their mail goes."}};
inline constexpr conf::Text sample_directory{{.name = "sample_directory", .fallback = "/etc/postfix", .doc = "Where sample configuration files are."}};
inline constexpr conf::Text sender_based_routing{{.name = "sender_based_routing", .fallback = "no", .implemented = true, .doc = "Once chose the next hop by sender.", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Text service_name{{.name = "service_name", .fallback = "", .implemented = true, .doc = "The name in master.cf of the service that reads this value."}};
inline constexpr conf::Time service_throttle_time{{.name = "service_throttle_time", .fallback = "60s", .min = 1, .implemented = true, .doc = "How long master waits before it starts a service again that failed at start."}};
inline constexpr conf::Text showq_service_name{{.name = "showq_service_name", .fallback = "showq", .implemented = true, .doc = "The service that lists the queue."}};
inline constexpr conf::Int socketmap_max_query_size{{.name = "socketmap_max_query_size", .fallback = "10000", .min = 1, .implemented = true, .doc = "Longest query to a socketmap server."}};
inline constexpr conf::Int socketmap_max_reply_size{{.name = "socketmap_max_reply_size", .fallback = "100000", .min = 1, .implemented = true, .doc = "Longest answer from a socketmap server."}};
inline constexpr conf::Text stress{{.name = "stress", .fallback = "", .implemented = true, .doc = "yes in a server that is near its session limit, else empty; defaults refer to it."}};
inline constexpr conf::Text trace_service_name{{.name = "trace_service_name", .fallback = "trace", .implemented = true, .doc = "The service that records delivery reports for those who asked for them."}};
}
