// pcre: rules of Perl compatible regular expressions (pcre_table(5)), by PCRE2, compiled to machine code where it can.
// Every match has limits on steps, depth and heap: a subject that drives a pattern beyond them is an Error, never an
// endless wait. The step limit holds for each place of the subject at which a match may begin, so the time still grows
// with the subject.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <fmt/format.h>
#include "table/types/rules.h"
#include "table/types/type.h"

namespace table {
namespace {
template <auto Free> struct FreeWith {
    template <class T> void operator()(T* p) const { Free(p); }
};
using Code = std::unique_ptr<pcre2_code, FreeWith<pcre2_code_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, FreeWith<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, FreeWith<pcre2_match_context_free>>;

constexpr std::uint32_t steps = 10'000'000;     // 15 to 30 ms
constexpr std::size_t brief_steps = 1'000'000;  // over all places where a match may begin: 1 to 3 ms

MatchContext limits() {
    MatchContext made(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(made.get(), steps);
    pcre2_set_depth_limit(made.get(), 100'000);
    pcre2_set_heap_limit(made.get(), 20'000);  // KiB
    return made;
}

pcre2_match_context* any_limits() {
    static const MatchContext context = limits();
    return context.get();
}

// For the loop's thread alone: it is changed for each subject.
pcre2_match_context* brief_limits(std::size_t length) {
    static const MatchContext context = limits();
    pcre2_set_match_limit(context.get(), static_cast<std::uint32_t>(brief_steps / (length + 1) + 100));
    return context.get();
}

std::string message(int error) {
    PCRE2_UCHAR text[256];
    pcre2_get_error_message(error, text, sizeof text);
    return reinterpret_cast<const char*>(text);
}

class PerlPattern : public Pattern {
public:
    explicit PerlPattern(Code code)
        : code_(std::move(code)), data_(pcre2_match_data_create_from_pattern(code_.get(), nullptr)) {
        pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &groups_);
    }
    std::size_t groups() const override { return groups_; }

    Result<Match> match(std::string_view subject, Groups& groups, Effort effort) const override {
        if (effort == Effort::brief)
            return match(subject, groups, data_.get(), brief_limits(subject.size()), true);
        const MatchData own(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
        return match(subject, groups, own.get(), any_limits(), false);
    }

private:
    Result<Match> match(std::string_view subject, Groups& groups, pcre2_match_data* data, pcre2_match_context* limits,
                        bool brief) const {
        const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.data() ? subject.data() : "");
        int found = pcre2_match(code_.get(), text, subject.size(), 0, 0, data, limits);
        if (brief && (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_JIT_STACKLIMIT))
            return Match::undecided;
        // The machine code has 32 KiB of stack; the interpreter keeps its own on the heap.
        if (found == PCRE2_ERROR_JIT_STACKLIMIT)
            found = pcre2_match(code_.get(), text, subject.size(), 0, PCRE2_NO_JIT, data, limits);
        if (found == PCRE2_ERROR_NOMATCH)
            return Match::no;
        if (found < 0)
            return temporary(message(found));
        const PCRE2_SIZE* at = pcre2_get_ovector_pointer(data);
        groups.assign(groups_ + 1, Span{});
        for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(found); ++i)
            if (at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1])
                groups[i] = {at[2 * i], at[2 * i + 1]};
        return Match::yes;
    }

    Code code_;
    MatchData data_;
    std::uint32_t groups_ = 0;
};

Result<std::unique_ptr<Pattern>> compile(std::string_view pattern, std::string_view flags, bool utf8) {
    std::uint32_t options = PCRE2_CASELESS | PCRE2_DOTALL;
    // A "." never matches bytes that are not UTF-8 there: only for keys that Table::find has looked at.
    if (utf8)
        options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    for (char flag : flags) {
        switch (flag) {
        case 'i': options ^= PCRE2_CASELESS; break;
        case 'm': options ^= PCRE2_MULTILINE; break;
        case 's': options ^= PCRE2_DOTALL; break;
        case 'x': options ^= PCRE2_EXTENDED; break;
        case 'A': options ^= PCRE2_ANCHORED; break;
        case 'E': options ^= PCRE2_DOLLAR_ENDONLY; break;
        case 'U': options ^= PCRE2_UNGREEDY; break;
        default: break;  // X: what it asked for is PCRE2's rule anyway
        }
    }
    int error = 0;
    PCRE2_SIZE offset = 0;
    Code code(
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error, &offset, nullptr));
    if (!code)
        return permanent(fmt::format("error in regex at offset {}: {}", offset, message(error)));
    pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where it cannot, the interpreter serves
    return std::make_unique<PerlPattern>(std::move(code));
}

constexpr Dialect dialect{"pcre", "imsxAEUX", "ignoring", compile};
}

const Type pcre_type{
    "pcre", "", [](std::string_view name, const OpenOptions& options) { return open_rules(dialect, name, options); }};
}
