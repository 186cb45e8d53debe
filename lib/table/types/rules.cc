#include "table/types/rules.h"
#include <time.h>
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"
#include "loop/loop.h"
#include "table/source.h"
#include "table/types/type.h"

namespace table {
namespace {
struct Piece {
    std::string text;
    int group = 0;  // above 0: the text of that group instead
};

struct Rule {
    enum class Kind : std::uint8_t { value, begin, end } kind = Kind::value;
    bool negated = false;
    int line = 0;
    std::size_t after = 0;  // begin: the rule to go on with where it does not hold
    std::unique_ptr<Pattern> pattern;
    std::vector<Piece> pieces;
};

// Reads "$name", "${name}", "$(name)" behind the '$' at text[at]; moves at behind it. Empty name: malformed.
Result<std::string_view> macro_name(std::string_view text, std::size_t& at) {
    std::size_t start = at + 1;
    char close = start < text.size() ? (text[start] == '{' ? '}' : text[start] == '(' ? ')' : '\0') : '\0';
    if (close) {
        std::size_t end = text.find(close, ++start);
        if (end == std::string_view::npos)
            return permanent(fmt::format("truncated macro reference: \"{}\"", text));
        at = end + 1;
        return text.substr(start, end - start);
    }
    std::size_t end = start;
    while (end < text.size() && (bytes::is_alnum(text[end]) || text[end] == '_'))
        ++end;
    if (end == start)
        return permanent(fmt::format("empty macro name: \"{}\"", text));
    at = end;
    return text.substr(start, end - start);
}

class RuleParser {
public:
    RuleParser(const Dialect& dialect, std::string_view name, const OpenOptions& options)
        : dialect_(dialect), name_(name), options_(options) {}

    std::vector<Rule> parse(std::string_view text) {
        SourceReader reader(fmt::format("{} map {}", dialect_.type, name_), text);
        while (std::optional<SourceLine> line = reader.next()) {
            line_ = line->number;
            read_rule(line->text);
        }
        for (std::size_t open : open_) {
            line_ = rules_[open].line;
            warn("IF has no matching ENDIF");
            rules_[open].after = rules_.size();
        }
        return std::move(rules_);
    }

private:
    void warn(std::string_view what) { maillog::warning("{} map {}, line {}: {}", dialect_.type, name_, line_, what); }

    static bool keyword(std::string_view& text, std::string_view word) {
        if (!bytes::istarts_with(text, word) || (text.size() > word.size() && bytes::is_alnum(text[word.size()])))
            return false;
        text.remove_prefix(word.size());
        return true;
    }

    void read_rule(std::string_view text) {
        Rule rule;
        rule.line = line_;
        if (keyword(text, "endif"))
            return end_block(text);
        bool block = keyword(text, "if");
        if (!block && bytes::is_alnum(text[0]))
            return warn("ignoring unrecognized request");
        rule.kind = block ? Rule::Kind::begin : Rule::Kind::value;
        if (!read_pattern(text, rule))
            return;
        text = bytes::trim(text);
        if (block) {
            if (!text.empty())
                extra_text(text);
            open_.push_back(rules_.size());
        } else {
            if (text.empty())
                warn("no replacement text: using empty string");
            if (!read_result(text, rule))
                return;
        }
        rules_.push_back(std::move(rule));
    }

    void extra_text(std::string_view text) {
        warn(fmt::format("ignoring extra text after IF statement: \"{}\"", text));
        warn("do not prepend whitespace to statements between IF and ENDIF");
    }

    void end_block(std::string_view text) {
        if (!bytes::trim(text).empty())
            warn("ignoring extra text after ENDIF");
        if (open_.empty())
            return warn("ignoring ENDIF without matching IF");
        Rule rule;
        rule.kind = Rule::Kind::end;
        rule.line = line_;
        rules_[open_.back()].after = rules_.size();
        open_.pop_back();
        rules_.push_back(std::move(rule));
    }

    bool read_pattern(std::string_view& text, Rule& rule) {
        text = bytes::trim(text);
        while (text.starts_with('!')) {
            rule.negated = !rule.negated;
            text = bytes::trim(text.substr(1));
        }
        if (text.empty()) {
            warn("no regexp: skipping this rule");
            return false;
        }
        char delimiter = text[0];
        std::size_t end = 1;
        while (end < text.size() && text[end] != delimiter)
            end += text[end] == '\\' && end + 1 < text.size() ? 2 : 1;
        if (end >= text.size()) {
            warn(fmt::format("no closing regexp delimiter \"{}\": {} this rule", delimiter, dialect_.unclosed));
            return false;
        }
        std::string_view pattern = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
        std::size_t flags = 0;
        while (flags < text.size() && !bytes::is_space(text[flags]))
            ++flags;
        for (char flag : text.substr(0, flags))
            if (dialect_.flags.find(flag) == std::string_view::npos) {
                warn(fmt::format("unknown regexp option \"{}\": skipping this rule", flag));
                return false;
            }
        Result<std::unique_ptr<Pattern>> compiled =
            dialect_.compile(pattern, text.substr(0, flags), options_.utf8 && process().utf8);
        if (!compiled) {
            warn(compiled.error().reason);
            return false;
        }
        rule.pattern = std::move(*compiled);
        text.remove_prefix(flags);
        return true;
    }

    bool read_result(std::string_view text, Rule& rule) {
        std::string literal;
        for (std::size_t at = 0; at < text.size();) {
            if (text[at] != '$') {
                literal += text[at++];
                continue;
            }
            if (at + 1 < text.size() && text[at + 1] == '$') {
                literal += '$';
                at += 2;
                continue;
            }
            Result<std::string_view> group = macro_name(text, at);
            if (!group) {
                maillog::warning("{}", group.error().reason);
                warn("bad replacement syntax: skipping this rule");
                return false;
            }
            if (!allowed(*group, rule))
                return false;
            if (!literal.empty())
                rule.pieces.push_back({std::move(literal), 0});
            literal.clear();
            rule.pieces.push_back({"", static_cast<int>(*bytes::to_int(*group))});
        }
        if (!literal.empty())
            rule.pieces.push_back({std::move(literal), 0});
        return true;
    }

