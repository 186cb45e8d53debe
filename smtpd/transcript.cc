#include "transcript.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/time.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "delivery/new_message.h"
#include "delivery/post.h"
#include "log/log.h"
#include "service.h"

namespace smtpd {
using queue::RecordType;
namespace {
constexpr std::size_t text_bytes = 64 * 1024, line_bytes = 2048;
constexpr std::size_t width = 79;  // of a transcript's lines, where words let them be that short
}

void Transcript::note(std::string_view who, std::string_view line) {
    if (service_.notify == 0)
        return;
    if (lines_ >= settings_[param::smtpd_history_flush_threshold] || text_.size() > text_bytes) {
        if (errors_ & service_.notify)
            return;  // the beginning of the trouble is what matters
        text_.clear();
        lines_ = 0;
    }
    while (!line.empty()) {
        std::size_t end = line.find("\r\n");
        std::size_t column = who.size();
        text_.append(who);
        bool first = true;
        for (std::string_view rest = line.substr(0, std::min(end, line_bytes));;) {
            std::size_t space = rest.find(' ');
            std::string_view word = rest.substr(0, space);
            if (!first && column + 1 + word.size() > width) {
                text_.append("\n    ");
                column = 4;
            }
            if (!first) {
                text_ += ' ';
                ++column;
            }
            text_ += word;
            column += word.size();
            first = false;
            if (space == rest.npos)
                break;
            rest.remove_prefix(space + 1);
        }
        text_ += '\n';
        ++lines_;
        if (end == line.npos)
            break;
        line.remove_prefix(end + 2);
    }
}

// What kind of trouble a refusal is.
void Transcript::classify(std::string_view reply) {
    EnhancedStatus s;
    if (reply.size() > 4)
        EnhancedStatus::parse(reply.substr(4), s);
    if (s.subject == 3 && s.detail == 1)
        errors_ |= Service::notify_resource;
    else if (s.subject == 3 && s.detail == 0)
        errors_ |= Service::notify_resource | Service::notify_software;
    else if (s.subject == 3 && s.detail == 5)
        errors_ |= Service::notify_software;
    else
        errors_ |= by_policy_ ? Service::notify_policy : Service::notify_protocol;
    by_policy_ = false;
}

void Transcript::send(const Client& client) {
    if (!(errors_ & service_.notify) || service_.submit)
        return;
    auto opened = delivery::NewMessage::open(service_.cleanup, ipc::cleanup_flags::internal);
    if (!opened) {
        maillog::warning("postmaster notice failed: {}", opened.error().reason);
        return;
    }
    delivery::NewMessage& out = *opened;
    const base::WallTime now = base::wall_now();
    const std::string& myhostname = settings_[param::myhostname];
    const std::string& mail_name = settings_[param::mail_name];
    const std::string& postmaster = settings_[param::error_notice_recipient];
    out.put(RecordType::time, fmt::format("{} {}", now.seconds, now.microseconds));
    out.attribute(queue::attribute::rewrite_context, "local");
    out.put(RecordType::sender, settings_[param::double_bounce_sender] + "@" + myhostname);
    out.put(RecordType::recipient, postmaster);
    out.put(RecordType::message);
    auto line = [&](std::string_view text) { out.put(RecordType::line, text); };
    for (const std::string& text : delivery::received_lines(myhostname, mail_name, out.queue_id(), now.seconds))
        line(text);
    line("Date: " + base::rfc5322_date(now.seconds));
    line(fmt::format("From: Mail Delivery System <MAILER-DAEMON@{}>", myhostname));
    line(fmt::format("To: Postmaster <{}>", postmaster));
    line(fmt::format("Subject: {} SMTP server: errors from {}", mail_name, bytes::printable(client.shown)));
    line("Auto-Submitted: auto-generated");
    line("");
    line("Transcript of session follows.");
    line("");
    for (std::string_view rest = text_; !rest.empty();) {
        std::size_t end = rest.find('\n');
        line(bytes::printable(rest.substr(0, end)));
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    line("");
    if (!ended_.empty())
        line(fmt::format("Session aborted, reason: {}", ended_));
    line("");
    line("For other details, see the local mail logfile");
    out.put(RecordType::extracted);
    auto reply = out.finish();
    if (!reply || !reply->ok)
        maillog::warning("postmaster notice failed: {}", reply ? reply->reason : reply.error().reason);
}
}
