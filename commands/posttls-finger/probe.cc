#include "probe.h"
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>
#include <cstdio>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "log/log.h"
#include "net/socket.h"
#include "tls/identity.h"
#include "tls/layer.h"
#include "tls/match.h"
#include "tls/session.h"

namespace finger {
namespace {
constexpr std::size_t line_length_max = 2048, reply_lines_max = 1000, reply_text_max = 8192;
namespace log_option = tls::log_option;
}

std::optional<std::string> MemoryStore::find(std::string_view id) {
    auto found = sessions_.find(std::string(id));
    return found == sessions_.end() ? std::nullopt : std::optional(found->second);
}

bool Probe::make_context(tls::LogOptions log) {
    if (log & (log_option::certmatch | log_option::verbose))
        log |= log_option::peercert;
    if (log & log_option::peercert)
        log |= log_option::certmatch;
    conf::Overrides own;
    for (const char* side : {"smtp", "lmtp"}) {
        own.push_back({fmt::format("{}_tls_loglevel", side), log_text(log)});
        own.push_back({fmt::format("{}_tls_loglevel_maps", side), ""});
    }
    auto settings = settings_.with(own);
    auto made = settings ? tls::ClientContext::create(*settings, options_.lmtp) : tl::unexpected(settings.error());
    if (!made) {
        maillog::warning("{}: disabling TLS support", made.error().reason);
        return false;
    }
    context_ = std::move(*made);
    if (options_.reconnect_after.count() > 0)
        context_->keep_sessions_in(&store_);
    return true;
}

void Probe::run() {
    const bool tls = options_.level != tls::Level::none;
    if (tls && !make_context(options_.log))
        return;
    if (!connect())
        return;
    converse();
    if (options_.reconnect_after.count() == 0 || !under_tls_)
        return;
    if (store_.empty())
        return maillog::info("The server gave no session to resume.  Not reconnecting.");
    seen_.insert(server_name_);
    const tls::LogOptions fewer = options_.log & ~(log_option::peercert | log_option::certmatch | log_option::verbose);
    if (!make_context(fewer | log_option::cache | log_option::routine))
        return;
    for (int i = 0; i < options_.reconnects_max; ++i) {
        maillog::info("Reconnecting after {} seconds", options_.reconnect_after.count());
        ::sleep(static_cast<unsigned int>(options_.reconnect_after.count()));
        hosts_ = {host_};
        if (!connect())
            return;
        converse();
        if (!seen_.insert(server_name_).second)
            return maillog::info("Found a previously used server.  Done reconnecting.");
    }
    maillog::info("Reconnected {} times.  Done reconnecting.", options_.reconnects_max);
}

// To the first host that takes the connection.
bool Probe::connect() {
    stream_.reset();
    under_tls_ = false;
    if (!destination_.path.empty()) {
        host_ = Host{.name = settings_[param::myhostname], .address = {}, .lookup = {}};
        label_ = fmt::format("{}[{}]", host_.name, destination_.path);
        auto fd = net::connect_unix(destination_.path, loop::in(options_.connect_timeout));
        if (!fd)
            maillog::info("Failed to establish session to {}: connect to {}: {}", destination_.text, label_,
                          fd.error().reason);
        else
            stream_ = std::make_unique<net::Stream>(std::move(*fd));
    }
    std::string why;
    for (const Host& host : hosts_) {
        if (stream_)
            break;
        host_ = host;
        label_ = host.label();
        auto fd = net::connect_inet(host.address, nullptr, loop::in(options_.connect_timeout));
        if (fd)
            stream_ = std::make_unique<net::Stream>(std::move(*fd));
        else
            why = fmt::format("{} via {}: connect to {}: {}", destination_.text, host.name, label_, fd.error().reason);
    }
    if (!stream_ && !why.empty())
        maillog::info("Failed to establish session to {}", why);
    if (stream_ && options_.show_chat)
        maillog::info("Connected to {}", label_);
    return stream_ != nullptr;
}

void Probe::say(std::string_view line) {
    if (options_.show_chat)
        maillog::info("> {}", line);
    (void)stream_->write(line);
    (void)stream_->write("\r\n");
}

std::optional<Probe::Reply> Probe::reply(std::chrono::seconds timeout, std::string_view doing, maillog::Level level) {
    loop::Deadline deadline = loop::in(timeout);
    Reply all;
    for (std::size_t n = 0; n < reply_lines_max; ++n) {
        auto line = stream_->read_line(line_length_max, deadline);
        if (!line) {
            const char* what = stream_->failure() == net::Stream::Failure::timeout ? "timeout" : "lost connection";
            maillog::write(level, fmt::format("{} while {}", what, doing));
            if (level == maillog::Level::fatal)
                maillog::end_fatal();
            return std::nullopt;
        }
        std::string text(line->text);
        if (options_.show_chat)
            maillog::info("< {}", text);
        const bool digits =
            text.size() >= 3 && bytes::is_digit(text[0]) && bytes::is_digit(text[1]) && bytes::is_digit(text[2]);
        all.code = digits ? (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0') : 0;
        const std::string rest = digits ? text.substr(std::min<std::size_t>(4, text.size())) : text;
        if (all.text.size() < reply_text_max)
            all.text += rest + "\n";
        all.line = fmt::format("{} {}", all.code, rest);
        if (!digits || text.size() < 4 || text[3] != '-')
            return all;
    }
    maillog::write(level, fmt::format("endless reply while {}", doing));
    return std::nullopt;
}

bool Probe::say_hello(bool& offers_tls) {
    const char* verb = options_.lmtp ? "LHLO" : "EHLO";
    say(fmt::format("{} {}", verb, settings_[param::myhostname]));
    auto answer = reply(options_.command_timeout, fmt::format("sending {}", verb));
    if (!answer)
        return false;
    if (answer->code / 100 != 2) {
        maillog::info("{} rejected: {}", verb, answer->line);
        return false;
    }
    auto lines = bytes::split(answer->text, "\n");
    auto words = lines.empty() ? std::vector<std::string_view>{} : bytes::split(lines[0], " \t");
    server_name_ = words.empty() ? "" : std::string(words[0]);
    for (std::string_view line : lines) {
        auto keyword = bytes::split(line, " \t");
        if (!keyword.empty() && bytes::iequals(keyword[0], "STARTTLS"))
            offers_tls = true;
    }
    return true;
}

// With usable TLSA records: they go into the demand, and the level is theirs. Absent: the host is not to be talked to.
std::optional<tls::Level> Probe::take_tlsa(tls::Demand& demand) {
    const bool signed_path = !host_.exchanger || host_.secure_exchanger;
    if (!signed_path && options_.insecure_mx == "may") {
        maillog::info("MX RRset is insecure: try to encrypt");
        return tls::Level::may;
    }
    if (host_.lookup.name.empty() || !context_->dane())
        return tls::Level::secure;  // an address, or found without DNS
    tls::TlsaSet set = context_->dane()->find(host_.lookup, host_.address.port(), options_.insecure_tlsa, label_);
    if (set.state == tls::TlsaSet::State::unknown) {
        maillog::info("Failed to establish session to {} via {}: {}", destination_.text, host_.name, set.reason);
        return std::nullopt;
    }
    if (set.state == tls::TlsaSet::State::unusable)
        maillog::warning("{}: all TLSA records unusable, fallback to unauthenticated TLS", label_);
    if (set.state == tls::TlsaSet::State::none && options_.level == tls::Level::dane_only)
        maillog::info("no TLSA records found, resorting to \"secure\"");
    if (set.state != tls::TlsaSet::State::usable)
        return tls::Level::secure;
    if (!signed_path && options_.insecure_mx == "encrypt") {
        maillog::info("TLSA RRs found, MX RRset insecure: just encrypt");
        return tls::Level::encrypt;
    }
    if (!signed_path)
        maillog::info("MX RRset insecure: log verified as trusted");
    demand.records = std::move(set.records);
    demand.server_name = set.base;
    demand.names = tls::expected_names(signed_path ? std::vector<std::string>{"hostname", "nexthop"}
                                                   : std::vector<std::string>{"hostname"},
                                       destination_.host, set.base);
    return signed_path ? tls::Level::dane : tls::Level::half_dane;
}

std::optional<tls::Demand> Probe::demand_for_host() {
    tls::Demand demand;
    demand.mandatory = true;
    demand.digest = settings_[options_.lmtp ? param::lmtp_tls_fingerprint_digest : param::smtp_tls_fingerprint_digest];
    demand.server_name = options_.server_name;
    demand.level = options_.level;
    if (options_.level == tls::Level::dane || options_.level == tls::Level::dane_only) {
        auto level = take_tlsa(demand);
        if (!level)
            return std::nullopt;
        demand.level = *level;
        if (!demand.records.empty())
            return demand;
    }
    if (demand.level == tls::Level::fingerprint) {
        for (const std::string& text : options_.match)
            for (std::string_view one : bytes::split(text, "| ")) {
                auto digest = tls::parse_fingerprint(one);
                if (!digest)
                    maillog::fatal("bad certificate fingerprint: \"{}\"", bytes::printable(one));
                for (std::uint8_t selector : {1, 0})
                    demand.records.push_back({3, selector, tls::Tlsa::fingerprint_type, *digest});
            }
        if (demand.records.empty())
            demand.level = tls::Level::encrypt;  // nothing can match: it is shown as it is
    } else if (demand.level == tls::Level::verify || demand.level == tls::Level::secure) {
        const bool own_names = !options_.match.empty() && options_.level == demand.level;
        std::vector<std::string> strategies = demand.level == tls::Level::secure
                                                  ? std::vector<std::string>{"nexthop", "dot-nexthop"}
                                                  : std::vector<std::string>{"hostname"};
        if (own_names)
            strategies = options_.match;
        demand.names = tls::expected_names(strategies, destination_.host, host_.name);
        for (const std::string& file : options_.anchors) {
            auto anchors = tls::load_anchors(file);
            if (!anchors)
                maillog::fatal("{}", anchors.error().reason);
            demand.records.insert(demand.records.end(), anchors->begin(), anchors->end());
        }
    }
    return demand;
}

bool Probe::start_tls() {
    auto demand = demand_for_host();
    if (!demand)
        return false;
    if (context_->store())
        demand->session_key = fmt::format("memory:{}&{}", destination_.text, server_name_);
    auto info = tls::connect(*stream_, *context_, *demand, loop::in(options_.command_timeout), label_);
    if (!info)
        return false;  // it has been logged
    under_tls_ = true;
    if (!info->peer_certificate)
        maillog::info("Server is anonymous");
    else if (options_.show_chain)
        show_chain();
    return true;
}

void Probe::show_chain() {
    tls::TlsLayer* session = tls::tls_layer_of(*stream_);
    STACK_OF(X509)* chain = session ? SSL_get_peer_cert_chain(session->ssl()) : nullptr;
    std::fputs("\n---\nCertificate chain\n", stdout);
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        X509* x = sk_X509_value(chain, i);
        const EVP_MD* digest = context_->fingerprint_digest();
        fmt::print("{:2} subject: {}\n    issuer: {}\n   cert digest={}\n   pkey digest={}\n", i,
                   tls::shown_name(X509_get_subject_name(x)), tls::shown_name(X509_get_issuer_name(x)),
                   tls::fingerprint(x, digest), tls::key_fingerprint(x, digest));
        PEM_write_X509(stdout, x);
    }
    std::fflush(stdout);
}

void Probe::converse() {
    bool offers_tls = false;
    if (options_.wrapper && (!context_ || !start_tls()))
        return;
    auto greeting = reply(options_.connect_timeout, "reading server greeting");
    if (!greeting)
        return;
    if (greeting->code / 100 != 2)
        return maillog::info("{} service not available: {}", options_.lmtp ? "LMTP" : "SMTP", greeting->line);
    if (!say_hello(offers_tls))
        return;
    if (offers_tls && context_ && !under_tls_) {
        say("STARTTLS");
        auto answer = reply(options_.command_timeout, "sending STARTTLS", maillog::Level::fatal);
        if (!answer)
            return;
        if (answer->code / 100 != 2)
            return maillog::info("STARTTLS rejected: {}", answer->line);
        if (!start_tls() || !say_hello(offers_tls))
            return;
    }
    say("QUIT");
    (void)reply(options_.command_timeout, "sending QUIT command", maillog::Level::warning);
    tls::save_session(*stream_);
    stream_->close();
}
}
