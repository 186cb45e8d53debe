#include "rewriter.h"
#include "conf/settings.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/params/rewrite.h"
#include "conf/params/commands.h"
#include "mail/address.h"
#include "mail/address_tokens.h"

namespace rewrite {
namespace {
template <class F> void for_unquoted(std::string_view text, F visit) {
    char close = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '\\') {
            ++i;
            continue;
        }
        if (close) {
            if (c == close)
                close = '\0';
        } else if (c == '"' || c == '[' || c == '(') {
            close = c == '"' ? '"' : c == '[' ? ']' : ')';
        } else {
            visit(i, c);
        }
    }
}
}

std::size_t last_unquoted(std::string_view text, char c) {
    std::size_t found = std::string_view::npos;
    for_unquoted(text, [&](std::size_t i, char seen) {
        if (seen == c)
            found = i;
    });
    return found;
}

std::size_t first_unquoted(std::string_view text, char c) {
    std::size_t found = std::string_view::npos;
    for_unquoted(text, [&](std::size_t i, char seen) {
        if (seen == c && found == std::string_view::npos)
            found = i;
    });
    return found;
}

namespace {
// a@"b" is a@b. What would not stay one word without its quotes keeps them.
std::string bare_domain(std::string domain) {
    const std::string bare = mail::to_internal(domain);
    const bool word = bare.find_first_of(" ()<>@,;:\\\"[]") == bare.npos;
    return word && !bare.empty() ? bare : domain;
}
}

Rewriter::Rewriter(const conf::Settings& settings)
    : swap_bangpath_(settings[param::swap_bangpath]),
      percent_hack_(settings[param::allow_percent_hack]),
      append_at_myorigin_(settings[param::append_at_myorigin]),
      append_dot_mydomain_(settings[param::append_dot_mydomain]),
      myorigin_(settings[param::myorigin]),
      mydomain_(settings[param::mydomain]),
      remote_domain_(settings[param::remote_header_rewrite_domain]) {}

std::string Rewriter::rewrite(std::string_view context, std::string_view address) const {
    constexpr std::size_t npos = std::string_view::npos;
    bool remote = context == "remote";
    const std::string& origin = remote ? remote_domain_ : myorigin_;
    const std::string& parent = remote ? remote_domain_ : mydomain_;
    // White space and comments as the grammar has them: none around specials, one space between words.
    if (std::size_t kept = address.find_last_not_of('\\') + 1; (address.size() - kept) % 2 == 1)
        address.remove_suffix(1);  // it would quote nothing
    std::string text = mail::tokens_text(mail::address_tokens(address));
    if (text.empty())
        return text;
    if (text == "\"\"" || text == "@")
        return "\"\"";  // nobody's address stays that

    if (text[0] == '@')  // a source route
        if (std::size_t colon = first_unquoted(text, ':'); colon != npos)
            text.erase(0, colon + 1);
    std::size_t at = last_unquoted(text, '@');
    if (at == npos && swap_bangpath_) {
        std::size_t bang = first_unquoted(text, '!');
        if (bang != npos)
            text = text.substr(bang + 1) + "@" + text.substr(0, bang);
        at = last_unquoted(text, '@');
    }
    if (at == npos && percent_hack_) {
        at = last_unquoted(text, '%');
        if (at != npos)
            text[at] = '@';
    }
    if (at == npos && append_at_myorigin_ && !origin.empty()) {
        at = text.size();
        text += "@" + origin;
    }
    if (at != npos && at + 1 < text.size() && append_dot_mydomain_ && !parent.empty() && text[at + 1] != '[' &&
        text.find('.', at) == npos)
        text += "." + parent;
    const std::size_t domain = at == npos ? 0 : at + 1;
    if (text.size() > domain + 1 && text.back() == '.' && text[text.size() - 2] != '.')
        text.pop_back();
    if (at != npos)
        text.replace(domain, npos, bare_domain(text.substr(domain)));
    return mail::to_external(mail::to_internal(text));  // quotes where they are needed, and only there
}
}
