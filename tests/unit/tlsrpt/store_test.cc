#include "store.h"
#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdlib>
#include <fstream>
#include "log/log.h"

using namespace tlsrpt;

namespace {
constexpr std::int64_t midnight = 1795132800;  // 2026-11-20T00:00:00Z

ipc::tlsrpt::Datagram session(const std::string& domain) {
    return {domain,
            "v=TLSRPTv1; rua=mailto:r@a.test",
            {{ipc::tlsrpt::PolicyType::tlsa, domain, {"3 1 1 AB"}, {}, {}, false}}};
}

class TlsrptStore : public testing::TestWithParam<std::pair<const char*, const char*>> {
protected:
    void SetUp() override {
        char name[] = "/tmp/posthorn-tlsrpt-store-XXXXXX";
        ASSERT_TRUE(mkdtemp(name));
        directory = name;
        table = std::string(GetParam().first) + ":" + directory + "/t";
        file = directory + "/t" + GetParam().second;
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* to) { static_cast<std::vector<std::string>*>(to)->emplace_back(text); },
                          &lines);
    }
    void TearDown() override {
        maillog::redirect(nullptr, nullptr);
        for (const std::string& path : {file, file + ".damaged"})
            std::remove(path.c_str());
        rmdir(directory.c_str());
    }
    std::string directory, table, file;
    std::vector<std::string> lines;
};
}

TEST_P(TlsrptStore, KeepsEntriesAndForgetsThoseThatHaveGone) {
    {
        Collection c({});
        auto s = Store::open(table, c, midnight);
        ASSERT_TRUE(s) << s.error().reason;
        for (const char* domain : {"a.test", "b.test", "c.test"})
            ASSERT_TRUE(c.add(session(domain), midnight));
        ASSERT_TRUE(s->write(c.changes()));
        ASSERT_TRUE(c.add(session("a.test"), midnight + 1));
        c.close("c.test", midnight + 1);
        c.change("2026-11-20/00:00:00/c.test")->id = "x@y";
        c.expire(midnight + 2, 1);
        ASSERT_TRUE(s->write(c.changes()));
    }
    Collection again({});
    auto s = Store::open(table, again, midnight + 3);
    ASSERT_TRUE(s) << s.error().reason;
    ASSERT_EQ(again.entries().size(), 2u);
    EXPECT_EQ(again.find("2026-11-20/00:00:00/a.test")->sessions(), 2u);
    EXPECT_FALSE(again.changed());
    EXPECT_TRUE(lines.empty());
}
TEST_P(TlsrptStore, SetsADamagedFileAside) {
    std::ofstream(file) << std::string(20000, 'x');
    Collection c({});
    auto s = Store::open(table, c, midnight);
    ASSERT_TRUE(s) << s.error().reason;
    EXPECT_EQ(access((file + ".damaged").c_str(), F_OK), 0);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_NE(lines[0].find("set aside as " + file + ".damaged"), std::string::npos) << lines[0];
    ASSERT_TRUE(c.add(session("a.test"), midnight));
    EXPECT_TRUE(s->write(c.changes()));
}
TEST_P(TlsrptStore, WhatIsNoEntryGoesWithAWarning) {
    {
        table::OpenOptions options;
        options.access = table::Access::update;
        auto t = table::open(table, options);
        ASSERT_TRUE(t);
        ASSERT_TRUE((*t)->put("rubbish", "{}"));
        ASSERT_TRUE((*t)->put("2026-11-20/00:00:00/a.test", "{\"domain\":\"b.test\",\"begin\":1795132800}"));
        ASSERT_TRUE((*t)->commit());
    }
    for (std::size_t warnings : {2u, 2u}) {  // only the first time
        Collection c({});
        auto s = Store::open(table, c, midnight);
        ASSERT_TRUE(s) << s.error().reason;
        EXPECT_TRUE(c.entries().empty());
        EXPECT_EQ(lines.size(), warnings);
        ASSERT_TRUE(s->write({}));
    }
}
TEST_P(TlsrptStore, WhatCannotBeReachedIsAnError) {
    Collection c({});
    EXPECT_FALSE(Store::open(std::string(GetParam().first) + ":/nonexistent/t", c, midnight));
    EXPECT_FALSE(Store::open("nonsense:/tmp/t", c, midnight));
    EXPECT_TRUE(lines.empty());
}
INSTANTIATE_TEST_SUITE_P(Types, TlsrptStore,
                         testing::Values(std::pair("btree", ".db"), std::pair("hash", ".db"),
                                         std::pair("lmdb", ".lmdb")),
                         [](const auto& p) { return std::string(p.param.first); });
