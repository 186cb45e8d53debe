// regexp: rules of POSIX regular expressions (regexp_table(5)). regexec(3) has no limit of its own, so only the first 100 KiB of a
// subject are looked at, and a pattern with back-references, whose time may be exponential, runs on the pool.
#include <regex.h>
#include <fmt/format.h>
#include "loop/loop.h"
#include "table/types/rules.h"
#include "table/types/type.h"

namespace table {
namespace {
constexpr std::size_t subject_max = 100 * 1024;

class PosixPattern : public Pattern {
public:
    PosixPattern() = default;
    ~PosixPattern() override {
        if (compiled_) regfree(&regex_);
    }

    Result<void> compile(std::string_view pattern, int flags) {
        std::string text(pattern);
        if (int e = regcomp(&regex_, text.c_str(), flags)) {
            char why[256];
            regerror(e, &regex_, why, sizeof why);
            return permanent(why);
        }
        compiled_ = true;
        for (std::size_t i = 0; i + 1 < text.size(); ++i) {
            if (text[i] != '\\') continue;
            if (text[i + 1] >= '1' && text[i + 1] <= '9') refers_back_ = true;
            ++i;
        }
        return {};
    }

    std::size_t groups() const override { return regex_.re_nsub; }

    Result<bool> match(std::string_view subject, Groups& groups) const override {
        if (subject.size() > subject_max) subject = subject.substr(0, subject_max);
        std::vector<regmatch_t> found(regex_.re_nsub + 1);
        found[0].rm_so = 0;
        found[0].rm_eo = static_cast<regoff_t>(subject.size());
        std::string_view data = subject.data() ? subject : std::string_view("");
        int e = 0;
        auto run = [&] { e = regexec(&regex_, data.data(), found.size(), found.data(), REG_STARTEND); };
        if (refers_back_) loop::offload(run);
        else run();
        if (e == REG_NOMATCH) return false;
        if (e) {
            char why[256];
            regerror(e, &regex_, why, sizeof why);
            return temporary(why);
        }
        groups.assign(found.size(), Span{});
        for (std::size_t i = 0; i < found.size(); ++i)
            if (found[i].rm_so >= 0) groups[i] = {static_cast<std::size_t>(found[i].rm_so), static_cast<std::size_t>(found[i].rm_eo)};
        return true;
    }

private:
    regex_t regex_{};
    bool compiled_ = false, refers_back_ = false;
};

Result<std::unique_ptr<Pattern>> compile(std::string_view pattern, std::string_view flags, bool) {
    int options = REG_ICASE | REG_EXTENDED;
    for (char flag : flags) options ^= flag == 'i' ? REG_ICASE : flag == 'm' ? REG_NEWLINE : REG_EXTENDED;
    auto compiled = std::make_unique<PosixPattern>();
    TRY(compiled->compile(pattern, options));
    return compiled;
}

constexpr Dialect dialect{"regexp", "imx", "skipping", compile};
}

const Type regexp_type{"regexp", "", [](std::string_view name, const OpenOptions& options) { return open_rules(dialect, name, options); }};
}
