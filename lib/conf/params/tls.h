// Parameters of the area tls: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text mta_sts_CAfile{{.name = "mta_sts_CAfile", .fallback = "/etc/ssl/certs/ca-certificates.crt", .implemented = true, .doc = "CA certificates (PEM) that policy hosts of MTA-STS, and the mail servers that their policies name, are verified with. Ours."}};
inline constexpr conf::Text mta_sts_cache_database{{.name = "mta_sts_cache_database", .fallback = "btree:${data_directory}/mta_sts_cache", .implemented = true, .doc = "Where MTA-STS policies are kept between runs; empty: in memory alone. Ours."}};
inline constexpr conf::Time mta_sts_fetch_timeout{{.name = "mta_sts_fetch_timeout", .fallback = "60s", .min = 1, .implemented = true, .doc = "How long the fetch of one MTA-STS policy may take. Ours."}};
inline constexpr conf::Text mta_sts_permitted_networks{{.name = "mta_sts_permitted_networks", .fallback = "", .implemented = true, .doc = "Networks on loopback, private and link-local addresses that MTA-STS policies may be fetched from nevertheless. Ours."}};
inline constexpr conf::Text mta_sts_service_name{{.name = "mta_sts_service_name", .fallback = "mta-sts", .min = 1, .implemented = true, .doc = "The service in master.cf that knows MTA-STS policies. Ours."}};
inline constexpr conf::Bool tls_append_default_CA{{.name = "tls_append_default_CA", .fallback = "no", .implemented = true, .doc = "Whether the system's CA certificates are trusted besides those that are named."}};
inline constexpr conf::Text tls_config_file{{.name = "tls_config_file", .fallback = "default", .implemented = true, .doc = "The OpenSSL configuration file: default, none or a path."}};
inline constexpr conf::Text tls_config_name{{.name = "tls_config_name", .fallback = "", .implemented = true, .doc = "The section of the OpenSSL configuration that is used."}};
inline constexpr conf::Int tls_daemon_random_bytes{{.name = "tls_daemon_random_bytes", .fallback = "32", .min = 1, .implemented = true, .doc = "How many random bytes a process gets from tlsmgr."}};
inline constexpr conf::Text tls_dane_digest_agility{{.name = "tls_dane_digest_agility", .fallback = "on", .doc = "Once chose how DANE digests are selected.", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Text tls_dane_digests{{.name = "tls_dane_digests", .fallback = "sha512 sha256", .min = 1, .implemented = true, .doc = "The digests of DANE records that are used, best first."}};
inline constexpr conf::Text tls_dane_trust_anchor_digest_enable{{.name = "tls_dane_trust_anchor_digest_enable", .fallback = "yes", .doc = "Once allowed DANE trust anchors by digest.", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Text tls_disable_workarounds{{.name = "tls_disable_workarounds", .fallback = "", .implemented = true, .doc = "OpenSSL's workarounds for faulty peers that are turned off."}};
inline constexpr conf::Text tls_eecdh_auto_curves{{.name = "tls_eecdh_auto_curves", .fallback = "X25519 X448 prime256v1 secp384r1 secp521r1", .implemented = true, .doc = "Groups for key exchange by elliptic curves, best first."}};
inline constexpr conf::Text tls_eecdh_strong_curve{{.name = "tls_eecdh_strong_curve", .fallback = "prime256v1", .implemented = true, .doc = "The curve of smtpd_tls_eecdh_grade = strong."}};
inline constexpr conf::Text tls_eecdh_ultra_curve{{.name = "tls_eecdh_ultra_curve", .fallback = "secp384r1", .implemented = true, .doc = "The curve of smtpd_tls_eecdh_grade = ultra."}};
inline constexpr conf::Text tls_export_cipherlist{{.name = "tls_export_cipherlist", .fallback = "", .implemented = true, .doc = "The ciphers of the grade export, which nothing should use."}};
inline constexpr conf::Bool tls_fast_shutdown_enable{{.name = "tls_fast_shutdown_enable", .fallback = "yes", .implemented = true, .doc = "Whether a TLS session ends without waiting for the peer's farewell."}};
inline constexpr conf::Text tls_ffdhe_auto_groups{{.name = "tls_ffdhe_auto_groups", .fallback = "ffdhe2048 ffdhe3072", .implemented = true, .doc = "Groups for key exchange by finite fields, best first."}};
inline constexpr conf::Text tls_high_cipherlist{{.name = "tls_high_cipherlist", .fallback = "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH", .min = 1, .implemented = true, .doc = "The ciphers of the grade high."}};
inline constexpr conf::Text tls_legacy_public_key_fingerprints{{.name = "tls_legacy_public_key_fingerprints", .fallback = "no", .doc = "Once made public key fingerprints the old way.", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Text tls_low_cipherlist{{.name = "tls_low_cipherlist", .fallback = "", .implemented = true, .doc = "The ciphers of the grade low and better."}};
inline constexpr conf::Text tls_medium_cipherlist{{.name = "tls_medium_cipherlist", .fallback = "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH", .min = 1, .implemented = true, .doc = "The ciphers of the grade medium and better."}};
inline constexpr conf::Text tls_null_cipherlist{{.name = "tls_null_cipherlist", .fallback = "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL", .min = 1, .implemented = true, .doc = "The ciphers of the grade null, which do not encrypt."}};
inline constexpr conf::Bool tls_preempt_cipherlist{{.name = "tls_preempt_cipherlist", .fallback = "no", .implemented = true, .doc = "Whether the server's order of ciphers decides."}};
inline constexpr conf::Int tls_random_bytes{{.name = "tls_random_bytes", .fallback = "32", .min = 1, .implemented = true, .doc = "How many bytes tlsmgr reads from tls_random_source at a time."}};
inline constexpr conf::Text tls_random_exchange_name{{.name = "tls_random_exchange_name", .fallback = "${data_directory}/prng_exch", .implemented = true, .doc = "The file in which tlsmgr keeps randomness from one run to the next."}};
inline constexpr conf::Time tls_random_prng_update_period{{.name = "tls_random_prng_update_period", .fallback = "3600s", .min = 1, .implemented = true, .doc = "How often tls_random_exchange_name is written."}};
inline constexpr conf::Time tls_random_reseed_period{{.name = "tls_random_reseed_period", .fallback = "3600s", .min = 1, .implemented = true, .doc = "How long at most before tlsmgr reads more randomness."}};
inline constexpr conf::Text tls_random_source{{.name = "tls_random_source", .fallback = "dev:/dev/urandom", .implemented = true, .doc = "Where tlsmgr takes randomness from: dev:/path or egd:/path."}};
inline constexpr conf::Bool tls_required_enable{{.name = "tls_required_enable", .fallback = "yes", .implemented = true, .doc = "Whether a TLS-Required: no header lets mail go on where TLS demands fail."}};
inline constexpr conf::Text tls_server_sni_maps{{.name = "tls_server_sni_maps", .fallback = "", .implemented = true, .doc = "Tables that give, by the name a client asks for, key and certificate files."}};
inline constexpr conf::Text tls_session_ticket_cipher{{.name = "tls_session_ticket_cipher", .fallback = "aes-256-cbc", .implemented = true, .doc = "The cipher that session tickets are encrypted with."}};
inline constexpr conf::Text tls_ssl_options{{.name = "tls_ssl_options", .fallback = "", .implemented = true, .doc = "More OpenSSL options that are turned on, by name or number."}};
inline constexpr conf::Int tls_trace_rate_limit{{.name = "tls_trace_rate_limit", .fallback = "1", .min = 0, .implemented = true, .doc = "How many TLS traces a minute are logged."}};
inline constexpr conf::Bool tls_trust_server_ccerts{{.name = "tls_trust_server_ccerts", .fallback = "no", .implemented = true, .doc = "Whether certificates made for servers are accepted from clients."}};
inline constexpr conf::Bool tls_wildcard_matches_multiple_labels{{.name = "tls_wildcard_matches_multiple_labels", .fallback = "yes", .implemented = true, .doc = "Whether *.example.com also matches a.b.example.com."}};
}
