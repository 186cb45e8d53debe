// MTA-STS policies, the TXT records that announce them, and what is kept of them.
// uses: mta-sts_core
#include <vector>
#include "fuzz.h"
#include "policy.h"
#include "tls/policy.h"

void fuzz::one(std::string_view bytes) {
    std::vector<std::string> txt;
    for (fuzz::Choices choose(bytes); !choose.empty() && txt.size() < 20;)
        txt.emplace_back(choose.text());
    if (auto id = mta_sts::announced_id(txt))
        fuzz::require(id->size() <= 32 && !id->empty(), "an id is one", *id);
    if (auto policy = mta_sts::parse_policy(bytes)) {
        fuzz::require(policy->hosts.size() <= mta_sts::hosts_limit && policy->max_age >= 0 &&
                          policy->max_age <= mta_sts::max_age_limit,
                      "a policy is bounded");
        fuzz::require(policy->mode == "none" || !policy->hosts.empty(), "a policy names a host");
        mta_sts::Cached cached{"id1", 5, 6, *policy};
        auto again = mta_sts::Cached::parse(cached.text());
        fuzz::require(again.has_value(), "a policy survives the cache", cached.text());
        fuzz::same(again->text(), cached.text(), "a policy survives the cache as it was");
        for (const auto& host : policy->hosts)
            (void)tls::sts_pattern_matches(host, "mx.example.org");
    }
    if (auto cached = mta_sts::Cached::parse(bytes)) {
        (void)cached->fresh(1800000000);
        auto again = mta_sts::Cached::parse(cached->text());
        fuzz::require(again.has_value(), "a cached policy reads back", cached->text());
        fuzz::same(again->text(), cached->text(), "a cached policy reads back the same");
    }
    fuzz::Choices choose(bytes);
    std::string_view pattern = choose.text();
    (void)tls::sts_pattern_matches(pattern, choose.text());
}
