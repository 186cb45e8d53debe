#include "transaction.h"
#include <fmt/format.h>
#include <utility>
#include "base/bytes.h"
#include "content.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "server/server.h"

namespace smtp {
namespace {
constexpr std::size_t outstanding_limit =
    8 * 1024;  // bytes of commands in flight: their replies always fit the peer's buffers
}

const char* Transaction::command_name(Verb verb) {
    static constexpr const char* names[] = {"RSET command",
                                            "XFORWARD name/address command",
                                            "XFORWARD helo/protocol command",
                                            "MAIL FROM command",
                                            "RCPT TO command",
                                            "DATA command"};
    return names[static_cast<int>(verb)];
}

const char* Transaction::doing(Verb verb) {
    static constexpr const char* names[] = {"sending final RSET",
                                            "sending XFORWARD name/address",
                                            "sending XFORWARD protocol/helo_name",
                                            "sending MAIL FROM",
                                            "sending RCPT TO",
                                            "sending DATA command"};
    return names[static_cast<int>(verb)];
}

void Transaction::run() {
    recipients_ = out_.left();
    if (!fits() || !compose())
        return;
    if (peer_.needs_reset && !say(Verb::rset, nullptr, "RSET"))
        return;
    peer_.needs_reset = true;
    if (config_.send_xforward)
        forward_client();
    if (over_ || !say(Verb::mail, nullptr, mail_command()))
        return;
    for (std::size_t i = 0; i < recipients_.size(); ++i)
        if (!say(Verb::rcpt, recipients_[i], rcpt_command(*recipients_[i], addresses_[i])))
            return;
    bool stop_here = job_.probe() && !config_.probe_data;
    if (!stop_here && (peer_.features.pipelining || !accepted_.empty())) {
        data_said_ = true;
        if (!say(Verb::data, nullptr, "DATA"))
            return;
    }
    if (!read_replies())
        return;
    if (job_.probe())
        return end_probe();
    if (data_accepted_)
        send_message();
}

bool Transaction::fits() {
    const auto& request = job_.request();
    if (peer_.features.size_limit > 0 && request.data_size > peer_.features.size_limit) {
        out_.fail({{5, 3, 4},
                   fmt::format("message size {} exceeds size limit {} of server {}", request.data_size,
                               peer_.features.size_limit, peer_.endpoint.label())},
                  peer_, {});
        return false;
    }
    int needs = static_cast<int>(mail::smtputf8::header | mail::smtputf8::sender | mail::smtputf8::recipient);
    utf8_ = (request.send_options & static_cast<int>(mail::smtputf8::any)) != 0 && peer_.features.smtputf8;
    if (!peer_.features.smtputf8 && (request.send_options & needs)) {
        out_.fail(
            {{5, 6, 7}, fmt::format("SMTPUTF8 is required, but was not offered by host {}", peer_.endpoint.label())},
            peer_, {});
        return false;
    }
    downgrade_ =
        config_.convert_8bit && request.encoding != "7bit" && !peer_.features.eight_bit;  // nobody may have looked
    return true;
}

bool Transaction::compose() {
    auto external = [&](const std::string& internal) {
        return config_.quote_envelope ? mail::to_external(internal) : internal;
    };
    auto sender = generic_address(config_, job_.request().sender);
    if (sender)
        sender_ = external(*sender);
    for (delivery::JobRecipient* r : recipients_) {
        auto address = sender ? generic_address(config_, r->address) : sender;
        if (!address) {
            out_.fail({{4, 3, 0}, fmt::format("{}: {}", config_.generic.title(), address.error().reason)}, peer_, {});
            return false;
        }
        addresses_.push_back(external(*address));
    }
    return true;
}

std::string Transaction::mail_command() const {
    const auto& request = job_.request();
    const Features& f = peer_.features;
    std::string line = fmt::format("MAIL FROM:<{}>", sender_);
    if (f.size && !downgrade_)  // what is converted on its way has another size
        line += fmt::format(" SIZE={}", request.data_size);
    if (f.eight_bit && request.encoding == "8bit")
        line += " BODY=8BITMIME";
    else if (f.eight_bit && request.encoding == "7bit")
        line += " BODY=7BIT";
    if (utf8_)
        line += " SMTPUTF8";
    if (f.dsn && request.ret)
        line += fmt::format(" RET={}", mail::ret_text(static_cast<mail::DsnReturn>(request.ret)));
    if (f.dsn && !request.envid.empty())
        line += " ENVID=" + mail::xtext_encode(request.envid);
    if (peer_.send_require_tls)
        line += " REQUIRETLS";
    return line;
}

std::string Transaction::rcpt_command(const delivery::JobRecipient& r, const std::string& address) const {
    std::string line = fmt::format("RCPT TO:<{}>", address);
    if (!peer_.features.dsn || out_.flags().final_delivery)
        return line;
    if (r.notify)
        line += " NOTIFY=" + mail::notify_text(static_cast<mail::DsnNotify>(r.notify));
    auto original = r.orcpt.empty() && !r.original.empty() ? mail::OriginalRecipient{"rfc822", r.original}
                                                           : mail::split_original_recipient(r.orcpt);
    if (original && !original->address.empty())
        line += " ORCPT=" + mail::orcpt_wire(*original, utf8_);
    return line;
}

void Transaction::forward_client() {
    const auto& q = job_.request();
    const Features& f = peer_.features;
    auto value = [](const std::string& v) { return v.empty() ? std::string("[UNAVAILABLE]") : mail::xtext_encode(v); };
    std::string first, second;
    if (f.xforward_name)
        first += " NAME=" + value(q.log_client_name);
    if (f.xforward_address)
        first += " ADDR=" + value(q.log_client_address);
    if (f.xforward_port)
        first += " PORT=" + value(q.log_client_port);
    if (f.xforward_protocol)
        second += " PROTO=" + value(q.log_protocol_name);
    if (f.xforward_helo)
        second += " HELO=" + value(q.log_helo_name);
    if (f.xforward_ident)
        second += " IDENT=" + value(q.log_ident.empty() ? job_.id() : q.log_ident);
    if (f.xforward_source)
        second += q.rewrite_context == "local" ? " SOURCE=LOCAL" : " SOURCE=REMOTE";
    if (!first.empty())
        say(Verb::xforward_client, nullptr, "XFORWARD" + first);
    if (!second.empty() && !over_)
        say(Verb::xforward_session, nullptr, "XFORWARD" + second);
}

bool Transaction::say(Verb verb, delivery::JobRecipient* recipient, const std::string& line) {
    peer_.say(line);
    outstanding_.push_back({verb, recipient});
    outstanding_bytes_ += line.size() + 2;
    if (peer_.features.pipelining && outstanding_bytes_ < outstanding_limit)
        return true;
    return read_replies();
}

bool Transaction::read_replies() {
    std::vector<Sent> sent = std::move(outstanding_);
    outstanding_.clear();
    outstanding_bytes_ = 0;
    const Timeouts& t = config_.timeouts;
    const Seconds limits[] = {t.rset, t.xforward, t.xforward, t.mail, t.rcpt, t.data_init};
    for (const Sent& s : sent) {
        auto reply = peer_.reply(limits[static_cast<int>(s.verb)], doing(s.verb));
        if (!reply) {
            lost(reply.error());
            return false;
        }
        if (reply->code == 421)
            farewell_.emplace(*reply, command_name(s.verb));
        judge(s, *reply);
    }
    return !over_;
}

// The connection broke. One that was kept may have been closed by the server before it saw MAIL: that is nobody's
// failure.
void Transaction::lost(const Error& why) {
    peer_.broken = true;
    if (std::exchange(over_, true))
        return;  // the server has said already what there is to say
    if (peer_.reuse.uses > 1 && peer_.reuse.silent) {
        return;  // nothing is held against anybody; a new connection follows
    }
    if (farewell_)
        refused(farewell_->first, farewell_->second, nullptr);
    else
        out_.fail(why, peer_, {});
}

// A server that does not want the rest of a message may say so and hang up.
void Transaction::broke_off(const Error& why) {
    auto said = peer_.last_words();
    if (!said || (!said->temporary() && !said->permanent()))
        return lost(why);
    over_ = true;
    for (delivery::JobRecipient* r : accepted_)
        refused(*said, "end of DATA command", r);
}

void Transaction::refused(const Reply& reply, const char* command, delivery::JobRecipient* only) {
    Error why{reply.status,
              fmt::format("host {} said: {} (in reply to {})", peer_.endpoint.label(), reply.text, command)};
    if (why.status.success())
        why = {no_answer, "Protocol error: " + why.reason};  // 2xx to DATA
    out_.fail(why, peer_, reply.text, only);
}

void Transaction::judge(const Sent& sent, const Reply& reply) {
    switch (sent.verb) {
    case Verb::rset:
        if (!reply.positive())
            peer_.broken = true;
        break;
    case Verb::xforward_client:
    case Verb::xforward_session:  // it will log and judge our own address instead of the client's
        if (!reply.positive())
            maillog::warning("host {} said: {} (in reply to {})", peer_.endpoint.label_with_port(), reply.text,
                             command_name(sent.verb));
        break;
    case Verb::mail:
        if (reply.positive() || over_)
            break;
        over_ = true;
        refused(reply, command_name(sent.verb), nullptr);
        break;
    case Verb::rcpt:
        if (over_)
            break;
        if (reply.positive()) {
            accepted_.push_back(sent.recipient);
            if (job_.probe())
                probed_.emplace_back(sent.recipient, reply);
        } else {
            refused(reply, command_name(sent.verb), sent.recipient);
        }
        break;
    case Verb::data:
        data_accepted_ = reply.code / 100 == 3;
        if (over_ || accepted_.empty() || data_accepted_)
            break;
        over_ = true;
        for (delivery::JobRecipient* r : accepted_)
            refused(reply, command_name(sent.verb), r);
        break;
    }
    if (sent.verb == Verb::data && data_accepted_ && (over_ || accepted_.empty())) {
        peer_.say(".");  // it would have taken a message for nobody: give it an empty one
        if (config_.lmtp)
            peer_.leaving = true;  // a reply for each of no recipients: there is nothing to wait for
        else if (!peer_.reply(config_.timeouts.data_done, "sending end of data"))
            peer_.broken = true;
        data_accepted_ = false;
    }
}

std::string Transaction::prepended() const {
    const Flags& flags = out_.flags();
    std::string lines;
    auto add = [&](const std::string& line) { lines += (lines.empty() ? "" : "\n") + line; };
    if (flags.return_path)
        add(fmt::format("Return-Path: <{}>", sender_));
    if (flags.original_to && !recipients_.empty())
        add("X-Original-To: " +
            mail::to_external(recipients_[0]->original.empty() ? recipients_[0]->address : recipients_[0]->original));
    if (flags.delivered_to && !recipients_.empty())
        add("Delivered-To: " + mail::to_external(recipients_[0]->address));
    return lines;
}

void Transaction::send_message() {
    auto sent = send_content(config_, job_, peer_, {downgrade_, prepended()});
    if (!sent)
        return broke_off(sent.error());
    if (peer_.delays_dot()) {
        if (auto done = peer_.flush(loop::in(config_.timeouts.data_xfer), "sending message body"); !done)
            return broke_off(done.error());
        loop::sleep_until(loop::in(config_.pix_delay));
    }
    server::Commit commit;  // a stop waits for the reply and the marks: less mail arrives twice
    peer_.say(".");
    std::vector<delivery::JobRecipient*> waiting = accepted_;
    const char* last_words = "sending end of data -- message may be sent more than once";
    auto settle = [&](const Reply& reply, delivery::JobRecipient* r) {
        if (reply.positive())
            out_.delivered(*r, peer_, reply);
        else
            refused(reply, "end of DATA command", r);
    };
    if (!config_.lmtp) {
        auto reply = peer_.reply(config_.timeouts.data_done, last_words);
        if (!reply)
            return lost(reply.error());
        peer_.needs_reset = false;
        for (delivery::JobRecipient* r : waiting)
            settle(*reply, r);
        return;
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        auto reply = peer_.reply(config_.timeouts.data_done, last_words);
        if (!reply)
            return lost(reply.error());
        settle(*reply, waiting[i]);
    }
    peer_.needs_reset = false;
}

void Transaction::end_probe() {
    if (data_said_)
        peer_.broken = true;  // there is no way back from DATA but hanging up
    for (auto& [recipient, reply] : probed_)
        if (recipient->disposition == delivery::Disposition::none)
            out_.delivered(*recipient, peer_, reply);
}
}
