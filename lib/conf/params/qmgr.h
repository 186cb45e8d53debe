// Parameters of the area qmgr: see conf/parameter.h.
#pragma once
#include "conf/parameter.h"

namespace param {
inline constexpr conf::Bool allow_min_user{{.name = "allow_min_user", .fallback = "no", .implemented = true}};
inline constexpr conf::Bool confirm_delay_cleared{{.name = "confirm_delay_cleared", .fallback = "no", .implemented = true}};
inline constexpr conf::Int default_delivery_slot_cost{{.name = "default_delivery_slot_cost", .fallback = "5", .min = 0, .implemented = true}};
inline constexpr conf::Int default_delivery_slot_discount{{.name = "default_delivery_slot_discount", .fallback = "50", .min = 0, .max = 100, .implemented = true}};
inline constexpr conf::Int default_delivery_slot_loan{{.name = "default_delivery_slot_loan", .fallback = "3", .min = 0, .implemented = true}};
inline constexpr conf::Int default_destination_concurrency_failed_cohort_limit{{.name = "default_destination_concurrency_failed_cohort_limit", .fallback = "1", .min = 0, .implemented = true}};
inline constexpr conf::Int default_destination_concurrency_limit{{.name = "default_destination_concurrency_limit", .fallback = "20", .min = 0, .implemented = true}};
inline constexpr conf::Text default_destination_concurrency_negative_feedback{{.name = "default_destination_concurrency_negative_feedback", .fallback = "1", .min = 1, .implemented = true}};
inline constexpr conf::Text default_destination_concurrency_positive_feedback{{.name = "default_destination_concurrency_positive_feedback", .fallback = "1", .min = 1, .implemented = true}};
inline constexpr conf::Time default_destination_rate_delay{{.name = "default_destination_rate_delay", .fallback = "0s", .min = 0, .implemented = true}};
inline constexpr conf::Int default_destination_recipient_limit{{.name = "default_destination_recipient_limit", .fallback = "50", .min = 0, .implemented = true}};
inline constexpr conf::Int default_extra_recipient_limit{{.name = "default_extra_recipient_limit", .fallback = "1000", .min = 0, .implemented = true}};
inline constexpr conf::Text default_filter_nexthop{{.name = "default_filter_nexthop", .fallback = "", .implemented = true}};
inline constexpr conf::Int default_minimum_delivery_slots{{.name = "default_minimum_delivery_slots", .fallback = "3", .min = 0, .implemented = true}};
inline constexpr conf::Int default_recipient_limit{{.name = "default_recipient_limit", .fallback = "20000", .min = 0, .implemented = true}};
inline constexpr conf::Time default_recipient_refill_delay{{.name = "default_recipient_refill_delay", .fallback = "5s", .min = 1, .implemented = true}};
inline constexpr conf::Int default_recipient_refill_limit{{.name = "default_recipient_refill_limit", .fallback = "100", .min = 1, .implemented = true}};
inline constexpr conf::Time default_transport_rate_delay{{.name = "default_transport_rate_delay", .fallback = "0s", .min = 0, .implemented = true}};
inline constexpr conf::Text defer_transports{{.name = "defer_transports", .fallback = "", .implemented = true}};
inline constexpr conf::Bool destination_concurrency_feedback_debug{{.name = "destination_concurrency_feedback_debug", .fallback = "no", .implemented = true}};
inline constexpr conf::Bool helpful_warnings{{.name = "helpful_warnings", .fallback = "yes", .implemented = true}};
inline constexpr conf::Int initial_destination_concurrency{{.name = "initial_destination_concurrency", .fallback = "5", .min = 1, .implemented = true}};
inline constexpr conf::Int local_destination_concurrency_limit{{.name = "local_destination_concurrency_limit", .fallback = "2"}};
inline constexpr conf::Int local_destination_recipient_limit{{.name = "local_destination_recipient_limit", .fallback = "1"}};
inline constexpr conf::Time maximal_backoff_time{{.name = "maximal_backoff_time", .fallback = "4000s", .min = 1, .implemented = true}};
inline constexpr conf::Time maximal_queue_lifetime{{.name = "maximal_queue_lifetime", .fallback = "5d", .min = 0, .max = 8640000, .implemented = true}};
inline constexpr conf::Time minimal_backoff_time{{.name = "minimal_backoff_time", .fallback = "300s", .min = 1, .implemented = true}};
inline constexpr conf::Time qmgr_clog_warn_time{{.name = "qmgr_clog_warn_time", .fallback = "300s", .min = 0, .implemented = true}};
inline constexpr conf::Time qmgr_daemon_timeout{{.name = "qmgr_daemon_timeout", .fallback = "1000s", .min = 1}};
inline constexpr conf::Int qmgr_fudge_factor{{.name = "qmgr_fudge_factor", .fallback = "100", .min = 10, .max = 100}};
inline constexpr conf::Time qmgr_ipc_timeout{{.name = "qmgr_ipc_timeout", .fallback = "60s", .min = 1, .implemented = true}};
inline constexpr conf::Int qmgr_message_active_limit{{.name = "qmgr_message_active_limit", .fallback = "20000", .min = 1, .implemented = true}};
inline constexpr conf::Int qmgr_message_recipient_limit{{.name = "qmgr_message_recipient_limit", .fallback = "20000", .min = 1, .implemented = true}};
inline constexpr conf::Int qmgr_message_recipient_minimum{{.name = "qmgr_message_recipient_minimum", .fallback = "10", .min = 1, .implemented = true}};
inline constexpr conf::Int transport_delivery_slot_cost{{.name = "transport_delivery_slot_cost", .fallback = "$default_delivery_slot_cost", .implemented = true}};
inline constexpr conf::Int transport_delivery_slot_discount{{.name = "transport_delivery_slot_discount", .fallback = "$default_delivery_slot_discount", .implemented = true}};
inline constexpr conf::Int transport_delivery_slot_loan{{.name = "transport_delivery_slot_loan", .fallback = "$default_delivery_slot_loan", .implemented = true}};
inline constexpr conf::Int transport_destination_concurrency_failed_cohort_limit{{.name = "transport_destination_concurrency_failed_cohort_limit", .fallback = "$default_destination_concurrency_failed_cohort_limit", .implemented = true}};
inline constexpr conf::Int transport_destination_concurrency_limit{{.name = "transport_destination_concurrency_limit", .fallback = "$default_destination_concurrency_limit", .implemented = true}};
inline constexpr conf::Text transport_destination_concurrency_negative_feedback{{.name = "transport_destination_concurrency_negative_feedback", .fallback = "$default_destination_concurrency_negative_feedback", .implemented = true}};
inline constexpr conf::Text transport_destination_concurrency_positive_feedback{{.name = "transport_destination_concurrency_positive_feedback", .fallback = "$default_destination_concurrency_positive_feedback", .implemented = true}};
inline constexpr conf::Time transport_destination_rate_delay{{.name = "transport_destination_rate_delay", .fallback = "$default_destination_rate_delay", .implemented = true}};
inline constexpr conf::Int transport_destination_recipient_limit{{.name = "transport_destination_recipient_limit", .fallback = "$default_destination_recipient_limit", .implemented = true}};
inline constexpr conf::Int transport_extra_recipient_limit{{.name = "transport_extra_recipient_limit", .fallback = "$default_extra_recipient_limit", .implemented = true}};
inline constexpr conf::Int transport_initial_destination_concurrency{{.name = "transport_initial_destination_concurrency", .fallback = "$initial_destination_concurrency", .implemented = true}};
inline constexpr conf::Int transport_minimum_delivery_slots{{.name = "transport_minimum_delivery_slots", .fallback = "$default_minimum_delivery_slots", .implemented = true}};
inline constexpr conf::Int transport_recipient_limit{{.name = "transport_recipient_limit", .fallback = "$default_recipient_limit", .implemented = true}};
inline constexpr conf::Time transport_recipient_refill_delay{{.name = "transport_recipient_refill_delay", .fallback = "$default_recipient_refill_delay", .implemented = true}};
inline constexpr conf::Int transport_recipient_refill_limit{{.name = "transport_recipient_refill_limit", .fallback = "$default_recipient_refill_limit", .implemented = true}};
inline constexpr conf::Time transport_retry_time{{.name = "transport_retry_time", .fallback = "60s", .min = 1, .implemented = true}};
inline constexpr conf::Time transport_transport_rate_delay{{.name = "transport_transport_rate_delay", .fallback = "$default_transport_rate_delay", .implemented = true}};
}
