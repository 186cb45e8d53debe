// Rewriter: an address as people write it, put into standard form (trivial-rewrite(8), ADDRESS_REWRITING_README):
//
//   @hosta,@hostb:user@site   user@site          always
//   site!user                 user@site          swap_bangpath, where there is no @
//   user%site                 user@site          allow_percent_hack, where there is no @
//   user                      user@$myorigin     append_at_myorigin
//   user@host                 user@host.$mydomain   append_dot_mydomain
//   user@site.                user@site          always
//
// In the context "remote" $remote_header_rewrite_domain takes the place of $myorigin and $mydomain; empty: nothing is
// appended.
//
// When things fail: nothing can; what is no address comes back as it was, as far as that makes sense.
#pragma once
#include <string>
#include <string_view>

namespace conf {
class Settings;
}

namespace rewrite {
class Rewriter {
public:
    explicit Rewriter(const conf::Settings& settings);
    // context: "local" or "remote". address and result in external form.
    std::string rewrite(std::string_view context, std::string_view address) const;

private:
    bool swap_bangpath_, percent_hack_, append_at_myorigin_, append_dot_mydomain_;
    std::string myorigin_, mydomain_, remote_domain_;
};

// Where in external-form text the last (or first) c stands that is not within quotes, comments, brackets or behind a
// backslash; npos: nowhere.
std::size_t last_unquoted(std::string_view text, char c);
std::size_t first_unquoted(std::string_view text, char c);
}
