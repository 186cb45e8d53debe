#include "conf/master_cf.h"

#include <gtest/gtest.h>

namespace {
constexpr std::string_view sample = R"(# service type
smtp      inet  n       -       y       -       -       smtpd
127.0.0.1:10025 inet n - n - 0 smtpd
   -o content_filter= -o mynetworks=127.0.0.0/8
# a comment between
   -o { smtpd_banner = $myhostname ESMTP } -v -vv
[::1]:submission inet n - - - 5 smtpd -D
qmgr unix n - n 300? 1 qmgr
pickup unix n - n 60 1 pickup
postlog unix-dgram n - n - 1 postlogd
maildrop unix - n n - - pipe
  flags=DRhu user=vmail argv=/usr/bin/maildrop -d ${recipient} { a b }
)";

TEST(MasterCf, ColumnsAndArguments) {
    auto e = *conf::parse_master_cf(sample, "/m");
    ASSERT_EQ(e.size(), 7u);
    EXPECT_EQ(e[0].host(), "");
    EXPECT_EQ(e[0].port(), "smtp");
    EXPECT_FALSE(e[0].is_private());
    EXPECT_TRUE(e[0].chrooted());
    EXPECT_FALSE(e[0].maxproc());
    EXPECT_EQ(e[1].host(), "127.0.0.1");
    EXPECT_EQ(e[1].port(), "10025");
    EXPECT_EQ(e[1].maxproc(), 0);
    EXPECT_EQ(e[1].line, 3);
    EXPECT_EQ(e[1].last, 6);
    EXPECT_EQ(e[2].host(), "::1");
    EXPECT_EQ(e[2].port(), "submission");
    EXPECT_FALSE(e[2].chrooted());
    EXPECT_TRUE(e[2].chrooted("0"));
    EXPECT_EQ(e[3].wakeup(), std::chrono::seconds(300));
    EXPECT_TRUE(e[3].wakeup_only_if_used());
    EXPECT_FALSE(e[4].wakeup_only_if_used());
    EXPECT_EQ(e[3].socket_path(), "public/qmgr");
    EXPECT_EQ(e[6].socket_path(), "private/maildrop");
    EXPECT_FALSE(e[6].unprivileged());
    EXPECT_EQ(e[5].service_type(), conf::ServiceType::unix_dgram);
    EXPECT_EQ(e[6].argv().back(), "a b");
    EXPECT_EQ(e[6].args.back(), "{ a b }");
}

TEST(MasterCf, OptionsOfAService) {
    auto e = *conf::parse_master_cf(sample, "/m");
    auto o = *conf::service_options(e[1].argv());
    ASSERT_EQ(o.overrides.size(), 3u);
    EXPECT_EQ(o.overrides[0].name, "content_filter");
    EXPECT_EQ(o.overrides[0].value, "");
    EXPECT_EQ(o.overrides[2].name, "smtpd_banner");
    EXPECT_EQ(o.overrides[2].value, "$myhostname ESMTP");
    EXPECT_EQ(o.verbose, 3);
    EXPECT_TRUE(conf::service_options(e[2].argv())->debug);
    auto pipe = *conf::service_options(e[6].argv());
    EXPECT_EQ(pipe.arguments.front(), "flags=DRhu");
    EXPECT_EQ(pipe.arguments.size(), 6u);
    EXPECT_EQ(conf::service_options({"-oa=b", "-o", "{ c = d e }"})->overrides[1].value, "d e");
    EXPECT_FALSE(conf::service_options({"-o"}).has_value());
    EXPECT_FALSE(conf::service_options({"-o", "foo"}).has_value());
    EXPECT_FALSE(conf::service_options({"-o", "{= x}"}).has_value());
}

// What an entry's command and arguments come to: the overrides, or the reason why not. Where the reference dies at once
// so do we; where it reads a name that nothing knows (quotes, "{{") there is an error or the meaning that the writer
// had.
std::string outcome(const std::string& command) {
    auto entry = conf::parse_master_line("x unix - - n - - " + command, "/m", 1);
    if (!entry)
        return entry.error().reason;
    auto options = conf::options_of(*entry);
    if (!options)
        return options.error().reason;
    std::string text;
    for (auto& own : options->overrides)
        text += "[" + own.name + "=" + own.value + "]";
    for (auto& word : options->arguments)
        text += " " + word;
    return text;
}

