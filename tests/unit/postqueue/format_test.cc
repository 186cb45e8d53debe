// postqueue's two forms of output, byte for byte.
#include <gtest/gtest.h>
#include "format.h"

namespace {
ipc::QueueListMessage message() {
    ipc::QueueListMessage m{"deferred", "5D248A94089", 1795308535, 346, false, "sender@client.test"};
    m.recipients.push_back({"tmp@pipe.test", "", "temporary failure. Command output: temp problem"});
    return m;
}

class FormatTest : public testing::Test {
protected:
    void SetUp() override {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
};

TEST_F(FormatTest, MailqLooksAsItHasForDecades) {
    postqueue::MailqFormat format(false);
    EXPECT_EQ(format.message(message()),
              "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
              "5D248A94089     346 Sun Nov 22 00:48:55  sender@client.test\n"
              "                             (temporary failure. Command output: temp problem)\n"
              "                                         tmp@pipe.test\n");
    EXPECT_EQ(format.end(), "\n-- 0 Kbytes in 1 Request.\n");
}

TEST_F(FormatTest, AReasonIsSaidOnceForRecipientsThatShareIt) {
    auto m = message();
    m.recipients.push_back({"other@pipe.test", "", m.recipients[0].reason});
    m.recipients.push_back({"fresh@pipe.test", "", ""});
    std::string text = postqueue::MailqFormat(false).message(m);
    EXPECT_EQ(text.find("(temporary"), text.rfind("(temporary"));
    EXPECT_NE(text.find(" fresh@pipe.test\n"), text.npos);
}

TEST_F(FormatTest, MarksSayWhereAMessageStands) {
    auto first_line = [](std::string queue, bool expired) {
        auto m = message();
        m.queue_name = queue;
        m.forced_expire = expired;
        std::string text = postqueue::MailqFormat(false).message(m);
        text.erase(0, text.find('\n') + 1);
        return text.substr(0, 20);
    };
    EXPECT_EQ(first_line("active", false), "5D248A94089*     346");
    EXPECT_EQ(first_line("hold", false), "5D248A94089!     346");
    EXPECT_EQ(first_line("deferred", true), "5D248A94089#     346");
    EXPECT_EQ(first_line("hold", true), "5D248A94089!#     34");
}

TEST_F(FormatTest, NothingThatMovesTheCursorIsShown) {
    auto m = message();
    m.queue_id = m.sender = m.recipients[0].address = m.recipients[0].reason = "a\tb\x1b[2J";
    for (char c : postqueue::MailqFormat(false).message(m))
        EXPECT_TRUE(c == '\n' || c >= ' ') << static_cast<int>(c);
}

TEST_F(FormatTest, LongIdsHaveAHeadingOfTheirOwn) {
    auto m = message();
    m.queue_id = "4jXT5L3snnz1bY0R";
    m.size = 98;
    m.recipients[0].reason.clear();
    EXPECT_EQ(postqueue::MailqFormat(true).message(m),
              "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
              "4jXT5L3snnz1bY0R        98 Sun Nov 22 00:48:55 sender@client.test\n"
              "                                               tmp@pipe.test\n");
}

TEST_F(FormatTest, AnEmptyQueueSaysSo) { EXPECT_EQ(postqueue::MailqFormat(false).end(), "Mail queue is empty\n"); }

TEST_F(FormatTest, JsonIsOneObjectALine) {
    EXPECT_EQ(
        postqueue::json(message()),
        "{\"queue_name\": \"deferred\", \"queue_id\": \"5D248A94089\", \"arrival_time\": 1795308535, \"message_size\": "
        "346, \"forced_expire\": false, "
        "\"sender\": \"sender@client.test\", \"recipients\": [{\"orig_address\": \"\", \"address\": \"tmp@pipe.test\", "
        "\"delay_reason\": \"temporary failure. Command output: temp problem\"}]}\n");
}

TEST_F(FormatTest, OutsideBytesCannotBreakTheOutput) {
    EXPECT_EQ(postqueue::json_quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
    auto m = message();
    m.sender = "evil\n-- 0 Kbytes\xff";
    EXPECT_EQ(postqueue::MailqFormat(false).message(m).find("\n-- 0"), std::string::npos);
    EXPECT_EQ(postqueue::json(m).find('\xff'), std::string::npos);
}
}
