// BDAT (RFC 3030): content in chunks of a known size. A chunk is read to its end whatever is wrong, so that its bytes
// are never taken for commands.
#include <fmt/format.h>
#include "base/bytes.h"
#include "cleanup_client.h"
#include "conf/params/cleanup.h"
#include "conf/params/services.h"
#include "content_time.h"
#include "log/log.h"
#include "session.h"

namespace smtpd {
namespace {
constexpr std::uint64_t yield_bytes = 64 * 1024;
}

bool Session::bdat(Words& words) {
    if (discarded_ & keyword::chunking)
        return refuse("521 5.5.1 Error: command not implemented");
    std::optional<std::int64_t> size = words.size() > 1 ? bytes::to_int(words[1]) : std::nullopt;
    bool last = words.size() == 3 && bytes::iequals(words[2], "LAST");
    if (!size || *size < 0 || words.size() > 3 || (words.size() == 3 && !last)) {
        maillog::warning("{}: malformed BDAT command syntax from {}: {}", queue_id(), client_.shown,
                         words.size() > 1 ? words[1].substr(0, 100) : "");
        return refuse("521 5.5.4 Syntax: BDAT count [LAST]");  // what follows cannot be told from commands
    }
    return bdat_chunk(*size, last);
}

bool Session::bdat_chunk(std::int64_t size, bool last) {
    auto discard = [&](std::string reply) {
        in_content_ = true;
        if (take_chunk(size, true) == Take::lost) {
            lost(stream_.failure());
            return false;
        }
        in_content_ = false;
        if (mail_) {
            mail_->failed = true;
            if (last)
                drop_transaction();
        }
        return refuse(reply);
    };
    if (mail_ && mail_->failed)
        return discard(fmt::format("551 5.0.0 Discarded {} bytes after earlier error", size));
    if (!mail_ || mail_->accepted == 0) {
        bool any = mail_ != nullptr;
        if (mail_)
            mail_->chunking = true;
        return discard(any ? "554 5.5.1 Error: no valid recipients" : "503 5.5.1 Error: need RCPT command");
    }
    if (size == 0 && !last) {
        maillog::warning("{}: null BDAT request from {}", queue_id(), client_.shown);
        mail_->chunking = mail_->failed = true;
        return refuse("551 5.7.1 Null BDAT request");
    }
    if (!mail_->chunking) {
        content_bytes_ = 0;
        over_limits_ = false;
    }
    if (settings_[param::message_size_limit] > 0 && size > settings_[param::message_size_limit] - content_bytes_) {
        maillog::warning("{}: BDAT request from {} exceeds message size limit", queue_id(), client_.shown);
        mail_->chunking = true;
        return discard("552 5.3.4 Chunk exceeds message size limit");
    }
    if (!mail_->chunking) {
        mail_->chunking = true;
        if (auto denied = check_content(Phase::data))
            return discard(*denied);
        if (!start_content())
            return discard("451 4.3.0 Error: queue file write error");
    }
    in_content_ = true;
    if (take_chunk(size, false) == Take::lost) {
        lost(stream_.failure());
        return false;
    }
    in_content_ = false;
    if (mail_->bare_newline && bare_newline_ == BareNewline::reject && !last) {
        mail_->failed = true;
        return refuse(bare_newline_refusal());
    }
    if (!last)
        return say(fmt::format("250 2.0.0 Ok: {} bytes", size));
    if (!mail_->rest.empty() || mail_->continued)
        (void)line_to_cleanup(mail_->rest, true);
    return end_of_content(fmt::format("{} bytes ", content_bytes_));
}

// Lines are those of the whole message: one may go on in the next chunk.
Session::Take Session::take_chunk(std::int64_t size, bool drop) {
    std::uint64_t yield_at = stream_.bytes_read() + yield_bytes;
    ContentTime time(settings_, stream_);
    const auto limit = static_cast<std::size_t>(settings_[param::line_length_limit]);
    const bool strict = bare_newline_ != BareNewline::no;
    while (size > 0) {
        auto some = stream_.read_some(static_cast<std::size_t>(std::min<std::int64_t>(size, 64 * 1024)), time.start());
        if (!some)
            return Take::lost;
        time.stop();
        if (some->empty()) {
            (void)stream_.read_line(1, loop::in(std::chrono::seconds(0)));
            return Take::lost;
        }
        size -= static_cast<std::int64_t>(some->size());
        for (std::string_view rest = drop ? std::string_view() : *some; !rest.empty();) {
            std::size_t end = rest.find('\n');
            std::string_view piece = rest.substr(0, end);
            rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
            std::string& held = mail_->rest;
            if (end != piece.npos && held.empty()) {  // the usual case: the line lies whole in the buffer
                bool cr = piece.ends_with('\r');
                if (cr)
                    piece.remove_suffix(1);
                else
                    mail_->bare_newline = true;
                while (!strict && piece.ends_with('\r'))
                    piece.remove_suffix(1);
                while (piece.size() > limit) {
                    (void)line_to_cleanup(piece.substr(0, limit), false);
                    piece.remove_prefix(limit);
                }
                (void)line_to_cleanup(piece, true);
                mail_->continued = false;
                continue;
            }
            held.append(piece);
            if (end != piece.npos) {
                if (held.ends_with('\r'))
                    held.pop_back();
                else
                    mail_->bare_newline = true;
                while (!strict && held.ends_with('\r'))
                    held.pop_back();
            }
            while (held.size() > limit + 1) {
                (void)line_to_cleanup(std::string_view(held).substr(0, limit), false);
                held.erase(0, limit);
                mail_->continued = true;
            }
            if (end != piece.npos) {
                (void)line_to_cleanup(held, true);
                held.clear();
                mail_->continued = false;
            }
        }
        if (stream_.bytes_read() >= yield_at) {
            yield_at = stream_.bytes_read() + yield_bytes;
            loop::yield();
        }
    }
    return Take::done;
}
}
