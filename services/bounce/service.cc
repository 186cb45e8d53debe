#include "service.h"
#include <unistd.h>
#include <cerrno>
#include <ctime>
#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/qmgr.h"
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "delivery/post.h"
#include "ipc/bounce.h"
#include "ipc/cleanup.h"
#include "ipc/client.h"
#include "log/log.h"
#include "log_file.h"
#include "loop/loop.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/header.h"
#include "mail/verp.h"
#include "queue/directories.h"
#include "queue/file.h"
#include "report.h"
#include "server/server.h"
#include "templates.h"

namespace bounce {
namespace {
struct State {
    conf::Settings settings;
    std::string service;
    Templates templates;
    queue::Directories directories;
    ipc::Client cleanup;

    bool wants_class(std::string_view name) const {
        for (std::string_view one : bytes::split(settings[param::notify_classes], ", \t\r\n"))
            if (bytes::iequals(one, name))
                return true;
        return false;
    }
};
std::unique_ptr<State> state;

Result<mail::QueueId> checked(const std::string& id) { return mail::QueueId::parse(id); }

// The message that a report is about: its queue file, where it can be read.
struct ReportedMessage {
    std::optional<queue::QueueFile> file;
    queue::Envelope envelope;

    void open(const std::string& queue_name, const mail::QueueId& id) {
        loop::offload([&] {
            Result<queue::QueueFile> opened =
                queue::QueueFile::open(state->directories, queue_name, id, queue::Access::read);
            if (!opened)
                return;
            Result<queue::Envelope> read = opened->envelope();
            if (!read)
                return;
            envelope = std::move(*read);
            file = std::move(*opened);
        });
    }

    Result<void> lines(bool header_only, const Lines& visit) const {
        queue::ContentReader reader(*file, envelope.size);
        bool line_start = true, in_header = true;
        while (true) {
            TRY_ASSIGN(auto piece, reader.next());
            if (!piece)
                return {};
            if (header_only && line_start) {
                in_header = !piece->text.empty() &&
                            (bytes::is_space(piece->text[0]) || mail::header_name_length(piece->text) > 0);
                if (!in_header)
                    return {};
            }
            TRY(visit(piece->text, piece->ends_line));
            line_start = piece->ends_line;
        }
    }

    // Message-Id and References of its header.
    std::optional<Thread> thread() const {
        Thread found;
        std::string field;
        auto end_field = [&] {
            if (auto split = mail::split_header(field)) {
                if (bytes::iequals(split->name, "message-id"))
                    found.message_id = bytes::trim(split->value);
                if (bytes::iequals(split->name, "references"))
                    found.references = bytes::trim(split->value);
            }
            field.clear();
        };
        static_cast<void>(lines(true, [&](std::string_view text, bool) -> Result<void> {
            if (text.empty() || !bytes::is_space(text[0]))
                end_field();
            if (field.size() < 4096)
                (field += field.empty() ? "" : " ") += text;
            return {};
        }));
        end_field();
        if (found.message_id.empty())
            return std::nullopt;
        return found;
    }
};

// One request at work.
class Notifier {
public:
    Notifier(const ipc::ReportSend& request, std::vector<Entry> entries)
        : request_(request), entries_(std::move(entries)) {}

    Result<void> run() {
        TRY_ASSIGN(mail::QueueId id, checked(request_.queue_id));
        if (is_double_bounce(request_.sender)) {
            maillog::warning("{}: undeliverable postmaster notification discarded", request_.queue_id);
            return {};
        }
        bool failure = request_.kind == "bounce";
        if (request_.sender.empty() && !(failure && state->wants_class("2bounce")))
            return {};
        message_.open(request_.queue_name, id);
        subject_ = {.queue_id = request_.queue_id,
                    .sender = request_.sender,
                    .envid = request_.envid,
                    .encoding = request_.encoding,
                    .arrival = message_.file ? message_.envelope.arrival.seconds : 0,
                    .utf8 = (request_.send_options & static_cast<int>(mail::smtputf8::any)) != 0 &&
                            state->settings[param::smtputf8_enable]};
        // RFC 8689, section 5: the way back may know no REQUIRETLS; then the report goes without, and without the
        // content.
        const conf::Settings& s = state->settings;
        const auto options = static_cast<std::uint32_t>(request_.send_options);
        const bool demanded = s[param::requiretls_enable] && (options & mail::send_option::require_tls),
                   redact = demanded && s[param::requiretls_redact_dsn];
        subject_.require_tls = demanded && !redact;
        subject_.tls_optional =
            !demanded && s[param::tls_required_enable] && (options & mail::send_option::tls_optional);
        bool small = !redact && message_.file &&
                     message_.envelope.size.message_size <= state->settings[param::bounce_size_limit];
        if (request_.sender.empty())
            return send(Kind::failure, s[param::n2bounce_notice_recipient], true, small,
                        "postmaster non-delivery notification");
        if (failure) {
            TRY(send(Kind::failure, request_.sender, false,
                     small && request_.ret != static_cast<int>(mail::ret::headers),
                     "sender non-delivery notification"));
            if (state->wants_class("bounce"))
                return send(Kind::failure, s[param::bounce_notice_recipient], true, false,
                            "postmaster non-delivery notification");
        } else if (request_.kind == "warn") {
            TRY(send(Kind::delay, request_.sender, false, false, "sender delay notification"));
            if (state->wants_class("delay"))
                return send(Kind::delay, s[param::delay_notice_recipient], true, false,
                            "postmaster delay notification");
        } else {
            return send(request_.kind == "verify" ? Kind::verify : Kind::success, request_.sender, false, false,
                        "sender delivery status notification");
        }
        return {};
    }

private:
    static bool is_double_bounce(std::string_view sender) {
        const conf::Settings& s = state->settings;
        const std::string& user = s[param::double_bounce_sender];
        return bytes::iequals(sender, user) || bytes::iequals(sender, user + "@" + s[param::myhostname]);
    }

