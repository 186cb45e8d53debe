// BDAT (RFC 3030): content in chunks of a known size. A chunk is read to its end whatever is wrong, so that its bytes
// are never taken for commands.
#include <fmt/format.h>
#include <algorithm>
#include "access/phases.h"
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/cleanup.h"
#include "conf/params/services.h"
#include "content_time.h"
#include "keywords.h"
#include "log/log.h"
#include "session.h"

namespace smtpd {
namespace {
constexpr std::int64_t block_bytes = 64 * 1024;  // read at once, and between two turns of the others

// Makes lines of blocks: those of the whole message, since one may go on in the next chunk.
class Lines {
public:
    Lines(Transaction& mail, std::size_t limit, bool strict)
        : content_(mail.content), chunks_(mail.chunks), limit_(limit), strict_(strict) {}
    void take(std::string_view block) {
        while (!block.empty()) {
            const std::size_t end = block.find('\n');
            const std::string_view piece = block.substr(0, end);
            block.remove_prefix(end == block.npos ? block.size() : end + 1);
            if (end == block.npos)
                hold(piece);
            else if (chunks_.rest.empty())
                whole(piece);  // the usual case: the line lies whole in the buffer
            else {
                chunks_.rest.append(piece);
                rest_ends();
            }
        }
    }

private:
    // A line without its CR; of CR CR LF both go where that is one line end.
    std::string_view without_end(std::string_view line) {
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        else
            content_.bare_newline = true;
        while (!strict_ && line.ends_with('\r'))
            line.remove_suffix(1);
        return line;
    }
    void whole(std::string_view piece) {
        piece = without_end(piece);
        for (; piece.size() > limit_; piece.remove_prefix(limit_))
            content_.line(piece.substr(0, limit_), false);
        content_.line(piece, true);
        chunks_.continued = false;
    }
    void hold(std::string_view piece) {
        chunks_.rest.append(piece);
        cut_rest();
    }
    void cut_rest() {
        std::string& rest = chunks_.rest;
        for (; rest.size() > limit_ + 1; rest.erase(0, limit_)) {  // one more: it may be the CR
            content_.line(std::string_view(rest).substr(0, limit_), false);
            chunks_.continued = true;
        }
    }
    void rest_ends() {
        std::string& rest = chunks_.rest;
        rest.resize(without_end(rest).size());
        cut_rest();
        content_.line(rest, true);
        rest.clear();
        chunks_.continued = false;
    }

    Content& content_;
    Chunks& chunks_;
    const std::size_t limit_;
    const bool strict_;
};

// False: the client is lost. drop: the chunk is of no use.
bool take_chunk(Session& session, std::int64_t size, bool drop) {
    net::Stream& stream = session.stream;
    std::optional<Lines> lines;
    if (!drop)
        lines.emplace(*session.mail, static_cast<std::size_t>(session.settings[param::line_length_limit]),
                      session.client.bare_newline(session.service) != BareNewline::no);
    std::uint64_t yield_at = stream.bytes_read() + block_bytes;
    ContentTime time(session.settings, stream);
    session.in_content = true;
    while (size > 0) {
        auto some = stream.read_some(static_cast<std::size_t>(std::min(size, block_bytes)), time.start());
        if (!some)
            return false;
        time.stop();
        if (some->empty()) {
            (void)stream.read_line(1, loop::in(std::chrono::seconds(0)));  // so that failure() tells how it ended
            return false;
        }
        size -= static_cast<std::int64_t>(some->size());
        if (lines)
            lines->take(*some);
        if (stream.bytes_read() >= yield_at) {
            yield_at = stream.bytes_read() + block_bytes;
            loop::yield();
        }
    }
    session.in_content = false;
    return true;
}

// Refuses a chunk: reads it, then says so; the rest of the message is refused like it.
bool discard(Session& session, std::int64_t size, bool last, const std::string& reply) {
    if (!take_chunk(session, size, true)) {
        session.lost();
        return false;
    }
    if (session.mail) {
        session.mail->chunks.failed = true;
        if (last)
            session.drop_transaction();
    }
    return session.dialogue.refuse(reply);
}

// What stands against the chunk before its first byte is read, and what opens the content; the reply where it does.
std::optional<std::string> objection(Session& session, std::int64_t size) {
    if (session.mail && session.mail->chunks.failed)
        return fmt::format("551 5.0.0 Discarded {} bytes after earlier error", size);
    if (!session.mail)
        return "503 5.5.1 Error: need RCPT command";
    Transaction& mail = *session.mail;
    const bool first = !std::exchange(mail.chunks.begun, true);
    if (mail.accepted == 0)
        return "554 5.5.1 Error: no valid recipients";
    const std::int64_t limit = session.settings[param::message_size_limit];
    if (limit > 0 && size > limit - mail.content.bytes()) {
        maillog::warning("{}: BDAT request from {} exceeds message size limit", session.queue_id(),
                         session.client.shown);
        return "552 5.3.4 Chunk exceeds message size limit";
    }
    if (!first)
        return std::nullopt;
    if (auto denied = check_content(session, Phase::data))
        return denied;
    return start_content(session);
}

bool chunk(Session& session, std::int64_t size, bool last) {
    Dialogue& dialogue = session.dialogue;
    if (size == 0 && !last && !(session.mail && session.mail->chunks.failed)) {
        maillog::warning("{}: null BDAT request from {}", session.queue_id(), session.client.shown);
        if (session.mail)
            session.mail->chunks.begun = session.mail->chunks.failed = true;
        return dialogue.refuse("551 5.7.1 Null BDAT request");
    }
    if (auto reply = objection(session, size))
        return discard(session, size, last, *reply);
    if (!take_chunk(session, size, false)) {
        session.lost();
        return false;
    }
    Transaction& mail = *session.mail;
    if (mail.content.bare_newline && !last && session.client.bare_newline(session.service) == BareNewline::reject) {
        mail.chunks.failed = true;
        return dialogue.refuse(session.bare_newline_refusal());
    }
    if (!last)
        return dialogue.say(fmt::format("250 2.0.0 Ok: {} bytes", size));
    if (!mail.chunks.rest.empty() || mail.chunks.continued)
        mail.content.line(mail.chunks.rest, true);
    return end_of_content(session, fmt::format("{} bytes ", mail.content.bytes()));
}
}

bool bdat(Session& session, Words& words) {
    if (session.client.discarded & keyword::chunking)
        return session.dialogue.refuse("521 5.5.1 Error: command not implemented");
    std::optional<std::int64_t> size = words.size() > 1 ? bytes::to_int(words[1]) : std::nullopt;
    const bool last = words.size() == 3 && bytes::iequals(words[2], "LAST");
    if (!size || *size < 0 || words.size() > 3 || (words.size() == 3 && !last)) {
        maillog::warning("{}: malformed BDAT command syntax from {}: {}", session.queue_id(), session.client.shown,
                         words.size() > 1 ? words[1].substr(0, 100) : "");
        // What follows cannot be told from commands.
        return session.dialogue.refuse("521 5.5.4 Syntax: BDAT count [LAST]");
    }
    return chunk(session, *size, last);
}
}
