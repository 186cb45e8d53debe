// The whole agent, with made-up services around it. What an alias, a .forward, a mailbox and a command come to, in the
// words of the log.
#include <pwd.h>
#include "../delivery/harness.h"
#include "recipient.h"

using harness::put;
using harness::slurp;
using Statuses = std::vector<std::string>;

namespace {
// The users are of this machine: "games" and "mail" are everywhere; their homes are not used, forward_path leads
// elsewhere.
class LocalTest : public harness::DeliveryTest {
protected:
    void SetUp() override {
        if (::geteuid() != 0)
            GTEST_SKIP() << "needs root";
        if (!getpwnam(user) || !getpwnam(other))
            GTEST_SKIP() << "needs the users games and news";
        DeliveryTest::SetUp();
        ::mkdir("spool", 01777);
        ::chmod("spool", 01777);
        ::mkdir("forward", 0755);
    }
    void TearDown() override {
        if (!root.empty())
            DeliveryTest::TearDown();
    }

    void forward(const std::string& name, std::string_view text, unsigned mode = 0644) {
        put("forward/" + name, text, mode);
        ASSERT_EQ(::chown(("forward/" + name).c_str(), getpwnam(user)->pw_uid, getpwnam(user)->pw_gid), 0);
    }
    ipc::DeliveryReply deliver(const ipc::DeliveryRequest& request, conf::Overrides more = {}) {
        conf::Overrides all{
            {"alias_maps", "texthash:" + root + "/aliases"},
            {"mail_spool_directory", root + "/spool"},
            {"recipient_delimiter", "+"},
            {"forward_path", root + "/forward/$user${extension?-$extension}, " + root + "/forward/$user"},
            {"default_privs", "nobody"}};
        if (!std::filesystem::exists("aliases"))
            put("aliases", "");
        for (auto& m : more)
            all.push_back(m);
        auto context = local::Context::make(settings(all));
        EXPECT_TRUE(context) << context.error().reason;
        std::unique_ptr<local::Context> owned(*context);
        return run(owned->agent, request, [&](delivery::Job& job) { local::deliver(*owned, job); });
    }
    std::string box(const std::string& name) { return slurp("spool/" + name); }
    static constexpr const char *user = "games", *other = "news";
};

TEST_F(LocalTest, MailboxGetsTheMessageWithItsLinesInFront) {
    deliver(message({"Games+x@example.test"}));
    EXPECT_EQ(statuses(), Statuses{"to=<Games+x@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)"});
    std::string text = box("games");
    ASSERT_TRUE(text.starts_with("From s@client.test  ")) << text;
    EXPECT_EQ(text.substr(text.find('\n') + 1),
              "Return-Path: <s@client.test>\nX-Original-To: Games+x@example.test\nDelivered-To: "
              "Games+x@example.test\nSubject: x\n\n>From here\nhello\n\n");
    EXPECT_EQ(remaining(), 0u);
}

TEST_F(LocalTest, UnknownUserBounces) {
    deliver(message({"Nosuch+ext@example.test"}));
    EXPECT_EQ(statuses(),
              Statuses{"to=<Nosuch+ext@example.test>, dsn=5.1.1, status=bounced (unknown user: \"nosuch\")"});
    EXPECT_EQ(appended["bounce"].size(), 1u);
}

TEST_F(LocalTest, AliasMembersOfThisMachineAreDeliveredAtOnceOthersForwarded) {
    put("aliases", "both games, news, games, out@elsewhere.test\n");
    deliver(message({"both+x@example.test"}));
    EXPECT_EQ(
        statuses(),
        (Statuses{
            "to=<games@example.test>, orig_to=<both+x@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)",
            "to=<news@example.test>, orig_to=<both+x@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)",
            "to=<both+x@example.test>, dsn=2.0.0, status=sent (forwarded as NEW1)"}));
    ASSERT_EQ(submitted.size(), 1u);
    EXPECT_EQ(submitted[0].recipients, Statuses{"out@elsewhere.test"});
    EXPECT_EQ(submitted[0].sender, "s@client.test");
    EXPECT_TRUE(submitted[0].text.starts_with("Received: by mx.example.test (Postfix)\n\tid NEW1; "))
        << submitted[0].text;
    EXPECT_NE(submitted[0].text.find("\nDelivered-To: both+x@example.test\nSubject: x\n"), std::string::npos)
        << submitted[0].text;
    EXPECT_NE(box("games").find("\nDelivered-To: both+x@example.test\n"), std::string::npos);  // frozen_delivered_to
}

TEST_F(LocalTest, ListWithAnOwnerIsForwardedInTheOwnersName) {
    put("aliases", "list games, nosuch\nowner-list news\n");
    deliver(message({"list@example.test"}));
    EXPECT_EQ(statuses(), Statuses{"to=<list@example.test>, dsn=2.0.0, status=sent (forwarded as NEW1)"});
    ASSERT_EQ(submitted.size(), 1u);
    EXPECT_EQ(submitted[0].sender, "owner-list@example.test");
    EXPECT_EQ(submitted[0].recipients, (Statuses{"games@example.test", "nosuch@example.test"}));
    EXPECT_TRUE(submitted[0].originals.empty());
}

TEST_F(LocalTest, ExpandedOwnerIsTheSender) {
    put("aliases", "list games\nowner-list news, games\n");
    deliver(message({"list@example.test"}), {{"expand_owner_alias", "yes"}});
    ASSERT_EQ(submitted.size(), 1u);
    EXPECT_EQ(submitted[0].sender, "news@example.test");
}

TEST_F(LocalTest, AliasThatNamesItselfMeansTheUser) {
    put("aliases", "games games, news\nself self\n");
    deliver(message({"games@example.test", "self@example.test"}));
    EXPECT_EQ(statuses().back(), "to=<self@example.test>, dsn=5.1.1, status=bounced (unknown user: \"self\")");
    EXPECT_FALSE(box("games").empty());
    EXPECT_FALSE(box("news").empty());
}

TEST_F(LocalTest, AliasLoopEnds) {
    put("aliases", "a b\nb a\n");
    deliver(message({"a@example.test"}));
    ASSERT_EQ(statuses().size(), 1u);
    EXPECT_NE(statuses()[0].find("dsn=5.4.6, status=bounced (alias database loop for "), std::string::npos)
        << statuses()[0];
}

TEST_F(LocalTest, DeliveredToLoopBounces) {
    deliver(message({"games@example.test"}, "Delivered-To: GAMES@example.test\n\nx\n"));
    EXPECT_EQ(
        statuses(),
        Statuses{"to=<games@example.test>, dsn=5.4.6, status=bounced (mail forwarding loop for games@example.test)"});
}

TEST_F(LocalTest, CommandOfAnAliasRunsAsNobodyWithItsEnvironment) {
    put("aliases",
        "cmd \"|id -un; env | grep -v -e ^PWD -e ^_= -e ^SHLVL -e ^LANG -e ^TZ -e ^MAIL | sort; exit 69\"\n");
    auto request = message({"cmd+e;x@example.test"});
    request.log_client_address = "192.0.2.1";
    deliver(request);
    ASSERT_EQ(statuses().size(), 1u);
    EXPECT_EQ(statuses()[0], "to=<\"cmd+e;x\"@example.test>, dsn=5.3.0, status=bounced (service unavailable. Command "
                             "output: nobody CLIENT_ADDRESS=192.0.2.1 DOMAIN=example.test EXTENSION=e_x "
                             "LOCAL=cmd+e_x LOGNAME=cmd ORIGINAL_RECIPIENT=cmd+e_x@example.test PATH=/usr/bin:/bin "
                             "RECIPIENT=cmd+e_x@example.test SENDER=s@client.test USER=cmd )");
}

TEST_F(LocalTest, AliasFileOwnedByAUserGivesThatUsersRights) {
    put("aliases", "who \"|id -un; exit 69\"\n");
    ASSERT_EQ(::chown("aliases", getpwnam(user)->pw_uid, 0), 0);
    deliver(message({"who@example.test"}));
    ASSERT_EQ(statuses().size(), 1u);
    EXPECT_NE(statuses()[0].find("Command output: games )"), std::string::npos) << statuses()[0];
}

TEST_F(LocalTest, DeferredMemberKeepsTheRecipientAndForwardsNothing) {
    put("aliases", "mix out@elsewhere.test, \"|exit 75\"\n");
    EXPECT_TRUE(deliver(message({"mix@example.test"})).deferred);
    EXPECT_EQ(statuses(), Statuses{"to=<mix@example.test>, dsn=4.3.0, status=deferred (temporary failure)"});
    EXPECT_TRUE(submitted.empty());
    EXPECT_EQ(remaining(), 1u);
}

TEST_F(LocalTest, CleanupThatRefusesDefers) {
    cleanup_refuses = true;
    put("aliases", "out out@elsewhere.test\n");
    EXPECT_TRUE(deliver(message({"out@example.test"})).deferred);
    EXPECT_EQ(remaining(), 1u);
}

TEST_F(LocalTest, BrokenAliasTableDefers) {
    EXPECT_TRUE(deliver(message({"games@example.test"}), {{"alias_maps", "hash:/nonexistent/aliases"}}).deferred);
    EXPECT_EQ(statuses(), Statuses{"to=<games@example.test>, dsn=4.3.0, status=deferred (alias database unavailable)"});
}

TEST_F(LocalTest, ResolverThatFailsDefers) {
    rewrite_fails = true;
    put("aliases", "x games\n");
    EXPECT_TRUE(deliver(message({"x@example.test"})).deferred);
}

TEST_F(LocalTest, IncludeListIsForwardedAndMayNameNoFiles) {
    put("list", "games # x\nout@elsewhere.test\n/tmp/never\n|true\n");
    put("aliases", "inc :include:" + root + "/list\nmissing :include:" + root + "/none\n");
    deliver(message({"inc@example.test", "missing@example.test"}));
    EXPECT_EQ(statuses(),
              (Statuses{"to=<inc@example.test>, dsn=5.7.1, status=bounced (mail to file is restricted)",
                        "to=<inc@example.test>, dsn=5.7.1, status=bounced (mail to command is restricted)",
                        "to=<inc@example.test>, dsn=2.0.0, status=sent (forwarded as NEW1)",
                        "to=<missing@example.test>, dsn=5.3.5, status=bounced (mail system configuration error)"}));
    EXPECT_EQ(submitted[0].recipients.back(), "out@elsewhere.test");
}

TEST_F(LocalTest, ForwardFileRunsAsTheUserAndOwnNameMeansTheMailbox) {
    forward("games", "\\games, \"|id -un > " + root + "/spool/who\", news, games\n");
    deliver(message({"games@example.test"}));
    EXPECT_EQ(statuses(), (Statuses{"to=<games@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)",
                                    "to=<games@example.test>, dsn=2.0.0, status=sent (delivered to command: id -un > " +
                                        root + "/spool/who)",
                                    "to=<games@example.test>, dsn=2.0.0, status=sent (forwarded as NEW1)"}));
    EXPECT_EQ(slurp("spool/who"), "games\n");
    EXPECT_EQ(submitted[0].recipients, Statuses{"news@example.test"});
    EXPECT_EQ(submitted[0].originals, Statuses{"games@example.test"});
}

TEST_F(LocalTest, ForwardFileForAnExtensionComesFirst) {
    forward("games-lists", "out@elsewhere.test\n");
    deliver(message({"games+lists@example.test", "games+none@example.test"}));
    EXPECT_EQ(statuses(), (Statuses{"to=<games+lists@example.test>, dsn=2.0.0, status=sent (forwarded as NEW1)",
                                    "to=<games+none@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)"}));
}

TEST_F(LocalTest, UnsafeForwardFilesArePassedOver) {
    forward("games", "out@elsewhere.test\n", 0666);
    deliver(message({"games@example.test"}));
    forward("games", "out@elsewhere.test\n");
    ASSERT_EQ(::chown("forward/games", getpwnam(other)->pw_uid, 0), 0);
    deliver(message({"games@example.test"}));
    std::filesystem::remove("forward/games");
    put("target", "out@elsewhere.test\n");
    std::filesystem::create_symlink(root + "/target", "forward/games");
    deliver(message({"games@example.test"}));
    EXPECT_EQ(statuses(), Statuses(3, "to=<games@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)"));
    EXPECT_EQ(logged("is world writable").size(), 1u);
    EXPECT_EQ(logged("has bad owner uid").size(), 1u);
    EXPECT_EQ(logged("is not a regular file").size(), 1u);
    EXPECT_TRUE(submitted.empty());
}

TEST_F(LocalTest, EmptyForwardFileMeansTheMailbox) {
    forward("games", "# nothing\n\n");
    deliver(message({"games@example.test"}));
    EXPECT_EQ(statuses(), Statuses{"to=<games@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)"});
}

TEST_F(LocalTest, ExtensionIsPropagatedWhereWanted) {
    put("aliases", "a games\n");
    deliver(message({"a+x@example.test"}), {{"propagate_unmatched_extensions", "alias"}});
    EXPECT_EQ(
        statuses(),
        Statuses{
            "to=<games+x@example.test>, orig_to=<a+x@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)"});
}

TEST_F(LocalTest, FileDestinations) {
    put("aliases",
        "null /dev/null\nfile " + root + "/spool/filed\nmd " + root + "/spool/md/\nno /nonexistent/dir/file\n");
    deliver(message({"null@example.test", "file@example.test", "md@example.test", "no@example.test"}));
    EXPECT_EQ(statuses(),
              (Statuses{"to=<null@example.test>, dsn=2.0.0, status=sent (delivered to file: /dev/null)",
                        "to=<file@example.test>, dsn=2.0.0, status=sent (delivered to file: " + root + "/spool/filed)",
                        "to=<md@example.test>, dsn=2.0.0, status=sent (delivered to maildir)",
                        "to=<no@example.test>, dsn=5.2.0, status=bounced (cannot append message to file "
                        "/nonexistent/dir/file: cannot create file exclusively: No such file or directory)"}));
    struct stat st {};
    ASSERT_EQ(::stat("spool/filed", &st), 0);
    EXPECT_EQ(st.st_uid, getpwnam("nobody")->pw_uid);
}

TEST_F(LocalTest, MailboxCommandWinsOverTheMailbox) {
    deliver(message({"games+e@example.test"}), {{"mailbox_command", "cat > " + root + "/spool/$USER.$EXTENSION"}});
    EXPECT_NE(slurp("spool/games.e").find("Delivered-To: games+e@example.test\n"), std::string::npos);
    EXPECT_EQ(statuses(), Statuses{"to=<games+e@example.test>, dsn=2.0.0, status=sent (delivered to command: cat > " +
                                   root + "/spool/$USER.$EXTENSION)"});
    deliver(message({"games@example.test"}), {{"mailbox_command_maps", "inline:{ {games = exit 67} }"}});
    EXPECT_EQ(statuses().back(), "to=<games@example.test>, dsn=5.1.1, status=bounced (user unknown)");
}

TEST_F(LocalTest, LuserRelayTakesUnknownUsersOnce) {
    deliver(message({"nosuch+x@example.test"}), {{"luser_relay", "$user@elsewhere.test"}});
    EXPECT_EQ(statuses(), Statuses{"to=<nosuch+x@example.test>, dsn=2.0.0, status=sent (forwarded as NEW1)"});
    EXPECT_EQ(submitted[0].recipients, Statuses{"nosuch@elsewhere.test"});
    deliver(message({"nosuch@example.test"}), {{"luser_relay", "games+$local"}});
    EXPECT_EQ(
        statuses().back(),
        "to=<games+nosuch@example.test>, orig_to=<nosuch@example.test>, dsn=2.0.0, status=sent (delivered to mailbox)");
    deliver(message({"nosuch@example.test"}), {{"luser_relay", "nobodyhere"}});
    EXPECT_EQ(statuses().back(), "to=<nobodyhere@example.test>, orig_to=<nosuch@example.test>, dsn=5.1.1, "
                                 "status=bounced (unknown user: \"nobodyhere\")");
}

TEST_F(LocalTest, TransportThatIsNotThereDefers) {
    EXPECT_TRUE(deliver(message({"games@example.test"}), {{"mailbox_transport", "nosvc:"}}).deferred);
    EXPECT_EQ(logged("passing <games@example.test> to transport=nosvc").size(), 1u);
    EXPECT_EQ(remaining(), 1u);
}

TEST_F(LocalTest, OverFullMailboxBounces) {
    deliver(message({"games@example.test"}), {{"mailbox_size_limit", "100"}, {"message_size_limit", "90"}});
    EXPECT_EQ(statuses(), Statuses{"to=<games@example.test>, dsn=5.2.2, status=bounced (cannot update mailbox " + root +
                                   "/spool/games for user games. error writing message: File too large)"});
    EXPECT_EQ(box("games"), "");
}

TEST_F(LocalTest, ProbeTouchesNothing) {
    put("aliases", "cmd \"|touch " + root + "/spool/ran\"\nout out@elsewhere.test\n");
    auto request = message({"games@example.test", "cmd@example.test", "out@example.test", "nosuch@example.test"});
    request.flags = ipc::delivery_flags::probe;
    deliver(request);
    EXPECT_EQ(statuses(),
              (Statuses{"to=<games@example.test>, dsn=2.0.0, status=deliverable (delivers to mailbox)",
                        "to=<cmd@example.test>, dsn=2.0.0, status=deliverable (delivers to command: touch " + root +
                            "/spool/ran)",
                        "to=<out@elsewhere.test>, orig_to=<out@example.test>, dsn=2.0.0, status=deliverable (forwards "
                        "to out@elsewhere.test)",
                        "to=<nosuch@example.test>, dsn=5.1.1, status=undeliverable (unknown user: \"nosuch\")"}));
    EXPECT_FALSE(std::filesystem::exists("spool/ran"));
    EXPECT_FALSE(std::filesystem::exists("spool/games"));
    EXPECT_TRUE(submitted.empty());
}

TEST_F(LocalTest, DefaultPrivsMayNotBeRoot) {
    EXPECT_FALSE(local::Context::make(settings({{"default_privs", "root"}})));
    EXPECT_FALSE(local::Context::make(settings({{"default_privs", "no.such.user"}})));
}
}
