// A recursive-descent reader over one string; depth, references and size are counted in one place (see expand.h).
#include "conf/expand.h"

#include <array>

#include "base/bytes.h"
#include "conf/idna.h"

namespace conf {
namespace {
bool is_name_char(char c) { return bytes::is_alnum(c) || c == '_'; }

struct Operator {
    std::string_view text;
    bool level;
    int low, high;
    bool inverted;
};
// Longest first. The result of a comparison (-1, 0, 1) holds where low <= result <= high, inverted for !=.
constexpr std::array<Operator, 12> operators{{{"==level", true, 0, 0, false},
                                              {"!=level", true, 0, 0, true},
                                              {"<=level", true, -1, 0, false},
                                              {">=level", true, 0, 1, false},
                                              {"<level", true, -1, -1, false},
                                              {">level", true, 1, 1, false},
                                              {"==", false, 0, 0, false},
                                              {"!=", false, 0, 0, true},
                                              {"<=", false, -1, 0, false},
                                              {">=", false, 0, 1, false},
                                              {"<", false, -1, -1, false},
                                              {">", false, 1, 1, false}}};

bool all_digits(std::string_view s) {
    for (char c : s)
        if (!bytes::is_digit(c))
            return false;
    return !s.empty();
}

int compare_numbers(std::string_view a, std::string_view b) {
    while (a.size() > 1 && a.front() == '0')
        a.remove_prefix(1);
    while (b.size() > 1 && b.front() == '0')
        b.remove_prefix(1);
    if (a.size() != b.size())
        return a.size() < b.size() ? -1 : 1;
    int order = a.compare(b);
    return order < 0 ? -1 : order > 0;
}

int compare_texts(std::string_view a, std::string_view b) {
    if (all_digits(a) && all_digits(b))
        return compare_numbers(a, b);
    int order = a.compare(b);
    return order < 0 ? -1 : order > 0;
}

class Expander {
public:
    Expander(const Lookup& lookup, const std::function<void(std::string_view)>& undefined, const ExpandLimits& limits)
        : lookup_(lookup), undefined_(undefined), limits_(limits) {}

    // Appends the expansion of text to out.
    Result<void> run(std::string_view text, std::string& out, int depth) {
        if (depth > limits_.depth)
            return permanent("expansion is nested too deeply, or a parameter refers to itself");
        std::size_t at = 0;
        while (at < text.size()) {
            std::size_t dollar = text.find('$', at);
            TRY(append(out, text.substr(at, dollar == text.npos ? text.npos : dollar - at)));
            if (dollar == text.npos)
                break;
            at = dollar + 1;
            if (at == text.size())
                return permanent("a $ without a name at the end of \"" + quote(text) +
                                 "\" (write $$ for a dollar sign)");
            char c = text[at];
            if (c == '$') {
                TRY(append(out, "$"));
                ++at;
                continue;
            }
            if (c == '{' || c == '(') {
                std::size_t end = matching(text, at);
                if (end == text.npos)
                    return permanent("\"" + quote(text.substr(dollar)) + "\" has no closing " + (c == '{' ? "}" : ")"));
                TRY(group(text.substr(at + 1, end - at - 1), out, depth + 1));
                at = end + 1;
                continue;
            }
            std::size_t end = at;
            while (end < text.size() && is_name_char(text[end]))
                ++end;
            if (end == at)
                return permanent("a $ without a name in \"" + quote(text.substr(dollar)) +
                                 "\" (write $$ for a dollar sign)");
            TRY(reference(text.substr(at, end - at), out, depth + 1));
            at = end;
        }
        return {};
    }

private:
    static std::string quote(std::string_view s) {
        return bytes::printable(s.substr(0, 60)) + (s.size() > 60 ? "..." : "");
    }

    // The offset of the brace or parenthesis that closes the one at `open`; npos where there is none.
    static std::size_t matching(std::string_view text, std::size_t open) {
        char opener = text[open], closer = opener == '{' ? '}' : ')';
        std::size_t level = 0;
        for (std::size_t i = open; i < text.size(); ++i) {
            if (text[i] == opener)
                ++level;
            else if (text[i] == closer && --level == 0)
                return i;
        }
        return text.npos;
    }

    Result<void> append(std::string& out, std::string_view piece) {
        total_ += piece.size();
        if (total_ > limits_.length)
            return permanent("expansion grows beyond " + std::to_string(limits_.length) + " bytes");
        out.append(piece);
        return {};
    }

