// Parameters of the area tlsproxy: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Text tlsproxy_client_CAfile{{.name = "tlsproxy_client_CAfile", .fallback = "$smtp_tls_CAfile"}};
inline constexpr conf::Text tlsproxy_client_CApath{{.name = "tlsproxy_client_CApath", .fallback = "$smtp_tls_CApath"}};
inline constexpr conf::Text tlsproxy_client_cert_file{{.name = "tlsproxy_client_cert_file", .fallback = "$smtp_tls_cert_file"}};
inline constexpr conf::Text tlsproxy_client_chain_files{{.name = "tlsproxy_client_chain_files", .fallback = "$smtp_tls_chain_files"}};
inline constexpr conf::Text tlsproxy_client_dcert_file{{.name = "tlsproxy_client_dcert_file", .fallback = "$smtp_tls_dcert_file"}};
inline constexpr conf::Text tlsproxy_client_dkey_file{{.name = "tlsproxy_client_dkey_file", .fallback = "$smtp_tls_dkey_file"}};
inline constexpr conf::Text tlsproxy_client_eccert_file{{.name = "tlsproxy_client_eccert_file", .fallback = "$smtp_tls_eccert_file"}};
inline constexpr conf::Text tlsproxy_client_eckey_file{{.name = "tlsproxy_client_eckey_file", .fallback = "$smtp_tls_eckey_file"}};
inline constexpr conf::Bool tlsproxy_client_enforce_tls{{.name = "tlsproxy_client_enforce_tls", .fallback = "$smtp_enforce_tls", .obsolete = "will be removed; instead, specify \"tlsproxy_client_security_level\""}};
inline constexpr conf::Text tlsproxy_client_fingerprint_digest{{.name = "tlsproxy_client_fingerprint_digest", .fallback = "$smtp_tls_fingerprint_digest", .min = 1}};
inline constexpr conf::Text tlsproxy_client_key_file{{.name = "tlsproxy_client_key_file", .fallback = "$smtp_tls_key_file"}};
inline constexpr conf::Text tlsproxy_client_level{{.name = "tlsproxy_client_level", .fallback = "$smtp_tls_security_level", .removed = true, .obsolete = "will be removed; instead, specify \"tlsproxy_client_security_level\""}};
inline constexpr conf::Text tlsproxy_client_loglevel{{.name = "tlsproxy_client_loglevel", .fallback = "$smtp_tls_loglevel"}};
inline constexpr conf::Text tlsproxy_client_loglevel_parameter{{.name = "tlsproxy_client_loglevel_parameter", .fallback = "smtp_tls_loglevel", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Text tlsproxy_client_per_site{{.name = "tlsproxy_client_per_site", .fallback = "$smtp_tls_per_site", .obsolete = "will be removed; instead, specify \"tlsproxy_client_policy_maps\""}};
inline constexpr conf::Text tlsproxy_client_policy{{.name = "tlsproxy_client_policy", .fallback = "$smtp_tls_policy_maps", .removed = true, .obsolete = "will be removed; instead, specify \"tlsproxy_client_policy_maps\""}};
inline constexpr conf::Text tlsproxy_client_policy_maps{{.name = "tlsproxy_client_policy_maps", .fallback = "${tlsproxy_client_policy?{$tlsproxy_client_policy}:{$smtp_tls_policy_maps}}"}};
inline constexpr conf::Int tlsproxy_client_scert_verifydepth{{.name = "tlsproxy_client_scert_verifydepth", .fallback = "$smtp_tls_scert_verifydepth", .min = 0}};
inline constexpr conf::Text tlsproxy_client_security_level{{.name = "tlsproxy_client_security_level", .fallback = "${tlsproxy_client_level?{$tlsproxy_client_level}:{$smtp_tls_security_level}}"}};
inline constexpr conf::Bool tlsproxy_client_use_tls{{.name = "tlsproxy_client_use_tls", .fallback = "$smtp_use_tls", .obsolete = "will be removed; instead, specify \"tlsproxy_client_security_level\""}};
inline constexpr conf::Bool tlsproxy_enforce_tls{{.name = "tlsproxy_enforce_tls", .fallback = "$smtpd_enforce_tls", .obsolete = "will be removed; instead, specify \"tlsproxy_tls_security_level\""}};
inline constexpr conf::Text tlsproxy_service_name{{.name = "tlsproxy_service_name", .fallback = "tlsproxy"}};
inline constexpr conf::Text tlsproxy_tls_CAfile{{.name = "tlsproxy_tls_CAfile", .fallback = "$smtpd_tls_CAfile"}};
inline constexpr conf::Text tlsproxy_tls_CApath{{.name = "tlsproxy_tls_CApath", .fallback = "$smtpd_tls_CApath"}};
inline constexpr conf::Bool tlsproxy_tls_always_issue_session_ids{{.name = "tlsproxy_tls_always_issue_session_ids", .fallback = "$smtpd_tls_always_issue_session_ids"}};
inline constexpr conf::Bool tlsproxy_tls_ask_ccert{{.name = "tlsproxy_tls_ask_ccert", .fallback = "$smtpd_tls_ask_ccert"}};
inline constexpr conf::Int tlsproxy_tls_ccert_verifydepth{{.name = "tlsproxy_tls_ccert_verifydepth", .fallback = "$smtpd_tls_ccert_verifydepth", .min = 0}};
inline constexpr conf::Text tlsproxy_tls_cert_file{{.name = "tlsproxy_tls_cert_file", .fallback = "$smtpd_tls_cert_file"}};
inline constexpr conf::Text tlsproxy_tls_chain_files{{.name = "tlsproxy_tls_chain_files", .fallback = "$smtpd_tls_chain_files"}};
inline constexpr conf::Text tlsproxy_tls_ciphers{{.name = "tlsproxy_tls_ciphers", .fallback = "$smtpd_tls_ciphers"}};
inline constexpr conf::Text tlsproxy_tls_dcert_file{{.name = "tlsproxy_tls_dcert_file", .fallback = "$smtpd_tls_dcert_file"}};
inline constexpr conf::Text tlsproxy_tls_dh1024_param_file{{.name = "tlsproxy_tls_dh1024_param_file", .fallback = "$smtpd_tls_dh1024_param_file", .obsolete = "will be removed; instead, do not specify (leave at default)"}};
inline constexpr conf::Text tlsproxy_tls_dh512_param_file{{.name = "tlsproxy_tls_dh512_param_file", .fallback = "$smtpd_tls_dh512_param_file"}};
inline constexpr conf::Text tlsproxy_tls_dkey_file{{.name = "tlsproxy_tls_dkey_file", .fallback = "$smtpd_tls_dkey_file"}};
inline constexpr conf::Text tlsproxy_tls_eccert_file{{.name = "tlsproxy_tls_eccert_file", .fallback = "$smtpd_tls_eccert_file"}};
inline constexpr conf::Text tlsproxy_tls_eckey_file{{.name = "tlsproxy_tls_eckey_file", .fallback = "$smtpd_tls_eckey_file"}};
inline constexpr conf::Text tlsproxy_tls_eecdh_grade{{.name = "tlsproxy_tls_eecdh_grade", .fallback = "$smtpd_tls_eecdh_grade", .min = 1, .obsolete = "will be removed; instead, do not specify (leave at default)"}};
inline constexpr conf::Bool tlsproxy_tls_enable_rpk{{.name = "tlsproxy_tls_enable_rpk", .fallback = "$smtpd_tls_enable_rpk"}};
inline constexpr conf::Text tlsproxy_tls_exclude_ciphers{{.name = "tlsproxy_tls_exclude_ciphers", .fallback = "$smtpd_tls_exclude_ciphers"}};
inline constexpr conf::Text tlsproxy_tls_fingerprint_digest{{.name = "tlsproxy_tls_fingerprint_digest", .fallback = "$smtpd_tls_fingerprint_digest", .min = 1}};
inline constexpr conf::Text tlsproxy_tls_key_file{{.name = "tlsproxy_tls_key_file", .fallback = "$smtpd_tls_key_file"}};
inline constexpr conf::Text tlsproxy_tls_loglevel{{.name = "tlsproxy_tls_loglevel", .fallback = "$smtpd_tls_loglevel"}};
inline constexpr conf::Text tlsproxy_tls_mandatory_ciphers{{.name = "tlsproxy_tls_mandatory_ciphers", .fallback = "$smtpd_tls_mandatory_ciphers"}};
inline constexpr conf::Text tlsproxy_tls_mandatory_exclude_ciphers{{.name = "tlsproxy_tls_mandatory_exclude_ciphers", .fallback = "$smtpd_tls_mandatory_exclude_ciphers"}};
inline constexpr conf::Text tlsproxy_tls_mandatory_protocols{{.name = "tlsproxy_tls_mandatory_protocols", .fallback = "$smtpd_tls_mandatory_protocols"}};
inline constexpr conf::Text tlsproxy_tls_protocols{{.name = "tlsproxy_tls_protocols", .fallback = "$smtpd_tls_protocols"}};
inline constexpr conf::Bool tlsproxy_tls_req_ccert{{.name = "tlsproxy_tls_req_ccert", .fallback = "$smtpd_tls_req_ccert"}};
inline constexpr conf::Text tlsproxy_tls_security_level{{.name = "tlsproxy_tls_security_level", .fallback = "$smtpd_tls_security_level"}};
inline constexpr conf::Text tlsproxy_tls_session_cache_timeout{{.name = "tlsproxy_tls_session_cache_timeout", .fallback = "$smtpd_tls_session_cache_timeout", .removed = true, .obsolete = "has been removed: it has no effect"}};
inline constexpr conf::Bool tlsproxy_use_tls{{.name = "tlsproxy_use_tls", .fallback = "$smtpd_use_tls", .obsolete = "will be removed; instead, specify \"tlsproxy_tls_security_level\""}};
inline constexpr conf::Time tlsproxy_watchdog_timeout{{.name = "tlsproxy_watchdog_timeout", .fallback = "10s", .min = 10}};
}
