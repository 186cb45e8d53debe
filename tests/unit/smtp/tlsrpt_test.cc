#include "tlsrpt.h"
#include <gtest/gtest.h>
#include "conf/settings.h"

namespace {
TEST(TlsReport, TheOneRecordOfADomain) {
    const std::string good = "v=TLSRPTv1; rua=mailto:r@a.test";
    EXPECT_EQ(smtp::report_record({good}), good);
    EXPECT_EQ(smtp::report_record({"v=spf1 -all", "v=TLSRPTv1;rua=https://a.test/", "v=TLSRPTv2; rua=x"}),
              "v=TLSRPTv1;rua=https://a.test/");
    EXPECT_EQ(smtp::report_record({"v=TLSRPTv1 ; rua=mailto:r@a.test"}), "v=TLSRPTv1 ; rua=mailto:r@a.test");
    for (const std::vector<std::string>& none : {std::vector<std::string>{},
                                                 {""},
                                                 {"v=TLSRPTv1"},
                                                 {"v=TLSRPTv10; rua=x"},
                                                 {" v=TLSRPTv1; rua=x"},
                                                 {"V=tlsrptv1; rua=x"},
                                                 {good, good},
                                                 {"v=TLSRPTv1; rua=" + std::string(3000, 'x')}})
        EXPECT_EQ(smtp::report_record(none), "");
}
TEST(TlsReport, WhatACertificateLacksHasItsName) {
    using ipc::tlsrpt::ResultType;
    EXPECT_EQ(smtp::result_type(tls::Flaw::name), ResultType::certificate_host_mismatch);
    EXPECT_EQ(smtp::result_type(tls::Flaw::expired), ResultType::certificate_expired);
    EXPECT_EQ(smtp::result_type(tls::Flaw::issuer), ResultType::certificate_not_trusted);
    EXPECT_EQ(smtp::result_type(tls::Flaw::other), ResultType::validation_failure);
}
TEST(TlsReports, EachClientLeavesOutResumedSessionsByItsOwnParameter) {
    auto settings = conf::Settings::defaults({{"smtp_tlsrpt_enable", "yes"},
                                              {"smtp_tlsrpt_socket_name", "run/tlsrpt.sock"},
                                              {"lmtp_tlsrpt_enable", "yes"},
                                              {"lmtp_tlsrpt_socket_name", "run/tlsrpt.sock"},
                                              {"lmtp_tlsrpt_skip_reused_handshakes", "yes"}});
    auto smtp = smtp::TlsReports::open(settings, false), lmtp = smtp::TlsReports::open(settings, true);
    ASSERT_TRUE(smtp && lmtp);
    EXPECT_FALSE(smtp->skips_resumed());
    EXPECT_TRUE(lmtp->skips_resumed());
}
}
