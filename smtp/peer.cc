#include "peer.h"
#include <fmt/format.h>
#include <utility>
#include "base/bytes.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "log/log.h"
#include "net/socket.h"
#include "tls/session.h"

namespace smtp {
namespace {
constexpr std::size_t line_length_limit = 2048, reply_lines_limit = 1000, reply_text_limit = 8192;
}

Result<std::unique_ptr<Peer>> Peer::connect(const Config& config, const Endpoint& where) {
    auto deadline = config.timeouts.connect.count() > 0 ? loop::in(config.timeouts.connect) : loop::never;
    const net::Address* from = nullptr;
    if (where.address.family() == AF_INET && config.bind4.family() == AF_INET)
        from = &config.bind4;
    if (where.address.family() == AF_INET6 && config.bind6.family() == AF_INET6)
        from = &config.bind6;
    auto fd =
        where.path.empty() ? net::connect_inet(where.address, from, deadline) : net::connect_unix(where.path, deadline);
    if (!fd && from && fd.error().reason.starts_with("bind ") && !config.bind_enforce) {
        maillog::warning("connect to {}: {}", where.label_with_port(), fd.error().reason);
        fd = net::connect_inet(where.address, nullptr, deadline);
    }
    if (!fd)
        return temporary(fmt::format("connect to {}: {}", where.label_with_port(), fd.error().reason), {4, 4, 1});
    return std::unique_ptr<Peer>(new Peer(config, where, std::move(*fd)));
}

tl::unexpected<Error> Peer::failed(const Error& error, std::string_view doing) {
    broken = true;
    if (stream_.failure() == net::Stream::Failure::timeout)
        return temporary(fmt::format("conversation with {} timed out while {}", endpoint.label(), doing), {4, 4, 2});
    (void)error;
    return temporary(fmt::format("lost connection with {} while {}", endpoint.label(), doing), {4, 4, 2});
}

void Peer::say(std::string_view line) {
    if (maillog::verbose())
        maillog::info("> {}: {}", endpoint.label_with_port(), line);
    (void)stream_.write(bytes::is_one_line(line) ? line : std::string_view(bytes::one_line(std::string(line))));
    (void)stream_.write("\r\n");
}

Result<void> Peer::send(std::string_view text, loop::Deadline deadline, std::string_view doing) {
    auto done = stream_.write(text, deadline);
    if (!done)
        return failed(done.error(), doing);
    return {};
}

Result<void> Peer::flush(loop::Deadline deadline, std::string_view doing) {
    auto done = stream_.flush(deadline);
    if (!done)
        return failed(done.error(), doing);
    return {};
}

// One line. Without deadlines for a whole reply a server that sends a little now and then is waited for. One that has
// left before our commands were on their way has perhaps said why.
Result<net::Stream::Line> Peer::line(Seconds timeout, loop::Deadline& deadline) {
    if (auto sent = stream_.flush(deadline); !sent) {
        if (stream_.failure() != net::Stream::Failure::lost)
            return tl::unexpected(std::move(sent.error()));
        stream_.discard_output();
    }
    for (;;) {
        std::uint64_t before = stream_.bytes_read();
        auto line = stream_.read_line(line_length_limit, deadline);
        if (config_.per_request_deadline)
            return line;
        deadline = loop::in(timeout);
        if (line || stream_.failure() != net::Stream::Failure::timeout || stream_.bytes_read() == before)
            return line;
    }
}

Result<void> Peer::send_patiently(std::string_view text, Seconds timeout, std::string_view doing) {
    constexpr std::size_t piece = 64 * 1024;  // what the stream gathers and does not yet send by itself
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
        for (;;) {
            std::size_t before = stream_.pending();
            auto done = stream_.flush(loop::in(timeout));
            if (done)
                break;
            if (stream_.failure() != net::Stream::Failure::timeout || stream_.pending() == before)
                return failed(done.error(), doing);
        }
        (void)stream_.write(text.substr(0, piece));
    }
    return {};
}

