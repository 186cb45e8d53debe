#include "session.h"
#include <fmt/format.h>
#include <sys/socket.h>
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "cleanup_client.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/services.h"
#include "conf/params/smtpd.h"
#include "conf/params/tls.h"
#include "log/log.h"
#include "loop/stack.h"
#include "mail/address.h"
#include "reply_footer.h"
#include "server/server.h"
#include "tls/info.h"
#include "tls/session.h"

namespace smtpd {
namespace {
constexpr int yield_commands = 64;  // one pipelining client must not keep the others waiting
constexpr std::chrono::seconds rest_after(2);

// Words of a command: separated by blanks outside quotes and <>; "FROM: <a>" and "FROM:<a>" stay as they were sent.
Words split_words(std::string_view line) {
    Words words;
    std::size_t i = 0;
    while (true) {
        while (i < line.size() && bytes::is_space(line[i]))
            ++i;
        if (i == line.size())
            break;
        std::size_t from = i;
        bool quoted = false;
        int angle = 0;
        for (; i < line.size(); ++i) {
            char c = line[i];
            if (c == '\\' && i + 1 < line.size()) {
                ++i;
                continue;
            }
            if (c == '"')
                quoted = !quoted;
            else if (quoted)
                continue;
            else if (c == '<')
                ++angle;
            else if (c == '>' && angle > 0)
                --angle;
            else if (bytes::is_space(c) && angle == 0)
                break;
        }
        words.push_back(line.substr(from, i - from));
    }
    return words;
}

// "Subject: x": what a message header looks like.
bool looks_like_header(std::string_view line) {
    std::size_t n = 0;
    while (n < line.size() && line[n] > ' ' && line[n] < 127 && line[n] != ':')
        ++n;
    std::size_t colon = n;
    while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t'))
        ++colon;
    return n > 0 && colon < line.size() && line[colon] == ':';
}
}

struct Session::Verb {
    std::string_view name;
    bool (Session::*run)(Words&);
    bool counts_as_junk;  // in excess, an error each: RSET, NOOP, VRFY, ETRN …
    bool before_tls;      // where TLS is required
    bool ends_pipeline;   // RFC 2920: nothing may follow it in a group
};
// In the order of the disconnect line. The last row stands for everything else.
const Session::Verb Session::verbs_[] = {
    // clang-format off: a row a verb
    {"helo", &Session::helo, true, true, true},           {"ehlo", &Session::ehlo, true, true, true},
    {"xclient", &Session::xclient, false, false, true},   {"xforward", &Session::xforward, false, false, false},
    {"starttls", &Session::starttls, false, true, false}, {"auth", &Session::auth, false, false, false},
    {"mail", &Session::mail_from, false, false, false},   {"rcpt", &Session::rcpt_to, false, false, false},
    {"data", &Session::data, false, false, true},         {"bdat", &Session::bdat, false, false, false},
    {"rset", &Session::rset, true, false, false},         {"noop", &Session::noop, true, true, true},
    {"vrfy", &Session::vrfy, true, false, true},          {"etrn", &Session::etrn, true, false, false},
    {"quit", &Session::quit, false, true, false},         {"unknown", nullptr, false, false, false},
    // clang-format on
};

Transaction::Transaction() = default;
Transaction::~Transaction() = default;

Session::Session(Service& service, net::Stream& stream, const net::Address& peer, bool stressed)
    : service_(service), stream_(stream), settings_(service.settings(stressed)), peer_(peer) {}
Session::~Session() = default;

// --- the session

void Session::serve() {
    if (!settings_[param::smtpd_upstream_proxy_protocol].empty()) {
        auto proxied = read_proxy_header(stream_, loop::in(settings_[param::smtpd_upstream_proxy_timeout]));
        if (!proxied) {
            maillog::warning("haproxy read: {} from {}", proxied.error().reason, peer_.host());
            return;
        }
        if (!proxied->local) {
            peer_ = proxied->client;
            client_.server_address = proxied->server.host();
            client_.server_port = std::to_string(proxied->server.port());
        }
    }
    // Without deadlines for whole requests the time limit is one for each read and write.
    if (!settings_[param::smtpd_per_request_deadline])
        stream_.limit_each_wait(settings_[param::smtpd_timeout]);
    bool farewell = false, no_memory = false;
    try {
        log_connect();
        if (greet())
            dialogue();
    } catch (const loop::Cancelled&) {
        farewell = true;
    } catch (const std::bad_alloc&) {
        no_memory = true;
    }
    if (no_memory)
        starved();
    if (farewell && !in_content_ && !encrypted() && stream_.pending() == 0) {  // one write that does not wait
        std::string text = "421 4.3.2 " + settings_[param::myhostname] + " Service shutting down\r\n";
        (void)!::send(stream_.fd(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    mail_.reset();  // withdraws what was not finished
    stream_.limit_each_wait(std::nullopt);
    if (!farewell) {
        (void)stream_.flush(loop::in(std::chrono::seconds(10)));
        send_notice();
    }
    if (!farewell && !settings_[param::tls_fast_shutdown_enable])
        tls::say_farewell(stream_, loop::in(settings_[param::smtpd_starttls_timeout]));
    stream_.close();  // with our side of TLS's farewell
    anvil_disconnect(!farewell);
    log_disconnect();
    if (farewell)
        throw loop::Cancelled{};
}

void Session::log_connect() {
    client_.address = peer_.family() == AF_INET || peer_.family() == AF_INET6 ? peer_.host() : "unknown";
    if (client_.address != "unknown") {
        client_.port = std::to_string(peer_.port());
        client_.literal = peer_.smtp_literal();
        client_.family = client_.address.find(':') == std::string::npos ? AF_INET : AF_INET6;
        if (client_.server_address.empty()) {
            sockaddr_storage own{};
            socklen_t length = sizeof own;
            if (::getsockname(stream_.fd(), reinterpret_cast<sockaddr*>(&own), &length) == 0) {
                net::Address address(reinterpret_cast<sockaddr*>(&own), length);
                client_.server_address = address.host();
                client_.server_port = std::to_string(address.port());
            }
        }
        dns::ClientName name = service_.resolver.client_name(client_.address, settings_[param::smtpd_peername_lookup]);
        client_.name = std::move(name.name);
        client_.reverse_name = std::move(name.reverse_name);
        client_.name_status = name.name_status;
        client_.reverse_status = name.reverse_name_status;
    } else {
        client_.name = client_.reverse_name = "localhost";
        client_.address = client_.literal = "127.0.0.1";
    }
    show_client();
    maillog::info("connect from {}", client_.shown);
}

void Session::show_client() {
    client_.shown = client_.name + "[" + client_.address + "]" +
                    (settings_[param::smtpd_client_port_logging] ? ":" + client_.port : "");
}

void Session::log_disconnect() {
    std::string text;
    int total = 0, good = 0;
    for (std::size_t i = 0; i < std::size(verbs_); ++i) {
        const Count& c = counts_[i];
        if (c.total == 0)
            continue;
        text += c.good == c.total ? fmt::format(" {}={}", verbs_[i].name, c.total)
                                  : fmt::format(" {}={}/{}", verbs_[i].name, c.good, c.total);
        total += c.total;
        good += c.good;
    }
    text +=
        good == total && total > 0 ? fmt::format(" commands={}", total) : fmt::format(" commands={}/{}", good, total);
    maillog::info("disconnect from {}{}", client_.shown, text);
}

bool Session::greet() {
    discarded_ = service_.discarded_keywords(client_.address);
    if (!anvil_connect())
        return false;
    if (settings_[param::smtpd_tls_wrappermode] && !handshake(true))
        return false;
    if (!settings_[param::smtpd_delay_reject]) {
        if (auto denied = check_client()) {
            access_denied_ = *denied;
            (void)say(*denied);
            return !hang_up_;
        }
    }
    return say("220 " + settings_[param::smtpd_banner]) || !hang_up_;
}

void Session::dialogue() {
    while (!hang_up_) {
        where_ = greeted_ ? where_ : "CONNECT";
        if (!await_client() || !step())
            return;
        if (++commands_ % yield_commands == 0) {
            if (!stream_.flush(loop::in(settings_[param::smtpd_timeout])))
                return lost(stream_.failure());
            loop::yield();
        }
    }
}

void Session::end_for_errors() {
    maillog::info("{}too many errors after {} from {}", early_end(), where_, client_.shown);
    ended_ = "too many errors";
    (void)say("421 4.7.0 " + settings_[param::myhostname] + " Error: too many errors");
}

loop::Deadline Session::command_deadline() const { return loop::in(settings_[param::smtpd_timeout]); }

// Sends what there is to say and waits until the client speaks; false where it does not. One that is silent for some
// seconds may go on so for minutes: its session keeps no memory but what it needs to go on. So this is no part of
// step(), whose frame is large.
bool Session::await_client() {
    if (errors_ >= settings_[param::smtpd_hard_error_limit]) {
        end_for_errors();
        return false;
    }
    command_until_ = command_deadline();
    if (!stream_.buffered().empty())
        return true;
    std::optional<server::Idle> idle;  // between messages: what a drained generation may end
    if (!mail_)
        idle.emplace();
    bool sent = stream_.flush(command_until_).has_value();
    stream_.release_buffers();
    command_until_ = command_deadline();
    if (sent && stream_.wait_input(std::min(loop::in(rest_after), command_until_)) == loop::Wait::timed_out) {
        loop::release_unused_stack();
        if (stream_.wait_input(command_until_) == loop::Wait::timed_out) {
            lost(net::Stream::Failure::timeout);
            return false;
        }
    }
    if (!sent)
        lost(stream_.failure());
    return sent;
}

void Session::lost(net::Stream::Failure how) {
    std::string_view what = how == net::Stream::Failure::timeout ? "timeout" : "lost connection";
    if (how == net::Stream::Failure::timeout && !write_failed_)
        (void)say("421 4.4.2 " + settings_[param::myhostname] + " Error: timeout exceeded");
    if (in_content_)
        maillog::info("{}{} after {} ({} bytes) from {}", early_end(), what, where_, content_bytes_, client_.shown);
    else
        maillog::info("{}{} after {} from {}", early_end(), what, where_, client_.shown);
    ended_ = what;
    hang_up_ = true;
}

// Gives up what this session holds, then says why it ends: in the clear in a way that takes no memory. TLS needs some.
void Session::starved() {
    hang_up_ = true;
    ended_ = "out of memory";
    mail_.reset();
    stream_.discard_input();
    try {
        maillog::warning("out of memory after {} from {}", where_, client_.shown);
    } catch (const std::bad_alloc&) {}
    try {
        if (stream_.layer())
            (void)say("421 4.3.0 " + settings_[param::myhostname] + " Error: insufficient memory");
        (void)stream_.flush(loop::in(std::chrono::seconds(10)));
    } catch (const std::bad_alloc&) {}
    if (!stream_.layer() && stream_.pending() == 0)
        (void)!::send(stream_.fd(), service_.no_memory.data(), service_.no_memory.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool Session::step() {
    auto line = stream_.read_line(static_cast<std::size_t>(settings_[param::line_length_limit]), command_until_);
    if (!line) {
        lost(stream_.failure());
        return false;
    }
    std::string text(line->text);
    bool crlf = line->crlf, whole = line->complete;
    while (!whole) {  // the rest of an over-long command is passed over
        auto more = stream_.read_line(static_cast<std::size_t>(settings_[param::line_length_limit]), command_until_);
        if (!more) {
            lost(stream_.failure());
            return false;
        }
        whole = more->complete;
        crlf = more->crlf;
    }
    if (!bare_newline_checked_) {
        bare_newline_checked_ = true;
        bare_newline_ = service_.bare_newline;
        if (bare_newline_ != BareNewline::no && !service_.bare_newline_exclusions.empty()) {
            auto excluded = service_.bare_newline_exclusions.match(client_.name, client_.address);
            if (excluded && *excluded)
                bare_newline_ = BareNewline::no;
        }
    }
    if (bare_newline_ == BareNewline::reject && !crlf) {
        ++errors_;
        (void)say(bare_newline_refusal());
        hang_up_ = true;  // what follows may be one message for the client and another for us
        return false;
    }
    note(" In:  ", text);
    if (settings_[param::smtputf8_enable] && !bytes::valid_utf8(text)) {
        where_ = "UNKNOWN";
        ++counts_[std::size(verbs_) - 1].total;
        ++errors_;
        (void)say("500 5.5.2 Error: bad UTF-8 syntax");
        return !hang_up_;
    }
    // smtpd_command_filter: another command in the place of this one.
    if (!service_.command_filter.empty()) {
        auto other = service_.command_filter.find(text);
        if (!other) {
            maillog::warning("{}: {}", service_.command_filter.title(), other.error().reason);
            (void)say("451 4.3.0 Temporary lookup error");
            ++errors_;
            return true;
        }
        if (*other) {
            maillog::info("{}: replacing command \"{}\" with \"{}\"", client_.shown, text.substr(0, 100),
                          (**other).substr(0, 100));
            text = **other;
        }
    }
    if (text.find('\0') != text.npos)
        text.resize(text.find('\0'));
    Words words = split_words(text);
    if (words.empty()) {
        where_ = "UNKNOWN";
        ++errors_;
        (void)say("500 5.5.2 Error: bad syntax");
        return !hang_up_;
    }
    std::string name = bytes::uppered(words[0]);
    if (std::find(service_.noop_commands.begin(), service_.noop_commands.end(), name) != service_.noop_commands.end()) {
        if (++junk_ > settings_[param::smtpd_junk_command_limit])
            ++errors_;
        (void)say("250 2.0.0 Ok");
        return !hang_up_;
    }
    const Verb* verb = find_verb(name);
    where_ = verb->run ? std::string_view() : "UNKNOWN";
    if (verb->run) {
        static constexpr std::string_view upper[] = {"HELO", "EHLO", "XCLIENT", "XFORWARD", "STARTTLS",
                                                     "AUTH", "MAIL", "RCPT",    "DATA",     "BDAT",
                                                     "RSET", "NOOP", "VRFY",    "ETRN",     "QUIT"};
        where_ = upper[verb - verbs_];
    }
    greeted_ = true;
    Count& count = counts_[static_cast<std::size_t>(verb - verbs_)];
    ++count.total;
    if (!access_denied_.empty() && name != "QUIT") {
        ++errors_;
        (void)say("503 5.7.0 Error: access denied for " + client_.shown);
        if (!verb->run)
            return refuse_unknown(text, words[0]);
        return !hang_up_;
    }
    if (!verb->run) {
        ++errors_;
        return refuse_unknown(text, words[0]);
    }
    if (!synchronized(*verb))
        return false;
    if (service_.tls_level == TlsLevel::encrypt && !encrypted() && !verb->before_tls) {
        ++errors_;
        (void)say("530 5.7.0 Must issue a STARTTLS command first");
        return !hang_up_;
    }
    bool good = (this->*verb->run)(words);
    if (!good)
        ++errors_;
    else if (verb->run != &Session::xclient)
        ++count.good;  // which is never one in Postfix's summary
    if (write_failed_) {
        lost(stream_.failure());
        return false;
    }
    if (verb->counts_as_junk && ++junk_ > settings_[param::smtpd_junk_command_limit])
        ++errors_;
    return !hang_up_;
}

std::string Session::bare_newline_refusal() const {
    maillog::info("{}: reject: bare <LF> received after {} from {}", queue_id(), where_, client_.shown);
    return fmt::format("{} 5.5.2 {} Error: bare <LF> received", settings_[param::smtpd_forbid_bare_newline_reject_code],
                       settings_[param::myhostname]);
}

const Session::Verb* Session::find_verb(std::string_view name) const {
    for (const Verb& v : verbs_)
        if (v.run && bytes::iequals(v.name, name))
            return &v;
    return &verbs_[std::size(verbs_) - 1];
}

// Headers, HTTP and the like end the session.
bool Session::refuse_unknown(std::string_view line, std::string_view name) {
    bool forbidden = looks_like_header(line);
    if (!forbidden) {
        auto match = service_.forbidden_commands.match(name);
        forbidden = match && *match;
    }
    if (forbidden) {
        maillog::warning("non-SMTP command from {}: {}", client_.shown, line.substr(0, 100));
        (void)say("221 2.7.0 Error: I can break rules, too. Goodbye.");
        return false;
    }
    if (access_denied_.empty())
        (void)say("500 5.5.2 Error: command not recognized");
    return !hang_up_;
}

// RFC 2920: behind some commands, and before EHLO behind every one, the client has to wait.
bool Session::synchronized(const Verb& verb) {
    bool may_follow = esmtp_ && !verb.ends_pipeline;
    std::string_view behind = stream_.buffered();
    if (behind.empty() || may_follow)
        return true;
    early_ = true;
    maillog::info("improper command pipelining after {} from {}: {}", where_, client_.shown,
                  bytes::escaped(behind.substr(0, 100)));
    if (!settings_[param::smtpd_forbid_unauth_pipelining])
        return true;
    (void)say("554 5.5.0 Error: SMTP protocol synchronization");
    hang_up_ = true;
    return false;
}

// --- what everybody needs

std::string_view Session::protocol_name() const {
    if (!esmtp_)
        return "SMTP";
    static constexpr std::string_view names[] = {"ESMTP",    "ESMTPA",    "ESMTPS",    "ESMTPSA",
                                                 "UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"};
    return names[(mail_ && mail_->smtputf8 ? 4 : 0) + (encrypted() ? 2 : 0) + (client_.login.empty() ? 0 : 1)];
}
std::string_view Session::queue_id() const {
    return mail_ && mail_->cleanup ? std::string_view(mail_->cleanup->queue_id()) : "NOQUEUE";
}
std::string Session::early_end() const {
    return settings_[param::maillog_early_end_ids] ? std::string(queue_id()) + ": " : std::string();
}
Actions& Session::actions(Phase phase) {
    bool whole_session = !settings_[param::smtpd_delay_reject] && (phase == Phase::client || phase == Phase::helo);
    return mail_ && !whole_session ? mail_->actions : actions_;
}
bool Session::in_mynetworks() {
    if (!mynetworks_) {
        auto match = service_.mynetworks.match(client_.name, client_.address);
        if (!match) {
            maillog::warning("mynetworks: {}", match.error().reason);
            return false;
        }
        mynetworks_ = *match;
    }
    return *mynetworks_;
}
std::string Session::shown_sender() const {
    if (!mail_)
        return {};
    return service_.external_log_form ? mail::to_external(mail_->sender) : mail_->sender;
}

void Session::log_event(std::string_view what, std::string_view text) {
    if (what == "reject")
        policy_refusal_ = true;
    std::string rest;
    if (mail_)
        rest += " from=<" + (mail_->sender.empty() ? std::string() : shown_sender()) + ">";
    if (recipient_)
        rest += " to=<" + recipient_->shown + ">";
    rest += std::string(" proto=") + (esmtp_ ? "ESMTP" : "SMTP");
    if (!helo_.empty())
        rest += " helo=<" + helo_ + ">";
    maillog::info("{}: {}: {} from {}: {};{}", queue_id(), what, where_, client_.shown, text,
                  settings_[param::smtputf8_enable] ? rest : bytes::printable(rest, false));
}

// Each line of a reply is what this server says: an address, a rule or a policy server puts no line of its own in it.
static void keep_lines(std::string& text) {
    for (std::size_t at = text.find_first_of("\r\n"); at != text.npos; at = text.find_first_of("\r\n", at)) {
        if (text.compare(at, 2, "\r\n") == 0)
            at += 2;
        else
            text[at++] = ' ';
    }
}

bool Session::say(std::string_view reply) {
    bool bad = reply.starts_with('4') || reply.starts_with('5');
    if (errors_ >= settings_[param::smtpd_soft_error_limit] && settings_[param::smtpd_error_sleep_time].count() > 0) {
        (void)stream_.flush(command_deadline());
        loop::sleep_until(loop::in(settings_[param::smtpd_error_sleep_time]));
    }
    std::string text(reply);
    if (bad && settings_[param::soft_bounce] && text[0] == '5') {
        text[0] = '4';
        if (text.size() > 5 && text[4] == '5' && text[5] == '.')
            text[4] = '4';
    }
    if (bad) {
        filter_reply(service_, text);
        add_footer(service_, client_, text);
    }
    if (bad)
        classify(text);
    keep_lines(text);
    const bool last = text.starts_with("421") || text.starts_with("521");
    note(" Out: ", text);
    text += "\r\n";
    if (!hang_up_ && !stream_.write(text, command_deadline()))
        hang_up_ = write_failed_ = true;
    if (last)
        hang_up_ = true;
    return !bad;
}

void Session::drop_transaction() {
    mail_.reset();
    forwarded_.reset();
    recipient_ = nullptr;
    in_content_ = false;
}
}
