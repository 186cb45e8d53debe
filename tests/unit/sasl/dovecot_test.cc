#include "sasl/dovecot.h"
#include <gtest/gtest.h>
#include <filesystem>
#include <functional>
#include "base/bytes.h"
#include "loop/loop.h"
#include "net/socket.h"
#include "net/stream.h"

using namespace std::chrono_literals;
using Kind = sasl::Outcome::Kind;

namespace {
constexpr std::string_view greeting = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tANONYMOUS\tanonymous\n"
                                      "MECH\tTOKEN\tprivate\nMECH\tSCRAM\tforward-secrecy\tmutual-auth\n"
                                      "SPID\t1\nCUID\t2\nCOOKIE\taa\nDONE\n";

// An authentication server: what it says to each line, "" to say nothing, "close" to hang up. "#" in it is the
// request's number.
class FakeDovecot {
public:
    explicit FakeDovecot(std::string_view hello = greeting) : hello_(hello) {
        path = std::filesystem::temp_directory_path() / ("sasl." + std::to_string(getpid()));
    }
    std::string path;
    std::vector<std::string> heard;
    int connections = 0;
    std::function<std::string(std::string_view)> answer = [](std::string_view) { return "OK\t#\tuser=joe\n"; };

    void run(const std::function<void(sasl::Server&)>& body) {
        loop::Loop l;
        l.spawn([&] {
            loop::Group group;
            group.spawn([this, &group] { serve(group); });
            auto server = sasl::open_dovecot(path, "smtp");
            ASSERT_TRUE(server);
            loop::yield();
            body(**server);
            group.cancel();
            group.join(false);
        });
        l.run();
    }

private:
    void serve(loop::Group& group) {
        auto listener = net::listen_unix(path, 10, 0600);
        for (;;) {
            loop::wait_readable(listener->get());
            net::Address peer;
            auto fd = net::accept_one(listener->get(), peer);
            ++connections;
            group.spawn([this, stream = std::make_shared<net::Stream>(std::move(*fd))] { talk(*stream); });
        }
    }
    void talk(net::Stream& stream) {
        (void)stream.write(hello_);
        for (;;) {
            auto line = stream.read_line(100000, loop::never);
            if (!line)
                return;
            heard.emplace_back(line->text);
            if (!heard.back().starts_with("AUTH\t") && !heard.back().starts_with("CONT\t"))
                continue;
            const sasl::Fields fields(heard.back());
            std::string number(fields[1]), said = answer(heard.back());
            if (said == "close")
                return;
            for (std::size_t at; (at = said.find('#')) != said.npos;)
                said.replace(at, 1, number);
            (void)stream.write(said);
        }
    }
    std::string hello_;
};

sasl::Connection somebody() { return {"192.0.2.1", "25", "198.51.100.2", "1234", true, false}; }
sasl::Outcome plain(sasl::Server& server) { return server.login(somebody())->begin("PLAIN", "AGpvZQBwdw=="); }
}

TEST(Dovecot, OffersWhatOptionsAndFilterLetThrough) {
    FakeDovecot fake;
    fake.run([](sasl::Server& server) {
        auto mechanisms = server.mechanisms();
        ASSERT_TRUE(mechanisms);
        ASSERT_EQ(mechanisms->size(), 4U);
        auto names = [&](std::string_view options, std::string_view filter) {
            auto list = table::MatchList::open("filter", filter, table::MatchList::Kind::strings);
            return *sasl::offered(*mechanisms, *sasl::parse_security_options(options), list);
        };
        using Names = std::vector<std::string>;
        EXPECT_EQ(names("", "!external, static:rest"), (Names{"PLAIN", "ANONYMOUS", "SCRAM"}));
        EXPECT_EQ(names("noanonymous", "static:all"), (Names{"PLAIN", "SCRAM"}));
        EXPECT_EQ(names("noanonymous, NoPlaintext", "static:all"), (Names{"SCRAM"}));
        EXPECT_EQ(names("mutual_auth forward_secrecy", "static:all"), (Names{"SCRAM"}));
        EXPECT_EQ(names("", "plain"), (Names{"PLAIN"}));
    });
    EXPECT_FALSE(sasl::parse_security_options("noanonymous, noplain"));
}

TEST(Dovecot, TellsWhoLogsInAndHearsTheName) {
    FakeDovecot fake;
    fake.run([](sasl::Server& server) {
        auto outcome = plain(server);
        EXPECT_EQ(outcome.kind, Kind::success);
        EXPECT_EQ(outcome.user, "joe");
    });
    ASSERT_GE(fake.heard.size(), 3U);
    EXPECT_EQ(fake.heard[0], "VERSION\t1\t1");
    EXPECT_EQ(fake.heard[2], "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip=198.51.100.2\tlport=25\t"
                             "rport=1234\tsecured\tresp=AGpvZQBwdw==");
}

TEST(Dovecot, GoesOnWithChallenges) {
    FakeDovecot fake;
    fake.answer = [](std::string_view line) {
        return line.starts_with("AUTH") ? "CONT\t#\tVXNlcm5hbWU6\n" : "OK\t#\tuser=a\001tb\n";
    };
    fake.run([](sasl::Server& server) {
        auto login = server.login(somebody());
        auto first = login->begin("LOGIN", {});
        EXPECT_EQ(first.kind, Kind::challenge);
        EXPECT_EQ(first.text, "VXNlcm5hbWU6");
        auto second = login->respond("am9l");
        EXPECT_EQ(second.kind, Kind::success);
        EXPECT_EQ(second.user, "a\tb");
    });
    EXPECT_EQ(fake.heard.back(), "CONT\t1\tam9l");
}

