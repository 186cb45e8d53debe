// How one report reaches its destinations: the part of Reporter that waits for DNS, the web and cleanup.
#include <fmt/format.h>
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "delivery/post.h"
#include "dns/dns.h"
#include "ipc/cleanup.h"
#include "log/log.h"
#include "reporter.h"

namespace tlsrpt {
namespace {
using namespace std::chrono_literals;
constexpr std::int64_t first_pause = 300, longest_pause = 4 * 3600, patience = day;  // seconds: RFC 8460, section 5.5

std::int64_t pause_after(int tries) { return std::min(longest_pause, first_pause << std::min(tries - 1, 16)); }

void log(const Entry& e, const std::string& to, std::string_view result, std::string_view how) {
    maillog::info("report for {}: date={}, to={}, sessions={}, failed={}, result={} ({})", e.domain,
                  utc(e.begin).substr(0, 10), to, e.sessions(), e.failed(), result, how);
}
}

// The domain may have changed its mind: its record of now holds; where none can be had now, the one that the sessions
// saw.
bool Reporter::find_destinations(const std::string& key) {
    Entry seen = *collection_.find(key);
    dns::Answer txt = dns::query("_smtp._tls." + seen.domain, dns::Type::txt, {.deadline = loop::in(30s)});
    std::optional<std::string> record = seen.record;
    if (!txt.temporary()) {
        std::vector<std::string> texts;
        for (const dns::Record& r : txt.records)
            texts.push_back(r.value);
        record = select_record(texts);
    }
    Entry* e = collection_.change(key);
    if (!e)
        return false;
    auto uris =
        record ? parse_record(*record) : Result<std::vector<Uri>>(permanent("the domain asks for no reports any more"));
    if (!uris) {
        log(*e, "", "skipped", uris.error().reason);
        e->done = true;
        return false;
    }
    for (const Uri& uri : *uris)
        e->destinations.push_back({uri.text});
    return true;
}

void Reporter::deliver(const std::string& key) {
    const Entry* found = collection_.find(key);
    if (!found || (found->destinations.empty() && !find_destinations(key)))
        return;
    Entry* e = collection_.change(key);
    if (!e->first_try)
        e->first_try = std::time(nullptr);
    ++e->tries;
    const Entry report = *e;  // the collection may change while this waits
    std::string last_failure;
    auto gzipped = gzip(report_json(report, submitter_));
    if (!gzipped)
        last_failure = gzipped.error().reason;
    for (std::size_t i = 0; gzipped && i < report.destinations.size(); ++i) {
        auto uri = parse_uri(report.destinations[i].uri);
        if (report.destinations[i].outcome != Outcome::waiting || !uri)
            continue;
        const bool without_key = uri->mail() && !key_;
        Attempt attempt = without_key ? Attempt{true, "no tlsrpt_dkim_key_file"} : try_one(report, *uri, *gzipped);
        if (!(e = collection_.change(key)))
            return;
        if (web_.ending && !attempt.done) {  // cut off by us: it is the next process's first thing to do
            --e->tries;
            return;
        }
        if (attempt.done) {
            e->destinations[i].outcome = without_key ? Outcome::skipped : Outcome::sent;
            urgent_ = true;
        } else {
            last_failure = attempt.how;
        }
        log(report, uri->text, without_key ? "skipped" : attempt.done ? "sent" : "deferred", attempt.how);
    }
    conclude(key, last_failure);
}

void Reporter::conclude(const std::string& key, const std::string& last_failure) {
    Entry* e = collection_.change(key);
    if (!e)
        return;
    urgent_ = true;
    auto waits = [](const Destination& d) { return d.outcome == Outcome::waiting; };
    const std::int64_t now = std::time(nullptr);
    e->done = std::none_of(e->destinations.begin(), e->destinations.end(), waits);
    e->due = now + pause_after(e->tries);
    if (e->done || e->due - e->first_try <= patience)
        return;
    for (Destination& d : e->destinations) {
        if (!waits(d))
            continue;
        d.outcome = Outcome::failed;
        log(*e, d.uri, "failed", "given up after 24 hours: " + last_failure);
    }
    e->done = true;
}

Reporter::Attempt Reporter::try_one(const Entry& e, const Uri& uri, const std::string& gzipped) {
    if (uri.mail())
        return by_mail(e, uri, gzipped);
    auto reply = http::ask(web_, {.url = uri.text, .content_type = "application/tlsrpt+gzip", .content = gzipped});
    if (!reply)
        return {false, reply.error().reason};
    return {reply->status >= 200 && reply->status < 300, fmt::format("HTTP status {}", reply->status)};
}

Reporter::Attempt Reporter::by_mail(const Entry& e, const Uri& uri, const std::string& gzipped) {
    const std::time_t date = std::time(nullptr);
    auto mail = report_mail(e, submitter_, uri.address, gzipped, *key_, date);
    if (!mail)
        return {false, mail.error().reason};
    // The null sender: a report that cannot be delivered comes back to nobody. The header stays as it was signed.
    delivery::Posting posting{.sender = "",
                              .recipient = uri.address,
                              .flags = ipc::cleanup_flags::internal,
                              .encoding = "7bit",
                              .myhostname = settings_[param::myhostname],
                              .mail_name = settings_[param::mail_name],
                              .date = date,
                              .rewrite_header = false};
    auto id = delivery::post(cleanup_, posting, [&](const delivery::Lines& out) -> Result<void> {
        for (const std::string& field : mail->header)
            for (std::string_view line : bytes::split(field, "\n"))
                TRY(out(line, true));
        TRY(out("", true));
        for (std::string_view rest = mail->body; !rest.empty();) {
            auto [line, more] = bytes::cut(rest, '\n');
            TRY(out(line, true));
            rest = more.value_or("");
        }
        return {};
    });
    if (!id)
        return {false, id.error().reason};
    return {true, "queued as " + *id};
}
}
