#include "feedback.h"
#include <cmath>
#include <cstdlib>
#include <string>
#include "base/bytes.h"

namespace qmgr {
Result<Feedback> Feedback::parse(std::string_view text) {
    auto [left, right] = bytes::cut(text, '/');
    Feedback feedback;
    std::string number(bytes::trim(left));
    char* end = nullptr;
    feedback.value_ = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0' || !(feedback.value_ >= 0 && feedback.value_ <= 1))
        return permanent("feedback \"" + std::string(text) + "\" is no number from 0 to 1");
    if (!right)
        return feedback;
    std::string_view over = bytes::trim(*right);
    if (over == "concurrency")
        feedback.over_ = Over::concurrency;
    else if (over == "sqrt_concurrency")
        feedback.over_ = Over::root;
    else
        return permanent("feedback \"" + std::string(text) + "\": after / comes concurrency or sqrt_concurrency");
    return feedback;
}

double Feedback::at(int concurrency) const {
    double n = concurrency > 0 ? concurrency : 1;
    return over_ == Over::nothing ? value_ : over_ == Over::concurrency ? value_ / n : value_ / std::sqrt(n);
}

Concurrency::Concurrency(const ConcurrencyLimits& limits) : limits_(&limits), window_(0) { revive(); }

void Concurrency::revive() {
    window_ = limits_->most > 0 ? std::min(limits_->initial, limits_->most) : limits_->initial;
    success_ = failure_ = failed_cohorts_ = 0;
}

void Concurrency::succeeded(int busy) {
    failed_cohorts_ = 0;
    // A window that the traffic does not fill says nothing; growing it would only delay what negative feedback does.
    if (window_ >= busy + limits_->initial)
        return;
    const double step = limits_->positive.at(window_);
    success_ += step;
    while (success_ + step / 2 >= 1) {
        ++window_;
        failure_ = 0;
        success_ -= 1;
    }
    if (limits_->most > 0 && window_ > limits_->most)
        window_ = limits_->most;
}

bool Concurrency::failed() {
    if (window_ > 0 && limits_->failed_cohorts > 0) {
        failed_cohorts_ += 1.0 / window_;
        if (failed_cohorts_ >= limits_->failed_cohorts - 1e-9)
            window_ = 0;
    }
    if (window_ == 0)
        return true;
    const double step = limits_->negative.at(window_);
    failure_ -= step;
    while (failure_ - step / 2 < 0) {
        --window_;
        failure_ += 1;
        success_ = 0;
    }
    if (window_ < 1)
        window_ = 1;
    return false;
}
}
