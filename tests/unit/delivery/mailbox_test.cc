// Mailboxes: what is appended, what is refused, what is left behind.
#include "delivery/mailbox.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include "harness.h"

using delivery::MailboxTarget;
using harness::put;
using harness::slurp;

namespace {
class MailboxTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/mailbox-test-XXXXXX";
        root = ::mkdtemp(name);
        ::chmod(root.c_str(), 01777);
        maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
        target.path = root + "/box";
        target.rights = {::geteuid() == 0 ? 65534u : ::geteuid(), ::geteuid() == 0 ? 65534u : ::getegid(), "nobody"};
        target.locks.attempts = 2;
        target.locks.pause = std::chrono::seconds(0);
        target.locks.fcntl = target.locks.dotlock = true;
    }
    void TearDown() override {
        maillog::redirect(nullptr, nullptr);
        std::filesystem::remove_all(root);
    }
    Result<std::int64_t> append(std::string_view text) {
        return delivery::append_to_mbox(target, [&](const delivery::Sink& sink) { return sink(text); });
    }
    void own(const std::string& path) {
        if (::geteuid() == 0)
            (void)::chown(path.c_str(), target.rights.uid, target.rights.gid);
    }
    std::string root;
    MailboxTarget target;
};

TEST_F(MailboxTest, AppendsAndTellsTheOldLength) {
    EXPECT_EQ(append("one\n").value(), 0);
    EXPECT_EQ(append("two\n").value(), 4);
    EXPECT_EQ(slurp(target.path), "one\ntwo\n");
    struct stat st {};
    ::stat(target.path.c_str(), &st);
    EXPECT_EQ(st.st_mode & 0777, 0600u);
    EXPECT_EQ(st.st_uid, target.rights.uid);
    EXPECT_FALSE(std::filesystem::exists(target.path + ".lock"));
}

TEST_F(MailboxTest, WhatAPowerCutLeftDoesNotSwallowTheNextMessage) {
    ASSERT_TRUE(append("From a\nhalf a li"));
    EXPECT_EQ(append("From b\ntext\n\n").value(), 16);
    EXPECT_EQ(slurp(target.path), "From a\nhalf a li\n\nFrom b\ntext\n\n");
}

TEST_F(MailboxTest, FailedWriteCutsTheMailboxBack) {
    ASSERT_TRUE(append("one\n"));
    auto done = delivery::append_to_mbox(target, [&](const delivery::Sink& sink) -> Result<void> {
        TRY(sink("half"));
        return temporary("queue file is damaged");
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().reason, "queue file is damaged");
    EXPECT_EQ(slurp(target.path), "one\n");
    EXPECT_FALSE(std::filesystem::exists(target.path + ".lock"));
}

TEST_F(MailboxTest, LimitRefusesForGood) {
    target.size_limit = 6;
    ASSERT_TRUE(append("one\n"));
    auto done = append("two\n");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().status, (EnhancedStatus{5, 2, 2}));
    EXPECT_EQ(done.error().reason, "error writing message: File too large");
    EXPECT_EQ(slurp(target.path), "one\n");
}

TEST_F(MailboxTest, SymbolicLinkIsNeverFollowed) {
    put(root + "/victim", "precious\n");
    own(root + "/victim");
    ASSERT_EQ(::symlink((root + "/victim").c_str(), target.path.c_str()), 0);
    EXPECT_FALSE(append("x\n"));
    target.spool_as_root = true;
    EXPECT_FALSE(append("x\n"));
    EXPECT_EQ(slurp(root + "/victim"), "precious\n");
}

TEST_F(MailboxTest, DanglingLinkMakesNoFileElsewhere) {
    target.spool_as_root = true;
    ASSERT_EQ(::symlink((root + "/elsewhere").c_str(), target.path.c_str()), 0);
    EXPECT_FALSE(append("x\n"));
    EXPECT_FALSE(std::filesystem::exists(root + "/elsewhere"));
}

TEST_F(MailboxTest, HardLinkIsRefused) {
    put(target.path, "one\n", 0600);
    own(target.path);
    ASSERT_EQ(::link(target.path.c_str(), (root + "/other").c_str()), 0);
    auto done = append("x\n");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().reason, "file has 2 hard links");
}

