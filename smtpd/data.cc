// DATA: content up to CR LF . CR LF, as records to cleanup, and the answer that says the message is safe.
#include <fmt/format.h>
#include "cleanup_client.h"
#include "conf/params/cleanup.h"
#include "conf/params/services.h"
#include "content_time.h"
#include "log/log.h"
#include "server/server.h"
#include "session.h"

namespace smtpd {
using queue::RecordType;
namespace {
constexpr std::uint64_t yield_bytes = 64 * 1024;
}

bool Session::data(Words& words) {
    if (mail_ && mail_->chunking)
        return refuse("503 5.5.1 Error: DATA after BDAT");
    if (!mail_ || mail_->accepted == 0)
        return refuse(mail_ ? "554 5.5.1 Error: no valid recipients" : "503 5.5.1 Error: need RCPT command");
    if (words.size() != 1)
        return refuse("501 5.5.4 Syntax: DATA");
    if (auto denied = check_content(Phase::data))
        return refuse(*denied);
    if (!start_content()) {
        drop_transaction();
        return refuse("451 4.3.0 Error: queue file write error");
    }
    (void)say("354 End data with <CR><LF>.<CR><LF>");
    in_content_ = true;
    content_bytes_ = 0;
    over_limits_ = false;
    if (take_content() == Take::lost) {
        lost(stream_.failure());
        return false;
    }
    return end_of_content({});
}

// One line, or with ends false a piece of one, into cleanup's stream; counted against message_size_limit. The first
// line of a message gets special care: what mailboxes put in front of it is no header, and a message may begin with its
// body.
bool Session::line_to_cleanup(std::string_view text, bool ends) {
    CleanupClient& to = *mail_->cleanup;
    if (content_bytes_ == 0 && !over_limits_) {
        if (text.starts_with("From ") || text.starts_with(">From ")) {
            std::string header = "X-Mailbox-Line: " + std::string(text);
            content_bytes_ += static_cast<std::int64_t>(text.size()) + (ends ? 2 : 0);
            to.put(ends ? RecordType::line : RecordType::part, header);
            return true;
        }
        if (!text.empty() && (text[0] == ' ' || text[0] == '\t'))
            to.put(RecordType::line);
    }
    std::int64_t size = static_cast<std::int64_t>(text.size()) + (ends ? 2 : 0);
    if (over_limits_)
        return false;
    if (settings_[param::message_size_limit] > 0 && content_bytes_ > settings_[param::message_size_limit] - size) {
        over_limits_ = true;
        maillog::warning("{}: queue file size limit exceeded", queue_id());
        return false;
    }
    content_bytes_ += size;
    to.put(ends ? RecordType::line : RecordType::part, text);
    return true;
}

Session::Take Session::take_content() {
    const bool strict = bare_newline_ != BareNewline::no;
    bool line_begins = true, after_crlf = true, noted = false;
    std::uint64_t yield_at = stream_.bytes_read() + yield_bytes;
    ContentTime time(settings_, stream_);
    for (;;) {
        if (stream_.bytes_read() >= yield_at) {
            yield_at = stream_.bytes_read() + yield_bytes;
            loop::yield();
        }
        auto line = stream_.read_line(static_cast<std::size_t>(settings_[param::line_length_limit]), time.start());
        if (!line)
            return Take::lost;
        time.stop();
        std::string_view text = line->text;
        if (!strict && line->complete)
            while (text.ends_with('\r'))
                text.remove_suffix(1);  // CR CR LF is one line end, as it always was
        if (line_begins && text.starts_with('.')) {
            if (text.size() == 1 && line->complete) {
                if (!strict || (line->crlf && after_crlf))
                    return Take::done;
                after_crlf = line->crlf;  // a lone dot that ends nothing is dropped
                if (!line->crlf)
                    mail_->bare_newline = true;
                continue;
            }
            text.remove_prefix(1);
        }
        if (line->complete && !line->crlf && strict) {
            mail_->bare_newline = true;
            if (bare_newline_ == BareNewline::note && !noted) {
                noted = true;
                maillog::info("{}: bare <LF> received after {} from {}", queue_id(), where_, client_.shown);
            }
        }
        (void)line_to_cleanup(text, line->complete);
        line_begins = line->complete;
        after_crlf = line->complete && line->crlf;
    }
}

bool Session::end_of_content(std::string_view size_text) {
    where_ = "END-OF-MESSAGE";
    server::Commit commit;  // a stop waits for the answer
    bool ok = false;
    mail_->actions = {.hold = mail_->actions.hold,
                      .discard = mail_->actions.discard};  // the rest cleanup knows already
    if (over_limits_)
        (void)say("552 5.3.4 Error: message file too big");
    else if (mail_->bare_newline && bare_newline_ == BareNewline::reject) {
        (void)say(bare_newline_refusal());
    } else if (mail_->cleanup->failed())
        (void)say("451 4.3.0 Error: queue file write error");
    else if (auto denied = check_content(Phase::end_of_data))
        (void)say(*denied);
    else {
        mail_->cleanup->put(RecordType::extracted);
        if (mail_->actions.any())
            send_actions({});
        auto reply = mail_->cleanup->finish();
        if (!reply) {
            maillog::warning("{}: {}: {}", queue_id(), service_.cleanup.path(), reply.error().reason);
            (void)say("451 4.3.0 Error: queue file write error");
        } else if (!reply->ok)
            (void)say(fmt::format("{} {} {}", reply->smtp_code, reply->status, reply->reason));
        else {
            ok = true;
            errors_ = junk_ = 0;
            (void)say(fmt::format("250 2.0.0 Ok: {}queued as {}", size_text, queue_id()));
        }
    }
    drop_transaction();
    if (stream_.buffered().empty())
        (void)stream_.flush(command_deadline());
    return ok;
}
}
