#include "policy.h"
#include <gtest/gtest.h>

using namespace mta_sts;

TEST(StsPolicy, TheExampleOfTheRfc) {
    auto p = parse_policy("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.Example.net\r\nmx: "
                          "backupmx.example.com\r\nmax_age: 604800\r\n");
    ASSERT_TRUE(p) << p.error().reason;
    EXPECT_EQ(p->mode, "enforce");
    EXPECT_EQ(p->max_age, 604800);
    EXPECT_EQ(p->hosts, (std::vector<std::string>{"mail.example.com", "*.example.net", "backupmx.example.com"}));
    EXPECT_TRUE(parse_policy("version:STSv1\nmax_age:0\nmode:none\nfuture: x\n"));
}
TEST(StsPolicy, WhatIsNotOneIsRefused) {
    const std::string good = "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 100\n";
    ASSERT_TRUE(parse_policy(good));
    for (const char* bad :
         {"", "<html>", "version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 100\n",
          "mode: enforce\nmx: a.test\nmax_age: 100\n", "version: STSv1\nmx: a.test\nmax_age: 100\n",
          "version: STSv1\nmode: maybe\nmx: a.test\nmax_age: 100\n", "version: STSv1\nmode: enforce\nmax_age: 100\n",
          "version: STSv1\nmode: enforce\nmx: a.test\n",
          "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 31557601\n",
          "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1\n",
          "version: STSv1\nmode: enforce\nmx: *.*.test\nmax_age: 1\n",
          "version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1\n"})
        EXPECT_FALSE(parse_policy(bad)) << bad;
    EXPECT_TRUE(parse_policy("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 31557600\n"));
    EXPECT_FALSE(parse_policy(good + std::string(policy_limit, '\n')));
    for (std::size_t n = 0; n < good.size(); ++n)
        (void)parse_policy(good.substr(0, n));
}
TEST(StsPolicy, IdOfTheOneRecord) {
    EXPECT_EQ(announced_id({"v=STSv1; id=20160831085700Z;"}), "20160831085700Z");
    EXPECT_EQ(announced_id({"spf", "v=STSv1;id=1"}), "1");
    EXPECT_EQ(announced_id({}), std::nullopt);
    EXPECT_EQ(announced_id({"v=STSv1; id=1;", "v=STSv1; id=2;"}), std::nullopt);
    EXPECT_EQ(announced_id({"v=STSv1; id=a-b;"}), std::nullopt);
    EXPECT_EQ(announced_id({"v=STSv1;"}), std::nullopt);
    EXPECT_EQ(announced_id({"v=STSv10; id=1"}), std::nullopt);
    EXPECT_EQ(announced_id({"v=STSv1; id=" + std::string(33, 'a')}), std::nullopt);
}
TEST(StsPolicy, CacheLineComesBack) {
    Cached c{"x1", 1000, 900, {"enforce", 500, {"a.test", "*.b.test"}}};
    auto back = Cached::parse(c.text());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->text(), c.text());
    EXPECT_EQ(back->policy.hosts, c.policy.hosts);
    EXPECT_TRUE(back->fresh(1499));
    EXPECT_FALSE(back->fresh(1500));
    EXPECT_FALSE(back->fresh(999));
    EXPECT_TRUE(Cached::parse(Cached{"y", 1, 1, {"none", 5, {}}}.text()));
    for (const char* bad :
         {"", "2 x 1 1 1 enforce a.test", "1 x 1 1 enforce a.test", "1 x 1 1 1 enforce", "1 x a 1 1 enforce a.test",
          "1 x 1 1 1 enforce a..b", "1 x -9223372036854775808 1 1 enforce a.test"})
        EXPECT_FALSE(Cached::parse(bad)) << bad;
}