TEST(Dovecot, SaysWhyItRefuses) {
    struct Row {
        const char* answer;
        Kind kind;
        const char *text, *user;
    };
    for (const Row& row :
         {Row{"FAIL\t#\tuser=bob\treason=go away\n", Kind::failed, "go away", "bob"},
          Row{"FAIL\t#\n", Kind::failed, "", ""}, Row{"FAIL\t#\ttemp\tuser=bob\n", Kind::unavailable, "", "bob"},
          Row{"FAIL\t#\tcode=temp_fail\treason=oops\n", Kind::unavailable, "oops", ""},
          Row{"OK\t#\n", Kind::unavailable, "Authentication backend error", ""},
          Row{"CONT\t#\t%%\n", Kind::unavailable, "Authentication backend error", ""},
          Row{"close", Kind::unavailable, "Connection lost to authentication server", ""}}) {
        FakeDovecot fake;
        fake.answer = [&](std::string_view) { return row.answer; };
        fake.run([&](sasl::Server& server) {
            auto outcome = plain(server);
            EXPECT_EQ(outcome.kind, row.kind) << row.answer;
            EXPECT_EQ(outcome.text, row.text) << row.answer;
            EXPECT_EQ(outcome.user, row.user) << row.answer;
        });
    }
}

// Answers come in any order, others' and nobody's among them.
TEST(Dovecot, KeepsLoginsApartOnOneConnection) {
    FakeDovecot fake;
    std::vector<std::string> held;
    fake.answer = [&](std::string_view line) {
        const sasl::Fields fields(line);
        const std::string number(fields[1]);
        held.insert(held.begin(), "OK\t" + number + "\tuser=u" + number + "\n");
        if (held.size() < 100)
            return std::string();
        std::string all = "OK\t4711\tuser=nobody\nRUBBISH\n";
        for (auto& one : held)
            all += one;
        return all;
    };
    int right = 0;
    fake.run([&](sasl::Server& server) {
        loop::Group::with([&](loop::Group& group) {
            for (int i = 0; i < 100; ++i)
                group.spawn([&] { right += plain(server).user.starts_with("u"); });
        });
    });
    EXPECT_EQ(right, 100);
    EXPECT_EQ(fake.connections, 1);
}

// Who leaves in the middle takes nobody's answer along, and the server is told.
TEST(Dovecot, ALoginThatIsGivenUpHoldsNobodyUp) {
    FakeDovecot fake;
    fake.answer = [&](std::string_view line) { return line.find("SLOW") != line.npos ? "" : "OK\t#\tuser=joe\n"; };
    fake.run([&](sasl::Server& server) {
        loop::Group slow;
        slow.spawn([&] { (void)server.login(somebody())->begin("SLOW", {}); });
        while (fake.heard.size() < 3)
            loop::yield();
        int good = 0;
        loop::Group others;
        for (int i = 0; i < 3; ++i)
            others.spawn([&] { good += plain(server).kind == Kind::success; });
        loop::yield();
        slow.cancel();
        slow.join(false);
        others.join();
        EXPECT_EQ(good, 3);
        while (fake.heard.back() != "CANCEL\t1")
            loop::yield();
    });
}

TEST(Dovecot, ALoginOnALostConnectionFailsAndTheNextConnectsAnew) {
    FakeDovecot fake;
    fake.answer = [&](std::string_view line) {
        return line.starts_with("CONT")          ? "close"
               : line.find("LOGIN") != line.npos ? "CONT\t#\t\n"
                                                 : "OK\t#\tuser=joe\n";
    };
    fake.run([](sasl::Server& server) {
        auto login = server.login(somebody());
        EXPECT_EQ(login->begin("LOGIN", {}).kind, Kind::challenge);
        EXPECT_EQ(login->respond("am9l").kind, Kind::unavailable);
        EXPECT_EQ(plain(server).kind, Kind::success);
    });
    EXPECT_EQ(fake.connections, 2);
}

TEST(Dovecot, AGreetingThatIsNoneIsAnError) {
    for (const char* hello : {"VERSION\t2\t0\nDONE\n", "DONE\n"}) {
        FakeDovecot fake(hello);
        fake.run([&](sasl::Server& server) { EXPECT_FALSE(server.mechanisms()) << hello; });
    }
}

TEST(Dovecot, AResponseThatTheServerWouldHangUpOnIsRefusedHere) {
    FakeDovecot fake;
    fake.run([](sasl::Server& server) {
        const std::string most(sasl::line_limit, 'A');
        EXPECT_EQ(server.login(somebody())->begin("PLAIN", most).kind, Kind::failed);
        EXPECT_EQ(server.login(somebody())->begin("PLAIN", most.substr(300)).kind, Kind::success);
    });
    EXPECT_EQ(fake.connections, 1);
}

TEST(Dovecot, AddressesAreASocketsPathOrAHostAndPort) {
    for (const char* good : {"private/auth", "unix:/run/auth", "inet:127.0.0.1:12345", "inet:[::1]:12345"})
        EXPECT_TRUE(sasl::open_dovecot(good, "smtp")) << good;
    for (const char* bad : {"", "unix:", "inet:", "inet:12345", "inet::12345", "inet:host:"})
        EXPECT_FALSE(sasl::open_dovecot(bad, "smtp")) << bad;
}
