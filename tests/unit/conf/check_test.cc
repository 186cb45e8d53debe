#include "conf/check.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "conf/restrictions.h"

namespace {
// A configuration directory with daemon programs that exist.
class CheckTest : public ::testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/check_test.XXXXXX";
        directory_ = mkdtemp(name);
        for (auto program : {"smtpd", "smtp", "local", "pipe"}) {
            std::ofstream(directory_ + "/" + program) << "#!/bin/sh\n";
            std::filesystem::permissions(directory_ + "/" + program, std::filesystem::perms::owner_all);
        }
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    conf::Findings check(const std::string& main, const std::string& services = "") {
        std::ofstream(directory_ + "/main.cf") << "daemon_directory = " << directory_ << "\n" << main;
        std::ofstream(directory_ + "/master.cf") << "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\nlocal unix - "
                                                    "n n - - local\nrelay unix - - n - - smtp\n"
                                                 << services;
        conf::Findings f = conf::check_directory(directory_);
        for (auto* list : {&f.warnings, &f.refusals})
            for (auto& text : *list)
                for (std::size_t at; (at = text.find(directory_)) != text.npos;)
                    text.replace(at, directory_.size(), "DIR");
        return f;
    }
    // Not the warnings about single parameters: which ones are built is no matter of these tests.
    static std::string all(const std::vector<std::string>& list) {
        std::string out;
        for (auto& s : list)
            if (s.find(": parameter ") == s.npos)
                out += s + "\n";
        return out;
    }
    std::string directory_;
};

TEST_F(CheckTest, AGoodConfigurationSaysNothing) {
    auto f = check("compatibility_level = 3.11\nmyhostname = a.example.org\n");
    EXPECT_EQ(all(f.warnings), "");
    EXPECT_EQ(all(f.refusals), "");
}

TEST_F(CheckTest, WhatIsNotReadableIsRefusedWithEveryPlaceNamed) {
    auto f = check("smtpd_timeout = soon\nsmtpd_helo_required = maybe\n");
    EXPECT_EQ(all(f.refusals), "DIR/main.cf, line 2: smtpd_timeout = soon: a time is expected: a number and one of s, "
                               "m, h, d or w behind it (without one: s)\n"
                               "DIR/main.cf, line 3: smtpd_helo_required = maybe: yes or no is expected\n");
    EXPECT_NE(all(check("", "bad line\n").refusals).find("DIR/master.cf: line 5: bad field count"), std::string::npos);
    EXPECT_NE(all(check("", "x inet n - n - - smtpd -o smtpd_timeout=soon\n").refusals)
                  .find("DIR/master.cf, line 5: service x/inet: -o smtpd_timeout=soon"),
              std::string::npos);
    EXPECT_NE(all(check("", "x inet n - n - - smtpd -o\n").refusals).find("service x/inet: -o needs name=value"),
              std::string::npos);
}

TEST_F(CheckTest, FiltersThatWouldBePassedOverAreRefused) {
    auto f = check("non_smtpd_milters = inet:127.0.0.1:8891\n");
    EXPECT_EQ(all(f.refusals), "DIR/main.cf, line 2: non_smtpd_milters = inet:127.0.0.1:8891: this parameter is not "
                               "built yet: mail would go past the filter\n");
    f = check("", "2525 inet n - n - - smtpd -o smtpd_proxy_filter=127.0.0.1:10026\n");
    EXPECT_EQ(all(f.refusals), "DIR/master.cf, line 5: service 2525/inet: smtpd_proxy_filter = 127.0.0.1:10026: this "
                               "parameter is not built yet: mail would go past the filter\n");
    EXPECT_EQ(all(check("non_smtpd_milters =\nsmtpd_proxy_filter =\n").refusals), "");
}

TEST_F(CheckTest, LoginForUsersIsNotTakenAwayInSilence) {
    EXPECT_EQ(all(check("smtpd_sasl_auth_enable = yes\n").refusals),
              "DIR/main.cf, line 2: smtpd_sasl_auth_enable = yes: this parameter is not built yet: mail that is "
              "delivered today would be refused\n");
    EXPECT_EQ(all(check("", "submission inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes\n").refusals),
              "DIR/master.cf, line 5: service submission/inet: smtpd_sasl_auth_enable = yes: this parameter is not "
              "built yet: mail that is delivered today would be refused\n");
    EXPECT_EQ(all(check("smtpd_sasl_auth_enable = no\n").refusals), "");
    for (const char* text : {"smtpd_tls_auth_only = yes\n", "address_verify_transport_maps = hash:/x\n"}) {
        auto f = check(text);
        ASSERT_EQ(f.warnings.size(), 1u) << text;
        EXPECT_NE(f.warnings[0].find("is not built yet: the setting has no effect"), std::string::npos)
            << f.warnings[0];
    }
}

TEST_F(CheckTest, TlsThatIsDemandedIsTaken) {
    EXPECT_EQ(all(check("smtp_tls_security_level = dane-only\n").refusals), "");
    EXPECT_EQ(all(check("smtp_tls_security_level = encrypt\n").refusals), "");
    EXPECT_EQ(all(check("", "strict unix - - n - - smtp -o smtp_tls_security_level=secure\n").refusals), "");
    EXPECT_EQ(all(check("smtp_enforce_tls = yes\n").refusals), "");
    EXPECT_EQ(all(check("smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n").refusals), "");
    EXPECT_NE(all(check("smtp_sasl_auth_enable = yes\nrelayhost = [x]\n").refusals), "");
}

TEST_F(CheckTest, WhatPostfixTakesNoNoticeOfIsNoNewsHere) {
    EXPECT_EQ(all(check("smtpd_tls_dh512_param_file = /dh512.pem\n").warnings), "");
    EXPECT_EQ(all(check("smtpd_tls_cipherlist = ALL\n").warnings),
              "DIR/main.cf: support for parameter \"smtpd_tls_cipherlist\" has been removed: it has no effect\n");
}