TEST(MasterCf, WordsBehindAnOverrideAreAnError) {
    struct Row {
        const char* command;
        const char* expected;
    };
    const Row rows[] = {
        {"smtpd -o a=b", "[a=b]"},
        {"smtpd -oa=b", "[a=b]"},
        {"smtpd -o {a = b c}", "[a=b c]"},
        {"smtpd -o { a = b, c }", "[a=b, c]"},
        {"smtpd -o{ a = b c }", "[a=b c]"},
        {"smtpd {-o} { a = b c }", "[a=b c]"},
        {"smtpd {-oa=b}", "[a=b]"},
        {"smtpd -o a={b c}", "[a={b c}]"},
        {"smtpd -o a={b c}d", "[a={b c}d]"},
        {"smtpd -o a=b=c", "[a=b=c]"},
        {"smtpd -o a= -o b=", "[a=][b=]"},
        {"smtpd -vo a=b", "[a=b]"},
        {"smtpd -voa=b -D", "[a=b]"},
        {"smtpd -v --", ""},
        {"smtpd -o a=b, reject",
         "unexpected word \"reject\" behind -o a=b,: a value with white space is written -o { a = value }"},
        {"smtpd -o a=b -o c=d e -o f=g",
         "unexpected word \"e\" behind -o c=d: a value with white space is written -o { c = value }"},
        {"smtpd -o a=b -- x",
         "unexpected word \"x\" behind -o a=b: a value with white space is written -o { a = value }"},
        {"smtpd -o a={b} {c}",
         "unexpected word \"c\" behind -o a={b}: a value with white space is written -o { a = value }"},
        {"smtpd extra -o a=b", "unexpected word \"extra\""},
        {"smtpd -", "unexpected word \"-\""},
        {"smtpd {}", "unexpected word \"\""},
        {"smtpd -o 'a=b c'",
         "-o 'a=b: quotes are not a shell's here: a value with white space is written -o { name = value }"},
        {"smtpd -o \"a=b\"",
         "-o \"a=b\": quotes are not a shell's here: a value with white space is written -o { name = value }"},
        {"smtpd -o a='b c'",
         "unexpected word \"c'\" behind -o a='b: a value with white space is written -o { a = value }"},
        {"smtpd -o a=\"b\"", "[a=\"b\"]"},
        {"smtpd -o a", "-o: missing '=' after attribute name: \"a\""},
        {"smtpd -o a =b", "-o: missing '=' after attribute name: \"a\""},
        {"smtpd -o a = b", "-o: missing '=' after attribute name: \"a\""},
        {"smtpd -o {}", "-o: missing '=' after attribute name: \"\""},
        {"smtpd -o =b", "-o: missing attribute name: \"=b\""},
        {"smtpd -o", "-o needs name=value behind it"},
        {"smtpd -o {a=b}c", "/m: line 1: white space is expected behind '}' in \"{a=b}c\""},
        {"smtpd -z", "unknown option \"-z\": -o name=value, -v or -D is expected"},
        {"smtpd -vQ x", "unknown option \"-vQ\": -o name=value, -v or -D is expected"},
        {"smtp flags=DO", " flags=DO"},
        {"lmtp flags=R x", "unexpected word \"x\""},
        {"smtp -o a=b, c",
         "unexpected word \"c\" behind -o a=b,: a value with white space is written -o { a = value }"},
        {"smtp flags=D -o a=b", "unexpected word \"-o\""},
        {"pipe flags=R user=x argv=/bin/y -o a b", " flags=R user=x argv=/bin/y -o a b"},
        {"pipe -o a=b, c user=x argv=/bin/y",
         "unexpected word \"c\" behind -o a=b,: a value with white space is written -o { a = value }"},
        {"spawn x user=y argv=/bin/z", "unexpected word \"x\""},
        {"/opt/filter -z words", ""},  // none of ours: it knows what its words mean
        {"strange one two", " one two"},
    };
    for (const Row& row : rows)
        EXPECT_EQ(outcome(row.command), row.expected) << row.command;
}

TEST(MasterCf, ErrorsNameFileAndLine) {
    auto reason = [](std::string_view text) {
        auto e = conf::parse_master_cf(text, "/m");
        return e ? "no error" : e.error().reason;
    };
    EXPECT_EQ(reason("\nsmtp inet n - y - -\n"), "/m: line 2: bad field count: 7 of at least 8 (service type private "
                                                 "unprivileged chroot wakeup maxproc command)");
    EXPECT_EQ(reason("smtp foo n - y - - smtpd\n"), "/m: line 1: invalid type field \"foo\" in \"smtp foo n - y - - "
                                                    "smtpd\": inet, unix, unix-dgram, fifo or pass is expected");
    EXPECT_EQ(reason("smtp inet x - y - - smtpd\n").substr(0, 33), "/m: line 1: invalid private field");
    EXPECT_EQ(reason("smtp inet - - y 5x - smtpd\n").substr(0, 32), "/m: line 1: invalid wakeup field");
    EXPECT_EQ(reason("smtp inet - - y - -5 smtpd\n").substr(0, 39), "/m: line 1: invalid process_limit field");
    EXPECT_EQ(reason("smtp inet - - y - - smtpd -o { a = b\n"), "/m: line 1: missing '}' in \"{ a = b\"");
    EXPECT_NE(reason("127.0.0.1: inet - - y - - smtpd\n"), "no error");
    EXPECT_NE(reason("../x unix - - y - - smtpd\n"), "no error");
    EXPECT_FALSE(conf::read_master_cf("/nonexistent/master.cf").has_value());
}

TEST(MasterCf, OfTwoEntriesTheLaterHolds) {
    std::vector<std::string> warnings;
    auto e = *conf::parse_master_cf("a unix - - n - - x\nb unix - - n - - y\na unix - - n - - z\n", "/m", &warnings);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0], "/m: line 3: service a/unix is already at line 1: the later entry holds");
    auto holding = conf::effective(e);
    ASSERT_EQ(holding.size(), 2u);
    EXPECT_EQ(holding[0].command, "z");
}

TEST(MasterCf, CutAtEveryByteGivesAnAnswer) {
    for (std::size_t n = 0; n <= sample.size(); ++n) {
        auto e = conf::parse_master_cf(sample.substr(0, n), "/m");
        if (!e)
            continue;
        for (auto& entry : *e)
            (void)conf::service_options(entry.argv());
    }
}
}
