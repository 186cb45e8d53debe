#include "session.h"
#include <fmt/format.h>
#include <algorithm>
#include <new>
#include "access/phases.h"
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "conf/params/tls.h"
#include "log/log.h"
#include "mail/address.h"
#include "proxy_protocol.h"
#include "tls/info.h"
#include "tls/session.h"

namespace smtpd {
namespace {
constexpr std::chrono::seconds farewell_time(10);

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

constexpr const Verb& unknown = verbs[std::size(verbs) - 1];
const Verb& find_verb(std::string_view name) {
    for (const Verb& v : verbs)
        if (v.run && bytes::iequals(v.name, name))
            return v;
    return unknown;
}
}

Session::Session(Service& of, net::Stream& connection, bool stressed)
    : service(of),
      settings(of.settings(stressed)),
      stream(connection),
      transcript(of, settings),
      dialogue(of, settings, connection, client, transcript),
      gate(of, settings, client) {
    static_assert(std::tuple_size_v<decltype(counts_)> == std::size(verbs));
}
Session::~Session() = default;

// --- the session

void Session::serve(const net::Address& peer) {
    if (settings[param::smtpd_upstream_proxy_protocol].empty())
        return converse(peer);
    auto proxied = read_proxy_header(stream, loop::in(settings[param::smtpd_upstream_proxy_timeout]));
    if (!proxied) {
        maillog::warning("haproxy read: {} from {}", proxied.error().reason, peer.host());
        dialogue.last_word("421 4.3.0 " + settings[param::myhostname] + " Server local error\r\n");
        return;
    }
    if (proxied->local)
        return converse(peer);
    client.server_address = proxied->server.host();
    client.server_port = std::to_string(proxied->server.port());
    converse(proxied->client);
}

void Session::converse(const net::Address& peer) {
    // Without deadlines for whole requests the time limit is one for each read and write.
    if (!settings[param::smtpd_per_request_deadline])
        stream.limit_each_wait(settings[param::smtpd_timeout]);
    bool farewell = false, no_memory = false;
    try {
        if (greet(peer))
            talk();
    } catch (const loop::Cancelled&) {
        farewell = true;
    } catch (const std::bad_alloc&) {
        no_memory = true;
    }
    if (no_memory)
        starved();
    finish(farewell);
    if (farewell)
        throw loop::Cancelled{};
}

bool Session::greet(const net::Address& peer) {
    client.connected(service, stream, peer);
    maillog::info("connect from {}", client.shown);
    client.discarded = service.discarded_keywords(client.address);
    if (auto refused = gate.enter(peer))
        return dialogue.refuse(*refused);
    if (settings[param::smtpd_tls_wrappermode] && !handshake(*this, true))
        return false;
    // RFC 5321, section 4.3.1: the client waits for the greeting.
    if (!client.encryption && !stream.peek().empty() && !tolerate_early_talk())
        return false;
    if (!settings[param::smtpd_delay_reject]) {
        if (auto denied = check_client(*this)) {
            access.denied = *denied;
            dialogue.error();
            (void)dialogue.say(*denied);
            return true;
        }
    }
    (void)dialogue.say("220 " + settings[param::smtpd_banner]);
    return true;
}

void Session::talk() {
    while (!dialogue.over()) {
        if (!greeted_)
            state = "CONNECT";
        if (dialogue.too_many_errors())
            return end_for_errors();
        switch (dialogue.await(!mail)) {
        case Dialogue::Input::silent: return lost(net::Stream::Failure::timeout);
        case Dialogue::Input::lost: return lost();
        case Dialogue::Input::ready: break;
        }
        step();
        if (!dialogue.over() && dialogue.take_turns() == Dialogue::Input::lost)
            return lost();
    }
}

// After the dialogue, or in the place of what is left of it. farewell: this process ends, and nothing may wait.
void Session::finish(bool farewell) {
    if (farewell && !in_content)
        dialogue.last_word("421 4.3.2 " + settings[param::myhostname] + " Service shutting down\r\n");
    mail.reset();  // withdraws what was not finished
    stream.limit_each_wait(std::nullopt);
    if (!farewell) {
        (void)stream.flush(loop::in(farewell_time));
        transcript.send(client);
        if (!settings[param::tls_fast_shutdown_enable])
            tls::say_farewell(stream, loop::in(settings[param::smtpd_starttls_timeout]));
    }
    stream.close();  // with our side of TLS's farewell
    gate.leave(!farewell);
    log_disconnect();
}

void Session::log_disconnect() {
    std::string text;
    int total = 0, good = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        const Count& c = counts_[i];
        if (c.total == 0)
            continue;
        const std::string name = bytes::lowered(verbs[i].name);
        text +=
            c.good == c.total ? fmt::format(" {}={}", name, c.total) : fmt::format(" {}={}/{}", name, c.good, c.total);
        total += c.total;
        good += c.good;
    }
    text +=
        good == total && total > 0 ? fmt::format(" commands={}", total) : fmt::format(" commands={}/{}", good, total);
    maillog::info("disconnect from {}{}", client.shown, text);
}

