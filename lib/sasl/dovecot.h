// Dovecot's authentication protocol, version 1 (doc.dovecot.org, "Dovecot Authentication Protocol"): lines of fields
// with tabs between them. All sessions of a process share one connection, on which requests are told apart by number;
// whoever waits for an answer reads for all. It is made when it is first needed, and anew after it was lost.
//
// When things fail: an answer that does not come within answer_time, a connection that ends and lines that make no
// sense are Kind::unavailable for the logins they concern. What other requests wait for is not touched by one that
// takes too long.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include "sasl/server.h"

namespace sasl {
inline constexpr std::chrono::seconds answer_time{10};
inline constexpr std::size_t line_limit = 16384;      // of the protocol, both ways
inline constexpr std::size_t mechanisms_limit = 100;  // that one server may name

// path: "inet:HOST:PORT", "unix:PATH" or the path of a UNIX-domain socket.
Result<std::unique_ptr<Server>> open_dovecot(const std::string& path, const std::string& service);

// A line's first fields, and its "name=value" fields with the protocol's escapes undone.
class Fields {
public:
    explicit Fields(std::string_view line);
    std::string_view operator[](std::size_t n) const;  // "" behind the last
    bool has(std::string_view name) const;             // "temp"
    std::string value(std::string_view name) const;    // "" where there is none

private:
    std::vector<std::string_view> fields_;
};
}
