#include "conf/settings.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "conf/catalogue.h"
#include "conf/main_cf.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "conf/params/postscreen.h"
#include "conf/params/qmgr.h"
#include "conf/params/rewrite.h"
#include "conf/params/smtpd.h"
#include "conf/values.h"

using namespace std::chrono_literals;

namespace {
struct Directory {
    Directory() {
        char name[] = "/tmp/conf_test.XXXXXX";
        path = mkdtemp(name);
    }
    ~Directory() {
        unlink((path + "/main.cf").c_str());
        rmdir(path.c_str());
    }
    void write(std::string_view text) { std::ofstream(path + "/main.cf") << text; }
    Result<conf::Settings> load(std::string_view text, const conf::Overrides& overrides = {}) {
        write(text);
        return conf::Settings::load(path, overrides);
    }
    std::string path;
};

TEST(Settings, EveryDefaultIsValid) {
    for (auto level : {"0", "1", "2", "3.6", "3.11"}) {
        Directory d;
        auto s = d.load(std::string("compatibility_level = ") + level + "\n");
        EXPECT_TRUE(s.has_value()) << s.error().reason;
    }
    EXPECT_GT(conf::all_parameters().size(), 900u);
    EXPECT_EQ(conf::Settings::defaults().value("posthorn_version"), POSTHORN_VERSION);
}

TEST(Settings, TypedValuesComeFromMainCfAndDefaults) {
    Directory d;
    auto s = *d.load("smtpd_timeout = 2m\nsmtpd_recipient_limit=5\nsmtpd_helo_required = Yes\nmydestination = "
                     "$myhostname,\n  localhost\nmyhostname = a.example.org\n");
    EXPECT_EQ(s[param::smtpd_timeout], 120s);
    EXPECT_EQ(s[param::smtpd_recipient_limit], 5);
    EXPECT_TRUE(s[param::smtpd_helo_required]);
    EXPECT_EQ(s[param::mydestination], "a.example.org,  localhost");
    EXPECT_EQ(s[param::mydomain], "example.org");
    EXPECT_EQ(s[param::smtpd_hard_error_limit], 20);
    EXPECT_TRUE(s.is_set("smtpd_timeout"));
    EXPECT_FALSE(s.is_set("smtpd_hard_error_limit"));
    EXPECT_EQ(s.directory(), d.path);
    EXPECT_EQ(s.value("config_directory"), d.path);
}

TEST(Settings, NamesAreHostAndMailDomains) {
    Directory d;
    struct Row {
        const char* value;
        bool myhostname, myorigin;
    };
    // As Debian's Postfix has it, except for what it takes as myorigin and then bounces all mail for: "bad address
    // syntax".
    for (const Row& row : {Row{"a.test", true, true},    {"localhost", true, true},       {"ex_ample.test", true, true},
                           {"[1.2.3.4]", false, true},   {"h\xc3\xa9.test", false, true}, {"a.test.", false, true},
                           {"bad..name!", false, false}, {"bad..name", false, false},     {"-x.test", false, false},
                           {"x-.test", false, false},    {".a.test", false, false},       {".", false, false},
                           {"1", false, false},          {"1.2.3.4", false, false},       {"a b", false, false},
                           {"a,b", false, false},        {"a@b", false, false},           {"[]", false, false},
                           {"[1.2.3.4", false, false},   {"h\xe9.test", false, false},    {"", false, false}}) {
        for (const char* name : {"myhostname", "mydomain"})
            EXPECT_EQ(d.load(std::string(name) + " = " + row.value + "\n").has_value(), row.myhostname)
                << name << " = " << row.value;
        EXPECT_EQ(d.load(std::string("myorigin = ") + row.value + "\n").has_value(), row.myorigin)
            << "myorigin = " << row.value;
    }
    EXPECT_TRUE(d.load("mydomain = a.1\nmyorigin = a.1\n").has_value());
    EXPECT_FALSE(d.load("myhostname = a.1\n").has_value());  // mydomain would be 1
    EXPECT_NE(d.load("\nmyorigin = bad..name!\n")
                  .error()
                  .reason.find("/main.cf, line 2: myorigin = bad..name!: a mail domain is expected"),
              std::string::npos);
    for (const char* name : {"myhostname", "mydomain"})
        EXPECT_FALSE(d.load(std::string(name) + " = " + d.path + "/main.cf\n").has_value()) << name;
}

TEST(Settings, MyoriginIsTheFirstLineOfTheFileThatItNames) {
    Directory d;
    std::string file = d.path + ".mailname";
    auto origin = [&](std::string_view content) -> std::string {
        std::ofstream(file) << content;
        auto s = d.load("myorigin = " + file + "\nmydestination = $myorigin\n");
        return s ? (*s)[param::myorigin] : "";
    };
    struct Row {
        std::string content;
        const char* expected;
    };
    for (const Row& row : {Row{"host.test\n", "host.test"},
                           {"host.test", "host.test"},
                           {"  Host.Test \t\r\nsecond.test\n", "Host.Test"},
                           {"[1.2.3.4]\n", "[1.2.3.4]"},
                           {"\nsecond.test\n", ""},
                           {"", ""},
                           {"# c\nhost.test\n", ""},
                           {"a b\n", ""},
                           {"bad..name!\n", ""},
                           {"$mydomain\n", ""},
                           {"/etc/mailname\n", ""},
                           {std::string("a\0b\n", 4), ""},
                           {std::string(70000, 'x'), ""}})
        EXPECT_EQ(origin(row.content), row.expected) << row.content.substr(0, 30);
    EXPECT_EQ(origin("host.test\n"), "host.test");
    auto s = *d.load("sample = " + file + "\nmyorigin = $sample\nmydestination = $myorigin\n");
    EXPECT_EQ(s[param::myorigin], "host.test");
    EXPECT_EQ(s.value("myorigin"), "host.test");
    EXPECT_EQ(s[param::mydestination], file);  // a list then reads the file, as it does with Debian's Postfix
    // A daemon has no way to the file any more when it makes its later snapshots.
    std::string snapshot = s.snapshot();
    unlink(file.c_str());
    EXPECT_EQ((*conf::Settings::from_snapshot(snapshot))[param::myorigin], "host.test");
    EXPECT_EQ((*s.with({{"stress", "yes"}}))[param::myorigin], "host.test");
    auto gone = d.load("myorigin = " + file + "\n");
    ASSERT_FALSE(gone.has_value());
    EXPECT_NE(gone.error().reason.find("main.cf, line 1: myorigin = " + file + ": open " + file + ": No such file"),
              std::string::npos)
        << gone.error().reason;
}

TEST(Settings, OverridesWinAndStressChangesDefaults) {
    Directory d;
    auto s = *d.load("smtpd_timeout = 2m\n", {{"smtpd_timeout", "7"}, {"stress", "yes"}, {"service_name", "smtp"}});
    EXPECT_EQ(s[param::smtpd_timeout], 7s);
    EXPECT_EQ(s[param::smtpd_hard_error_limit], 1);
    EXPECT_EQ(s.value("service_name"), "smtp");
    EXPECT_EQ((*s.with({{"stress", ""}}))[param::smtpd_hard_error_limit], 20);
}

TEST(Settings, BareTimesHaveTheUnitOfTheDefault) {
    Directory d;
    auto s = *d.load("maximal_queue_lifetime = 3\nsmtpd_timeout = 3\n");
    EXPECT_EQ(s[param::maximal_queue_lifetime], 3 * 24h);
    EXPECT_EQ(s[param::smtpd_timeout], 3s);
}

TEST(Settings, ADefaultMadeOfAnotherParametersValueTakesThatValuesUnit) {
    Directory d;
    auto ttl = [&](const std::string& text) {
        auto s = d.load(text);
        return s ? (*s)[param::postscreen_dnsbl_max_ttl] : -1s;
    };
    EXPECT_EQ(ttl(""), 1h);
    EXPECT_EQ(ttl("postscreen_dnsbl_ttl = 5\n"), 5h);
    EXPECT_EQ(ttl("postscreen_dnsbl_ttl = 5m\n"), 5min);
    EXPECT_EQ(ttl("postscreen_dnsbl_ttl = 5M\n"), 5min);
    EXPECT_EQ(ttl("postscreen_dnsbl_ttl = 5h\n"), 5h);
    EXPECT_EQ(ttl("postscreen_dnsbl_ttl = 5mh\n"), -1s);
    EXPECT_EQ(ttl("postscreen_dnsbl_max_ttl = 5mh\n"), -1s);
    EXPECT_EQ(ttl("postscreen_dnsbl_max_ttl = 5\npostscreen_dnsbl_ttl = 5m\n"), 5h);
    // Every default that names others bears any unit in them.
    for (const conf::Parameter* p : conf::all_parameters()) {
        if (p->kind != conf::Kind::time || p->fallback.find('$') == p->fallback.npos)
            continue;
        std::string text;
        for (std::string_view name :
             {"smtpd_starttls_timeout", "default_destination_rate_delay", "default_recipient_refill_delay",
              "command_time_limit", "default_transport_rate_delay", "postscreen_dnsbl_ttl"})
            text += std::string(name) + " = 2m\n";
        auto s = d.load(text);
        ASSERT_TRUE(s) << s.error().reason;
        if (p->fallback.find("stress") != p->fallback.npos)
            continue;
        EXPECT_EQ((*s)[static_cast<const conf::Time&>(*p)], 2min) << p->name;
    }
}

// Seen with the reference: command_time_limit = 1m and x_time_limit = 2 ends a command after 2 s.
TEST(Settings, TheUnitOfABareNumberIsThatOfTheDeclarationNotOfAnotherParametersValue) {
    Directory d;
    auto s = *d.load("command_time_limit = 1m\nx_time_limit = 2\ndefault_destination_rate_delay = "
                     "1h\nsmtp_destination_rate_delay = 3\n"
                     "smtpd_starttls_timeout = 2m\npostscreen_starttls_timeout = 4\n");
    EXPECT_EQ(s.of(param::transport_time_limit, "x"), 2s);
    EXPECT_EQ(s.of(param::transport_time_limit, "y"), 1min);
    EXPECT_EQ(s.of(param::transport_destination_rate_delay, "smtp"), 3s);
    EXPECT_EQ(s[param::postscreen_starttls_timeout], 4s);
}

TEST(Settings, ErrorsNameFileLineParameterAndWhatWouldBeRight) {
    Directory d;
    auto reason = [&](std::string_view text) {
        auto s = d.load(text);
        return s ? "no error" : s.error().reason.substr(d.path.size());
    };
    EXPECT_EQ(reason("# x\nsmtpd_timeout = soon\n"), "/main.cf, line 2: smtpd_timeout = soon: a time is expected: a "
                                                     "number and one of s, m, h, d or w behind it (without one: s)");
    EXPECT_EQ(reason("smtpd_helo_required = maybe\n"),
              "/main.cf, line 1: smtpd_helo_required = maybe: yes or no is expected");
    EXPECT_EQ(reason("smtpd_recipient_limit = 0\n"),
              "/main.cf, line 1: smtpd_recipient_limit = 0: out of range: a number of 1 or more is expected");
    EXPECT_EQ(
        reason("x = many\nsmtpd_recipient_limit = $x\n"),
        "/main.cf, line 2: smtpd_recipient_limit = $x (which is \"many\"): a whole number of 1 or more is expected");
    EXPECT_EQ(reason("relay_destination_concurrency_limit = lots\n"),
              "/main.cf, line 1: relay_destination_concurrency_limit = lots: a whole number is expected");
    EXPECT_EQ(reason("myorigin = ${foo\n"), "/main.cf, line 1: myorigin = ${foo: \"${foo\" has no closing }");
    EXPECT_EQ(reason("a = $b\nb = $a\nmyorigin = $a\n"),
              "/main.cf, line 3: myorigin = $a: expansion is nested too deeply, or a parameter refers to itself");
    EXPECT_EQ(reason("myorigin\n"), "/main.cf, line 1: missing '=' after attribute name: \"myorigin\"");
    EXPECT_EQ(reason("= x\n"), "/main.cf, line 1: missing attribute name: \"= x\"");
}

TEST(Settings, AbsentMainCfIsAnError) {
    auto s = conf::Settings::load("/nonexistent");
    ASSERT_FALSE(s.has_value());
    EXPECT_NE(s.error().reason.find("/nonexistent/main.cf"), std::string::npos);
}

TEST(Settings, FamiliesFallBackToTheirDefault) {
    Directory d;
    auto s = *d.load("default_destination_concurrency_limit = 7\nrelay_destination_concurrency_limit = "
                     "3\nslow_transport_rate_delay = 2m\nx_time_limit = 9\n");
    EXPECT_EQ(s.of(param::transport_destination_concurrency_limit, "relay"), 3);
    EXPECT_EQ(s.of(param::transport_destination_concurrency_limit, "smtp"), 7);
    EXPECT_EQ(s.of(param::transport_destination_concurrency_limit, "local"), 2);
    EXPECT_EQ(s.of(param::transport_transport_rate_delay, "slow"), 120s);
    EXPECT_EQ(s.of(param::transport_transport_rate_delay, "smtp"), 0s);
}

TEST(Settings, SnapshotRoundTrip) {
    Directory d;
    auto s = *d.load("smtpd_timeout = 2m\nuser_defined = $mail_name!\nmailbox_command = /x $USER\n");
    std::string bytes = s.snapshot();
    auto back = *conf::Settings::from_snapshot(bytes, {{"smtpd_recipient_limit", "9"}});
    EXPECT_EQ(back[param::smtpd_timeout], 120s);
    EXPECT_EQ(back[param::smtpd_recipient_limit], 9);
    EXPECT_EQ(back.value("user_defined"), "Postfix!");
    EXPECT_EQ(back[param::mailbox_command], "/x $USER");
    EXPECT_EQ(back.directory(), d.path);
    EXPECT_EQ(back.values().assigned("smtpd_timeout")->line, 1);
}

TEST(Settings, SnapshotCutAtEveryByteNeverCrashes) {
    std::string bytes = conf::Settings::defaults({{"smtpd_timeout", "2m"}}).snapshot();
    for (std::size_t n = 0; n < bytes.size(); ++n)
        (void)conf::Settings::from_snapshot(std::string_view(bytes).substr(0, n));
    EXPECT_FALSE(conf::Settings::from_snapshot("").has_value());
    EXPECT_FALSE(conf::Settings::from_snapshot("posthorn settings 1").has_value());
}

TEST(Settings, ExpandTakesOutsideTextLiterally) {
    Directory d;
    auto s = *d.load("x = outside\n");
    EXPECT_EQ(s.expand("${user}@$x ${domain?{yes}:{no}}", {{"user", "$x"}}), "$x@outside no");
}

TEST(Settings, OldNamesAreUndefinedUnlessSet) {
    Directory d;
    EXPECT_FALSE(d.load("")->value("postscreen_dnsbl_ttl") && d.load("")->values().raw("postscreen_dnsbl_ttl"));
    EXPECT_EQ(d.load("postscreen_dnsbl_ttl = 5\n")->value("postscreen_dnsbl_max_ttl"), "5h");
    EXPECT_EQ(d.load("")->value("postscreen_dnsbl_max_ttl"), "1h");
}

TEST(MainCf, ContinuationsCommentsAndDuplicates) {
    auto file = *conf::parse_main_cf("  stray = 1\na = b\n# comment\n\n  c \\d\t\n\t#no\n  e\nf=g\na = again", "/m");
    ASSERT_EQ(file.lines.size(), 3u);
    EXPECT_EQ(file.lines[0].value, "b  c \\d  e");
    EXPECT_EQ(file.lines[0].line, 2);
    EXPECT_EQ(file.lines[0].last, 7);
    EXPECT_EQ(file.lines[2].value, "again");
    ASSERT_EQ(file.warnings.size(), 2u);
    EXPECT_EQ(file.warnings[0], "/m: logical line must not start with whitespace: \"  stray = 1\"");
    EXPECT_EQ(file.warnings[1], "/m, line 9: overriding earlier entry: a=b  c \\d  e");
}

TEST(MainCf, CutAtEveryByteGivesAnAnswer) {
    std::string text = "a = ${b?{c}:{d}}\n  more\n# x\ne=$f\nmynetworks = [::1]/128, !/x\n";
    for (std::size_t n = 0; n <= text.size(); ++n)
        (void)conf::parse_main_cf(std::string_view(text).substr(0, n), "/m");
    EXPECT_FALSE(conf::parse_main_cf(std::string_view("a = b\0c\n", 8), "/m").has_value());
}

TEST(Catalogue, NearestNameFindsTypingErrors) {
    EXPECT_EQ(conf::nearest_name("smtpd_recipient_restriction"), "smtpd_recipient_restrictions");
    EXPECT_EQ(conf::nearest_name("myhostnam"), "myhostname");
    EXPECT_EQ(conf::nearest_name("mynetowrks"), "mynetworks");
    EXPECT_EQ(conf::nearest_name("something_else_entirely"), "");
}

TEST(Catalogue, EveryDeclarationIsFoundByAddressAndName) {
    auto& all = conf::all_parameters();
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(conf::parameter_index(*all[i]), i) << all[i]->name;
        EXPECT_EQ(conf::find_parameter(all[i]->name), all[i]);
        conf::Parameter copy = *all[i];
        EXPECT_EQ(conf::parameter_index(copy), i);
    }
}
}

namespace {
TEST(Catalogue, EveryParameterIsDocumentedInSentences) {
    for (const conf::Parameter* p : conf::all_parameters()) {
        EXPECT_FALSE(p->doc.empty()) << p->name;
        EXPECT_TRUE(p->doc.ends_with('.')) << p->name;
        EXPECT_LT(p->doc.size(), 400u) << p->name;
    }
}
}