    Result<std::optional<Found>> find(std::string_view name) {
        if (++references_ > limits_.references)
            return permanent("more than " + std::to_string(limits_.references) + " references in one expansion");
        return lookup_(name);
    }

    Result<void> reference(std::string_view name, std::string& out, int depth) {
        TRY_ASSIGN(std::optional<Found> found, find(name));
        if (!found) {
            if (undefined_)
                undefined_(name);
            return {};
        }
        if (found->literal)
            return append(out, found->text);
        return run(found->text, out, depth);
    }

    // Eats white space and a {text} at the start of rest; absent where there is no brace there.
    static Result<std::optional<std::string_view>> braced(std::string_view& rest) {
        std::string_view s = rest;
        while (!s.empty() && bytes::is_space(s.front()))
            s.remove_prefix(1);
        if (s.empty() || s.front() != '{')
            return std::optional<std::string_view>{};
        std::size_t end = matching(s, 0);
        if (end == s.npos)
            return permanent("\"" + quote(s) + "\" has no closing }");
        std::string_view inner = s.substr(1, end - 1);
        rest = s.substr(end + 1);
        return std::optional<std::string_view>{inner};
    }

    // rest begins behind the ? of a condition: "{yes}:{no}", "{yes}" or bare text.
    Result<void> branches(std::string_view rest, bool condition, std::string& out, int depth) {
        std::string_view whole = rest;
        TRY_ASSIGN(std::optional<std::string_view> yes, braced(rest));
        if (!yes)
            return condition ? run(whole, out, depth) : Result<void>{};
        std::optional<std::string_view> no;
        rest = bytes::trim(rest);
        if (!rest.empty()) {
            if (rest.front() != ':')
                return permanent("a : is expected before \"" + quote(rest) + "\"");
            rest.remove_prefix(1);
            std::string_view bare = rest;
            TRY_ASSIGN(no, braced(rest));
            if (!no)
                no = bare;
            else if (!bytes::trim(rest).empty())
                return permanent("unexpected \"" + quote(bytes::trim(rest)) + "\" at the end of a condition");
        }
        if (condition)
            return run(*yes, out, depth);
        return no ? run(*no, out, depth) : Result<void>{};
    }

    // What stands between ${ and }.
    Result<void> group(std::string_view text, std::string& out, int depth) {
        if (depth > limits_.depth)
            return permanent("expansion is nested too deeply, or a parameter refers to itself");
        std::string_view s = bytes::trim(text);
        if (!s.empty() && s.front() == '{')
            return comparison(s, out, depth);
        std::size_t end = 0;
        while (end < s.size() && is_name_char(s[end]))
            ++end;
        if (end == 0)
            return permanent("a name is missing in \"${" + quote(text) + "}\"");
        std::string_view name = s.substr(0, end), rest = s.substr(end);
        if (!rest.empty() && rest.front() == '{' && name == "domain_to_ascii")
            return call(name, rest, out, depth);
        std::string_view after = rest;
        while (!after.empty() && bytes::is_space(after.front()))
            after.remove_prefix(1);
        if (after.empty())
            return reference(name, out, depth);
        if (after.front() != '?' && after.front() != ':')
            return permanent("\"" + quote(rest) + "\" behind the name in \"${" + quote(text) +
                             "}\": ? or : or } is expected");
        TRY_ASSIGN(std::optional<Found> found, find(name));
        bool filled = found && !found->text.empty();
        // White space behind the operator belongs to bare text, and separates before a brace.
        std::string_view tail = text.substr(static_cast<std::size_t>(after.data() - text.data()) + 1);
        if (after.front() == '?')
            return branches(tail, filled, out, depth);
        std::string_view bare = tail;
        TRY_ASSIGN(std::optional<std::string_view> alternative, braced(tail));
        if (!alternative)
            return filled ? Result<void>{} : run(bare, out, depth);
        if (!bytes::trim(tail).empty())
            return permanent("unexpected \"" + quote(bytes::trim(tail)) + "\" at the end of a condition");
        return filled ? Result<void>{} : run(*alternative, out, depth);
    }

