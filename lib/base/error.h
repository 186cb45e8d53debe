// Errors are values. An Error carries an enhanced status (RFC 3463) and a reason that a person can act on; whether it
// is temporary (class 4) or permanent (class 5) is decided where it is born. Result<T> is tl::expected<T, Error>.
//
// When things fail: nothing here throws but std::bad_alloc.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

// class.subject.detail of RFC 3463, e.g. 4.3.0.
struct EnhancedStatus {
    std::uint8_t klass = 4;
    std::uint16_t subject = 0;
    std::uint16_t detail = 0;

    std::string text() const;  // "4.3.0"
    bool temporary() const { return klass == 4; }
    bool success() const { return klass == 2; }
    // Reads "c.s.d" at the start of text (RFC 3463, section 2: class 2, 4 or 5; up to three digits each) and tells how
    // many bytes it took; 0 where there is none.
    static std::size_t parse(std::string_view text, EnhancedStatus& out);
    friend auto operator<=>(const EnhancedStatus&, const EnhancedStatus&) = default;
};

struct Error {
    EnhancedStatus status;
    std::string reason;
    int sys_errno = 0;  // errno where a system call failed, else 0
};

template <class T> using Result = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;  // what a function that returns Result<T> returns on failure

// 4.3.0 with this reason; permanent() is 5.3.0. Both take another status where the caller knows better.
Failure temporary(std::string reason, EnhancedStatus status = {4, 3, 0});
Failure permanent(std::string reason, EnhancedStatus status = {5, 3, 0});
// Temporary, 4.3.0: "what: strerror(err)".
Failure system_error(std::string_view what, int err);
// A message as a person reads it: strerror, thread-safe.
std::string errno_text(int err);

// TRY(expr): returns expr's error from this function. TRY_ASSIGN(var, expr): declares var as the value, or returns the
// error.
#define POSTHORN_JOIN2(a, b) a##b
#define POSTHORN_JOIN(a, b) POSTHORN_JOIN2(a, b)
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        if (auto try_result_ = (expr); !try_result_)                                                                   \
            return tl::unexpected(std::move(try_result_.error()));                                                     \
    } while (0)
#define TRY_ASSIGN(var, expr)                                                                                          \
    auto POSTHORN_JOIN(try_, __LINE__) = (expr);                                                                       \
    if (!POSTHORN_JOIN(try_, __LINE__))                                                                                \
        return tl::unexpected(std::move(POSTHORN_JOIN(try_, __LINE__).error()));                                       \
    var = std::move(*POSTHORN_JOIN(try_, __LINE__))
