#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include "base/fd.h"
#include "conf/rights.h"
#include "log/backlog.h"
#include "log/log.h"
#include "log/postlog.h"
#include "server/maillog.h"

static std::string problem(const std::string& file, const std::string& prefixes = "/var, /dev/stdout") {
    return server::maillog_problem(
        conf::Settings::defaults({{"maillog_file", file}, {"maillog_file_prefixes", prefixes}}));
}
TEST(MaillogFile, OnlyBelowItsPrefixes) {
    EXPECT_EQ(problem(""), "");
    EXPECT_EQ(problem("/var/log/mail.log"), "");
    EXPECT_EQ(problem("/dev/stdout"), "");
    EXPECT_EQ(problem("/srv/log", "/srv/"), "");
    EXPECT_EQ(problem("/var/no-such/log"), "maillog_file: there is no directory /var/no-such");
    EXPECT_EQ(problem("/var/log"), "maillog_file: /var/log is a directory: a file is expected");
    EXPECT_NE(problem("/var/"), "");
    EXPECT_NE(problem("/variable/log"), "");
    EXPECT_NE(problem("/etc/passwd"), "");
}
TEST(MaillogFile, LinesHaveTheFormOfSyslogFiles) {
    std::string line = maillog::file_line("mx", "postfix/smtpd", "connect from localhost[127.0.0.1]");
    EXPECT_TRUE(
        line.ends_with(" mx postfix/smtpd[" + std::to_string(getpid()) + "]: connect from localhost[127.0.0.1]"))
        << line;
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

// postlogd's socket, and nobody who reads it: the kernel takes some lines, and the process goes on with the others in
// hand.
TEST(MaillogFile, LinesWaitForAReceiverThatStandsStillAndTheProcessDoesNot) {
    char directory[] = "/tmp/maillog_testXXXXXX";
    const std::string path = std::string(mkdtemp(directory)) + "/postlog";
    UniqueFd reader(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    ASSERT_EQ(bind(reader.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    static int kept;
    kept = 0;
    maillog::to_postlog({.socket = path, .hostname = "mx"});
    maillog::never_wait([] { ++kept; });
    constexpr int lines = 5000;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < lines; ++i)
        maillog::info("line {}", i);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
    EXPECT_GT(kept, 0);
    EXPECT_FALSE(maillog::work_off());
    int seen = 0;
    for (bool all = false; seen < lines;) {
        char text[500];
        ssize_t n = recv(reader.get(), text, sizeof text, MSG_DONTWAIT);
        if (n < 0 && all)
            break;
        if (n < 0) {
            all = maillog::work_off();
            continue;
        }
        ASSERT_TRUE(std::string_view(text, static_cast<std::size_t>(n)).ends_with(": line " + std::to_string(seen)))
            << std::string_view(text, static_cast<std::size_t>(n));
        ++seen;
    }
    EXPECT_EQ(seen, lines);
    maillog::never_wait(nullptr);
    maillog::redirect(nullptr, nullptr);
    unlink(path.c_str());
    rmdir(directory);
}

namespace {
// postlogd's socket below a directory that root alone may enter.
struct Receiver {
    std::string path;
    UniqueFd fd{};
    void listen() {
        conf::TakeIdentity root({});
        fd = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        path.copy(at.sun_path, sizeof at.sun_path - 1);
        unlink(path.c_str());
        ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    }
    // What has come: the texts, "one two".
    std::string heard() const {
        std::string all;
        char text[500];
        for (ssize_t n; (n = recv(fd.get(), text, sizeof text, MSG_DONTWAIT)) >= 0;) {
            std::string_view line(text, static_cast<std::size_t>(n));
            all.append(all.empty() ? "" : " ").append(line.substr(line.rfind("]: ") + 3));
        }
        return all;
    }
};
}

TEST(MaillogFile, LinesSaidWithAUsersRightsComeAlsoAfterPostlogdWasRestarted) {
    if (getuid() != 0)
        GTEST_SKIP() << "root alone can take rights";
    char directory[] = "/tmp/maillog_testXXXXXX";
    Receiver postlogd{std::string(mkdtemp(directory)) + "/postlog"};
    postlogd.listen();
    const conf::Identity user{65534, 65534, {65534}, "nobody"};
    maillog::to_postlog({.socket = postlogd.path, .file = {}, .hostname = "mx"});
    {
        conf::TakeIdentity taken(user);
        maillog::info("early");
        maillog::info("second");
    }
    EXPECT_EQ(postlogd.heard(), "early second");  // kept: there was no connection
    {
        conf::TakeIdentity taken(user);
        maillog::info("connected");
        EXPECT_EQ(postlogd.heard(), "connected");
        postlogd.listen();
        maillog::info("late");
        {
            conf::TakeIdentity root({});
            maillog::info("root");
        }
        EXPECT_EQ(postlogd.heard(), "late root");
        postlogd.listen();
        maillog::info("last");
        EXPECT_EQ(postlogd.heard(), "");
    }
    EXPECT_EQ(postlogd.heard(), "last");
    maillog::redirect(nullptr, nullptr);
    unlink(postlogd.path.c_str());
    rmdir(directory);
}

namespace {
TEST(MaillogFile, OneThatIsThereKeepsItsModeAndANewOneGetsTheWantedWhateverUmask) {
    char directory[] = "/tmp/maillog.XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    const std::string path = std::string(directory) + "/maillog";
    const mode_t old = umask(077);
    const auto mode_of = [&] {
        struct stat st {};
        return stat(path.c_str(), &st) == 0 ? st.st_mode & 07777 : 0u;
    };
    ASSERT_TRUE(maillog::open_to_append(path, 0644));
    EXPECT_EQ(mode_of(), 0644u);
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);  // for a group that reads logs
    ASSERT_TRUE(maillog::open_to_append(path, 0600));
    EXPECT_EQ(mode_of(), 0640u);
    umask(old);
    unlink(path.c_str());
    rmdir(directory);
}
}
