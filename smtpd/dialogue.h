// The talk with a client over its connection: lines in, replies out, and the limits on both. Knows no command.
//
// When things fail: what cannot be read or written is lost(); whoever talks ends the session then.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include "client.h"
#include "conf/settings.h"
#include "net/stream.h"
#include "transcript.h"

namespace smtpd {
class Dialogue {
public:
    Dialogue(Service& service, const conf::Settings& settings, net::Stream& stream, const Client& client,
             Transcript& transcript)
        : service_(service), settings_(settings), stream_(stream), client_(client), transcript_(transcript) {}

    // --- lines
    enum class Input { ready, silent, lost };  // silent: until its time was up
    // Sends what there is to say and waits until the client speaks. between: no message is under way, and a drained
    // generation may end the session.
    Input await(bool between);
    struct Line {
        std::string text;
        bool crlf;
    };
    // A command; of an overlong one the beginning. Absent: lost.
    std::optional<Line> read();
    std::string_view buffered() const { return stream_.buffered(); }  // what the client has sent already
    // Now and then one client that pipelines lets the others have their turn.
    Input take_turns();

    // --- replies
    // Queues a reply: one line, or several with CRLF between them, without the last one's end. True where it is no
    // error; 421 and 521 end the dialogue.
    bool say(std::string_view reply);
    bool refuse(std::string_view reply) {
        (void)say(reply);
        return false;
    }
    bool flush();  // false: lost
    // A last word that takes no memory and does not wait; nothing where something else is to be said before, or in TLS.
    void last_word(std::string_view text);
    loop::Deadline deadline() const;  // of one command or reply

    // --- counts
    void error() { ++errors_; }
    void junk();  // a command of which more than a few are errors: RSET, NOOP, VRFY …
    void forgive() { errors_ = junk_ = 0; }
    bool too_many_errors() const;

    // --- the end
    void hang_up() { over_ = true; }
    bool over() const { return over_; }
    bool write_failed() const { return write_failed_; }

private:
    Service& service_;
    const conf::Settings& settings_;
    net::Stream& stream_;
    const Client& client_;
    Transcript& transcript_;
    loop::Deadline command_until_{};  // with deadlines for whole requests: this command's
    std::int64_t errors_ = 0, junk_ = 0, commands_ = 0;
    bool over_ = false, write_failed_ = false;
};

// Separated by blanks outside quotes and <>; "FROM: <a>" and "FROM:<a>" stay as they were sent.
using Words = std::vector<std::string_view>;
Words split_words(std::string_view line);
// Those from here on with one blank between them.
std::string joined(const Words& words, std::size_t from);
}
