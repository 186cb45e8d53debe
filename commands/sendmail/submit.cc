#include "submit.h"
#include <pwd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/services.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/address_tokens.h"
#include "message.h"
#include "postdrop_client.h"

namespace sendmail {
using queue::RecordType;

namespace {
constexpr int trace_verify = 512, trace_deliver = 1024;  // trace_flags: -bv, -v

std::string login_name() {
    if (const passwd* entry = ::getpwuid(::getuid()))
        return entry->pw_name;
    return {};
}

// NAME in the environment, else the user's entry: what is before the first comma, & standing for the login name.
std::string user_full_name(const std::string& login) {
    if (const char* name = std::getenv("NAME"))
        return name;
    const passwd* entry = ::getpwuid(::getuid());
    if (!entry || !entry->pw_gecos)
        return {};
    std::string out;
    for (const char* p = entry->pw_gecos; *p && *p != ',' && *p != ';' && *p != '%'; ++p) {
        if (*p == '&' && !login.empty())
            (out += bytes::upper(login[0])) += login.substr(1);
        else
            out += *p;
    }
    return out;
}

std::string sender_address(const std::string& written) {
    auto list = mail::AddressList::parse(written).addresses();
    std::erase(list, "");  // "<> x": <> is nobody beside others
    if (list.size() > 1)
        maillog::warning("-f option specified malformed sender: {}", written);
    return list.empty() ? "" : mail::to_internal(list[0]);
}

// An argument without an address stands for the empty one, as at SMTP's RCPT TO:<>.
std::vector<std::string> argument_recipients(const Options& o) {
    std::vector<std::string> out;
    for (const std::string& argument : o.recipients) {
        auto list = mail::AddressList::parse(argument).addresses();
        std::erase(list, "");
        if (list.empty())
            out.emplace_back();
        for (const std::string& external : list)
            out.push_back(mail::to_internal(external));
    }
    return out;
}

Result<std::string> verp_delimiters(const Options& o, const conf::Settings& s) {
    const std::string delimiters = o.verp->empty() ? s[param::default_verp_delimiters] : *o.verp;
    const std::string& allowed = s[param::verp_delimiter_filter];
    if (delimiters.size() != 2 || delimiters.find_first_not_of(allowed) != std::string::npos)
        return permanent("-V requires two characters from " + allowed);
    return delimiters;
}

void put_attribute(Postdrop& postdrop, std::string_view name, std::string_view value) {
    postdrop.put(RecordType::attribute, std::string(name) + "=" + std::string(value));
}

void put_recipients(Postdrop& postdrop, const Options& o, const std::vector<std::string>& recipients) {
    for (const std::string& recipient : recipients) {
        if (o.notify)
            put_attribute(postdrop, queue::attribute::notify_flags, std::to_string(o.notify));
        postdrop.put(RecordType::recipient, recipient);
    }
}

Result<void> copy_input(MessageReader& reader) {
    char chunk[65536];
    while (true) {
        const ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("read from standard input", errno);
        if (n == 0 || !reader.take(std::string_view(chunk, static_cast<std::size_t>(n))))
            break;
    }
    reader.finish();
    return {};
}

void put_probe(Postdrop& postdrop, const std::string& sender, const std::vector<std::string>& recipients) {
    postdrop.put(RecordType::line, "From: " + mail::to_external(sender));
    postdrop.put(RecordType::line, "Subject: probe");
    postdrop.put(RecordType::line, "To:");
    for (std::size_t i = 0; i < recipients.size(); ++i)
        postdrop.put(RecordType::line,
                     "\t" + mail::to_external(recipients[i]) + (i + 1 < recipients.size() ? "," : ""));
}

std::string not_taken(const Postdrop::Answer& answer) {
    if (!answer.reason.empty())
        return answer.reason;
    if (answer.status & 4)
        return "message file too big";
    if (answer.status & 2)
        return "queue file write error";
    return "internal protocol error";
}
}

Result<void> submit(const Options& o, const conf::Settings& s) {
    const std::string login = login_name();
    if (login.empty() && !o.sender)
        return temporary("no login name found for user ID " + std::to_string(::getuid()));
    const std::string sender = o.sender ? sender_address(*o.sender) : login;
    const std::string full_name = o.full_name ? *o.full_name : user_full_name(login);
    const std::vector<std::string> recipients = argument_recipients(o);
    const std::string who = sender + "(" + std::to_string(::getuid()) + "): ";
    const bool probe = o.mode == Mode::verify;
    if (recipients.empty() && !o.recipients_from_header)
        return permanent(who + "Recipient addresses must be specified on the command line or via the -t option");
    std::string verp;
    if (o.verp) {
        TRY_ASSIGN(verp, verp_delimiters(o, s));
    }

    auto started = Postdrop::start(s[param::command_directory] + "/postdrop");
    if (!started)
        return temporary(who + started.error().reason);
    Postdrop& postdrop = *started;
    if (!o.envelope_id.empty())
        put_attribute(postdrop, queue::attribute::envelope_id, o.envelope_id);
    if (o.ret)
        put_attribute(postdrop, queue::attribute::ret_flags, std::to_string(o.ret));
    put_attribute(postdrop, queue::attribute::rewrite_context, o.remote_rewriting ? "remote" : "local");
    if (!full_name.empty())
        postdrop.put(RecordType::full_name, full_name);
    postdrop.put(RecordType::sender, sender);
    if (probe || o.verbose == 1)
        put_attribute(postdrop, queue::attribute::trace_flags, std::to_string(probe ? trace_verify : trace_deliver));
    if (!o.encoding.empty())
        put_attribute(postdrop, queue::attribute::encoding, o.encoding);
    if (o.smtputf8)
        put_attribute(postdrop, "smtputf8", "1");
    if (o.require_tls)
        put_attribute(postdrop, "requiretls", "1");
    if (!verp.empty())
        postdrop.put(RecordType::verp, verp);
    put_recipients(postdrop, o, recipients);

    postdrop.put(RecordType::message, "");
    std::vector<std::string> extracted;
    if (probe) {
        put_probe(postdrop, sender, recipients);
    } else {
        MessageReader::Settings reading;
        reading.dot_is_data = o.dot_is_data;
        reading.extract = o.recipients_from_header;
        const std::string& endings = s[param::sendmail_fix_line_endings];
        reading.endings = bytes::iequals(endings, "never")    ? LineEndings::never
                          : bytes::iequals(endings, "strict") ? LineEndings::strict
                                                              : LineEndings::always;
        reading.line_length = static_cast<std::size_t>(s[param::line_length_limit]);
        MessageReader reader(reading, [&](RecordType type, std::string_view text) { postdrop.put(type, text); });
        TRY(copy_input(reader));
        if (o.recipients_from_header)
            extracted = reader.recipients();
        if (extracted.empty() && recipients.empty())
            return permanent(who + "No recipient addresses found in message header");
    }
    postdrop.put(RecordType::extracted, "");
    put_recipients(postdrop, o, extracted);
    postdrop.put(RecordType::end, "");
    const auto answer = postdrop.finish();
    if (!answer)
        return temporary(who + answer.error().reason);
    if (answer->status != 0)
        return temporary(who + not_taken(*answer));
    if (probe || o.verbose == 1)
        std::printf("Mail Delivery Status Report will be mailed to <%s>.\n", mail::to_external(sender).c_str());
    return {};
}
}
