// One connection to a server: its stream, what it offers, and how to say that it failed.
//
// When things fail: a read or write that did not succeed is an Error 4.4.2 in the usual words ("lost connection with
// h[ip] while …", "conversation with h[ip] timed out while …"), and the peer is broken: close it without a farewell.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include "base/error.h"
#include "base/time.h"
#include "endpoint.h"
#include "loop/loop.h"
#include "net/stream.h"
#include "config.h"
#include "tls_state.h"

namespace smtp {
// What a reply is taken for that says neither yes nor no where it has to: 3xx, 2xx to DATA, codes that SMTP does not
// have.
inline constexpr EnhancedStatus no_answer{5, 5, 0};

struct Reply {
    int code = 0;
    EnhancedStatus status;           // the last line's, or X.0.0; no_answer where the code is none of 2xx, 4xx and 5xx
    std::string text;                // all lines as they came, joined by blanks: "250-a 250 b"
    std::vector<std::string> lines;  // behind the code; of lines that have one
    bool positive() const { return code / 100 == 2; }
    bool temporary() const { return code / 100 == 4; }
    bool permanent() const { return code / 100 == 5; }
};

struct Features {
    bool esmtp = false, pipelining = false, size = false, eight_bit = false, dsn = false, smtputf8 = false,
         starttls = false, starttls_ignored = false, requiretls = false;
    bool xforward_name = false, xforward_address = false, xforward_port = false, xforward_protocol = false,
         xforward_helo = false, xforward_ident = false, xforward_source = false;
    std::int64_t size_limit = 0;  // 0: none said
};

class Peer {
public:
    // The error's reason is the log line: "connect to mx[192.0.2.1]:25: Connection refused" (4.4.1).
    static Result<std::unique_ptr<Peer>> connect(const Config& config, const Endpoint& endpoint);

    // Gathers "line CRLF"; the next reply() or flush() sends it. It is one command, whatever an address or a name in it
    // holds.
    void say(std::string_view line);
    // The next reply: with smtp_per_request_deadline all its lines within timeout, else each read of it. It ends with
    // the first line that has a code and no '-' behind it; lines without a code are part of its text. doing: "sending
    // MAIL FROM", for the reason.
    Result<Reply> reply(Seconds timeout, std::string_view doing);
    Result<void> send(std::string_view text, loop::Deadline deadline, std::string_view doing);
    // The same with smtp_per_request_deadline = no: the time starts again whenever the server has taken something.
    Result<void> send_patiently(std::string_view text, Seconds timeout, std::string_view doing);
    Result<void> flush(loop::Deadline deadline, std::string_view doing);
    // After a send() or flush() that lost the connection: the reply that the server gave before it left, if it did.
    std::optional<Reply> last_words();
    // QUIT, and its reply where main.cf wants that; a broken peer is just closed.
    void farewell();

    net::Stream& stream() { return stream_; }
    const Config& config() const { return config_; }
    const Endpoint endpoint;
    // That it is asked to take.
    struct CurrentMessage {
        std::string queue_id;
        std::int64_t arrival_seconds = 0;
    } message{};
    Features features;
    // Workarounds for the firewall before it; delays_dot(): the pause before the dot, which only old messages need.
    struct Pix {
        bool disable_esmtp = false, delay_dotcrlf = false;
    } pix{};
    bool delays_dot() const;
    std::string helo;  // the name that it gave itself
    TlsState tls = TlsState::wished;
    std::string tls_feature;        // tls= in the log: "may", "may:none", "encrypt" …
    bool send_require_tls = false;  // REQUIRETLS goes with MAIL FROM
    bool broken = false;            // not to be used again, not even for QUIT
    bool leaving = false;           // QUIT comes next: it said 421, or it is not clear what its next reply would be to
    bool needs_reset = false;       // a transaction was begun and not ended
    // For one message after another.
    struct Reuse {
        std::string key;                       // of the kept connections that it may stand among
        int uses = 0;                          // transactions so far
        bool under_tls = false;                // also where it is under TLS
        loop::Deadline expires = loop::never;  // not after this
        bool silent = true;  // no reply came yet to the last command since it was taken from the kept ones
    } reuse{};
    base::WallTime connected{};  // ready, or taken from the kept ones

private:
    Peer(const Config& config, Endpoint where, UniqueFd fd)
        : endpoint(std::move(where)), config_(config), stream_(std::move(fd)) {}
    Result<net::Stream::Line> line(Seconds timeout, loop::Deadline& deadline);
    Result<std::string> reply_line(Seconds timeout, loop::Deadline& deadline);
    void warn_of(std::string_view odd_line) const;
    tl::unexpected<Error> failed(const Error& error, std::string_view doing);
    const Config& config_;
    net::Stream stream_;
};
}
