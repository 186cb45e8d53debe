#include "format.h"
#include <fmt/format.h>
#include <ctime>
#include "base/bytes.h"

namespace postqueue {
static constexpr std::size_t reason_column = 76;  // reasons end here, when they are not longer

static std::string arrival(std::int64_t when) {
    std::time_t t = static_cast<std::time_t>(when);
    std::tm local{};
    localtime_r(&t, &local);
    char text[64];
    return {text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S", &local)};
}

std::string MailqFormat::message(const ipc::QueueListMessage& m) {
    std::string out;
    if (count_++ == 0)
        out = long_ids_ ? "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
                        : "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n";
    else
        out = "\n";
    bytes_ += m.size;
    std::string id = bytes::printable(m.queue_id);
    if (m.queue_name == "active")
        id += '*';
    else if (m.queue_name == "hold")
        id += '!';
    if (m.forced_expire)
        id += '#';
    const std::string sender = bytes::printable(m.sender);
    if (long_ids_)
        out += fmt::format("{:<17} {:>8} {:>19} {}\n", id, m.size, arrival(m.time), sender);
    else
        out += fmt::format("{:<11}{:>8} {:<20} {}\n", id, m.size, arrival(m.time), sender);
    std::string_view last;
    for (const auto& r : m.recipients) {
        if (!r.reason.empty() && r.reason != last) {
            std::string reason = bytes::printable(r.reason);
            out.append(reason.size() < reason_column ? reason_column - reason.size() : 0, ' ')
                .append("(" + reason + ")\n");
        }
        last = r.reason;
        out.append(long_ids_ ? 47 : 41, ' ').append(bytes::printable(r.address)).append("\n");
    }
    return out;
}

std::string MailqFormat::end() const {
    if (count_ == 0)
        return "Mail queue is empty\n";
    return fmt::format("\n-- {} Kbytes in {} Request{}.\n", bytes_ / 1024, count_, count_ == 1 ? "" : "s");
}

std::string json_quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\b': out += "\\b"; break;
        case '\f': out += "\\f"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (static_cast<unsigned char>(c) < 32 || c == 127)
                out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
            else
                out += c;
        }
    }
    return out + '"';
}

// What is not UTF-8 cannot be JSON.
static std::string text(std::string_view value) {
    return json_quoted(bytes::valid_utf8(value) ? std::string(value) : bytes::printable(value, true));
}

std::string json(const ipc::QueueListMessage& m) {
    std::string out = fmt::format("{{\"queue_name\": {}, \"queue_id\": {}, \"arrival_time\": {}, \"message_size\": {}, "
                                  "\"forced_expire\": {}, \"sender\": {}, \"recipients\": [",
                                  text(m.queue_name), text(m.queue_id), m.time, m.size,
                                  m.forced_expire ? "true" : "false", text(m.sender));
    bool first = true;
    for (const auto& r : m.recipients) {
        if (!std::exchange(first, false))
            out += ", ";
        out += fmt::format("{{\"orig_address\": {}, \"address\": {}", text(r.original), text(r.address));
        if (!r.reason.empty())
            out += ", \"delay_reason\": " + text(r.reason);
        out += '}';
    }
    return out + "]}\n";
}
}
