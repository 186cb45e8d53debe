#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdlib>
#include "base/fd.h"
#include "log/postlog.h"
#include "server/maillog.h"

static std::string problem(const std::string& file, const std::string& prefixes = "/var, /dev/stdout") {
    return server::maillog_problem(conf::Settings::defaults({{"maillog_file", file}, {"maillog_file_prefixes", prefixes}}));
}
TEST(MaillogFile, OnlyBelowItsPrefixes) {
    EXPECT_EQ(problem(""), "");
    EXPECT_EQ(problem("/var/log/mail.log"), "");
    EXPECT_EQ(problem("/dev/stdout"), "");
    EXPECT_EQ(problem("/srv/x/log", "/srv/"), "");
    EXPECT_NE(problem("/variable/log"), "");
    EXPECT_NE(problem("/etc/passwd"), "");
}
TEST(MaillogFile, LinesHaveTheFormOfSyslogFiles) {
    std::string line = maillog::file_line("mx", "postfix/smtpd", "connect from localhost[127.0.0.1]");
    EXPECT_TRUE(line.ends_with(" mx postfix/smtpd[" + std::to_string(getpid()) + "]: connect from localhost[127.0.0.1]")) << line;
    EXPECT_EQ(line[3], ' ');
    EXPECT_EQ(line[9], ':');
    EXPECT_EQ(line[15], ' ');
}
TEST(MaillogFile, AppendsWholeLines) {
    char path[] = "/tmp/maillog_testXXXXXX";
    UniqueFd made(mkstemp(path));
    ASSERT_TRUE(maillog::append_line(path, 0600, "one\n"));
    ASSERT_TRUE(maillog::append_line(path, 0600, "two\n"));
    EXPECT_EQ(*read_file(path), "one\ntwo\n");
    unlink(path);
}
