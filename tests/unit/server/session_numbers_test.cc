#include "server/session_numbers.h"
#include <gtest/gtest.h>
#include <set>

namespace server {
TEST(SessionNumbers, LieAboveEveryProcessId) {
    SessionNumbers numbers(2);
    EXPECT_GT(numbers.take(), 4194304);
    SessionNumbers others(4194303);
    EXPECT_GT(others.take(), 4194304);
}

TEST(SessionNumbers, NoTwoSessionsOfTwoProcessesShareOne) {
    std::set<std::int64_t> seen;
    for (std::int64_t process : {1, 2, 4194303}) {
        SessionNumbers numbers(process);
        for (int i = 0; i < 100; ++i)
            EXPECT_TRUE(seen.insert(numbers.take()).second);
    }
}

TEST(SessionNumbers, TheLowestThatIsFreeComesNext) {
    SessionNumbers numbers(7);
    const auto first = numbers.take(), second = numbers.take(), third = numbers.take();
    numbers.give_back(third);
    numbers.give_back(first);
    EXPECT_EQ(numbers.take(), first);
    EXPECT_EQ(numbers.take(), third);
    EXPECT_GT(numbers.take(), third);
    EXPECT_LT(second, third);
}
}
