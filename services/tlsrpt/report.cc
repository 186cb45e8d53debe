#include "report.h"
#include <zlib.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include "base/bytes.h"
#include "base/time.h"

namespace tlsrpt {
namespace {
using Json = nlohmann::ordered_json;
constexpr std::size_t base64_line = 76;

Json policy_json(const PolicyCounts& p) {
    Json policy{{"policy-type", ipc::tlsrpt::name_of(p.type)}};
    if (!p.strings.empty())
        policy["policy-string"] = p.strings;
    policy["policy-domain"] = p.domain;
    if (!p.mx_hosts.empty())
        policy["mx-host"] = p.mx_hosts;
    Json one{{"policy", std::move(policy)},
             {"summary",
              {{"total-successful-session-count", p.sessions - p.failed}, {"total-failure-session-count", p.failed}}}};
    for (const Detail& d : p.details) {
        Json detail{{"result-type", ipc::tlsrpt::name_of(d.what.code)}};
        auto put = [&](const char* name, const std::string& value) {
            if (!value.empty())
                detail[name] = value;
        };
        put("sending-mta-ip", d.what.sending_ip);
        put("receiving-mx-hostname", d.what.receiving_mx);
        put("receiving-mx-helo", d.what.receiving_helo);
        put("receiving-ip", d.what.receiving_ip);
        detail["failed-session-count"] = d.sessions;
        put("additional-information", d.what.information);
        put("failure-reason-code", d.what.reason);
        one["failure-details"].push_back(std::move(detail));
    }
    return one;
}
}

std::string report_json(const Entry& e, const Submitter& from) {
    Json report{{"organization-name", from.organization},
                {"date-range", {{"start-datetime", utc(e.begin)}, {"end-datetime", utc(e.end)}}},
                {"contact-info", from.contact},
                {"report-id", e.id},
                {"policies", Json::array()}};
    for (const PolicyCounts& p : e.policies)
        report["policies"].push_back(policy_json(p));
    return report.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> gzip(std::string_view text) {
    z_stream z{};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return temporary("gzip: no memory");
    std::string out(deflateBound(&z, text.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    int done = deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    if (done != Z_STREAM_END)
        return temporary("gzip: cannot compress");
    return out;
}

std::string file_name(const Entry& e, const Submitter& from) {
    return fmt::format("{}!{}!{}!{}.json.gz", from.domain, e.domain, e.begin, e.end);
}

Result<Mail> report_mail(const Entry& e, const Submitter& from, const std::string& to, std::string_view gzipped,
                         const mailauth::DkimKey& key, std::int64_t date) {
    const std::string boundary = "tls-report-" + e.id.substr(0, e.id.find('@'));
    Mail mail;
    mail.header = {
        "From: " + from.sender,
        "To: " + to,
        fmt::format("Subject: Report Domain: {}\n Submitter: {}\n Report-ID: <{}>", e.domain, from.domain, e.id),
        "Message-ID: <" + e.id + ">",
        "TLS-Report-Domain: " + e.domain,
        "TLS-Report-Submitter: " + from.domain,
        "TLS-Required: no",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        fmt::format("Content-Type: multipart/report; report-type=\"tlsrpt\";\n boundary=\"{}\"", boundary)};
    mail.body = fmt::format("This is a MIME-encapsulated message.\n\n--{0}\nContent-Type: text/plain; "
                            "charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n"
                            "This is an aggregate TLS report (RFC 8460) from {1}: sessions with the\nmail servers of "
                            "{2} from {3} to\n{4}. Its sender can be reached here:\n{5}\n\n"
                            "--{0}\nContent-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: "
                            "base64\nContent-Disposition: attachment;\n filename=\"{6}\"\n\n",
                            boundary, from.domain, e.domain, utc(e.begin), utc(e.end),
                            bytes::printable(from.contact, false), file_name(e, from));
    std::string text = bytes::base64_encode(gzipped);
    for (std::size_t at = 0; at < text.size(); at += base64_line)
        mail.body += text.substr(at, base64_line) + "\n";
    mail.body += "\n--" + boundary + "--\n";

    std::vector<std::string> names{"Date"};
    for (const std::string& field : mail.header)
        names.push_back(field.substr(0, field.find(':')));
    mailauth::DkimSigner signer(key, {.domain = from.domain, .selector = from.selector, .time = date}, names);
    signer.header("Date: " + base::rfc5322_date(date));
    for (const std::string& field : mail.header)
        signer.header(field);
    signer.body(mail.body);
    TRY_ASSIGN(std::string signature, signer.finish());
    mail.header.insert(mail.header.begin(), std::move(signature));
    return mail;
}
}
