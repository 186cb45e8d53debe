#include "ipc/tlsrpt.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace {
using namespace ipc::tlsrpt;

Datagram whole() {
    FailureDetail f{ResultType::certificate_host_mismatch,
                    "192.0.2.1",
                    "mx.a.test",
                    "mx1.a.test",
                    "192.0.2.2",
                    "see there",
                    "hostname mismatch"};
    return {"a.test",
            "v=TLSRPTv1; rua=mailto:r@a.test",
            {{PolicyType::sts, "a.test", {"version: STSv1", "mode: enforce"}, {"*.a.test"}, {f}, true}}};
}

TEST(Tlsrpt, ASuccessNamesItsPolicyAlone) {
    EXPECT_EQ(
        encode({"a.test", "v=TLSRPTv1;rua=mailto:r@a.test", {{PolicyType::no_policy_found, "a.test"}}}),
        R"({"dpv":"1","d":"a.test","pr":"v=TLSRPTv1;rua=mailto:r@a.test","policies":[{"policy-type":9,"policy-domain":"a.test","t":0,"f":0}]})");
}

TEST(Tlsrpt, AFailureComesWithAllThatIsKnown) {
    EXPECT_EQ(
        encode(whole()),
        R"({"dpv":"1","d":"a.test","pr":"v=TLSRPTv1; rua=mailto:r@a.test","policies":[{"policy-type":2,"policy-domain":"a.test","policy-string":["version: STSv1","mode: enforce"],)"
        R"("mx-host":["*.a.test"],"failure-details":[{"c":202,"s":"192.0.2.1","n":"mx.a.test","h":"mx1.a.test","r":"192.0.2.2","a":"see there","f":"hostname mismatch"}],"t":1,"f":1}]})");
    Datagram less = whole();
    less.policies[0].failures[0] = {ResultType::dane_required, "", "mx.a.test", "", "192.0.2.2", "", ""};
    EXPECT_NE(encode(less).find(R"("failure-details":[{"c":306,"n":"mx.a.test","r":"192.0.2.2"}],"t":1,"f":1)"),
              std::string::npos);
}

TEST(Tlsrpt, WhatIsNotPlainTextIsEscaped) {
    Datagram d = whole();
    d.policies[0].failures[0].reason = std::string("a\"b\\c\nd\x01\x7f", 9) + "\xc3\xa9\xff" + std::string(1, '\0');
    std::string text = encode(d);
    EXPECT_NE(text.find(R"("f":"a\"b\\c\nd\u0001\u007f\u00e9\ufffd\u0000")"), std::string::npos) << text;
    for (char c : text)
        EXPECT_TRUE(c >= ' ' && c < 127);
}

TEST(Tlsrpt, WhatADatagramCannotCarryIsLeftOut) {
    Datagram d = whole();
    d.policies[0].strings.assign(1000, "3 1 1 " + std::string(2000, 'A'));
    d.policies[0].mx_hosts.assign(300, std::string(255, '\1'));
    std::string text = encode(d);
    EXPECT_LE(text.size(), datagram_limit);
    auto back = decode(text);
    ASSERT_TRUE(back) << back.error().reason;
    EXPECT_GT(back->policies[0].strings.size(), 10u);
    EXPECT_EQ(back->policies[0].failures, d.policies[0].failures);
    d.policies[0].failures.assign(50, d.policies[0].failures[0]);
    d.policies.assign(9, d.policies[0]);
    text = encode(d);
    EXPECT_LE(text.size(), datagram_limit);
    back = decode(text);
    ASSERT_TRUE(back) << back.error().reason;
    for (const AppliedPolicy& p : back->policies)
        EXPECT_GE(p.failures.size(), 1u);
}

TEST(Tlsrpt, EveryNameAndNumberIsRead) {
    for (int number : {201, 202, 203, 204, 205, 301, 302, 303, 304, 305, 306}) {
        auto type = static_cast<ResultType>(number);
        EXPECT_EQ(parse_result_type(name_of(type)), type);
    }
    for (PolicyType type : {PolicyType::tlsa, PolicyType::sts, PolicyType::no_policy_found})
        EXPECT_EQ(parse_policy_type(name_of(type)), type);
    EXPECT_EQ(name_of(ResultType::sts_webpki_invalid), "sts-webpki-invalid");
    EXPECT_FALSE(parse_result_type("STARTTLS"));
}

TEST(Tlsrpt, ReadsWhatItWrites) {
    auto back = decode(encode(whole()));
    ASSERT_TRUE(back) << back.error().reason;
    EXPECT_EQ(*back, whole());
}

TEST(Tlsrpt, RefusesWhatIsNoDatagram) {
    const std::string good = R"({"d":"a.test","pr":"v=TLSRPTv1;","policies":[{"policy-type":1,"f":0}]})";
    EXPECT_TRUE(decode(good));
    for (const char* bad :
         {"", "{", "[]", "{}", R"({"d":"a.test","pr":"x","policies":[]})",
          R"({"dpv":"2","d":"a.test","pr":"x","policies":[{"policy-type":1,"f":0}]})",
          R"({"dpv":1,"d":"a.test","pr":"x","policies":[{"policy-type":1,"f":0}]})",
          R"({"d":["a"],"pr":"x","policies":[{"policy-type":1,"f":0}]})",
          R"({"d":"a.test","pr":"x","policies":[{"policy-type":3,"f":0}]})",
          R"({"d":"a.test","pr":"x","policies":[{"policy-type":1}]})",
          R"({"d":"a.test","pr":"x","policies":[{"policy-type":1,"f":0,"policy-string":"x"}]})",
          R"({"d":"a.test","pr":"x","policies":[{"policy-type":1,"f":0,"mx-host":[1]}]})",
          R"({"d":"a.test","pr":"x","policies":[7]})",
          R"({"d":"a.test","pr":"x","policies":[{"policy-type":1,"f":1,"failure-details":[{"c":7}]}]})",
          R"({"d":"a.test","pr":"x","policies":[{"policy-type":1,"f":1,"failure-details":[{"c":201,"s":{}}]}]})"})
        EXPECT_FALSE(decode(bad)) << bad;
    EXPECT_FALSE(decode(std::string(100000, '[')));
    EXPECT_FALSE(decode(std::string(60000, '[')));
}
}