void Session::end_for_errors() {
    maillog::info("{}too many errors after {} from {}", early_end(), state, client.shown);
    transcript.cut_short("too many errors");
    (void)dialogue.say("421 4.7.0 " + settings[param::myhostname] + " Error: too many errors");
}

void Session::lost(net::Stream::Failure how) {
    const bool timeout = how == net::Stream::Failure::timeout;
    const std::string_view what = timeout ? "timeout" : "lost connection";
    if (timeout && !dialogue.write_failed())
        (void)dialogue.say("421 4.4.2 " + settings[param::myhostname] + " Error: timeout exceeded");
    const bool taken = in_content && mail && mail->content.begun() && !mail->chunks.failed;  // not read to be dropped
    const std::string bytes =
        taken ? fmt::format(" ({} bytes)", mail->content.bytes() + std::ssize(mail->chunks.rest)) : "";
    if (timeout || state != "END-OF-MESSAGE")  // that is how a client ends that has heard all it wanted to know
        maillog::info("{}{} after {}{} from {}", early_end(), what, state, bytes, client.shown);
    transcript.cut_short(what);
    dialogue.hang_up();
}

// Gives up what this session holds, then says why it ends: in the clear in a way that takes no memory. TLS needs some.
void Session::starved() {
    dialogue.hang_up();
    transcript.cut_short("out of memory");
    mail.reset();
    stream.discard_input();
    try {
        maillog::warning("out of memory after {} from {}", state, client.shown);
    } catch (const std::bad_alloc&) {}
    try {
        if (stream.layer())
            (void)dialogue.say("421 4.3.0 " + settings[param::myhostname] + " Error: insufficient memory");
        (void)stream.flush(loop::in(farewell_time));
    } catch (const std::bad_alloc&) {}
    dialogue.last_word(service.no_memory);
}

// --- one command

// Its frame is large, and gone while the client is silent.
void Session::step() {
    auto line = dialogue.read();
    if (!line)
        return lost();
    if (client.bare_newline(service) == BareNewline::reject && !line->crlf) {
        dialogue.error();
        (void)dialogue.say(bare_newline_refusal());
        return dialogue.hang_up();  // what follows may be one message for the client and another for us
    }
    std::string& text = line->text;
    transcript.note(" In:  ", text);
    if (settings[param::smtputf8_enable] && !bytes::valid_utf8(text)) {
        state = unknown.name;
        ++counts_.back().total;
        dialogue.error();
        (void)dialogue.say("500 5.5.2 Error: bad UTF-8 syntax");
        return;
    }
    if (!service.command_filter.empty() && !replace(text))
        return;
    if (text.find('\0') != text.npos)
        text.resize(text.find('\0'));
    Words words = split_words(text);
    if (words.empty()) {
        state = unknown.name;
        dialogue.error();
        (void)dialogue.say("500 5.5.2 Error: bad syntax");
        return;
    }
    const auto& noops = service.noop_commands;
    if (!noops.empty() && std::find(noops.begin(), noops.end(), bytes::uppered(words[0])) != noops.end()) {
        dialogue.junk();
        (void)dialogue.say("250 2.0.0 Ok");
        return;
    }
    run(text, words);
}

// smtpd_command_filter: another command in the place of this one.
bool Session::replace(std::string& line) {
    auto other = service.command_filter.find(line);
    if (!other) {
        maillog::warning("{}: {}", service.command_filter.title(), other.error().reason);
        (void)dialogue.say("451 4.3.0 Temporary lookup error");
        dialogue.error();
        return false;
    }
    if (*other) {
        maillog::info("{}: replacing command \"{}\" with \"{}\"", client.shown, line.substr(0, 100),
                      (**other).substr(0, 100));
        line = **other;
    }
    return true;
}

