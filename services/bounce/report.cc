#include "report.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/time.h"
#include "mail/address.h"
#include "mail/header.h"

namespace bounce {
namespace {
class Writer {
public:
    explicit Writer(const Lines& out) : out_(out) {}
    template <class... A> Result<void> line(fmt::format_string<A...> f, A&&... a) {
        return out_(fmt::format(f, std::forward<A>(a)...), true);
    }
    Result<void> empty() { return out_("", true); }
    Result<void> wrap(std::string_view text) {
        for (const std::string& one : wrapped(text))
            TRY(out_(one, true));
        return {};
    }

private:
    const Lines& out_;
};

std::string_view address_type(std::string_view address) { return bytes::is_ascii(address) ? "rfc822" : "utf-8"; }
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width, std::size_t indent) {
    std::vector<std::string> lines;
    std::string line;
    for (std::string_view word : bytes::split(text, " \t\r\n")) {
        if (!line.empty() && line.find_first_not_of(' ') != std::string::npos &&
            line.size() + 1 + word.size() > width) {
            lines.push_back(std::move(line));
            line.assign(indent, ' ');
            line += word;
        } else {
            if (!line.empty())
                line += ' ';
            line += word;
        }
    }
    lines.push_back(std::move(line));
    return lines;
}

namespace {
class Body {
public:
    Body(const Report& r, const Lines& out)
        : r_(r),
          out_(out),
          w_(out),
          boundary_(fmt::format("{}.{}/{}", r.subject.queue_id, r.now, r.style.myhostname)) {}

    Result<void> write() {
        TRY(header());
        TRY(words());
        TRY(status());
        if (r_.original)
            TRY(message());
        return w_.line("--{}--", boundary_);
    }

private:
    std::string sender() const {
        return r_.subject.sender.empty() ? "MAILER-DAEMON@" + r_.style.myhostname
                                         : mail::to_external(r_.subject.sender);
    }
    // Of parts and of the whole: what is in them at most.
    std::string encoding() const { return r_.style.eight_bit || r_.subject.utf8 ? "8bit" : r_.subject.encoding; }
    Result<void> encoding_line() {
        return encoding().empty() ? Result<void>() : w_.line("Content-Transfer-Encoding: {}", encoding());
    }
    // "7bit" is what a client said of its message: not a promise of ours for the part that has it, nor for the words.
    Result<void> part_encoding_line() { return encoding() == "8bit" ? encoding_line() : Result<void>(); }

    Result<void> header() {
        const Template& t = r_.words;
        bool copy = r_.parts.to_postmaster;
        TRY(w_.line("From: {}", r_.style.from));
        TRY(w_.line("Subject: {}", copy && !t.postmaster_subject.empty() ? t.postmaster_subject : t.subject));
        TRY(w_.line("To: {}", mail::to_external(r_.to)));
        if (r_.thread) {
            if (!r_.thread->references.empty())
                TRY(w_.wrap(fmt::format("References: {} {}", r_.thread->references, r_.thread->message_id)));
            else
                TRY(w_.line("References: {}", r_.thread->message_id));
            TRY(w_.line("In-Reply-To: {}", r_.thread->message_id));
        }
        TRY(w_.line("Auto-Submitted: {}", copy ? "auto-generated" : "auto-replied"));
        if (r_.subject.tls_optional)
            TRY(w_.line("TLS-Required: no"));
        TRY(w_.line("MIME-Version: 1.0"));
        TRY(w_.line("Content-Type: multipart/report; report-type={};",
                    r_.subject.utf8 ? "global-delivery-status" : "delivery-status"));
        TRY(w_.line("\tboundary=\"{}\"", boundary_));
        TRY(encoding_line());
        TRY(w_.empty());
        TRY(w_.line("This is a MIME-encapsulated message."));
        return w_.empty();
    }

    Result<void> part(std::string_view description, std::string_view type) {
        TRY(w_.line("--{}", boundary_));
        TRY(w_.line("Content-Description: {}", description));
        return w_.line("Content-Type: {}", type);
    }

