#include "mail/queue_id.h"
#include <gtest/gtest.h>

using mail::QueueId;

TEST(QueueId, ShortIdIsHexMicrosecondsThenHexInode) {
    const QueueId id = QueueId::make({1795348574, 0xD2334}, 0xA721C0, false);
    EXPECT_EQ(id.text(), "D2334A721C0");
    EXPECT_EQ(id.inode(), 0xA721C0u);
    EXPECT_FALSE(id.time());
    EXPECT_EQ(id.hash_directories(2), "D/2/");
    EXPECT_EQ(QueueId::make({1, 7}, 0x1A, false).text(), "000071A");
}

TEST(QueueId, LongIdOfPostfixIsReadAndHashedByMicroseconds) {
    const auto id = QueueId::parse("4jXSG65JyFz1bY6q");  // made by Postfix 3.7 on 22 Nov 2026 at 11:56:14
    ASSERT_TRUE(id);
    EXPECT_TRUE(id->long_form());
    EXPECT_EQ(id->hash_directories(1), "B/");
    EXPECT_EQ(id->time()->seconds, 1795348574);
    EXPECT_EQ(id->time()->microseconds, 748917);
    EXPECT_EQ(QueueId::make(*id->time(), *id->inode(), true), *id);
}

TEST(QueueId, OnlySafeFileNamesParse) {
    for (const char* bad : {"", "a/b", "..", ".", "A B", "A\n", "äö"})
        EXPECT_FALSE(QueueId::parse(bad)) << bad;
    EXPECT_FALSE(QueueId::parse(std::string(101, 'A')));
    EXPECT_FALSE(QueueId::parse(std::string_view("A\0B", 3)));
    EXPECT_TRUE(QueueId::parse("A"));
    EXPECT_EQ(QueueId::parse("A")->hash_directories(2), "A/_/");
}

TEST(QueueId, LongIdsCutAnywhereNeverCrash) {
    const std::string text = "4jXSG65JyFz1bY6q";
    for (std::size_t n = 1; n < text.size(); ++n) {
        const auto id = QueueId::parse(text.substr(0, n));
        ASSERT_TRUE(id);
        EXPECT_EQ(id->time().has_value(), n > 11) << n;
        (void)id->inode();
    }
    EXPECT_FALSE(QueueId::parse(std::string(90, 'y') + "z1")->time());  // overflows
}