    // Those whose NOTIFY asks for this kind; the postmaster sees all.
    std::vector<Entry> wanted(Kind kind, bool to_postmaster) const {
        const mail::DsnNotify bit = kind == Kind::failure ? mail::notify::failure
                                    : kind == Kind::delay ? mail::notify::delay
                                                          : mail::notify::success;
        std::vector<Entry> chosen;
        for (const Entry& e : entries_) {
            auto notify = static_cast<mail::DsnNotify>(e.notify_flags);
            if (to_postmaster || kind == Kind::verify || notify == 0 || (notify & bit))
                chosen.push_back(e);
        }
        return chosen;
    }

    // May the report have 8-bit bytes in it?
    bool eight_bit() const {
        return state->settings[param::smtputf8_enable] || subject_.utf8 || subject_.encoding == "8bit";
    }

    Style style(const Template& words) const {
        const conf::Settings& s = state->settings;
        Style style;
        style.myhostname = s[param::myhostname];
        style.mail_name = s[param::mail_name];
        style.eight_bit = s[param::smtputf8_enable];
        style.charset = eight_bit() && bytes::iequals(words.charset, "us-ascii") ? "utf-8" : words.charset;
        style.queue_lifetime = s[param::maximal_queue_lifetime].count();
        style.from = words.from;
        // "Name <address>" and "address (Name)" are the two spellings of header_from_format.
        if (bytes::iequals(s[param::header_from_format], "obsolete") && words.from.ends_with('>'))
            if (std::size_t open = words.from.rfind('<'); open != std::string::npos)
                style.from = fmt::format("{} ({})", words.from.substr(open + 1, words.from.size() - open - 2),
                                         bytes::trim(std::string_view(words.from).substr(0, open)));
        return style;
    }

    Result<void> send(Kind kind, const std::string& to, bool to_postmaster, bool whole, std::string_view what) {
        std::vector<Entry> entries = wanted(kind, to_postmaster);
        if (entries.empty() && !entries_.empty())
            return {};  // nobody of them wants it
        const Template& words = state->templates[kind];
        Style style_now = style(words);
        Report report{.subject = subject_,
                      .entries = entries,
                      .parts = {kind, to_postmaster, whole},
                      .style = style_now,
                      .words = words,
                      .words_text = to_postmaster ? "" : expanded(words, state->settings),
                      .to = to,
                      .now = std::time(nullptr)};
        if (message_.file)
            report.original = [this](bool header_only, const Lines& visit) {
                return message_.lines(header_only, visit);
            };
        if (!to_postmaster && state->settings[param::enable_threaded_bounces] && message_.file)
            report.thread = message_.thread();
        delivery::Posting posting{
            .sender = to_postmaster ? state->settings[param::double_bounce_sender] + "@" + style_now.myhostname : "",
            .recipient = to,
            .flags = flags(),
            .encoding = eight_bit() ? "8bit" : "",
            .myhostname = style_now.myhostname,
            .mail_name = style_now.mail_name};
        Result<std::string> id =
            delivery::post(state->cleanup, posting, [&](const Lines& out) { return report.write(out); });
        if (!id && whole) {  // too large, or its content is refused: the header will do
            report.parts.whole_message = false;
            id = delivery::post(state->cleanup, posting, [&](const Lines& out) { return report.write(out); });
        }
        if (!id)
            return tl::unexpected(std::move(id.error()));
        maillog::info("{}: {}: {}", subject_.queue_id, what, *id);
        return {};
    }

    int flags() const {
        int flags = ipc::cleanup_flags::internal;
        for (std::string_view one : bytes::split(state->settings[param::internal_mail_filter_classes], ", \t\r\n"))
            if (bytes::iequals(one, "bounce"))
                flags |= ipc::cleanup_flags::filter | ipc::cleanup_flags::milter;
        for (std::string_view one : bytes::split(state->settings[param::smtputf8_autodetect_classes], ", \t\r\n"))
            if (bytes::iequals(one, "bounce") || bytes::iequals(one, "all"))
                flags |= ipc::cleanup_flags::autodetect_smtputf8;
        if (subject_.require_tls)
            flags |= ipc::cleanup_flags::require_tls;
        return subject_.utf8 ? flags | ipc::cleanup_flags::smtputf8 : flags;
    }