namespace {
// "250 text", "250-text" or "250": what has this form says how the command went; other lines are text that came with
// it.
bool has_code(std::string_view line) {
    return line.size() >= 3 && bytes::is_digit(line[0]) && bytes::is_digit(line[1]) && bytes::is_digit(line[2]) &&
           (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

// The enhanced status behind the code, where it is of the code's class; else what the code alone comes to.
EnhancedStatus status_of(int code, std::string_view line) {
    EnhancedStatus status;
    if (line.size() > 4 && EnhancedStatus::parse(bytes::trim(line.substr(4)), status) && status.klass == code / 100)
        return status;
    if (code / 100 != 2 && code / 100 != 4 && code / 100 != 5)
        return no_answer;
    return {static_cast<std::uint8_t>(code / 100), 0, 0};
}

std::string shortened(std::string_view text) { return bytes::printable(text.substr(0, 30)) + "..."; }
}

// One line of a reply, as the table makes it.
Result<std::string> Peer::reply_line(Seconds timeout, loop::Deadline& deadline) {
    TRY_ASSIGN(auto line, this->line(timeout, deadline));
    reuse.silent = false;
    std::string text(line.text);
    if (!line.complete)
        maillog::warning("{}: response longer than {}: {}", endpoint.label_with_port(), line_length_limit,
                         shortened(text));
    for (bool whole = line.complete; !whole;) {  // what is beyond the limit is read and dropped
        TRY_ASSIGN(auto rest, this->line(timeout, deadline));
        whole = rest.complete;
    }
    if (maillog::verbose())
        maillog::info("< {}: {}", endpoint.label_with_port(), text);
    if (!config_.reply_filter.empty())
        if (auto other = config_.reply_filter.find(text); other && *other)
            text = **other;
    return text;
}

// A line without a code, where several commands were said at once: it may be that replies no longer belong to the
// commands that they are taken for.
void Peer::warn_of(std::string_view odd_line) const {
    if (!features.pipelining)
        return;
    maillog::warning("{}: non-{} response from {}: {}", message.queue_id, config_.lmtp ? "LMTP" : "ESMTP",
                     endpoint.label_with_port(), bytes::printable(odd_line.substr(0, 100)));
    maillog::warning("to prevent loss of mail, turn off command pipelining for {} with the {} parameter",
                     endpoint.address.host(),
                     config_.lmtp ? param::lmtp_discard_lhlo_keyword_address_maps.name
                                  : param::smtp_discard_ehlo_keyword_address_maps.name);
}

Result<Reply> Peer::reply(Seconds timeout, std::string_view doing) {
    loop::Deadline deadline = loop::in(timeout);
    Reply reply;
    bool warned = false;
    for (std::size_t n = 0; n < reply_lines_limit; ++n) {
        auto text = reply_line(timeout, deadline);
        if (!text)
            return failed(text.error(), doing);
        bool coded = has_code(*text);
        if (reply.text.size() + text->size() < reply_text_limit) {
            reply.text += (reply.text.empty() ? "" : " ") + bytes::printable(*text);
            if (coded)
                reply.lines.push_back(text->size() > 4 ? text->substr(4) : std::string());
        }
        if (!coded && !std::exchange(warned, true))
            warn_of(*text);
        if (!coded || (text->size() > 3 && (*text)[3] == '-'))
            continue;
        reply.code = ((*text)[0] - '0') * 100 + ((*text)[1] - '0') * 10 + ((*text)[2] - '0');
        reply.status = status_of(reply.code, *text);
        leaving = leaving || reply.code == 421;
        return reply;
    }
    broken = true;
    maillog::warning("{}: response of more than {} lines: {}", endpoint.label_with_port(), reply_lines_limit,
                     shortened(reply.text));
    return temporary(fmt::format("malformed response from {} while {}", endpoint.label(), doing), {4, 5, 0});
}

std::optional<Reply> Peer::last_words() {
    if (stream_.failure() != net::Stream::Failure::lost)
        return std::nullopt;
    stream_.discard_output();
    auto said = reply(Seconds(1), "");  // it is here or never comes: nothing to wait for
    broken = true;
    return said ? std::optional(std::move(*said)) : std::nullopt;
}

bool Peer::delays_dot() const {
    return pix.delay_dotcrlf && base::wall_now().seconds - message.arrival_seconds >= config_.pix_threshold.count();
}

void Peer::farewell() {
    tls::save_session(stream_);
    if (!broken) {
        auto deadline = loop::in(config_.skip_quit_response ? Seconds(1) : config_.timeouts.quit);
        say("QUIT");
        bool answered = stream_.flush(deadline) && !config_.skip_quit_response &&
                        reply(config_.timeouts.quit, "sending QUIT command");
        if (answered && !config_.fast_shutdown)
            tls::say_farewell(stream_, loop::in(config_.timeouts.starttls));
    }
    broken = true;
    stream_.close();
}
}
