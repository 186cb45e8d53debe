// What a header_checks(5) or body_checks(5) result asks for. Parsing only: MessageWriter acts.
//
// When things fail: a result that is no command is `unknown`, one that lacks what it needs is `malformed`; the caller
// warns and goes on.
#pragma once
#include <string>
#include <string_view>

namespace cleanup {
struct Action {
    enum class Kind {
        none,
        bcc,
        discard,
        filter,
        hold,
        ignore,
        info,
        pass,
        prepend,
        redirect,
        reject,
        replace,
        strip,
        warn,
        unknown,
        malformed
    };
    Kind kind = Kind::none;      // none: DUNNO and OK
    std::string_view text;       // what follows the command, within the result
    std::string_view complaint;  // malformed: " -- need transport:destination"
};
Action parse_action(std::string_view result);
}
