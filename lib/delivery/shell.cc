// See delivery/shell.h and needs_shell() in delivery/command.h.
#include "delivery/shell.h"

#include <algorithm>
#include "base/bytes.h"
#include "delivery/command.h"

namespace delivery {
namespace {
constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view plain = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \t";
constexpr std::string_view own_commands[] = {
    "!",     ":",       "alias", "bg",     "break", "builtin",  "case",    "cd",       "command", "continue", "declare",
    "dirs",  "do",      "done",  "echo",   "elif",  "else",     "esac",    "eval",     "exec",    "exit",     "export",
    "false", "fc",      "fg",    "fi",     "for",   "function", "getopts", "hash",     "if",      "jobs",     "let",
    "local", "logout",  "popd",  "printf", "pushd", "pwd",      "read",    "readonly", "return",  "select",   "set",
    "shift", "source",  "test",  "then",   "time",  "times",    "trap",    "true",     "type",    "typeset",  "ulimit",
    "umask", "unalias", "unset", "until",  "wait",  "while"};
}

bool needs_shell(std::string_view line) {
    if (line.find_first_not_of(plain) != line.npos)
        return true;
    auto words = bytes::split(line, blanks);
    if (words.empty() || words[0].find('=') != words[0].npos)
        return true;  // NAME=value command
    return std::find(std::begin(own_commands), std::end(own_commands), words[0]) != std::end(own_commands);
}

std::vector<std::string> by_shell(std::string_view line) { return {"/bin/sh", "-c", std::string(line)}; }

std::vector<std::string> shell_arguments(std::string_view line, std::string_view shell) {
    std::vector<std::string> out;
    auto add_words = [&](std::string_view text) {
        for (std::string_view word : bytes::split(text, blanks))
            out.emplace_back(word);
    };
    if (!bytes::trim(shell).empty()) {
        add_words(shell);
        out.emplace_back(line);
    } else if (needs_shell(line)) {
        out = by_shell(line);
    } else {
        add_words(line);
    }
    return out;
}
}
