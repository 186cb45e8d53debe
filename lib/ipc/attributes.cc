#include "ipc/attributes.h"

namespace ipc {
bool Reader::take(std::string_view name, std::string_view& value) {
    if (!error_.empty())
        return false;
    std::size_t a = left_.find('\0');
    std::size_t b = a == left_.npos ? a : left_.find('\0', a + 1);
    if (b == left_.npos || left_.substr(0, a) != name) {
        error_ = "expected attribute \"" + std::string(name) + "\", got \"" +
                 std::string(left_.substr(0, std::min<std::size_t>(a, 40))) + '"';
        return false;
    }
    value = left_.substr(a + 1, b - a - 1);
    left_.remove_prefix(b + 1);
    return true;
}

void Reader::bad(std::string_view name) {
    if (error_.empty())
        error_ = "attribute \"" + std::string(name) + "\" has a bad value";
}

Result<void> Reader::finish() const {
    if (!error_.empty())
        return temporary(error_);
    if (!left_.empty())
        return temporary("unexpected attribute \"" +
                         std::string(left_.substr(0, std::min<std::size_t>(left_.find('\0'), 40))) + '"');
    return {};
}

Incoming::Incoming(std::string text) : text_(std::move(text)) {}

std::string_view Incoming::protocol() const {
    static constexpr std::string_view first("protocol\0", 9);
    if (!std::string_view(text_).starts_with(first))
        return {};
    return std::string_view(text_).substr(first.size(), text_.find('\0', first.size()) - first.size());
}

std::string announcement(std::string_view protocol) {
    Writer w;
    w("protocol", protocol);
    w.text.push_back('\0');
    return std::move(w.text);
}

Result<void> expect_announcement(net::Stream& from, std::string_view protocol, net::Deadline deadline) {
    TRY_ASSIGN(Incoming in, receive(from, deadline));
    if (in.protocol() == protocol)
        return {};
    return temporary("expected the protocol \"" + std::string(protocol) + "\", got \"" +
                     std::string(in.protocol().substr(0, 40)) + '"');
}

// Names and values alternate; an empty name ends the list.
Result<Incoming> receive(net::Stream& from, net::Deadline deadline) {
    std::string text;
    for (;;) {
        TRY_ASSIGN(std::string_view name, from.read_until('\0', 256, deadline));
        if (name.empty())
            return Incoming(std::move(text));
        text.append(name).push_back('\0');
        TRY_ASSIGN(std::string_view value, from.read_until('\0', message_limit - text.size(), deadline));
        text.append(value).push_back('\0');
        if (text.size() > message_limit / 2 + message_limit / 4)
            return temporary("message larger than " + std::to_string(message_limit) + " bytes");
    }
}
}
