// The list that showq sends: what Postfix's postqueue and monitoring tools read, byte by byte.
#include <gtest/gtest.h>
#include "ipc/mail_queue_list.h"

namespace {
using ipc::QueueListMessage;
const QueueListMessage sample{
    "deferred", "8CD85A940BA", 1795308561, 265, true, "a@b", {{"r@c", "o@c", "busy"}, {"s@c", "", ""}}};

// What a reader of these bytes gets.
std::string encode(const QueueListMessage& m, bool details) {
    std::string out;
    ipc::queue_list::append(out, m, details);
    return out;
}

Result<std::optional<QueueListMessage>> read(const std::string& bytes) {
    auto pair = std::move(*net::stream_pair());
    net::Stream writer(std::move(pair.first)), reader(std::move(pair.second));
    EXPECT_TRUE(writer.write(bytes));
    EXPECT_TRUE(writer.flush(loop::in(std::chrono::seconds(5))));
    writer.close();
    return ipc::queue_list::read_message(reader, loop::in(std::chrono::seconds(5)));
}

TEST(MailQueueListTest, WithoutDetailsItIsPostfixsList) {
    static constexpr char expected[] = "queue_name\0deferred\0queue_id\0"
                                       "8CD85A940BA\0time\0"
                                       "1795308561\0size\0"
                                       "265\0forced_expire\0"
                                       "1\0sender\0a@b\0"
                                       "recipient\0r@c\0reason\0busy\0recipient\0s@c\0reason\0\0\0";
    EXPECT_EQ(encode(sample, false), std::string(expected, sizeof expected - 1));
}

TEST(MailQueueListTest, WhatIsSentIsRead) {
    for (bool details : {false, true}) {
        auto back = read(encode(sample, details));
        ASSERT_TRUE(back && *back);
        EXPECT_EQ((*back)->queue_id, sample.queue_id);
        EXPECT_EQ((*back)->time, sample.time);
        EXPECT_TRUE((*back)->forced_expire);
        ASSERT_EQ((*back)->recipients.size(), 2u);
        EXPECT_EQ((*back)->recipients[0].original, details ? "o@c" : "");
        EXPECT_EQ((*back)->recipients[0].reason, "busy");
        EXPECT_EQ((*back)->recipients[1].reason, "");
    }
    auto end = read(ipc::queue_list::end());
    ASSERT_TRUE(end);
    EXPECT_FALSE(*end);
}

TEST(MailQueueListTest, ACutListIsAnError) {
    std::string whole = encode(sample, true);
    for (std::size_t n = 0; n + 1 < whole.size(); ++n)
        EXPECT_FALSE(read(whole.substr(0, n))) << n;
}
}