void Session::run(std::string_view line, Words& words) {
    const Verb& verb = find_verb(words[0]);
    state = verb.name;
    greeted_ = true;
    Count& count = counts_[static_cast<std::size_t>(&verb - verbs)];
    ++count.total;
    const bool denied = !access.denied.empty() && verb.run != quit;
    if (denied || !verb.run)
        dialogue.error();
    if (!verb.run && not_smtp(line, words[0]))
        return;
    if (denied) {
        (void)dialogue.say("503 5.7.0 Error: access denied for " + client.shown);
        return;
    }
    if (!verb.run) {
        (void)dialogue.say("500 5.5.2 Error: command not recognized");
        return;
    }
    if (!synchronized(verb))
        return;
    if (service.tls_level == TlsLevel::encrypt && !client.encryption && !verb.before_tls) {
        dialogue.error();
        (void)dialogue.say("530 5.7.0 Must issue a STARTTLS command first");
        return;
    }
    if (!verb.run(*this, words))
        dialogue.error();
    else if (verb.run != xclient)
        ++count.good;  // which is never one in Postfix's summary
    if (dialogue.write_failed())
        return lost();
    if (verb.counts_as_junk)
        dialogue.junk();
}

// Headers, HTTP and the like end the session, whatever else stands against the client.
bool Session::not_smtp(std::string_view line, std::string_view name) {
    bool forbidden = looks_like_header(line);
    if (!forbidden) {
        auto match = service.forbidden_commands.match(name);
        forbidden = match && *match;
    }
    if (forbidden) {
        maillog::warning("non-SMTP command from {}: {}", client.shown, line.substr(0, 100));
        (void)dialogue.say("221 2.7.0 Error: I can break rules, too. Goodbye.");
        dialogue.hang_up();
    }
    return forbidden;
}

// RFC 2920: behind some commands, and before EHLO behind every one, the client has to wait.
bool Session::synchronized(const Verb& verb) {
    bool may_follow = client.esmtp && !verb.ends_pipeline;
    std::string_view behind = dialogue.buffered();
    return behind.empty() || may_follow || tolerate_early_talk();
}

// What came before its time is noted for access rules and in the log; false: it ends the session.
bool Session::tolerate_early_talk() {
    if (service.stand_alone())
        return true;  // stand-alone: what comes from a file or a pipe is all there at once
    pipelined_early = true;
    maillog::info("improper command pipelining after {} from {}: {}", state, client.shown,
                  bytes::escaped(dialogue.buffered().substr(0, 100)));
    if (!settings[param::smtpd_forbid_unauth_pipelining])
        return true;
    (void)dialogue.say("554 5.5.0 Error: SMTP protocol synchronization");
    dialogue.hang_up();
    return false;
}

// --- what commands need

std::string_view Session::protocol_name() const {
    if (!client.esmtp)
        return "SMTP";
    static constexpr std::string_view names[] = {"ESMTP",    "ESMTPA",    "ESMTPS",    "ESMTPSA",
                                                 "UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"};
    return names[(mail && mail->envelope.smtputf8 ? 4 : 0) + (client.encryption ? 2 : 0) +
                 (client.login.empty() ? 0 : 1)];
}
std::string_view Session::queue_id() const {
    return mail && mail->downstream ? mail->downstream->queue_id() : "NOQUEUE";
}
std::string Session::early_end() const {
    return settings[param::maillog_early_end_ids] ? std::string(queue_id()) + ": " : std::string();
}

void Session::log_event(std::string_view what, std::string_view text, const EnvelopeRecipient* recipient) {
    if (what == "reject")
        transcript.next_is_policy();
    std::string rest;
    if (mail) {
        const std::string& sender = mail->envelope.sender;
        rest += " from=<" + (sender.empty() || !service.external_log_form ? sender : mail::to_external(sender)) + ">";
    }
    if (recipient)
        rest += " to=<" + recipient->shown + ">";
    rest += std::string(" proto=") + (client.esmtp ? "ESMTP" : "SMTP");
    if (!client.helo.empty())
        rest += " helo=<" + client.helo + ">";
    maillog::info("{}: {}: {} from {}: {};{}", queue_id(), what, state, client.shown, text,
                  settings[param::smtputf8_enable] ? rest : bytes::printable(rest, false));
}

std::string Session::bare_newline_refusal() const {
    maillog::info("{}: reject: bare <LF> received after {} from {}", queue_id(), state, client.shown);
    return fmt::format("{} 5.5.2 {} Error: bare <LF> received", settings[param::smtpd_forbid_bare_newline_reject_code],
                       settings[param::myhostname]);
}

void Session::drop_transaction() {
    mail.reset();
    forwarded.reset();
    in_content = false;
}
}
