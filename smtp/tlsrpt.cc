#include "tlsrpt.h"
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include "base/bytes.h"
#include "conf/params/global.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "dns/dns.h"
#include "log/log.h"
#include "net/socket.h"
#include "peer.h"
#include "tls_policy.h"

namespace smtp {
namespace {
using namespace ipc::tlsrpt;
constexpr std::size_t record_limit = 2000, reason_limit = 500;  // bytes
constexpr std::chrono::seconds lookup_time{5}, warn_again{60}, known_for{3600}, unknown_for{60};

// In the log a type is written "sts_webpki_invalid", and blanks of a reason likewise.
std::string type_word(std::string_view name) {
    std::string w(name);
    std::replace(w.begin(), w.end(), '-', '_');
    return w;
}
std::string reason_word(std::string_view reason) {
    std::string w(reason);
    std::replace_if(
        w.begin(), w.end(), [](char c) { return c == ' ' || c == ','; }, '_');
    return w;
}
}

std::unique_ptr<TlsReports> TlsReports::open(const conf::Settings& settings, bool lmtp) {
    if (!settings[lmtp ? param::lmtp_tlsrpt_enable : param::smtp_tlsrpt_enable])
        return nullptr;
    const conf::Text& name = lmtp ? param::lmtp_tlsrpt_socket_name : param::smtp_tlsrpt_socket_name;
    auto reports = std::make_unique<TlsReports>();
    reports->socket_ = settings[name];
    if (const std::string queue = settings[param::queue_directory] + "/"; reports->socket_.starts_with(queue))
        reports->socket_.erase(0, queue.size());  // the same in the jail
    reports->skip_resumed_ =
        settings[lmtp ? param::lmtp_tlsrpt_skip_reused_handshakes : param::smtp_tlsrpt_skip_reused_handshakes];
    if (!reports->socket_.empty() && reports->socket_.size() < sizeof(sockaddr_un::sun_path))
        return reports;
    maillog::warning("{} is {}: no TLSRPT reports", name.name,
                     reports->socket_.empty() ? "empty" : "longer than the name of a socket may be");
    return nullptr;
}

std::string report_record(const std::vector<std::string>& texts) {
    std::string found;
    for (const std::string& text : texts) {
        auto [version, rest] = bytes::cut(text, ';');
        if (bytes::trim(version) != "v=TLSRPTv1" || !text.starts_with("v") || !rest)
            continue;
        if (!found.empty() || text.size() > record_limit)
            return {};
        found = text;
    }
    return found;
}

std::string TlsReports::record_of(const tls::Policy& policy) {
    std::string domain = bytes::lowered(policy.site.nexthop);
    bool may_have = policy.site.domain && policy.level != tls::Level::none && dns::valid_hostname(domain) &&
                    domain.find('.') != domain.npos;
    if (!may_have)
        return {};
    if (auto it = known_.find(domain); it != known_.end() && loop::Clock::now() < it->second.until)
        return it->second.record;
    dns::Answer answer = dns::query("_smtp._tls." + domain, dns::Type::txt, {.deadline = loop::in(lookup_time)});
    std::vector<std::string> texts;
    for (const dns::Record& r : answer.records)
        texts.push_back(r.value);
    auto now = loop::Clock::now();
    if (known_.size() >= domains_limit)
        std::erase_if(known_, [now](const auto& one) { return now >= one.second.until; });
    if (known_.size() >= domains_limit)
        known_.clear();
    Known& known = known_[domain];
    known = {report_record(texts), now + (answer.temporary() ? unknown_for : known_for)};
    return known.record;
}

void TlsReports::send(const Datagram& datagram) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, socket_.data(), socket_.size());
    std::string text = encode(datagram);
    if (!out_)
        out_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (out_ && ::sendto(out_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                         reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0)
        return;
    int why = errno;
    if (loop::Clock::now() < quiet_until_)
        return;
    quiet_until_ = loop::in(warn_again);
    maillog::warning("TLSRPT: cannot send a report to {}: {}", socket_,
                     why == EAGAIN ? "the collector does not keep up" : errno_text(why));
}

ResultType result_type(tls::Flaw flaw) {
    switch (flaw) {
    case tls::Flaw::name: return ResultType::certificate_host_mismatch;
    case tls::Flaw::expired: return ResultType::certificate_expired;
    case tls::Flaw::issuer: return ResultType::certificate_not_trusted;
    case tls::Flaw::none:
    case tls::Flaw::other: break;
    }
    return ResultType::validation_failure;
}

TlsReport::TlsReport(TlsReports& reports, std::string domain, std::string record, const Endpoint& endpoint)
    : reports_(&reports), label_(endpoint.label()) {
    detail_.receiving_mx = endpoint.name;
    detail_.receiving_ip = endpoint.address.host();
    datagram_ = {domain, std::move(record), {AppliedPolicy{.domain = domain}}};
}

void TlsReport::by_policy(PolicyType type, const std::string& domain, std::vector<std::string> strings,
                          std::vector<std::string> mx_hosts) {
    if (!reports_)
        return;
    AppliedPolicy& p = datagram_.policies[0];
    p.type = type;
    if (!domain.empty())
        p.domain = bytes::lowered(domain);
    p.strings = std::move(strings);
    p.mx_hosts = std::move(mx_hosts);
}

void TlsReport::foresee(ResultType why, std::string_view reason) {
    if (std::exchange(failed_, true))
        return;
    detail_.code = why;
    detail_.reason = bytes::printable(reason.substr(0, reason_limit));
}

void TlsReport::succeeded(bool resumed) {
    if (resumed && reports_ && reports_->skips_resumed())
        reports_ = nullptr;
    tried_ = true;
}

void TlsReport::failed(ResultType why, std::string_view reason) {
    foresee(why, reason);
    tried_ = true;
}

void TlsReport::conclude(Peer* peer) {
    TlsReports* to = std::exchange(reports_, nullptr);
    if (!to || !tried_)
        return;
    AppliedPolicy& p = datagram_.policies[0];
    p.failed = failed_;
    std::string line = fmt::format("TLSRPT: status={}, domain={}, receiving_mx={}", failed_ ? "failure" : "success",
                                   datagram_.domain, label_);
    if (failed_) {
        if (peer) {
            detail_.receiving_helo = peer->helo;
            if (auto own = net::local_address(peer->stream().fd()))
                detail_.sending_ip = own->host();
        }
        line += ", failure_type=" + type_word(name_of(detail_.code));
        if (!detail_.reason.empty())
            line += ", failure_reason=" + reason_word(detail_.reason);
        p.failures.push_back(std::move(detail_));
    }
    maillog::info("{}", line);
    to->send(datagram_);
}
}
