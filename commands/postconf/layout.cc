#include "layout.h"

#include <array>

#include "base/bytes.h"

namespace postconf {
namespace {
constexpr std::string_view indent = "    ";

// Appends words to a line, going on in a new indented line where the next would pass the width.
class Folder {
public:
    Folder(std::string start, bool folded, std::size_t longest = width)
        : out_(std::move(start)), column_(out_.size()), longest_(longest), folded_(folded) {}
    void word(std::string_view w) {
        if (folded_ && column_ + 1 + w.size() > longest_ && !at_start_) {
            new_line();
        }
        if (!at_start_) {
            out_ += ' ';
            ++column_;
        }
        out_ += w;
        column_ += w.size();
        at_start_ = false;
    }
    void new_line() {
        out_ += '\n';
        out_ += indent;
        column_ = indent.size();
        at_start_ = true;
    }
    void begin_empty() { at_start_ = true; }
    std::string finish() && {
        out_ += '\n';
        return std::move(out_);
    }

private:
    std::string out_;
    std::size_t column_, longest_;
    bool folded_, at_start_ = false;
};
}

std::string setting_line(std::string_view name, std::string_view value, bool folded) {
    Folder line(std::string(name) + " =", folded);
    for (std::string_view word : bytes::split(value, " \t\r\n\v\f"))
        line.word(word);
    return std::move(line).finish();
}

std::string value_line(std::string_view value, bool folded) {
    Folder line("", folded);
    line.begin_empty();
    for (std::string_view word : bytes::split(value, " \t\r\n\v\f"))
        line.word(word);
    return std::move(line).finish();
}

std::string argument_text(std::string_view argument) {
    std::string_view inner = argument;
    if (inner.size() >= 2 && inner.front() == '{' && inner.back() == '}')
        inner = bytes::trim(inner.substr(1, inner.size() - 2));
    bool space = false;
    for (char c : inner)
        space = space || bytes::is_space(c);
    return space ? "{" + std::string(inner) + "}" : std::string(inner);
}

namespace {
// The text behind -o: "name=value" without white space around the '='.
std::string override_text(std::string_view argument) {
    std::string_view inner = argument;
    if (inner.size() >= 2 && inner.front() == '{' && inner.back() == '}')
        inner = bytes::trim(inner.substr(1, inner.size() - 2));
    Result<conf::Assignment> assignment = conf::parse_assignment(inner);
    return assignment ? argument_text("{" + assignment->name + "=" + assignment->value + "}") : argument_text(argument);
}
}

std::string entry_text(const conf::MasterEntry& e, bool folded) {
    static constexpr std::array<std::size_t, 8> columns{0, 11, 17, 25, 33, 41, 49, 57};
    const std::array<std::string_view, 8> fields{e.name,         e.type,         e.private_field, e.unprivileged_field,
                                                 e.chroot_field, e.wakeup_field, e.maxproc_field, e.command};
    std::string start;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0)
            start += ' ';
        if (start.size() < columns[i])
            start.append(columns[i] - start.size(), ' ');
        start += fields[i];
    }
    Folder line(std::move(start), folded, width - 1);  // one less than in main.cf, as scripts' expectations have it
    bool options = true, after_override = false;
    for (std::size_t i = 0; i < e.args.size(); ++i) {
        const std::string& arg = e.args[i];
        if (options && arg.size() >= 2 && arg[0] == '-' && arg[1] == 'o' && (arg.size() > 2 || i + 1 < e.args.size())) {
            if (folded)
                line.new_line();
            line.word("-o " +
                      override_text(arg.size() > 2 ? std::string_view(arg).substr(2) : std::string_view(e.args[++i])));
            after_override = true;
            continue;
        }
        if (options && (arg.empty() || arg[0] != '-'))
            options = false;
        if (folded && after_override)
            line.new_line();
        after_override = false;
        line.word(argument_text(arg));
    }
    return std::move(line).finish();
}
}