TEST_F(CheckTest, TransportsMustExist) {
    // As with Postfix such mail waits: the rest goes on.
    auto f = check("mailbox_transport = lmtp:unix:private/x\ndefault_transport = nosuch:\n");
    EXPECT_EQ(all(f.refusals), "");
    EXPECT_EQ(all(f.warnings), "DIR/main.cf, line 3: default_transport = nosuch:: there is no service nosuch of type "
                               "unix in DIR/master.cf: mail waits for one\n"
                               "DIR/main.cf, line 2: mailbox_transport = lmtp:unix:private/x: there is no service lmtp "
                               "of type unix in DIR/master.cf: mail waits for one\n");
    f = check("virtual_mailbox_domains = example.com\nvirtual_transport = dovecot\n",
              "dovecot unix - n n - - nonesuch\n");
    EXPECT_EQ(all(f.refusals), "");
    EXPECT_EQ(all(f.warnings), "DIR/master.cf, line 5: service dovecot/unix: there is no program DIR/nonesuch\n"
                               "DIR/main.cf, line 3: virtual_transport = dovecot: there is no program DIR/nonesuch for "
                               "service dovecot: mail waits for it\n");
    EXPECT_EQ(
        all(check("", "26 inet n - n - 1 postscreen\n").refusals),
        "DIR/master.cf, line 5: service 26/inet: there is no program DIR/postscreen: who connects would find nobody\n");
}

TEST_F(CheckTest, WhatIsNotBuiltAndNothingAsksIsOneNote) {
    auto f = check("", "verify unix - - n - 1 verify\nproxymap unix - - n - - proxymap\nproxywrite unix - - n - 1 "
                       "proxymap\nscache unix - - n - 1 scache\n");
    EXPECT_EQ(all(f.warnings) + all(f.refusals), "");
    ASSERT_EQ(f.notes.size(), 1u);
    EXPECT_NE(
        f.notes[0].find("/master.cf: verify, proxymap, proxywrite, scache: not built yet, and no mail waits for them"),
        std::string::npos)
        << f.notes[0];
}

TEST_F(CheckTest, RestrictionsThatWouldAnswer451AreNamed) {
    auto f = check("smtpd_recipient_restrictions = permit_mynetworks, reject_unverified_recipient,\n  "
                   "reject_unauth_destinatoin, insiders, check_client_access hash:/x, hash:/y\n"
                   "smtpd_restriction_classes = insiders\ninsiders = check_policy_service unix:x\n");
    EXPECT_EQ(all(f.warnings),
              "DIR/main.cf, line 2: smtpd_recipient_restrictions: restriction reject_unverified_recipient is not built "
              "yet: who reaches it is told to come back later (451 4.3.5)\n"
              "DIR/main.cf, line 2: smtpd_recipient_restrictions: unknown restriction \"reject_unauth_destinatoin\" "
              "(did you mean \"reject_unauth_destination\"?)\n"
              "DIR/main.cf, line 5: insiders: restriction check_policy_service is not built yet: who reaches it is "
              "told to come back later (451 4.3.5)\n");
    EXPECT_EQ(all(f.refusals), "");
    f = check("", "x inet n - n - - smtpd -o smtpd_sender_restrictions=permitt\n");
    EXPECT_EQ(all(f.warnings), "DIR/master.cf, line 5: service x/inet: smtpd_sender_restrictions: unknown restriction "
                               "\"permitt\" (did you mean \"permit\"?)\n");
}

TEST_F(CheckTest, TableTypesThatAreNotBuiltAreNamed) {
    check("virtual_alias_maps = hash:/a, proxy:mysql:/b.cf ldap:/c\nsmtpd_client_restrictions = check_client_access "
          "pgsql:/d\nrelayhost = inet:x\n");
    auto f = conf::check_directory(directory_, {"hash", "proxy"});
    std::string text = all(f.warnings);
    EXPECT_NE(text.find("virtual_alias_maps: table type mysql is not built yet: proxy:mysql:/b.cf cannot be looked up"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("virtual_alias_maps: table type ldap is not built yet"), std::string::npos);
    EXPECT_NE(text.find("smtpd_client_restrictions: table type pgsql is not built yet"), std::string::npos);
    EXPECT_EQ(text.find("type hash"), std::string::npos);
}

TEST_F(CheckTest, UnusedAndMisspeltNamesAreNamed) {
    EXPECT_EQ(all(check("smptd_use_tls = yes\n").warnings),
              "DIR/main.cf: unused parameter: smptd_use_tls=yes (did you mean \"smtpd_use_tls\"?)\n");
}

TEST(Restrictions, TheTableIsSorted) {
    auto& all = conf::all_restrictions();
    for (std::size_t i = 1; i < all.size(); ++i)
        EXPECT_LT(all[i - 1].name, all[i].name);
    for (auto& r : all)
        EXPECT_EQ(conf::find_restriction(r.name), &r);
}

TEST(Restrictions, ArgumentsAreSkipped) {
    auto problems = [](std::string_view list) { return conf::restriction_problems(list, {"cls"}); };
    EXPECT_TRUE(
        problems("warn_if_reject reject_rbl_client zen.example.org=127.0.0.[2..11], sleep 2 CLS cls REJECT").size() ==
        1);
    EXPECT_EQ(problems("sleep soon").size(), 1u);
    EXPECT_EQ(problems("reject_rbl_client").size(), 1u);
    EXPECT_TRUE(problems("check_client_access { hash:/a, default_action=permit } permit").empty());
    EXPECT_TRUE(problems("").empty());
}
}
