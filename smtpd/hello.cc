// HELO and EHLO.
#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/header.h"
#include "session.h"

namespace smtpd {
unsigned Session::keywords() {
    unsigned off = discarded_;
    if (settings_[param::disable_vrfy_command])
        off |= keyword::vrfy;
    if (!service_.tls_usable || encrypted())
        off |= keyword::starttls;
    if (!may_authenticate())
        off |= keyword::auth;
    if (!settings_[param::smtputf8_enable])
        off |= keyword::smtputf8;
    if (!settings_[param::requiretls_enable] || !encrypted())
        off |= keyword::requiretls;  // RFC 8689, section 2: within TLS only
    if (!may_pretend())
        off |= keyword::xclient;
    if (!may_forward())
        off |= keyword::xforward;
    return off;
}

std::string Session::hello_reply(bool extended) {
    if (!extended)
        return "250 " + settings_[param::myhostname];
    std::vector<std::string> lines{settings_[param::myhostname]};
    unsigned off = keywords();
    auto offer = [&](unsigned bit, std::string text) {
        if (!(off & bit))
            lines.push_back(std::move(text));
    };
    offer(keyword::pipelining, "PIPELINING");
    offer(keyword::size, settings_[param::message_size_limit] > 0
                             ? "SIZE " + std::to_string(settings_[param::message_size_limit])
                             : "SIZE");
    offer(keyword::vrfy, "VRFY");
    offer(keyword::etrn, "ETRN");
    offer(keyword::starttls, "STARTTLS");
    if (verp_allowed())
        offer(keyword::verp, "XVERP");
    offer(keyword::xclient, "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT");
    offer(keyword::xforward, "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT");
    offer(keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES");
    offer(keyword::eightbitmime, "8BITMIME");
    offer(keyword::dsn, "DSN");
    offer(keyword::smtputf8, "SMTPUTF8");
    offer(keyword::chunking, "CHUNKING");
    offer(keyword::requiretls, "REQUIRETLS");
    std::string reply;
    for (std::size_t i = 0; i < lines.size(); ++i)
        reply += (i + 1 < lines.size() ? "250-" : "250 ") + lines[i] + (i + 1 < lines.size() ? "\r\n" : "");
    return reply;
}

bool Session::helo_command(Words& words, bool extended) {
    if (words.size() < 2)
        return refuse(extended ? "501 Syntax: EHLO hostname" : "501 Syntax: HELO hostname");
    // It goes into Received: and into the log; what else is odd about it is for the rules to judge.
    const char* end = words.back().data() + words.back().size();
    const std::string_view all(words[1].data(), static_cast<std::size_t>(end - words[1].data()));
    std::string name = mail::received_name(bytes::printable(all, settings_[param::smtputf8_enable]));
    drop_transaction();
    helo_.clear();
    if (!settings_[param::smtpd_delay_reject]) {
        if (auto denied = check_helo(name))
            return refuse(*denied);
    }
    esmtp_ = extended;
    helo_ = std::move(name);
    if (extended && discarded_ != 0 && !(discarded_ & keyword::silent)) {
        // Named once for each EHLO, as far as they would have been offered.
        static constexpr std::pair<unsigned, std::string_view> names[] = {
            {keyword::pipelining, "PIPELINING"},
            {keyword::size, "SIZE"},
            {keyword::vrfy, "VRFY"},
            {keyword::etrn, "ETRN"},
            {keyword::starttls, "STARTTLS"},
            {keyword::auth, "AUTH"},
            {keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES"},
            {keyword::eightbitmime, "8BITMIME"},
            {keyword::dsn, "DSN"},
            {keyword::smtputf8, "SMTPUTF8"},
            {keyword::chunking, "CHUNKING"},
            {keyword::verp, "VERP"},
            {keyword::xclient, "XCLIENT"},
            {keyword::xforward, "XFORWARD"},
            {keyword::requiretls, "REQUIRETLS"}};
        std::string list;
        for (const auto& [bit, text] : names)
            if (discarded_ & bit)
                list += (list.empty() ? "" : " ") + std::string(text);
        if (!list.empty())
            maillog::info("discarding EHLO keywords: {}", list);
    }
    return say(hello_reply(extended));
}
}
