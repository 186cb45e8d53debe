#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <set>
#include "log/log.h"
#include "random.h"
#include "secret_keeper.h"
#include "session_cache.h"
#include "ticket_keys.h"

using namespace std::chrono_literals;

namespace {
class Tlsmgr : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/posthorn-tlsmgr-XXXXXX";
        directory = mkdtemp(name);
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* me) { static_cast<Tlsmgr*>(me)->logged += std::string(text) + "\n"; },
                          this);
    }
    void TearDown() override {
        maillog::redirect(nullptr, nullptr);
        std::filesystem::remove_all(directory);
    }
    std::string directory, logged;
};
}

TEST_F(Tlsmgr, SessionsEndWithTheirTimeout) {
    for (std::string type : {"btree", "lmdb"}) {
        tlsmgr::SessionCache cache("smtpd", type + ":" + directory + "/scache", 100s);
        ASSERT_TRUE(cache.open()) << type;
        EXPECT_TRUE(cache.save("smtpd:AB", "c2Vzc2lvbg==", 1000));
        EXPECT_EQ(cache.find("smtpd:AB", 1099), "c2Vzc2lvbg==");
        EXPECT_FALSE(cache.find("smtpd:ab", 1099)) << "ids are not folded";
        EXPECT_FALSE(cache.find("smtpd:AB", 1100));
        EXPECT_FALSE(cache.find("smtpd:AB", 1001)) << "what ended was removed";
        EXPECT_TRUE(cache.save("old", "b2xk", 1000));
        EXPECT_TRUE(cache.save("new", "bmV3", 1090));
        cache.sweep(1150);
        EXPECT_FALSE(cache.find("old", 1001));
        EXPECT_EQ(cache.find("new", 1150), "bmV3");
        EXPECT_TRUE(cache.remove("new"));
        EXPECT_FALSE(cache.find("new", 1150));
    }
}
TEST_F(Tlsmgr, CacheThatIsFullTakesMoreAfterItsSweep) {
    tlsmgr::SessionCache cache("smtpd", "btree:" + directory + "/scache", 100s, true, 2);
    EXPECT_TRUE(cache.save("a", "c2Vzc2lvbg==", 1000));
    EXPECT_TRUE(cache.save("b", "c2Vzc2lvbg==", 1050));
    EXPECT_FALSE(cache.save("c", "c2Vzc2lvbg==", 1060));
    cache.sweep(1110);
    EXPECT_TRUE(cache.save("c", "c2Vzc2lvbg==", 1110));
    EXPECT_FALSE(cache.find("a", 1110));
    for (const char* line :
         {"put smtpd session id=a [data 7 bytes]\n", "write smtpd TLS cache entry a: time=1000 [data 7 bytes]\n",
          "start TLS smtpd session cache cleanup\n", "delete smtpd session id=a\n", "lookup smtpd session id=a\n"})
        EXPECT_NE(logged.find(line), logged.npos) << line << logged;
    EXPECT_EQ(logged.find("delete smtpd session id=b"), logged.npos);
    EXPECT_FALSE(cache.save(std::string(2000, 'i'), "eA==", 1110));
    EXPECT_FALSE(cache.save("big", std::string(70000, 'A'), 1110));
}
TEST_F(Tlsmgr, CacheFileIsNobodyElsesToRead) {
    tlsmgr::SessionCache cache("smtpd", "btree:" + directory + "/scache", 100s);
    struct stat st {};
    ASSERT_EQ(stat((directory + "/scache.db").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 077, 0u);
}
TEST_F(Tlsmgr, SuccessorDoesNotWaitForTheFileOfItsPredecessor) {
    for (std::string type : {"btree", "hash", "lmdb"}) {
        tlsmgr::SessionCache old("smtpd", type + ":" + directory + "/handed", 200s);
        EXPECT_TRUE(old.save("a", "b", 1)) << type;
        tlsmgr::SessionCache next("smtpd", type + ":" + directory + "/handed",
                                  200s);  // another descriptor: locks are as between processes
        EXPECT_TRUE(next.save("c", "d", 1)) << type;
        EXPECT_EQ(old.find("a", 2), "b") << type;
        EXPECT_EQ(next.find("a", 2), std::nullopt) << type;
        EXPECT_EQ(next.find("c", 2), "d") << type;
    }
}
TEST_F(Tlsmgr, CacheThatCannotBeOpenedIsNoCache) {
    tlsmgr::SessionCache cache("smtpd", "btree:/nonexistent/scache", 100s);
    EXPECT_FALSE(cache.open());
    EXPECT_FALSE(cache.save("a", "b", 1));
    EXPECT_FALSE(cache.find("a", 1));
}
TEST_F(Tlsmgr, DamagedCacheIsReplacedWithALine) {
    for (std::string type : {"btree", "lmdb"}) {
        logged.clear();
        std::string file = directory + "/damaged" + (type == "btree" ? ".db" : ".lmdb");
        std::ofstream(file) << std::string(20000, 'x');
        tlsmgr::SessionCache cache("smtpd", type + ":" + directory + "/damaged", 200s);
        EXPECT_TRUE(cache.save("a", "b", 1)) << type;
        EXPECT_EQ(cache.find("a", 2), "b") << type;
        EXPECT_NE(logged.find("damaged: "), logged.npos) << type << ": " << logged;
        EXPECT_NE(logged.find("replaced by an empty one"), logged.npos) << type << ": " << logged;
    }
}
TEST(TlsmgrTicketKeys, RotateAndStayKnownAsLongAsTicketsLast) {
    tlsmgr::TicketKeys keys(3600s);
    auto first = keys.keys(0).keys;
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(keys.keys(1799).keys.front().name, first[0].name);
    auto second = keys.keys(1800).keys;
    ASSERT_EQ(second.size(), 2u);
    EXPECT_NE(second[0].name, first[0].name);
    EXPECT_EQ(second[1].name, first[0].name);
    EXPECT_EQ(keys.keys(3600).keys.back().name, first[0].name);
    EXPECT_EQ(keys.keys(5400).keys.size(), 3u);
    EXPECT_NE(keys.keys(5400).keys.back().name, first[0].name);
    EXPECT_EQ(keys.keys(50000).keys.size(), 1u);
}
TEST_F(Tlsmgr, AnswersRequestsAndDropsOthers) {
    auto settings =
        conf::Settings::defaults({{"smtp_tls_session_cache_database", "btree:" + directory + "/smtp_scache"},
                                  {"data_directory", directory},
                                  {"mail_owner", "root"}});
    loop::Loop l;
    tlsmgr::SecretKeeper service(settings);
    auto pair = net::stream_pair();
    l.spawn([&] {
        net::Stream s(std::move(pair->first));
        service.serve(s);
    });
    l.spawn([&] {
        net::Stream s(std::move(pair->second));
        auto ask = [&](const auto& request, auto reply) {
            (void)ipc::send(s, request, loop::in(5s));
            auto got = ipc::receive<decltype(reply)>(s, loop::in(5s));
            return got ? *got : reply;
        };
        EXPECT_FALSE(ask(ipc::TlsSessionFind{"smtp", "x"}, ipc::TlsSessionReply{}).found);
        EXPECT_TRUE(ask(ipc::TlsSessionSave{"smtp", "x", "eA=="}, ipc::TlsSessionReply{}).found);
        EXPECT_EQ(ask(ipc::TlsSessionFind{"smtp", "x"}, ipc::TlsSessionReply{}).session, "eA==");
        EXPECT_FALSE(ask(ipc::TlsSessionSave{"smtpd", "x", "eA=="}, ipc::TlsSessionReply{}).found)
            << "no such cache is configured";
        EXPECT_FALSE(ask(ipc::TlsSessionSave{"nonsense", "x", "eA=="}, ipc::TlsSessionReply{}).found);
        EXPECT_EQ(ask(ipc::TlsTicketKeysRequest{}, ipc::TlsTicketKeysReply{}).keys.size(), 1u);
        EXPECT_EQ(ask(ipc::TlsSeedRequest{32}, ipc::TlsSeedReply{}).seed.size(), 44u);
        (void)s.write(std::string_view("junk\0junk\0\0", 11));
        EXPECT_FALSE(ipc::receive(s, loop::in(5s)));
    });
    l.run();
}
TEST_F(Tlsmgr, ExchangeFileIsKeptFresh) {
    auto settings = conf::Settings::defaults({{"tls_random_exchange_name", directory + "/prng_exch"}});
    tlsmgr::RandomPool pool(settings);
    pool.save();
    EXPECT_EQ(std::filesystem::file_size(directory + "/prng_exch"), 1024u);
    EXPECT_NE(tlsmgr::random_octets(16), tlsmgr::random_octets(16));
}