    bool allowed(std::string_view group, const Rule& rule) {
        std::optional<std::int64_t> number = bytes::to_int(group);
        if (!number || *number < 1) {
            warn(fmt::format("{} replacement index \"{}\"", number ? "out-of-range" : "non-numeric", group));
            warn("bad replacement syntax: skipping this rule");
        } else if (rule.negated) {
            warn("$number found in negative match replacement text: skipping this rule");
        } else if (options_.refuse_substitution) {
            warn("regular expression substitution is not allowed: skipping this rule");
        } else if (static_cast<std::size_t>(*number) > rule.pattern->groups()) {
            warn(fmt::format("out of range replacement index \"{}\": skipping this rule", group));
        } else {
            return true;
        }
        return false;
    }

    const Dialect& dialect_;
    std::string_view name_;
    const OpenOptions& options_;
    int line_ = 0;
    std::vector<Rule> rules_;
    std::vector<std::size_t> open_;
};

// Long look-ups may take minutes. Half of the pool is the most that they get, so that files are written meanwhile.
class LongLookup {
public:
    LongLookup() {
        while (loop::current() && running_ >= most)
            turn_.wait();
        ++running_;
    }
    ~LongLookup() {
        --running_;
        turn_.notify_one();
    }
    LongLookup(const LongLookup&) = delete;

private:
    static constexpr int most = 8;
    static thread_local int running_;
    static thread_local loop::Condition turn_;
};
thread_local int LongLookup::running_ = 0;
thread_local loop::Condition LongLookup::turn_;

// CPU time: that others had the processor meanwhile does not make a look-up a long one.
std::chrono::nanoseconds cpu_time() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

// Rules are tried on the loop while that is a matter of a moment, else the pool goes on with them. What regexec(3)
// needs grows with the square of the subject (`(a+)+$`: 0.3 ms for 256 bytes, 20 for 1024, seconds for 16 KiB), and
// nothing stops it: so a subject's length decides, and each table learns which length is a moment's work.
class RuleTable : public Table {
public:
    RuleTable(std::string table_name, bool utf8) : Table(std::move(table_name)) {
        pattern_ = true;
        utf8_ = utf8;
    }
    std::vector<Rule> rules;

protected:
    Result<std::optional<std::string>> lookup(std::string_view subject) override {
        Search search;
        if (subject.size() <= brief_) {
            const bool timed = subject.size() > always_brief;
            const auto begin = timed ? cpu_time() : std::chrono::nanoseconds(0);
            walk(search, subject, Effort::brief);
            if (timed && cpu_time() - begin > moment)
                brief_ = std::max(always_brief, subject.size() / 2);
        }
        if (!search.decided) {
            const LongLookup turn;
            loop::offload([&] { walk(search, subject, Effort::any); });
        }
        if (search.failed.empty())
            return std::move(search.value);
        const int line = rules[search.at].line;
        maillog::warning("{}, line {}: {}", name(), line, search.failed);
        return temporary(fmt::format("table {}: line {}: {}", name(), line, search.failed));
    }

private:
    static constexpr std::size_t always_brief = 256, brief_at_first = 1024;
    static constexpr std::chrono::milliseconds moment{1};

    struct Search {
        std::size_t at = 0;  // the rule that is tried
        bool decided = false;
        std::optional<std::string> value{};
        std::string failed{};
    };

    // Goes on with the rules from search.at until one decides, or cannot for now. In the pool it touches nothing that
    // changes.
    void walk(Search& search, std::string_view subject, Effort effort) const {
        Groups groups;
        for (std::size_t& i = search.at; i < rules.size(); ++i) {
            const Rule& rule = rules[i];
            if (rule.kind == Rule::Kind::end)
                continue;
            const Result<Match> matched = rule.pattern->match(subject, groups, effort);
            if (matched && *matched == Match::undecided)
                return;
            search.decided = true;
            if (!matched) {
                search.failed = matched.error().reason;
                return;
            }
            const bool holds = (*matched == Match::yes) != rule.negated;
            if (rule.kind == Rule::Kind::begin) {
                if (!holds)
                    i = rule.after - 1;
            } else if (holds) {
                search.value = filled(rule, subject, groups);
                return;
            }
            search.decided = false;
        }
        search.decided = true;
    }

    static std::string filled(const Rule& rule, std::string_view subject, const Groups& groups) {
        std::string value;
        for (const Piece& piece : rule.pieces) {
            if (piece.group == 0) {
                value += piece.text;
                continue;
            }
            const Span& span = groups[static_cast<std::size_t>(piece.group)];
            if (span.start != std::string_view::npos)
                value += subject.substr(span.start, span.end - span.start);
        }
        return value;
    }

    std::size_t brief_ = brief_at_first;  // longer subjects go to the pool
};
}

Result<std::unique_ptr<Table>> open_rules(const Dialect& dialect, std::string_view name, const OpenOptions& options) {
    TRY_ASSIGN(std::string text, rule_text(dialect.type, name));
    auto table = std::make_unique<RuleTable>(fmt::format("{}:{}", dialect.type, name), options.utf8 && process().utf8);
    // Compiling recurses as deep as the pattern's groups nest: more stack than a fiber has.
    loop::on_main_stack([&] { table->rules = RuleParser(dialect, name, options).parse(text); });
    return table;
}
}
