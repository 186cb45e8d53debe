// The form of every conversation between daemons: a message is a list "name\0value\0 … \0", as public/showq and the
// monitoring tools that read it have it. A message type lists its fields once, for both ends:
//
//     struct ResolveRequest {
//         static constexpr std::string_view protocol = "resolve";
//         std::string sender, recipient;
//         template <class Self, class Visit> static void fields(Self& self, Visit&& visit) {
//             visit("sender", self.sender); visit("recipient", self.recipient);
//         }
//     };
//
// A field is a std::string, an integer, a bool, an enum, a std::vector of strings or integers, or a std::vector of
// structs with fields of their own (sent as a count, then each member's fields). The first attribute is "protocol", the
// message type's name: one end may expect several types and ask Incoming which it got. A type with `announced` has the
// form of Postfix's services, for its commands: the service says the protocol once, as soon as a client is there, and
// the messages do not repeat it.
//
// When things fail: a list that is cut, too large, out of order or of another type is an Error (4.3.0); the caller
// drops the connection. A NUL within a value cannot be sent: the value ends there.
#pragma once
#include <charconv>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>
#include "base/error.h"
#include "net/stream.h"

namespace ipc {
// What one message may take: a delivery request with its recipients is the largest.
inline constexpr std::size_t message_limit = 32u << 20;
inline constexpr std::size_t list_limit = 100000;

class Writer {
public:
    template <class T> void operator()(std::string_view name, const T& value) {
        if constexpr (std::is_convertible_v<const T&, std::string_view>)
            put(name, value);
        else if constexpr (std::is_enum_v<T>)
            put(name, std::to_string(static_cast<long long>(value)));
        else if constexpr (std::is_arithmetic_v<T>)
            put(name, std::to_string(value));
        else {
            put(name, std::to_string(value.size()));
            for (const auto& item : value) {
                if constexpr (requires { item.fields(item, *this); })
                    item.fields(item, *this);
                else
                    (*this)(name, item);
            }
        }
    }
    std::string text;  // so far, without the closing NUL

private:
    void put(std::string_view name, std::string_view value) {
        text.append(name.substr(0, name.find('\0'))).push_back('\0');
        text.append(value.substr(0, value.find('\0'))).push_back('\0');
    }
};

// Reads fields in the order they were written.
class Reader {
public:
    explicit Reader(std::string_view list) : left_(list) {}
    template <class T> void operator()(std::string_view name, T& value) {
        std::string_view v;
        if (!take(name, v))
            return;
        if constexpr (std::is_same_v<T, std::string>)
            value = v;
        else if constexpr (std::is_same_v<T, bool>) {
            if (v != "0" && v != "1")
                bad(name);
            else
                value = v == "1";
        } else if constexpr (std::is_enum_v<T>) {
            long long n = 0;
            number(name, v, n);
            value = static_cast<T>(n);
        } else if constexpr (std::is_arithmetic_v<T>)
            number(name, v, value);
        else {
            std::size_t count = 0;
            if (!number(name, v, count))
                return;
            if (count > list_limit || count > left_.size())
                return bad(name);
            value.clear();
            for (std::size_t i = 0; i < count && error_.empty(); ++i) {
                auto& item = value.emplace_back();
                if constexpr (requires { item.fields(item, *this); })
                    item.fields(item, *this);
                else
                    (*this)(name, item);
            }
        }
    }
    // Nothing wrong and nothing left over.
    Result<void> finish() const;

private:
    bool take(std::string_view name, std::string_view& value);
    void bad(std::string_view name);
    template <class N> bool number(std::string_view name, std::string_view v, N& n) {
        auto [end, problem] = std::from_chars(v.data(), v.data() + v.size(), n);
        if (problem == std::errc{} && end == v.data() + v.size())
            return true;
        bad(name);
        return false;
    }
    std::string_view left_;
    std::string error_;
};

template <class M> constexpr bool is_announced = requires { M::announced; };

template <class M> std::string encode(const M& message) {
    Writer w;
    if constexpr (!is_announced<M>)
        w("protocol", M::protocol);
    M::fields(message, w);
    w.text.push_back('\0');
    return std::move(w.text);
}

// A message as it came; valid as long as this object.
class Incoming {
public:
    explicit Incoming(std::string text);
    std::string_view protocol() const;  // the type's name; "" where there is none
    template <class M> bool is() const { return protocol() == M::protocol; }
    template <class M> Result<M> as() const {
        M message{};
        Reader r(text_);
        if constexpr (!is_announced<M>) {
            std::string name;
            r("protocol", name);
            if (name != M::protocol)
                return temporary("expected a message \"" + std::string(M::protocol) + "\", got \"" +
                                 name.substr(0, 40) + "\"");
        }
        M::fields(message, r);
        TRY(r.finish());
        return message;
    }

private:
    std::string text_;  // without the closing NUL
};

// What a service says first: "protocol\0NAME\0\0".
std::string announcement(std::string_view protocol);
// Reads it; an Error where it is another's.
Result<void> expect_announcement(net::Stream& from, std::string_view protocol, net::Deadline deadline);

// Gathers in the stream; flush() or the next read sends it.
template <class M> Result<void> send(net::Stream& to, const M& message, net::Deadline deadline) {
    return to.write(encode(message), deadline);
}
Result<Incoming> receive(net::Stream& from, net::Deadline deadline);
template <class M> Result<M> receive(net::Stream& from, net::Deadline deadline) {
    TRY_ASSIGN(Incoming in, receive(from, deadline));
    return in.as<M>();
}
}
