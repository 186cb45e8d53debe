// The message as mailboxes and commands get it.
#include "delivery/copy.h"
#include "delivery/delivered_to.h"
#include "harness.h"

using harness::DeliveryTest;

namespace {
class CopyTest : public DeliveryTest {
protected:
    std::string copy(std::string_view text, const delivery::CopyOptions& options) {
        std::string out;
        delivery::Agent agent(settings(), "");
        run(agent, message({"a@example.test"}, text), [&](delivery::Job& job) {
            auto done = delivery::copy_message(job, options, [&](std::string_view piece) -> Result<void> {
                out += piece;
                return {};
            });
            EXPECT_TRUE(done);
            EXPECT_EQ(*done, static_cast<std::int64_t>(out.size()));
            job.delivered(job.recipients()[0], {.text = "x"});
        });
        return out;
    }
};

TEST_F(CopyTest, LinesInFrontComeInTheUsualOrder) {
    std::string out = copy("Subject: x\n\nhello\n", {.from_line = true,
                                                     .return_path = true,
                                                     .original_to = true,
                                                     .delivered_to = true,
                                                     .blank_line = true,
                                                     .sender = "s@c.test",
                                                     .original = "o@d.test",
                                                     .delivered = "a b@d.test"});
    ASSERT_TRUE(out.starts_with("From s@c.test  ")) << out;
    EXPECT_EQ(
        out.substr(out.find('\n') + 1),
        "Return-Path: <s@c.test>\nX-Original-To: o@d.test\nDelivered-To: \"a b\"@d.test\nSubject: x\n\nhello\n\n");
}

TEST_F(CopyTest, NullSenderIsMailerDaemon) {
    std::string out = copy("x\n", {.from_line = true, .return_path = true});
    EXPECT_TRUE(out.starts_with("From MAILER-DAEMON  "));
    EXPECT_NE(out.find("\nReturn-Path: <>\n"), out.npos);
}

TEST_F(CopyTest, FromLinesAndDotsAreQuotedOnlyAtTheStartOfLines) {
    EXPECT_EQ(copy("From a\n>From b\nx From c\nFromage\n", {.quote_from = true}),
              ">From a\n>From b\nx From c\nFromage\n");
    EXPECT_EQ(copy(".\n.x\na.\n", {.quote_dot = true}), "..\n..x\na.\n");
}

TEST_F(CopyTest, LineEndsAreAsWantedAndTheLastLineIsEnded) {
    EXPECT_EQ(copy("a\nb", {.end_of_line = "\r\n"}), "a\r\nb\r\n");
    EXPECT_EQ(copy("", {}), "");
}

TEST_F(CopyTest, AddressesCannotEndALine) {
    std::string out = copy("x\n", {.delivered_to = true, .delivered = "a\nBcc: evil@d.test"});
    EXPECT_EQ(out.find("\nBcc"), out.npos) << out;
}

TEST_F(CopyTest, LargeMessageArrivesWhole) {
    std::string text;
    for (int i = 0; i < 20000; ++i)
        text += "line " + std::to_string(i) + "\n";
    EXPECT_EQ(copy(text, {}), text);
}

TEST_F(CopyTest, DeliveredToLinesOfTheHeaderAreFound) {
    delivery::Agent agent(settings(), "");
    std::set<std::string> found;
    run(agent,
        message({"a@example.test"}, "Received: x\n\ty\ndelivered-to: Ann@Example.TEST\nDelivered-To: \"a "
                                    "b\"@c.test\n\nDelivered-To: body@c.test\n"),
        [&](delivery::Job& job) {
            found = delivery::delivered_addresses(job);
            job.delivered(job.recipients()[0], {.text = "x"});
        });
    EXPECT_EQ(found, (std::set<std::string>{"ann@example.test", "a b@c.test"}));
}
}