    Result<void> comparison(std::string_view s, std::string& out, int depth) {
        std::string_view rest = s;
        TRY_ASSIGN(std::optional<std::string_view> left, braced(rest));
        rest = bytes::trim(rest);
        const Operator* op = nullptr;
        for (const Operator& candidate : operators)
            if (rest.starts_with(candidate.text)) {
                op = &candidate;
                break;
            }
        if (!op)
            return permanent("one of == != < <= >= > (or those with \"level\" behind) is expected before \"" +
                             quote(rest) + "\"");
        rest.remove_prefix(op->text.size());
        TRY_ASSIGN(std::optional<std::string_view> right, braced(rest));
        if (!left || !right)
            return permanent("{text} is expected on both sides of " + std::string(op->text));
        std::string a, b;
        TRY(run(*left, a, depth + 1));
        TRY(run(*right, b, depth + 1));
        int order = 0;
        if (op->level) {
            std::optional<int> compared = compare_levels(a, b);
            if (!compared)
                return permanent("\"" + quote(a) + "\" " + std::string(op->text) + " \"" + quote(b) +
                                 "\" needs levels such as 2 or 3.6 on both sides");
            order = *compared;
        } else
            order = compare_texts(a, b);
        bool holds = (order >= op->low && order <= op->high) != op->inverted;
        rest = bytes::trim(rest);
        if (rest.empty())
            return holds ? append(out, "true") : Result<void>{};
        if (rest.front() != '?')
            return permanent("a ? is expected before \"" + quote(rest) + "\"");
        return branches(rest.substr(1), holds, out, depth);
    }

    Result<void> call(std::string_view name, std::string_view rest, std::string& out, int depth) {
        TRY_ASSIGN(std::optional<std::string_view> argument, braced(rest));
        if (!argument || !bytes::trim(rest).empty())
            return permanent("${" + std::string(name) + "{text}} is expected");
        std::string text;
        TRY(run(*argument, text, depth + 1));
        std::optional<std::string> ascii = domain_to_ascii(text);
        if (!ascii)
            return permanent("\"" + quote(text) + "\" is no domain name that IDNA can write in ASCII");
        return append(out, *ascii);
    }

    const Lookup& lookup_;
    const std::function<void(std::string_view)>& undefined_;
    const ExpandLimits& limits_;
    int references_ = 0;
    std::size_t total_ = 0;
};
}

Result<std::string> expand(std::string_view text, const Lookup& lookup,
                           const std::function<void(std::string_view)>& undefined, const ExpandLimits& limits) {
    std::string out;
    if (text.find('$') == text.npos)
        return std::string(text);
    TRY(Expander(lookup, undefined, limits).run(text, out, 0));
    return out;
}

std::optional<int> compare_levels(std::string_view a, std::string_view b) {
    auto parts = [](std::string_view s) -> std::optional<std::array<std::int64_t, 4>> {
        std::array<std::int64_t, 4> out{};
        std::size_t i = 0;
        while (true) {
            auto [head, tail] = bytes::cut(s, '.');
            if (i == out.size() || !all_digits(head) || head.size() > 9)
                return std::nullopt;
            out[i++] = *bytes::to_int(head);
            if (!tail)
                return out;
            s = *tail;
        }
    };
    auto left = parts(bytes::trim(a)), right = parts(bytes::trim(b));
    if (!left || !right)
        return std::nullopt;
    return *left < *right ? -1 : *left > *right;
}

void for_each_name(std::string_view text, const std::function<void(std::string_view, bool)>& visit) {
    // Names stand behind $, ${ and $(; nested text is part of the same string, so one pass finds them all.
    for (std::size_t at = text.find('$'); at != text.npos && at + 1 < text.size(); at = text.find('$', at)) {
        ++at;
        if (text[at] == '$') {
            ++at;
            continue;
        }
        bool braced = text[at] == '{' || text[at] == '(';
        if (braced)
            ++at;
        while (braced && at < text.size() && bytes::is_space(text[at]))
            ++at;
        std::size_t end = at, behind = at;
        while (end < text.size() && is_name_char(text[end]))
            ++end;
        for (behind = end; braced && behind < text.size() && bytes::is_space(text[behind]);)
            ++behind;
        bool conditional = braced && behind < text.size() && (text[behind] == '?' || text[behind] == ':');
        if (end > at && !(braced && end < text.size() && text[end] == '{'))
            visit(text.substr(at, end - at), conditional);
        at = end;
    }
}
}
