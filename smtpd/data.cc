// DATA: content up to CR LF . CR LF, and the answer that says the message is safe.
#include "access/phases.h"
#include "commands.h"
#include "conf/params/cleanup.h"
#include "conf/params/services.h"
#include "content_time.h"
#include "log/log.h"
#include "received.h"
#include "server/server.h"
#include "session.h"

namespace smtpd {
namespace {
constexpr std::uint64_t yield_bytes = 64 * 1024;

// False: the client is lost.
bool take_content(Session& session) {
    Content& content = session.mail->content;
    net::Stream& stream = session.stream;
    const auto line_limit = static_cast<std::size_t>(session.settings[param::line_length_limit]);
    const BareNewline bare = session.client.bare_newline(session.service);
    const bool strict = bare != BareNewline::no;
    bool line_begins = true, after_crlf = true, noted = false;
    std::uint64_t yield_at = stream.bytes_read() + yield_bytes;
    ContentTime time(session.settings, stream);
    for (;;) {
        if (stream.bytes_read() >= yield_at) {
            yield_at = stream.bytes_read() + yield_bytes;
            loop::yield();
        }
        auto line = stream.read_line(line_limit, time.start());
        if (!line)
            return false;
        time.stop();
        std::string_view text = line->text;
        if (!strict && line->complete)
            while (text.ends_with('\r'))
                text.remove_suffix(1);  // CR CR LF is one line end, as it always was
        if (line_begins && text.starts_with('.')) {
            if (text.size() == 1 && line->complete) {
                if (!strict || (line->crlf && after_crlf))
                    return true;
                after_crlf = line->crlf;  // a lone dot that ends nothing is dropped
                if (!line->crlf)
                    content.bare_newline = true;
                continue;
            }
            text.remove_prefix(1);
        }
        if (line->complete && !line->crlf && strict) {
            content.bare_newline = true;
            if (bare == BareNewline::note && !noted) {
                noted = true;
                maillog::info("{}: bare <LF> received after {} from {}", session.queue_id(), session.state,
                              session.client.shown);
            }
        }
        content.line(text, line->complete);
        line_begins = line->complete;
        after_crlf = line->complete && line->crlf;
    }
}

// The reply to a message that is whole.
std::string verdict(Session& session, std::string_view size) {
    Transaction& mail = *session.mail;
    mail.actions = {.hold = mail.actions.hold, .discard = mail.actions.discard};  // the rest is known downstream
    if (mail.content.over_limit())
        return "552 5.3.4 Error: message file too big";
    if (mail.content.bare_newline && session.client.bare_newline(session.service) == BareNewline::reject)
        return session.bare_newline_refusal();
    if (mail.downstream->failed())
        return std::string(not_written);
    if (auto denied = check_content(session, Phase::end_of_data))
        return *denied;
    return mail.downstream->finish(session.access.actions, mail.actions, size);
}
}

std::optional<std::string> start_content(Session& session) {
    Transaction& mail = *session.mail;
    mail.content.begin(*mail.downstream, session.settings[param::message_size_limit]);
    return mail.downstream->begin(session.access.actions, mail.actions, received_header(session));
}

bool end_of_content(Session& session, std::string_view size) {
    Dialogue& dialogue = session.dialogue;
    session.state = "END-OF-MESSAGE";
    server::Commit commit;  // a stop waits for the answer
    const std::string reply = verdict(session, size);
    const bool taken = reply.starts_with('2');
    if (taken)
        dialogue.forgive();
    (void)dialogue.say(reply);
    session.drop_transaction();
    if (dialogue.buffered().empty())
        (void)dialogue.flush();
    return taken;
}

bool data(Session& session, Words& words) {
    Dialogue& dialogue = session.dialogue;
    if (session.mail && session.mail->chunks.begun)
        return dialogue.refuse("503 5.5.1 Error: DATA after BDAT");
    if (!session.mail || session.mail->accepted == 0)
        return dialogue.refuse(session.mail ? "554 5.5.1 Error: no valid recipients"
                                            : "503 5.5.1 Error: need RCPT command");
    if (words.size() != 1)
        return dialogue.refuse("501 5.5.4 Syntax: DATA");
    if (auto denied = check_content(session, Phase::data))
        return dialogue.refuse(*denied);
    if (auto refused = start_content(session)) {
        session.drop_transaction();
        return dialogue.refuse(*refused);
    }
    (void)dialogue.say("354 End data with <CR><LF>.<CR><LF>");
    session.in_content = true;
    if (!take_content(session)) {
        session.lost();
        return false;
    }
    return end_of_content(session, {});
}
}