    const ipc::ReportSend& request_;
    std::vector<Entry> entries_;
    ReportedMessage message_{};
    Subject subject_{};
};

Entry entry_of(const ipc::ReportAppend& r) {
    std::vector<Entry> parsed = queue::parse_failure_log(log_entry(r, false));
    return parsed.empty() ? Entry{} : std::move(parsed.front());
}

Result<void> append(const ipc::ReportAppend& request) {
    TRY_ASSIGN(mail::QueueId id, checked(request.queue_id));
    std::string path = state->directories.path(state->service, id);
    std::string text = log_entry(request, state->settings[param::backwards_bounce_logfile_compatibility]);
    bool durable = state->service != std::string_view(queue::defer_log);  // a deferral can be found out again
    LockPatience patience{state->settings[param::deliver_lock_attempts], state->settings[param::deliver_lock_delay]};
    Result<void> done;
    loop::offload([&] {
        done = append_to_log(path, text, durable, patience);
        if (!done && done.error().sys_errno == ENOENT && state->directories.make_parents(path))
            done = append_to_log(path, text, durable, patience);
    });
    if (!done)
        maillog::warning("{}: {}", request.queue_id, done.error().reason);
    return done;
}

Result<void> forget(const std::string& queue_id) {
    TRY_ASSIGN(mail::QueueId id, checked(queue_id));
    Result<void> done;
    loop::offload([&] { done = state->directories.remove(state->service, id); });
    if (!done && done.error().sys_errno == ENOENT)
        return {};
    return done;
}

// To the sender that this recipient's copy had, so that a list knows whom it cannot reach without reading the report.
Result<void> report_verp(const ipc::ReportSend& request, Entry entry) {
    ipc::ReportSend own = request;
    own.sender = mail::verp_sender(
        request.sender,
        mail::to_internal(entry.original_recipient.empty() ? entry.recipient : entry.original_recipient), request.verp);
    return Notifier(own, {std::move(entry)}).run();
}

Result<void> send_report(const ipc::ReportSend& request) {
    TRY_ASSIGN(mail::QueueId id, checked(request.queue_id));
    std::string path = state->directories.path(state->service, id);
    Result<std::vector<Entry>> entries;
    loop::offload([&] { entries = queue::read_failure_log(path); });
    if (!entries && entries.error().sys_errno != ENOENT)
        maillog::warning("{}: {}", request.queue_id, entries.error().reason);
    if (!entries && request.kind != "bounce")
        return {};  // nothing to tell
    if (!entries)
        entries.emplace();
    if (request.verp.empty())
        TRY(Notifier(request, std::move(*entries)).run());
    else
        for (Entry& e : *entries)
            TRY(report_verp(request, std::move(e)));
    return request.kind == "warn" ? Result<void>() : forget(request.queue_id);
}

Result<void> handle(const ipc::Incoming& in) {
    if (in.is<ipc::ReportAppend>()) {
        TRY_ASSIGN(auto request, in.as<ipc::ReportAppend>());
        return append(request);
    }
    if (in.is<ipc::ReportSend>()) {
        TRY_ASSIGN(auto request, in.as<ipc::ReportSend>());
        return send_report(request);
    }
    if (in.is<ipc::ReportOne>()) {
        TRY_ASSIGN(auto request, in.as<ipc::ReportOne>());
        return Notifier(request.message, {entry_of(request.recipient)}).run();
    }
    TRY_ASSIGN(auto request, in.as<ipc::ReportForget>());
    return forget(request.queue_id);
}
}

Result<void> start(const conf::Settings& settings, const std::string& service) {
    Result<Templates> templates = Templates::load(settings);
    if (!templates)
        maillog::warning("{} -- using built-in templates", templates.error().reason);
    state = std::make_unique<State>(State{settings, service, templates ? std::move(*templates) : Templates::built_in(),
                                          queue::Directories(settings),
                                          ipc::Client("public/" + settings[param::cleanup_service_name], settings)});
    return {};
}

static Result<ipc::Incoming> next_request(net::Stream& client) {
    server::Idle idle;
    return ipc::receive(client, loop::never);
}

void serve(net::Stream& client) {
    while (true) {
        Result<ipc::Incoming> in = next_request(client);
        if (!in)
            return;
        Result<void> done = handle(*in);
        ipc::BounceReply reply{.ok = done.has_value(), .reason = done ? "" : done.error().reason};
        Result<void> sent = ipc::send(client, reply, loop::in(std::chrono::seconds(3600)));
        if (sent)
            sent = client.flush(loop::in(std::chrono::seconds(3600)));
        if (!sent)
            return;
    }
}
}
