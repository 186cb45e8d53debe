// conf/rights.h: what a process takes on, and that it gives it back. Needs root.
#include <gtest/gtest.h>
#include <grp.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include "conf/rights.h"
#include "conf/settings.h"

namespace {
using Ids = std::tuple<uid_t, gid_t, std::vector<gid_t>>;
Ids now() {
    std::vector<gid_t> groups(64);
    groups.resize(static_cast<std::size_t>(getgroups(64, groups.data())));
    return {geteuid(), getegid(), groups};
}
struct Rights : testing::Test {
    void SetUp() override {
        if (!conf::can_take_rights())
            GTEST_SKIP() << "needs root";
    }
};

TEST_F(Rights, UserGroupAndGroupsGoTogetherAndComeBack) {
    const std::vector<gid_t> roots{0, 4, 6}, before = std::get<2>(now());
    ASSERT_EQ(setgroups(roots.size(), roots.data()), 0);
    {
        errno = 0;
        conf::TakeIdentity user({4711, 4712, {4712, 4713}, "user"});
        EXPECT_EQ(now(), Ids(4711, 4712, {4712, 4713}));
        {  // from one user to another and to root, by way of the real user
            conf::TakeIdentity other({4800, 4801, {4801}, "other"});
            EXPECT_EQ(now(), Ids(4800, 4801, {4801}));
            conf::TakeIdentity root({0, 0, {0}, "root"});
            EXPECT_EQ(now(), Ids(0, 0, {0}));
        }
        EXPECT_EQ(now(), Ids(4711, 4712, {4712, 4713}));
        errno = EXDEV;
    }
    EXPECT_EQ(errno, EXDEV);  // of what was done with these rights
    EXPECT_EQ(now(), Ids(0, 0, roots));
    ASSERT_EQ(setgroups(before.size(), before.data()), 0);
}

TEST_F(Rights, MailOwnerIsAUserAndNotRoot) {
    auto missing = conf::mail_owner(conf::Settings::defaults({{"mail_owner", "nosuchuser"}}));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().reason, "mail_owner: there is no user nosuchuser");
    auto root = conf::mail_owner(conf::Settings::defaults({{"mail_owner", "root"}}));
    ASSERT_FALSE(root);
    EXPECT_EQ(root.error().reason, "mail_owner: root is the superuser");
    auto daemon = conf::mail_owner(conf::Settings::defaults({{"mail_owner", "daemon"}}));
    ASSERT_TRUE(daemon);
    EXPECT_EQ(daemon->uid, 1u);
    EXPECT_NE(std::find(daemon->groups.begin(), daemon->groups.end(), daemon->gid), daemon->groups.end());
}
}
