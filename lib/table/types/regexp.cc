// regexp: rules of POSIX regular expressions (regexp_table(5)). regexec(3) has no limit of its own, so only the first
// 100 KiB of a subject are looked at, and a pattern with back-references, whose time may be exponential, always takes
// the time it needs.
//
// glibc locks a compiled pattern while it matches: a short look-up would wait for a long one in another thread. So each
// long one has a compiled pattern of its own.
#include <regex.h>
#include <fmt/format.h>
#include <mutex>
#include "table/types/rules.h"
#include "table/types/type.h"

namespace table {
namespace {
constexpr std::size_t subject_max = 100 * 1024;

std::string message(int error, const regex_t& regex) {
    char why[256];
    regerror(error, &regex, why, sizeof why);
    return why;
}

class Compiled {
public:
    Compiled() = default;
    Compiled(const Compiled&) = delete;
    ~Compiled() {
        if (made_)
            regfree(&regex);
    }
    Result<void> make(const std::string& pattern, int flags) {
        if (const int e = regcomp(&regex, pattern.c_str(), flags))
            return permanent(message(e, regex));
        made_ = true;
        return {};
    }
    regex_t regex{};

private:
    bool made_ = false;
};

class PosixPattern : public Pattern {
public:
    PosixPattern(std::string_view pattern, int flags) : pattern_(pattern), flags_(flags) {
        for (std::size_t i = 0; i + 1 < pattern_.size(); ++i) {
            if (pattern_[i] != '\\')
                continue;
            if (pattern_[i + 1] >= '1' && pattern_[i + 1] <= '9')
                refers_back_ = true;
            ++i;
        }
    }
    Result<void> compile() { return own_.make(pattern_, flags_); }

    std::size_t groups() const override { return own_.regex.re_nsub; }

    Result<Match> match(std::string_view subject, Groups& groups, Effort effort) const override {
        if (effort == Effort::brief)
            return refers_back_ ? Match::undecided : run(own_.regex, subject, groups);
        TRY_ASSIGN(std::unique_ptr<Compiled> copy, lend());
        auto result = run(copy->regex, subject, groups);
        std::lock_guard l(lock_);
        copies_.push_back(std::move(copy));
        return result;
    }

private:
    Result<std::unique_ptr<Compiled>> lend() const {
        {
            std::lock_guard l(lock_);
            if (!copies_.empty()) {
                auto copy = std::move(copies_.back());
                copies_.pop_back();
                return copy;
            }
        }
        auto copy = std::make_unique<Compiled>();
        TRY(copy->make(pattern_, flags_));
        return copy;
    }

    static Result<Match> run(const regex_t& regex, std::string_view subject, Groups& groups) {
        if (subject.size() > subject_max)
            subject = subject.substr(0, subject_max);
        std::vector<regmatch_t> found(regex.re_nsub + 1);
        found[0].rm_so = 0;
        found[0].rm_eo = static_cast<regoff_t>(subject.size());
        const int e = regexec(&regex, subject.data() ? subject.data() : "", found.size(), found.data(), REG_STARTEND);
        if (e == REG_NOMATCH)
            return Match::no;
        if (e)
            return temporary(message(e, regex));
        groups.assign(found.size(), Span{});
        for (std::size_t i = 0; i < found.size(); ++i)
            if (found[i].rm_so >= 0)
                groups[i] = {static_cast<std::size_t>(found[i].rm_so), static_cast<std::size_t>(found[i].rm_eo)};
        return Match::yes;
    }

    std::string pattern_;
    int flags_;
    bool refers_back_ = false;
    Compiled own_;
    mutable std::mutex lock_;                                // guards what follows
    mutable std::vector<std::unique_ptr<Compiled>> copies_;  // as many as there were long look-ups at once
};

Result<std::unique_ptr<Pattern>> compile(std::string_view pattern, std::string_view flags, bool) {
    int options = REG_ICASE | REG_EXTENDED;
    for (char flag : flags)
        options ^= flag == 'i' ? REG_ICASE : flag == 'm' ? REG_NEWLINE : REG_EXTENDED;
    auto compiled = std::make_unique<PosixPattern>(pattern, options);
    TRY(compiled->compile());
    return compiled;
}

constexpr Dialect dialect{"regexp", "imx", "skipping", compile};
}

const Type regexp_type{
    "regexp", "", [](std::string_view name, const OpenOptions& options) { return open_rules(dialect, name, options); }};
}
