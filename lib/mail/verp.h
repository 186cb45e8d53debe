// The sender of one recipient's copy: user@origin becomes user+recipient=domain@origin, with the message's two
// delimiters. delimiters: two characters; what is missing is "+=".
#pragma once
#include <string>
#include <string_view>

namespace mail {
inline std::string verp_sender(std::string_view sender, std::string_view recipient, std::string_view delimiters) {
    char first = delimiters.size() > 0 ? delimiters[0] : '+', second = delimiters.size() > 1 ? delimiters[1] : '=';
    auto at = sender.rfind('@');
    std::string_view user = sender.substr(0, at), origin = at == sender.npos ? std::string_view() : sender.substr(at);
    auto where = recipient.rfind('@');
    std::string out(user);
    out.append(1, first).append(recipient.substr(0, where));
    if (where != recipient.npos)
        out.append(1, second).append(recipient.substr(where + 1));
    return out.append(origin);
}
}
