#include "dialogue.h"
#include <unistd.h>
#include <cerrno>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/services.h"
#include "log/log.h"
#include "mail/address.h"
#include "postdrop_client.h"

namespace sendmail {
using queue::RecordType;

namespace {
constexpr std::size_t line_max = 65536;                      // of a command; lines of content come in pieces
constexpr std::size_t recipients_max = 100000;

void say(std::string_view reply) {
    std::string wire;
    while (true) {                                           // "250 a\nb\nc": the code goes in front of each line
        const auto [line, rest] = bytes::cut(reply, '\n');
        if (wire.empty()) wire = line;
        else ((wire += wire.substr(0, 3)) += ' ') += line;
        if (rest) wire[wire.rfind('\n') == std::string::npos ? 3 : wire.rfind('\n') + 4] = '-';
        wire += "\r\n";
        if (!rest) break;
        reply = *rest;
    }
    if (!write_all(STDOUT_FILENO, wire)) ::_exit(0);
}
}

bool Dialogue::read_line(std::string& line) {
    while (true) {
        if (const std::size_t end = input_.find('\n', at_); end != std::string::npos) {
            line = input_.substr(at_, end - at_);
            at_ = end + 1;
            if (line.ends_with('\r')) line.pop_back();
            line_ends_ = true;
            return true;
        }
        if (input_.size() - at_ > line_max) {                // the last byte waits, since it may be a CR
            line = input_.substr(at_, input_.size() - at_ - 1);
            at_ = input_.size() - 1;
            line_ends_ = false;
            return true;
        }
        input_.erase(0, at_);
        at_ = 0;
        char chunk[65536];
        const ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        input_.append(chunk, static_cast<std::size_t>(n));
    }
}

void Dialogue::reset() {
    sender_.clear();
    encoding_.clear();
    envelope_id_.clear();
    recipients_.clear();
    ret_ = 0;
    has_sender_ = data_ = false;
}

std::string Dialogue::mail(std::string_view arguments) {
    if (!hello_) return "503 5.5.1 Error: send HELO/EHLO first";
    if (has_sender_) return "503 5.5.1 Error: nested MAIL command";
    if (!bytes::istarts_with(arguments, "FROM:")) return "501 5.5.4 Syntax: MAIL FROM:<address>";
    const auto path = mail::parse_path(arguments.substr(5), false);
    if (!path) return "501 5.1.7 Bad sender address syntax";
    std::string encoding, envelope_id;
    mail::DsnReturn ret = 0;
    for (std::string_view option : bytes::split(path->rest, " ")) {
        const auto [name, value] = bytes::cut(option, '=');
        if (bytes::iequals(option, "BODY=8BITMIME")) encoding = "8bit";
        else if (bytes::iequals(option, "BODY=7BIT")) encoding = "7bit";
        else if (bytes::iequals(name, "SIZE") && value && bytes::to_int(*value)) {
            const std::int64_t limit = settings_[param::message_size_limit];
            if (limit > 0 && *bytes::to_int(*value) > limit) return "552 5.3.4 Message size exceeds fixed limit";
        } else if (bytes::iequals(name, "RET") && value && mail::parse_ret(*value)) ret = *mail::parse_ret(*value);
        else if (bytes::iequals(name, "ENVID") && value && mail::xtext_decode(*value)) envelope_id = *mail::xtext_decode(*value);
        else return "555 5.5.4 Unsupported option: " + bytes::printable(option);
    }
    sender_ = path->address;
    encoding_ = encoding;
    envelope_id_ = envelope_id;
    ret_ = ret;
    has_sender_ = true;
    return "250 2.1.0 Ok";
}

std::string Dialogue::rcpt(std::string_view arguments) {
    if (!has_sender_) return "503 5.5.1 Error: need MAIL command";
    if (!bytes::istarts_with(arguments, "TO:")) return "501 5.5.4 Syntax: RCPT TO:<address>";
    const auto path = mail::parse_path(arguments.substr(3), false);
    if (!path || path->address.empty()) return "501 5.1.3 Bad recipient address syntax";
    if (recipients_.size() >= recipients_max) return "452 4.5.3 Error: too many recipients";
    mail::DsnNotify notify = 0;
    for (std::string_view option : bytes::split(path->rest, " ")) {
        const auto [name, value] = bytes::cut(option, '=');
        if (bytes::iequals(name, "NOTIFY") && value && mail::parse_notify(*value)) notify = *mail::parse_notify(*value);
        else if (!bytes::iequals(name, "ORCPT")) return "555 5.5.4 Unsupported option: " + bytes::printable(option);
    }
    recipients_.push_back({path->address, notify});
    return "250 2.1.5 Ok";
}

std::string Dialogue::command(std::string_view line) {
    const std::size_t space = line.find(' ');
    const std::string verb = bytes::uppered(line.substr(0, space));
    const std::string_view arguments = space == std::string_view::npos ? std::string_view() : bytes::trim(line.substr(space));
    const std::string& host = settings_[param::myhostname];
    if (verb == "HELO" || verb == "EHLO") {
        if (arguments.empty()) return "501 Syntax: " + verb + " hostname";
        reset();
        hello_ = true;
        if (verb == "HELO") return "250 " + host;
        const std::int64_t limit = settings_[param::message_size_limit];
        return "250 " + host + "\nPIPELINING\nSIZE" + (limit > 0 ? " " + std::to_string(limit) : "") + "\nENHANCEDSTATUSCODES\n8BITMIME\nDSN";
    }
    if (verb == "MAIL") return mail(arguments);
    if (verb == "RCPT") return rcpt(arguments);
    if (verb == "DATA") {
        if (!has_sender_) return "503 5.5.1 Error: need MAIL command";
        if (recipients_.empty()) return "503 5.5.1 Error: need RCPT command";
        data_ = true;
        return "354 End data with <CR><LF>.<CR><LF>";
    }
    if (verb == "RSET") {
        reset();
        return "250 2.0.0 Ok";
    }
    if (verb == "NOOP") return "250 2.0.0 Ok";
    if (verb == "VRFY") return "252 2.0.0 " + bytes::printable(arguments);
    if (verb == "QUIT") {
        quit_ = true;
        return "221 2.0.0 Bye";
    }
    return "500 5.5.2 Error: command not recognized";
}

void Dialogue::take_data() {
    auto postdrop = Postdrop::start(settings_[param::command_directory] + "/postdrop");
    if (postdrop) {
        const auto attribute = [&](std::string_view name, std::string_view value) { postdrop->put(RecordType::attribute, std::string(name) + "=" + std::string(value)); };
        if (!envelope_id_.empty()) attribute(queue::attribute::envelope_id, envelope_id_);
        if (ret_) attribute(queue::attribute::ret_flags, std::to_string(ret_));
        attribute(queue::attribute::rewrite_context, "local");
        postdrop->put(RecordType::sender, sender_);
        if (!encoding_.empty()) attribute(queue::attribute::encoding, encoding_);
        for (const Recipient& recipient : recipients_) {
            if (recipient.notify) attribute(queue::attribute::notify_flags, std::to_string(recipient.notify));
            postdrop->put(RecordType::recipient, recipient.address);
        }
        postdrop->put(RecordType::message, "");
    }
    const auto length = static_cast<std::size_t>(settings_[param::line_length_limit]);
    std::string line;
    while (true) {
        const bool begins = line_ends_;
        if (!read_line(line)) ::_exit(0);                    // postdrop sees the end of its input and keeps nothing
        if (begins && line_ends_ && line == ".") break;
        std::string_view text = line;
        if (begins && text.starts_with('.')) text.remove_prefix(1);
        if (!postdrop) continue;
        for (; text.size() > length; text.remove_prefix(length)) postdrop->put(RecordType::part, text.substr(0, length));
        postdrop->put(line_ends_ ? RecordType::line : RecordType::part, text);
    }
    std::string reply = "451 4.3.0 Error: queue file write error";
    if (postdrop) {
        postdrop->put(RecordType::extracted, "");
        postdrop->put(RecordType::end, "");
        const auto answer = postdrop->finish();
        if (answer && answer->status == 0) reply = "250 2.0.0 Ok: queued as " + postdrop->queue_id();
        else if (answer && !answer->reason.empty()) reply = "550 " + answer->reason;
        else if (answer && (answer->status & 4)) reply = "552 5.3.4 Error: message file too big";
    } else {
        maillog::warning("{}", postdrop.error().reason);
    }
    reset();
    say(reply);
}

void Dialogue::run() {
    say("220 " + settings_[param::myhostname] + " ESMTP " + settings_[param::mail_name]);
    std::string line;
    while (!quit_ && read_line(line)) {
        const bool whole = line_ends_;
        while (!line_ends_ && read_line(line)) {}
        say(whole ? command(line) : "500 5.5.2 Error: line too long");
        if (data_) take_data();
    }
}
}
