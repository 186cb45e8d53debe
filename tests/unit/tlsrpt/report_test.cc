#include "report.h"
#include <gtest/gtest.h>
#include <zlib.h>
#include <nlohmann/json.hpp>
#include "base/bytes.h"
#include "base/time.h"

using namespace tlsrpt;
using ipc::tlsrpt::PolicyType;
using ipc::tlsrpt::ResultType;

namespace {
// The example of RFC 8460, appendix B.
Entry example() {
    Entry e;
    e.domain = "company-y.example";
    e.begin = 1459468800;
    e.end = e.begin + day - 1;
    e.id = "5065427c-23d3-47ca-b6e0-946ea0e8c4be";
    PolicyCounts p{PolicyType::sts,
                   "company-y.example",
                   {"version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"},
                   {"*.mail.company-y.example"},
                   5629,
                   303,
                   {}};
    p.details.push_back(
        {{ResultType::certificate_expired, "2001:db8:abcd:0012::1", "mx1.mail.company-y.example", "", "", "", ""},
         100});
    p.details.push_back(
        {{ResultType::starttls_not_supported, "2001:db8:abcd:0013::1", "mx2.mail.company-y.example", "", "203.0.113.56",
          "https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported", ""},
         200});
    p.details.push_back({{ResultType::validation_failure, "198.51.100.62", "mx-backup.mail.company-y.example", "",
                          "203.0.113.58", "", "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"},
                         3});
    e.policies.push_back(std::move(p));
    return e;
}
const Submitter submitter{"Company-X", "sts-reporting@company-x.example", "company-x.example",
                          "postmaster@company-x.example", "tls"};

const char* const appendix_b =
    R"({"organization-name": "Company-X", "date-range": {"start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z"},
 "contact-info": "sts-reporting@company-x.example", "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
 "policies": [{"policy": {"policy-type": "sts", "policy-string": ["version: STSv1","mode: testing", "mx: *.mail.company-y.example","max_age: 86400"], "policy-domain": "company-y.example", "mx-host": ["*.mail.company-y.example"]},
  "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
  "failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:0012::1", "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100},
   {"result-type": "starttls-not-supported", "sending-mta-ip": "2001:db8:abcd:0013::1", "receiving-mx-hostname": "mx2.mail.company-y.example", "receiving-ip": "203.0.113.56", "failed-session-count": 200,
    "additional-information": "https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported"},
   {"result-type": "validation-failure", "sending-mta-ip": "198.51.100.62", "receiving-ip": "203.0.113.58", "receiving-mx-hostname": "mx-backup.mail.company-y.example", "failed-session-count": 3,
    "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"}]}]})";

std::string gunzipped(const std::string& data) {
    std::string out(1 << 20, '\0');
    z_stream z{};
    inflateInit2(&z, 15 + 16);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    z.avail_in = static_cast<uInt>(data.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    inflateEnd(&z);
    return out;
}

mailauth::DkimKey ed25519() {
    std::string der =
        std::string("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16) + std::string(32, 'k');
    return *mailauth::DkimKey::parse(
        "-----BEGIN PRIVATE KEY-----\n" + bytes::base64_encode(der) + "\n-----END PRIVATE KEY-----\n", "test");
}
}

TEST(TlsrptReport, IsTheExampleOfTheRfc) {
    EXPECT_EQ(nlohmann::json::parse(report_json(example(), submitter)), nlohmann::json::parse(appendix_b));
}
TEST(TlsrptReport, WithoutPolicyAndFailuresTheFieldsAreLeftOut) {
    Entry e = example();
    e.policies = {{PolicyType::no_policy_found, "company-y.example", {}, {}, 4, 0, {}}};
    auto j = nlohmann::json::parse(report_json(e, submitter));
    EXPECT_EQ(
        j["policies"],
        nlohmann::json::parse(
            R"([{"policy":{"policy-type":"no-policy-found","policy-domain":"company-y.example"},"summary":{"total-successful-session-count":4,"total-failure-session-count":0}}])"));
}
TEST(TlsrptReport, BytesThatAreNoTextDoNotSpoilIt) {
    Entry e = example();
    e.policies[0].details[0].what.receiving_helo = "\xff\"\\\n";
    auto j = nlohmann::json::parse(report_json(e, submitter));
    EXPECT_EQ(j["policies"][0]["failure-details"][0]["receiving-mx-helo"], "\xef\xbf\xbd\"\\\n");
}
TEST(TlsrptReport, IsPackedAndNamedAsTheRfcWants) {
    std::string json = report_json(example(), submitter);
    auto packed = gzip(json);
    ASSERT_TRUE(packed);
    EXPECT_EQ(gunzipped(*packed), json);
    EXPECT_EQ(gunzipped(*gzip("")), "");
    EXPECT_EQ(file_name(example(), submitter), "company-x.example!company-y.example!1459468800!1459555199.json.gz");
}
TEST(TlsrptReport, MailHasTheFieldsAndPartsOfTheRfc) {
    auto mail = report_mail(example(), submitter, "tls@company-y.example", *gzip("{}"), ed25519(), 1459570000);
    ASSERT_TRUE(mail) << mail.error().reason;
    auto field = [&](std::string_view name) {
        for (const std::string& f : mail->header)
            if (f.starts_with(std::string(name) + ": "))
                return f.substr(name.size() + 2);
        return std::string("-");
    };
    EXPECT_EQ(field("From"), "postmaster@company-x.example");
    EXPECT_EQ(field("To"), "tls@company-y.example");
    EXPECT_EQ(field("Subject"), "Report Domain: company-y.example\n Submitter: company-x.example\n Report-ID: "
                                "<5065427c-23d3-47ca-b6e0-946ea0e8c4be>");
    EXPECT_EQ(field("TLS-Report-Domain"), "company-y.example");
    EXPECT_EQ(field("TLS-Report-Submitter"), "company-x.example");
    EXPECT_EQ(field("TLS-Required"), "no");
    EXPECT_EQ(field("Content-Type").find("multipart/report; report-type=\"tlsrpt\";\n boundary=\""), 0u);
    EXPECT_NE(mail->body.find(
                  "Content-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: base64\nContent-Disposition: "
                  "attachment;\n filename=\"company-x.example!company-y.example!1459468800!1459555199.json.gz\"\n\n"),
              std::string::npos);
    EXPECT_EQ(
        mail->header[0].find(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=company-x.example;\n\ts=tls; t=1459570000;"),
        0u)
        << mail->header[0];
    for (const char* name : {"Date", "From", "To", "Subject", "Message-ID", "TLS-Report-Domain", "TLS-Report-Submitter",
                             "TLS-Required", "Content-Type"})
        EXPECT_NE(mail->header[0].find(std::string(name) + ":\n\t " + name), std::string::npos) << name;
    for (std::string_view line : bytes::split(mail->body, "\n")) {
        EXPECT_LE(line.size(), 200u);
        EXPECT_TRUE(bytes::is_ascii(line));
    }
}
