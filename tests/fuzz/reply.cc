// Replies of SMTP and LMTP servers, line by line (lib/mail/reply.h).
#include "fuzz.h"
#include "mail/reply.h"

void fuzz::one(std::string_view bytes) {
    fuzz::Choices choose(bytes);
    std::size_t lines_max = 1 + choose.byte(), bytes_max = 1 + 16 * choose.byte();
    mail::ReplyReader reader(lines_max, bytes_max);
    for (std::string_view rest = choose.rest(); !rest.empty();) {
        std::size_t end = std::min(rest.find('\n'), rest.size());
        auto step = reader.line(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (step == mail::ReplyReader::Step::malformed)
            return;
        if (step == mail::ReplyReader::Step::more)
            continue;
        mail::Reply reply = reader.take();
        fuzz::require(reply.code >= 200 && reply.code <= 599, "a reply has a code");
        fuzz::require(reply.lines.size() <= lines_max, "lines are bounded");
        std::size_t kept = 0;
        for (const auto& l : reply.lines)
            kept += l.size();
        fuzz::require(kept <= bytes_max + 16, "bytes are bounded", std::to_string(kept));
        (void)reply.text();
        (void)reply.status();
        // What we would say to another in these words, it understands as we did.
        mail::ReplyReader other;
        std::string wire = reply.wire();
        auto last = mail::ReplyReader::Step::more;
        for (std::string_view w = wire; !w.empty();) {
            fuzz::require(last == mail::ReplyReader::Step::more, "the last line of a reply is the last", wire);
            std::size_t crlf = w.find("\r\n");
            fuzz::require(crlf != w.npos, "each line of a reply ends", wire);
            last = other.line(w.substr(0, crlf));
            w.remove_prefix(crlf + 2);
        }
        fuzz::require(last == mail::ReplyReader::Step::done, "a reply reads back", wire);
        mail::Reply again = other.take();
        fuzz::require(again.code == reply.code, "a reply reads back with its code", wire);
    }
}
