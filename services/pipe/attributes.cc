// See attributes.h.
#include "attributes.h"

#include "base/bytes.h"

namespace pipe_agent {
namespace {
Result<void> set_flags(Attributes& a, std::string_view flags) {
    for (char c : flags) {
        switch (c) {
        case 'B': a.blank_line = true; break;
        case 'D': a.delivered_to = true; break;
        case 'F': a.from_line = true; break;
        case 'O': a.original_to = true; break;
        case 'R': a.return_path = true; break;
        case 'X': a.final_delivery = true; break;
        case 'h': a.fold_domain = true; break;
        case 'q': a.quote = true; break;
        case 'u': a.fold_user = true; break;
        case '.': a.quote_dot = true; break;
        case '>': a.quote_from = true; break;
        default: return permanent(std::string("unknown flag: ") + c);
        }
    }
    return {};
}
// "{ a b }" is one argument, without its braces.
std::string unbraced(std::string_view word) {
    if (word.size() >= 2 && word.front() == '{' && word.back() == '}')
        return std::string(bytes::trim(word.substr(1, word.size() - 2)));
    return std::string(word);
}
}

Result<Attributes> parse_attributes(const std::vector<std::string>& words) {
    Attributes a;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string word = unbraced(words[i]);
        auto [name, value] = bytes::cut(word, '=');
        std::string text(value.value_or(""));
        if (!value)
            return permanent("unknown attribute name: " + word);
        if (name == "flags")
            TRY(set_flags(a, text));
        else if (name == "user")
            a.user = text;
        else if (name == "chroot")
            a.chroot = text;
        else if (name == "directory")
            a.directory = text;
        else if (name == "eol")
            a.end_of_line = bytes::unescaped(text);
        else if (name == "null_sender")
            a.null_sender = text;
        else if (name == "size") {
            auto number = bytes::to_int(text);
            if (!number || *number < 0)
                return permanent("bad size: " + text);
            a.size_limit = *number;
        } else if (name == "argv") {
            a.arguments.push_back(text);
            for (++i; i < words.size(); ++i)
                a.arguments.push_back(unbraced(words[i]));
        } else
            return permanent("unknown attribute name: " + word);
    }
    if (a.user.empty())
        return permanent("missing user= command-line attribute");
    if (a.arguments.empty() || a.arguments[0].empty())
        return permanent("missing argv= command-line attribute");
    return a;
}

Result<void> find_rights(Attributes& attributes, const std::string& mail_owner) {
    TRY_ASSIGN(attributes.rights, delivery::parse_user_attribute(attributes.user, mail_owner));
    return {};
}
}
