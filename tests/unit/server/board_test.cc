#include <gtest/gtest.h>
#include <thread>
#include "server/board.h"
#include "server/worker_protocol.h"

using server::Board;

struct BoardTest : testing::Test {
    UniqueFd memory = std::move(*server::worker::make_memory("test", Board::size));
    Board board = *Board::map(memory.get());
    BoardTest() { board.use(7); }
    ~BoardTest() override { board.unmap(); }
};

TEST_F(BoardTest, TheLimitHoldsOverAllWorkers) {
    EXPECT_TRUE(board.take(0, 2));
    EXPECT_TRUE(board.take(7, 2));
    EXPECT_FALSE(board.take(0, 2));
    EXPECT_FALSE(board.take(3, 2));
    board.give_back(7);
    EXPECT_TRUE(board.take(3, 2));
    EXPECT_EQ(board.sessions(), 2);
}
TEST_F(BoardTest, ZeroIsNoLimit) {
    for (int i = 0; i < 1000; ++i)
        EXPECT_TRUE(board.take(1, 0));
    EXPECT_EQ(board.sessions(1), 1000);
}
TEST_F(BoardTest, WhatADeadWorkerHadIsGivenBack) {
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(board.take(5, 4));
    ASSERT_TRUE(board.take(6, 4));
    EXPECT_FALSE(board.take(6, 4));
    board.clear(5);
    EXPECT_EQ(board.sessions(), 1);
    EXPECT_TRUE(board.take(6, 4));
}
TEST_F(BoardTest, AnotherMappingSeesTheSame) {
    Board other = *Board::map(memory.get());
    ASSERT_TRUE(board.take(2, 1));
    EXPECT_FALSE(other.take(3, 1));
    other.unmap();
}
TEST_F(BoardTest, NeverMoreThanTheLimitWhateverTheOrder) {
    constexpr int limit = 5;
    std::atomic<int> now = 0, most = 0, taken = 0;
    std::vector<std::thread> threads;
    for (int slot = 0; slot < 8; ++slot)
        threads.emplace_back([&, slot] {
            for (int i = 0; i < 20000; ++i) {
                if (!board.take(slot, limit))
                    continue;
                int n = ++now;
                for (int m = most; n > m && !most.compare_exchange_weak(m, n);) {}
                ++taken;
                --now;
                board.give_back(slot);
            }
        });
    for (std::thread& t : threads)
        t.join();
    EXPECT_LE(most, limit);
    EXPECT_GT(taken, 1000);
    EXPECT_EQ(board.sessions(), 0);
}

TEST(Channel, MessagesKeepTheirBounds) {
    auto pair = server::worker::make_channel();
    ASSERT_TRUE(pair);
    EXPECT_TRUE(server::worker::send(pair->first.get(), "full"));
    EXPECT_TRUE(server::worker::send(pair->first.get(), "file /etc/aliases.db"));
    std::string message;
    bool closed = false;
    ASSERT_TRUE(server::worker::receive(pair->second.get(), message, closed));
    EXPECT_EQ(message, "full");
    ASSERT_TRUE(server::worker::receive(pair->second.get(), message, closed));
    EXPECT_EQ(message, "file /etc/aliases.db");
    EXPECT_FALSE(server::worker::receive(pair->second.get(), message, closed));
    EXPECT_FALSE(closed);
    pair->first.reset();
    EXPECT_FALSE(server::worker::receive(pair->second.get(), message, closed));
    EXPECT_TRUE(closed);
}
