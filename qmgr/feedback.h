// How many deliveries to one destination may run at once: a window that grows with success and shrinks with failure of
// the destination as a whole (no connection, refused greeting), and the verdict that a destination is dead. As
// Postfix's SCHEDULER_README describes it: feedback below 1 with hysteresis; growth at the end of a series, shrinking
// at its beginning. A step comes half a feedback early, which allows for rounding and makes a first failure with
// feedback 1 count twice, as at Debian's Postfix. (That takes any "number/sqrt_concurrency" for 1; here it is what it
// says.)
//
// When things fail: parse() refuses malformed feedback; the rest cannot fail.
#pragma once
#include <cstdint>
#include <string_view>
#include "base/error.h"

namespace qmgr {
// "1", "0.5", "1/concurrency", "0.3 / sqrt_concurrency": a number in 0..1, over nothing, N or the root of N.
class Feedback {
public:
    static Result<Feedback> parse(std::string_view text);
    double at(int concurrency) const;

private:
    enum class Over { nothing, concurrency, root };
    double value_ = 1;
    Over over_ = Over::nothing;
};

struct ConcurrencyLimits {
    int initial = 5;
    int most = 20;              // 0: no limit
    double failed_cohorts = 1;  // 0: never dead
    Feedback positive{}, negative{};
};

class Concurrency {
public:
    explicit Concurrency(const ConcurrencyLimits& limits);
    int window() const { return window_; }
    void succeeded(int busy);  // busy: deliveries under way to this destination, the one that ended not counted
    bool failed();             // true: the destination is dead now, its window 0
    void revive();             // as new

private:
    const ConcurrencyLimits* limits_;
    int window_;
    double success_ = 0, failure_ = 0, failed_cohorts_ = 0;
};
}