TEST_F(MailboxTest, SomebodyElsesMailboxDefers) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs root";
    put(target.path, "", 0666);
    auto done = append("x\n");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().status, (EnhancedStatus{4, 2, 0}));
    target.strict_ownership = false;
    EXPECT_TRUE(append("x\n"));
}

TEST_F(MailboxTest, RootMakesTheFileWhereTheUserMayNot) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs root";
    ::chmod(root.c_str(), 0755);
    EXPECT_FALSE(append("x\n"));
    target.spool_as_root = true;
    ASSERT_TRUE(append("x\n"));
    ASSERT_TRUE(append("y\n"));
    struct stat st {};
    ::stat(target.path.c_str(), &st);
    EXPECT_EQ(st.st_uid, target.rights.uid);
    EXPECT_EQ(slurp(target.path), "x\ny\n");
}

TEST_F(MailboxTest, HeldDotLockDefersAndAStaleOneIsTakenAway) {
    put(target.path + ".lock", "");
    own(target.path + ".lock");
    auto done = append("x\n");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().status, (EnhancedStatus{4, 2, 0}));
    EXPECT_EQ(done.error().reason, "unable to create lock file " + target.path + ".lock: File exists");
    EXPECT_TRUE(std::filesystem::exists(target.path + ".lock"));  // not ours to remove
    target.locks.stale = std::chrono::seconds(-5);
    EXPECT_TRUE(append("x\n"));
}

TEST_F(MailboxTest, HeldFileLockDefers) {
    ASSERT_TRUE(append("one\n"));
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    pid_t child = ::fork();
    if (child == 0) {
        int fd = ::open(target.path.c_str(), O_RDWR);
        struct flock all {};
        all.l_type = F_WRLCK;
        bool locked = ::fcntl(fd, F_SETLK, &all) == 0;
        (void)!::write(ready[1], locked ? "y" : "n", 1);
        ::pause();
        ::_exit(0);
    }
    char answer = 0;
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    ASSERT_EQ(answer, 'y');
    auto done = append("x\n");
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().status, (EnhancedStatus{4, 2, 0}));
    EXPECT_EQ(slurp(target.path), "one\n");
    EXPECT_TRUE(append("x\n"));
}

TEST_F(MailboxTest, DeviceIsWrittenToOnlyWhereAllowed) {
    target.path = "/dev/null";
    target.strict_ownership = false;
    EXPECT_FALSE(append("x\n"));
    target.only_regular = false;
    EXPECT_TRUE(append("x\n"));
}

TEST_F(MailboxTest, MaildirGetsAWholeFileInNew) {
    target.path = root + "/md/";
    auto add = [&](std::string_view text) {
        return delivery::add_to_maildir(target, [&](const delivery::Sink& sink) { return sink(text); });
    };
    ASSERT_TRUE(add("one\n"));
    ASSERT_TRUE(add("two\n"));
    std::vector<std::string> found;
    for (auto& entry : std::filesystem::directory_iterator(root + "/md/new"))
        found.push_back(entry.path());
    ASSERT_EQ(found.size(), 2u);
    EXPECT_TRUE(std::filesystem::is_empty(root + "/md/tmp"));
    EXPECT_TRUE(std::filesystem::exists(root + "/md/cur"));
    struct stat st {};
    ::stat(found[0].c_str(), &st);
    EXPECT_EQ(st.st_mode & 0777, 0600u);
    EXPECT_EQ(st.st_uid, target.rights.uid);
    char inode[64];
    std::snprintf(inode, sizeof inode, "I%lxM", static_cast<unsigned long>(st.st_ino));
    EXPECT_NE(found[0].find(inode), std::string::npos) << found[0];
}

TEST_F(MailboxTest, MaildirKeepsNothingOfAFailure) {
    target.path = root + "/md/";
    target.size_limit = 5;
    auto done = delivery::add_to_maildir(target, [&](const delivery::Sink& sink) { return sink("too long\n"); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().status, (EnhancedStatus{5, 2, 2}));
    EXPECT_TRUE(std::filesystem::is_empty(root + "/md/tmp"));
    EXPECT_TRUE(std::filesystem::is_empty(root + "/md/new"));
}

TEST(MaildirName, IsTheUsualOne) {
    EXPECT_EQ(delivery::maildir_name(1795349732, 359315, 0xfe00, 0xa72669, "vm"), "1795349732.Vfe00Ia72669M359315.vm");
}
}