    Result<void> words() {
        bool copy = r_.parts.to_postmaster;
        TRY(part("Notification", "text/plain; charset=" + r_.style.charset));
        TRY(part_encoding_line());
        TRY(w_.empty());
        if (!copy) {
            std::string_view text = r_.words_text;
            if (text.ends_with('\n'))
                text.remove_suffix(1);
            while (true) {
                std::size_t end = text.find('\n');
                TRY(out_(text.substr(0, end), true));
                if (end == std::string_view::npos)
                    break;
                text.remove_prefix(end + 1);
            }
            if (!r_.words_text.ends_with("\n\n"))
                TRY(w_.empty());
        }
        if (r_.entries.empty()) {
            TRY(w_.line("The record of what happened cannot be read."));
            TRY(w_.empty());
        }
        for (const Entry& e : r_.entries) {
            bool differs = !e.original_recipient.empty() && !bytes::iequals(e.original_recipient, e.recipient);
            TRY(w_.wrap(differs
                            ? fmt::format("<{}> (expanded from <{}>): {}", e.recipient, e.original_recipient, e.reason)
                            : fmt::format("<{}>: {}", e.recipient, e.reason)));
            TRY(w_.empty());
        }
        return {};
    }

    Result<void> status() {
        TRY(part("Delivery report", r_.subject.utf8 ? "message/global-delivery-status" : "message/delivery-status"));
        if (r_.subject.utf8)
            TRY(part_encoding_line());
        TRY(w_.empty());
        TRY(w_.line("Reporting-MTA: dns; {}", r_.style.myhostname));
        if (!r_.subject.envid.empty())
            TRY(w_.line("Original-Envelope-Id: {}", bytes::printable(r_.subject.envid)));
        TRY(w_.line("X-{}-Queue-ID: {}", r_.style.mail_name, r_.subject.queue_id));
        TRY(w_.line("X-{}-Sender: {}; {}", r_.style.mail_name, address_type(sender()), sender()));
        if (r_.subject.arrival)
            TRY(w_.line("Arrival-Date: {}", base::rfc5322_date(r_.subject.arrival)));
        for (const Entry& e : r_.entries)
            TRY(recipient(e));
        return w_.empty();
    }

    Result<void> recipient(const Entry& e) {
        TRY(w_.empty());
        TRY(w_.line("Final-Recipient: {}; {}", address_type(e.recipient), e.recipient));
        if (!e.dsn_orig_rcpt.empty())
            TRY(w_.line("Original-Recipient: {}", e.dsn_orig_rcpt));
        else if (!e.original_recipient.empty())
            TRY(w_.line("Original-Recipient: {};{}", address_type(e.original_recipient), e.original_recipient));
        TRY(w_.line("Action: {}", r_.parts.kind == Kind::failure ? "failed" : e.action.empty() ? "delayed" : e.action));
        TRY(w_.line("Status: {}", e.status));
        if (!e.mta_type.empty() && !e.mta_mname.empty())
            TRY(w_.line("Remote-MTA: {}; {}", e.mta_type, e.mta_mname));
        TRY(w_.wrap(e.diag_type.empty() || e.diag_text.empty()
                        ? fmt::format("Diagnostic-Code: X-{}; {}", r_.style.mail_name, e.reason)
                        : fmt::format("Diagnostic-Code: {}; {}", e.diag_type, e.diag_text)));
        if (r_.parts.kind == Kind::delay && r_.subject.arrival)
            TRY(w_.line("Will-Retry-Until: {}", base::rfc5322_date(r_.subject.arrival + r_.style.queue_lifetime)));
        return {};
    }

    Result<void> message() {
        bool whole = r_.parts.whole_message, failed = r_.parts.kind == Kind::failure || r_.parts.kind == Kind::delay;
        std::string_view type = r_.subject.utf8 ? (whole ? "message/global" : "message/global-headers")
                                                : (whole ? "message/rfc822" : "text/rfc822-headers");
        TRY(part(fmt::format("{}Message{}", failed ? "Undelivered " : "", whole ? "" : " Headers"), type));
        TRY(part_encoding_line());
        TRY(w_.empty());
        TRY(w_.line("Return-Path: <{}>", sender()));
        bool open = false;
        Result<void> copied = r_.original(!whole, [&](std::string_view text, bool ends_line) {
            open = !ends_line;
            return out_(text, ends_line);
        });
        if (open)
            TRY(out_("", true));
        TRY(copied);
        return w_.empty();
    }

    const Report& r_;
    const Lines& out_;
    Writer w_;
    std::string boundary_;
};
}

Result<void> Report::write(const Lines& out) const { return Body(*this, out).write(); }
}
