// Virtual mailboxes: which file, with whose rights, and what the log says.
#include "../delivery/harness.h"
#include "agent.h"

using harness::slurp;
using Statuses = std::vector<std::string>;

namespace {
class VirtualTest : public harness::DeliveryTest {
protected:
    void SetUp() override {
        if (::geteuid() != 0)
            GTEST_SKIP() << "needs root";
        DeliveryTest::SetUp();
        ::mkdir("mail", 0755);
        ASSERT_EQ(::chown("mail", 7001, 7001), 0);
    }
    void TearDown() override {
        if (!root.empty())
            DeliveryTest::TearDown();
    }
    Result<virtual_mailbox::Context> context(conf::Overrides more = {}) {
        conf::Overrides all{
            {"virtual_mailbox_base", root + "/mail"},
            {"virtual_mailbox_maps", "inline:{ {md@v.test = md/}, {box@v.test = box}, {low@v.test = low/}, "
                                     "{nouid@v.test = x/}, {sub@v.test = sub/box}, {@all.test = all/} }"},
            {"virtual_uid_maps", "inline:{ {md@v.test = 7001}, {box@v.test = 7001}, {low@v.test = 50}, {sub@v.test = "
                                 "7001}, {@all.test = 7001} }"},
            {"virtual_gid_maps", "static:7001"},
            {"recipient_delimiter", "+"}};
        for (auto& m : more)
            all.push_back(m);
        return virtual_mailbox::Context::make(settings(all));
    }
    ipc::DeliveryReply deliver(const ipc::DeliveryRequest& request, conf::Overrides more = {}) {
        auto c = context(std::move(more));
        EXPECT_TRUE(c) << c.error().reason;
        return run(c->agent(), request, [&](delivery::Job& job) { c->deliver(job); });
    }
};

TEST_F(VirtualTest, MaildirAndMbox) {
    deliver(message({"md+x@v.test", "Box@V.test"}));
    EXPECT_EQ(statuses(), (Statuses{"to=<md+x@v.test>, dsn=2.0.0, status=sent (delivered to maildir)",
                                    "to=<Box@V.test>, dsn=2.0.0, status=sent (delivered to mailbox)"}));
    std::string text = slurp("mail/box");
    EXPECT_EQ(text.substr(text.find('\n') + 1),
              "Return-Path: <s@client.test>\nX-Original-To: Box@V.test\nDelivered-To: Box@V.test\nSubject: x\n\n>From "
              "here\nhello\n\n");
    auto file = *std::filesystem::directory_iterator("mail/md/new");
    EXPECT_EQ(slurp(file.path()), "Return-Path: <s@client.test>\nX-Original-To: md+x@v.test\nDelivered-To: "
                                  "md+x@v.test\nSubject: x\n\nFrom here\nhello\n");
    struct stat st {};
    ASSERT_EQ(::stat(file.path().c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, 7001u);
    EXPECT_EQ(st.st_gid, 7001u);
    EXPECT_EQ(remaining(), 0u);
}

TEST_F(VirtualTest, UnknownBouncesMisconfiguredDefers) {
    EXPECT_TRUE(deliver(message({"No+x@v.test", "low@v.test", "nouid@v.test", "sub@v.test"})).deferred);
    EXPECT_EQ(statuses(), (Statuses{"to=<No+x@v.test>, dsn=5.1.1, status=bounced (unknown user: \"No+x@v.test\")",
                                    "to=<low@v.test>, dsn=4.3.5, status=deferred (mail system configuration error)",
                                    "to=<nouid@v.test>, dsn=4.3.5, status=deferred (mail system configuration error)",
                                    "to=<sub@v.test>, dsn=4.2.0, status=deferred (delivery failed to mailbox " + root +
                                        "/mail/sub/box: unable to create lock file " + root +
                                        "/mail/sub/box.lock: No such file or directory)"}));
    EXPECT_EQ(logged("warning: recipient low@v.test: bad uid 50 in virtual_uid_maps").size(), 1u);
    EXPECT_EQ(logged("warning: recipient nouid@v.test: not found in virtual_uid_maps").size(), 1u);
}

TEST_F(VirtualTest, DomainWideMailbox) {
    deliver(message({"anybody@all.test"}));
    EXPECT_EQ(statuses(), Statuses{"to=<anybody@all.test>, dsn=2.0.0, status=sent (delivered to maildir)"});
}

TEST_F(VirtualTest, DirectoryThatIsNotTheUsersDefers) {
    ASSERT_EQ(::chown("mail", 0, 0), 0);
    EXPECT_TRUE(deliver(message({"md@v.test"})).deferred);
    EXPECT_NE(statuses()[0].find("dsn=4.2.0, status=deferred (maildir delivery failed: create maildir "),
              std::string::npos)
        << statuses()[0];
    EXPECT_EQ(remaining(), 1u);
}

TEST_F(VirtualTest, LimitBounces) {
    deliver(message({"md@v.test", "box@v.test"}), {{"virtual_mailbox_limit", "60"}, {"message_size_limit", "50"}});
    for (auto& s : statuses())
        EXPECT_NE(s.find("dsn=5.2.2, status=bounced"), std::string::npos) << s;
}

TEST_F(VirtualTest, TableThatFailsDefers) {
    EXPECT_TRUE(deliver(message({"md@v.test"}), {{"virtual_mailbox_maps", "hash:/nonexistent"}}).deferred);
    EXPECT_EQ(statuses(), Statuses{"to=<md@v.test>, dsn=4.3.0, status=deferred (table lookup failure)"});
}

TEST_F(VirtualTest, ProbeTouchesNothing) {
    auto request = message({"md@v.test", "box@v.test"});
    request.flags = ipc::delivery_flags::probe;
    deliver(request);
    EXPECT_EQ(statuses(), (Statuses{"to=<md@v.test>, dsn=2.0.0, status=deliverable (delivers to maildir)",
                                    "to=<box@v.test>, dsn=2.0.0, status=deliverable (delivers to mailbox)"}));
    EXPECT_TRUE(std::filesystem::is_empty("mail"));
}

TEST_F(VirtualTest, SmallMailboxLimitIsAMistake) { EXPECT_FALSE(context({{"virtual_mailbox_limit", "100"}})); }
}
