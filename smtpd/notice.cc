// Notices to the postmaster: the transcript of a session with errors of a kind that notify_classes names.
//
//     protocol   the client broke the rules of SMTP       policy     access rules refused
//     resource   no space, no connection to cleanup       software   tables that do not answer, misspelt rules
//
// When things fail: a notice that cleanup does not take is lost, with a warning.
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/time.h"
#include "cleanup_client.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "delivery/post.h"
#include "log/log.h"
#include "session.h"

namespace smtpd {
using queue::RecordType;
namespace {
constexpr std::size_t history_bytes = 64 * 1024, line_bytes = 2048;
constexpr std::size_t width = 79;  // of a transcript's lines, where words let them be that short
}

void Session::note(std::string_view who, std::string_view line) {
    if (service_.notify == 0)
        return;
    if (history_lines_ >= settings_[param::smtpd_history_flush_threshold] || history_.size() > history_bytes) {
        if (errors_seen_ & service_.notify)
            return;  // the beginning of the trouble is what matters
        history_.clear();
        history_lines_ = 0;
    }
    while (!line.empty()) {
        std::size_t end = line.find("\r\n");
        std::size_t column = who.size();
        history_.append(who);
        bool first = true;
        for (std::string_view rest = line.substr(0, std::min(end, line_bytes));;) {
            std::size_t space = rest.find(' ');
            std::string_view word = rest.substr(0, space);
            if (!first && column + 1 + word.size() > width) {
                history_.append("\n    ");
                column = 4;
            }
            if (!first) {
                history_ += ' ';
                ++column;
            }
            history_ += word;
            column += word.size();
            first = false;
            if (space == rest.npos)
                break;
            rest.remove_prefix(space + 1);
        }
        history_ += '\n';
        ++history_lines_;
        if (end == line.npos)
            break;
        line.remove_prefix(end + 2);
    }
}

// What kind of trouble a refusal is.
void Session::classify(std::string_view reply) {
    EnhancedStatus s;
    if (reply.size() > 4)
        EnhancedStatus::parse(reply.substr(4), s);
    if (s.subject == 3 && s.detail == 1)
        errors_seen_ |= Service::notify_resource;
    else if (s.subject == 3 && s.detail == 0)
        errors_seen_ |= Service::notify_resource | Service::notify_software;
    else if (s.subject == 3 && s.detail == 5)
        errors_seen_ |= Service::notify_software;
    else
        errors_seen_ |= policy_refusal_ ? Service::notify_policy : Service::notify_protocol;
    policy_refusal_ = false;
}

void Session::send_notice() {
    if (!(errors_seen_ & service_.notify) || service_.submit)
        return;
    const conf::Settings& s = settings_;
    auto to = CleanupClient::open(service_.cleanup, ipc::cleanup_flags::internal);
    if (!to) {
        maillog::warning("postmaster notice failed: {}", to.error().reason);
        return;
    }
    CleanupClient& out = **to;
    base::WallTime now = base::wall_now();
    const std::string& postmaster = s[param::error_notice_recipient];
    out.put(RecordType::time, fmt::format("{} {}", now.seconds, now.microseconds));
    out.attribute(queue::attribute::rewrite_context, "local");
    out.put(RecordType::sender, settings_[param::double_bounce_sender] + "@" + settings_[param::myhostname]);
    out.put(RecordType::recipient, postmaster);
    out.put(RecordType::message);
    auto line = [&](std::string_view text) { out.put(RecordType::line, text); };
    for (const std::string& text : delivery::received_lines(settings_[param::myhostname], settings_[param::mail_name],
                                                            out.queue_id(), now.seconds))
        line(text);
    line("Date: " + base::rfc5322_date(now.seconds));
    line(fmt::format("From: Mail Delivery System <MAILER-DAEMON@{}>", settings_[param::myhostname]));
    line(fmt::format("To: Postmaster <{}>", postmaster));
    line(fmt::format("Subject: {} SMTP server: errors from {}", settings_[param::mail_name],
                     bytes::printable(client_.shown)));
    line("Auto-Submitted: auto-generated");
    line("");
    line("Transcript of session follows.");
    line("");
    for (std::string_view rest = history_; !rest.empty();) {
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
