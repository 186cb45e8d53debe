#include "content.h"
#include <fmt/format.h>
#include <algorithm>
#include <utility>
#include "base/bytes.h"
#include "checks.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mail/address.h"
#include "mail/address_tokens.h"
#include "mail/mime.h"
#include "table/address_lookup.h"

namespace smtp {
namespace {
constexpr std::size_t chunk = 60 * 1024;  // with the line that ends it less than what the stream sends at once
constexpr const char* doing = "sending message body";

// Puts lines into SMTP's form and sends them in large pieces.
class Sender {
public:
    Sender(const Config& config, Peer& peer, const delivery::Job& job)
        : peer_(peer),
          queue_id_(job.id()),
          limit_(config.line_limit ? std::max<std::size_t>(config.line_limit, 10) : 0),
          timeout_(config.timeouts.data_xfer) {
        auto size = static_cast<std::size_t>(std::max<std::int64_t>(job.request().data_size, 0));
        out_.reserve(std::min(chunk + 8192, size + size / 16 + 256));  // CRs and dots come on top
        patient_ = !config.per_request_deadline;
        rate_ = config.per_request_deadline ? config.min_data_rate : 0;
        if (rate_)
            deadline_ = loop::in(timeout_);
    }
    Result<void> piece(std::string_view text, bool ends_line) {
        if (column_ == 0 && !text.empty() && text[0] == '.')
            out_ += '.';
        while (limit_ && column_ + text.size() > limit_) {  // the rest goes on a line of its own, behind a blank
            std::size_t room = limit_ - std::min(limit_, column_);
            if (!std::exchange(broke_lines_, true))
                maillog::info("{}: breaking line > {} bytes with <CR><LF>SPACE", queue_id_, limit_);
            out_.append(text.substr(0, room)).append("\r\n ");
            text.remove_prefix(room);
            column_ = 1;
        }
        out_.append(text);
        column_ += text.size();
        if (ends_line) {
            out_ += "\r\n";
            column_ = 0;
        }
        return out_.size() >= chunk ? send() : Result<void>();
    }
    Result<void> lines(std::string_view text) {  // lines ended by \n, the last one not
        for (;;) {
            auto end = text.find('\n');
            TRY(piece(text.substr(0, end), true));
            if (end == text.npos)
                return {};
            text.remove_prefix(end + 1);
        }
    }
    Result<void> finish() {
        if (column_ > 0)
            TRY(piece({}, true));
        return send();
    }

private:
    Result<void> send() {
        if (out_.empty())
            return {};
        if (rate_)
            deadline_ += std::chrono::milliseconds(static_cast<std::int64_t>(out_.size()) * 1000 / rate_);
        auto done = patient_ ? peer_.send_patiently(out_, timeout_, doing)
                             : peer_.send(out_, rate_ ? deadline_ : loop::in(timeout_), doing);
        out_.clear();
        return done;
    }
    Peer& peer_;
    std::string_view queue_id_;
    bool broke_lines_ = false;
    std::string out_;
    std::size_t column_ = 0, limit_;
    Seconds timeout_;
    bool patient_ = false;   // no deadline but for each write
    std::int64_t rate_ = 0;  // bytes a second that the deadline allows for; 0: one timeout a piece
    loop::Deadline deadline_{};
};

// The way of a message whose text is looked at: MIME structure, checks, rewriting.
class Rewriter final : public mail::MimeEvents {
public:
    Rewriter(const Config& config, const delivery::Job& job, Sender& sender)
        : config_(config), job_(job), sender_(sender), checks_(config, job.id()) {}
    void header(mail::HeaderClass klass, const mail::HeaderInfo& info, std::string_view text) override {
        if (!result)
            return;
        std::string field(text);
        Checks::Outcome outcome = checks_.header(klass, field);
        if (!outcome.problem.empty()) {
            result = temporary(outcome.problem);
            return;
        }
        for (const std::string& line : outcome.before)
            put(line);
        if (outcome.drop)
            return;
        if (!config_.generic.empty() && klass == mail::HeaderClass::primary &&
            (info.use & (mail::header_use::sender | mail::header_use::recipient)) != 0)
            rewrite(field);
        put(field);
    }
    void header_end() override {}
    void body(std::string_view text, bool whole) override {
        if (!result)
            return;
        if (checks_.looks_at_bodies()) {
            std::string line(text);
            Checks::Outcome outcome = checks_.body(line, body_seen_);
            body_seen_ += text.size();
            if (!outcome.problem.empty()) {
                result = temporary(outcome.problem);
                return;
            }
            for (const std::string& before : outcome.before)
                put(before);
            if (!outcome.drop)
                result = sender_.piece(line, whole);
            return;
        }
        result = sender_.piece(text, whole);
    }
    Result<void> result{};

private:
    void put(const std::string& lines) {
        if (result)
            result = sender_.lines(lines);
    }
    void rewrite(std::string& field) {
        std::size_t name = mail::header_name_length(field);
        std::size_t colon = field.find(':', name);
        if (name == 0 || colon == field.npos)
            return;
        auto list = mail::AddressList::parse_long(std::string_view(field).substr(colon + 1));
        bool changed = list.rewrite([&](const std::string& external) -> std::optional<std::string> {
            loop::breathe();
            const std::string internal = mail::to_internal(external);
            auto other = external.empty() ? internal : generic_address(config_, internal, true);
            if (!other) {
                result = tl::unexpected(other.error());
                return std::nullopt;
            }
            return *other == internal ? std::nullopt : std::optional(mail::to_external(*other));
        });
        if (changed)
            field = list.text(field.substr(0, colon + 1));
    }
    const Config& config_;
    const delivery::Job& job_;
    Sender& sender_;
    Checks checks_;
    std::size_t body_seen_ = 0;
};

Failure local_trouble(Peer& peer, const delivery::Job& job, const Error& error) {
    peer.broken = true;
    maillog::warning("{}: {}", job.id(), error.reason);
    return temporary(fmt::format("local data error while talking to {}", peer.endpoint.label()), {4, 3, 0});
}

Result<void> send_as_it_is(const delivery::Job& job, Peer& peer, Sender& sender) {
    auto content = job.content();
    std::size_t since_yield = 0;
    for (;;) {
        auto piece = content.next();
        if (!piece)
            return local_trouble(peer, job, piece.error());
        if (!*piece)
            return sender.finish();
        TRY(sender.piece((*piece)->text, (*piece)->ends_line));
        since_yield += (*piece)->text.size();
        if (since_yield >= chunk) {
            loop::yield();
            since_yield = 0;
        }
    }
}

Result<void> send_rewritten(const Config& config, const delivery::Job& job, Peer& peer, Sender& sender,
                            bool downgrade) {
    Rewriter rewriter(config, job, sender);
    mail::MimeOptions mime;
    mime.parse = downgrade || !config.mime_header_checks.empty() || !config.nested_header_checks.empty();
    mime.nesting_limit = config.mime_nesting_limit;
    mime.header_size_limit = config.header_size_limit;
    mime.boundary_length_limit = config.mime_boundary_limit;
    mime.downgrade = downgrade;
    mail::MimeParser parser(mime, rewriter);
    auto content = job.content();
    for (std::size_t pieces = 1;; ++pieces) {
        auto piece = content.next();
        if (!piece)
            return local_trouble(peer, job, piece.error());
        if (!*piece)
            break;
        parser.line((*piece)->text, (*piece)->ends_line);
        if (!rewriter.result)
            break;
        if (pieces % 16 == 0)
            loop::breathe();  // what a piece costs depends on the checks
    }
    if (rewriter.result)
        parser.finish();
    if (!rewriter.result)
        return peer.broken ? rewriter.result : local_trouble(peer, job, rewriter.result.error());
    return sender.finish();
}
}

Result<std::string> generic_address(const Config& config, const std::string& internal, bool header) {
    if (config.generic.empty() || (internal.empty() && !header))
        return internal;
    table::AddressRules rules;
    rules.internal_form = false;
    rules.empty_local_part = header;
    rules.forms = table::forms_rewrite;
    rules.delimiters = config.recipient_delimiter;
    rules.is_local = [&](std::string_view domain) { return config.local.rewrites_bare(domain); };
    TRY_ASSIGN(auto match, table::find_address(config.generic, internal, rules));
    if (!match)
        return internal;
    auto list = mail::AddressList::parse(match->value).addresses();
    if (list.empty())
        return internal;
    std::string found = list.front();
    if (found.starts_with("@"))
        found = internal.substr(0, internal.rfind('@')) + found;  // "@domain": the local part stays
    else
        found = mail::to_internal(found);
    if (found.find('@') == found.npos)
        found += "@" + config.myorigin;
    if (config.propagate_generic && !match->extension.empty())
        found = mail::add_extension(found, match->extension);
    return found;  // once: a result's own entry is for the mail of whoever it belongs to
}

Result<void> send_content(const Config& config, const delivery::Job& job, Peer& peer, const ContentOptions& options) {
    Sender sender(config, peer, job);
    if (!options.prepend.empty())
        TRY(sender.lines(options.prepend));
    bool looked_at = options.downgrade || !config.generic.empty() || !config.header_checks.empty() ||
                     !config.mime_header_checks.empty() || !config.nested_header_checks.empty() ||
                     !config.body_checks.empty();
    return looked_at ? send_rewritten(config, job, peer, sender, options.downgrade) : send_as_it_is(job, peer, sender);
}
}
