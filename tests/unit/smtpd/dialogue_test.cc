#include <gtest/gtest.h>
#include <sys/socket.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include "base/bytes.h"
#include "fakes.h"
#include "net/socket.h"
#include "proxy_protocol.h"
#include "session.h"

class Dialogue : public testing::TestWithParam<std::string> {};
TEST_P(Dialogue, GoesAsWritten) { EXPECT_EQ(fakes::play(GetParam()), ""); }

std::vector<std::string> dialogue_files() {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/tests/dialogs/smtpd"))
        if (entry.path().extension() == ".dlg")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}
INSTANTIATE_TEST_SUITE_P(Files, Dialogue, testing::ValuesIn(dialogue_files()), [](const auto& instance) {
    std::string name = std::filesystem::path(instance.param).stem();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return !bytes::is_alnum(c); }, '_');
    return name;
});

// Random bytes, words of the protocol among them: every session ends, nothing is accepted by accident, nothing breaks.
TEST(RandomBytes, NeverBreakTheDialogue) {
    fakes::World world;
    conf::Overrides settings = fakes::World::settings();
    settings.push_back({"smtpd_hard_error_limit", "50"});
    auto service = smtpd::Service::open(conf::Settings::defaults(settings), world.resolver("unknown"));
    ASSERT_TRUE(service);
    std::mt19937 random(4711);
    static constexpr std::string_view words[] = {"EHLO x\r\n",
                                                 "HELO y\r\n",
                                                 "MAIL FROM:<a@b.c>\r\n",
                                                 "RCPT TO:<alice@example.test>\r\n",
                                                 "DATA\r\n",
                                                 ".\r\n",
                                                 "\r\n",
                                                 "\n",
                                                 "BDAT 5\r\n",
                                                 "BDAT 3 LAST\r\n",
                                                 "RSET\r\n",
                                                 "NOOP\r\n",
                                                 "QUIT\r\n",
                                                 "VRFY a\r\n",
                                                 "ETRN x\r\n",
                                                 "STARTTLS\r\n",
                                                 "<",
                                                 ">",
                                                 "\"",
                                                 "\\",
                                                 " ",
                                                 "SIZE=",
                                                 "@",
                                                 ":",
                                                 "\0",
                                                 "\xff"};
    loop::Loop l;
    l.spawn([&] {
        loop::Group services;
        world.serve(services);
        for (int round = 0; round < 300; ++round) {
            auto pair = net::stream_pair();
            auto server = std::make_shared<net::Stream>(std::move(pair->first));
            net::Stream client(std::move(pair->second));
            loop::Group session;
            session.spawn([&, server] {
                smtpd::Session(**service, *server, false).serve(*net::Address::parse("192.0.2.1", 1));
                server->close();
            });
            std::string text;
            for (int n = static_cast<int>(random() % 60); n > 0; --n) {
                if (random() % 4)
                    text += words[random() % std::size(words)];
                else
                    for (int k = static_cast<int>(random() % 20); k > 0; --k)
                        text += static_cast<char>(random());
                if (random() % 100 == 0)
                    text += std::string(random() % 10000, static_cast<char>(random()));
            }
            (void)client.write(text);
            (void)client.flush(loop::in(std::chrono::seconds(5)));
            ::shutdown(client.fd(), SHUT_WR);
            while (true) {
                auto some = client.read_some(65536, loop::in(std::chrono::seconds(10)));
                if (!some) {
                    EXPECT_NE(some.error().reason, "timeout");
                    break;
                }
                if (some->empty())
                    break;
            }
            session.join();
        }
        services.cancel();
        services.join(false);
    });
    l.run();
}

TEST(DnsList, FilterSelectsAnswers) {
    auto list = smtpd::DnsList::parse("rbl.test=127.0.[0..1].[2;4..6]");
    ASSERT_TRUE(list);
    EXPECT_TRUE(list->matches("127.0.0.2"));
    EXPECT_TRUE(list->matches("127.0.1.5"));
    EXPECT_FALSE(list->matches("127.0.0.3"));
    EXPECT_FALSE(list->matches("127.0.2.2"));
    EXPECT_FALSE(smtpd::DnsList::parse("rbl.test=127.0.0"));
    EXPECT_FALSE(smtpd::DnsList::parse("rbl.test=127.0.0.256"));
    EXPECT_TRUE(smtpd::DnsList::parse("rbl.test")->matches("127.0.0.99"));
}

TEST(ProxyHeader, NamesBothEnds) {
    auto line = smtpd::parse_proxy_line("PROXY TCP4 192.0.2.7 198.51.100.1 1234 25");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->client.host(), "192.0.2.7");
    EXPECT_EQ(line->client.port(), 1234);
    EXPECT_EQ(line->server.port(), 25);
    EXPECT_TRUE(smtpd::parse_proxy_line("PROXY UNKNOWN")->local);
    EXPECT_FALSE(smtpd::parse_proxy_line("PROXY TCP4 2001:db8::1 198.51.100.1 1 2"));
    EXPECT_FALSE(smtpd::parse_proxy_line("PROXY TCP4 192.0.2.7 198.51.100.1 70000 25"));
    auto block =
        smtpd::parse_proxy_block(std::string("\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x04\xd2\0\x19", 16));
    ASSERT_TRUE(block);
    EXPECT_EQ(block->client.host(), "192.0.2.7");
    EXPECT_EQ(block->client.port(), 1234);
    EXPECT_TRUE(smtpd::parse_proxy_block(std::string("\x20\0\0\0", 4))->local);
    EXPECT_FALSE(smtpd::parse_proxy_block(std::string("\x21\x11\0\x02zz", 6)));
}

// The cases of tests/dialogs/line_endings.tsv, in one packet a byte, and in two that are cut anywhere around a dot:
// what is one message stays one.
namespace {
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        switch (text[++i]) {
        case 'r': out += '\r'; break;
        case 'n': out += '\n'; break;
        case 't': out += '\t'; break;
        case 'x':
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
            break;
        default: out += text[i];
        }
    }
    return out;
}

struct Taken {
    std::string codes, lines;
};

Taken play(fakes::World& world, smtpd::Service& service, const std::vector<std::string_view>& pieces) {
    world.messages.clear();
    world.log.clear();
    std::string said = fakes::converse(world, service, pieces);
    Taken taken;
    int reply = 0;
    for (std::string_view line : bytes::split(said, "\r\n"))
        if (line.size() > 3 && line[3] == ' ' && ++reply > 4)
            taken.codes += (taken.codes.empty() ? "" : " ") + std::string(line.substr(0, 3));
    for (const fakes::Message& m : world.messages) {
        if (!m.complete)
            continue;
        bool body = false;
        taken.lines += "message:";
        for (const std::string& r : m.records) {
            if (r[0] != 'N')
                continue;
            if (body)
                taken.lines += "\n" + r.substr(2);
            if (r == "N ")
                body = true;
        }
    }
    return taken;
}
}

class LineEndings : public testing::TestWithParam<const char*> {};
TEST_P(LineEndings, AreOneMessageHoweverPacketsAreCut) {
    fakes::World world;
    conf::Overrides settings = fakes::World::settings();
    settings.insert(settings.end(), {{"smtpd_forbid_bare_newline", GetParam()},
                                     {"smtpd_forbid_unauth_pipelining", "no"},
                                     {"mynetworks", "127.0.0.1"}});
    auto service = smtpd::Service::open(conf::Settings::defaults(settings), world.resolver("unknown"));
    ASSERT_TRUE(service);
    std::ifstream file(SOURCE_DIR "/tests/dialogs/line_endings.tsv");
    int cases = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#')
            continue;
        std::vector<std::string> columns;
        std::istringstream in(line);
        for (std::string column; std::getline(in, column, '\t');)
            columns.push_back(column);
        columns.resize(5);  // the last may be empty
        if (columns[1] != "all" &&
            ("," + columns[1] + ",").find("," + std::string(GetParam()) + ",") == std::string::npos)
            continue;
        ++cases;
        std::string content = unescaped(columns[2]),
                    text = "HELO client.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<alice@example.test>\r\n";
        const bool data = columns[0] == "DATA";
        text += data ? "DATA\r\n" : "BDAT " + std::to_string(content.size()) + " LAST\r\n";
        std::size_t from = text.size() - 1;
        text += content + "RSET\r\nQUIT\r\n";
        std::string expected = data ? "354 " + columns[3] : columns[3], lines;
        if (columns[4] == "(empty)")
            lines = "message:";
        for (std::string_view rest = columns[4]; columns[4] != "-" && columns[4] != "(empty)";) {
            std::size_t end = rest.find(" | ");
            lines += (lines.empty() ? "message:\n" : "\n") + unescaped(rest.substr(0, end));
            if (end == rest.npos)
                break;
            rest.remove_prefix(end + 3);
        }
        const bool smuggled =
            columns[3].find("354") != std::string::npos;  // with "no" a dot between bare LF ends a message
        auto check = [&](const std::vector<std::string_view>& pieces, std::size_t at) {
            Taken got = play(world, **service, pieces);
            if (smuggled) {
                EXPECT_STREQ(GetParam(), "no");
                return;
            }
            EXPECT_EQ(got.codes, expected) << line << " cut at " << at;
            EXPECT_EQ(got.lines, lines) << line << " cut at " << at;
        };
        std::vector<std::string_view> bytewise{std::string_view(text).substr(0, from)};
        for (std::size_t at = from; at < text.size(); ++at) {
            bytewise.push_back(std::string_view(text).substr(at, 1));
            if (std::string_view(text).substr(at - 2, 4).find('.') != std::string_view::npos)
                check({std::string_view(text).substr(0, at), std::string_view(text).substr(at)}, at);
        }
        check(bytewise, 0);  // a packet for each byte
        if (HasFailure())
            return;
    }
    EXPECT_GT(cases, 50);
}
INSTANTIATE_TEST_SUITE_P(Modes, LineEndings, testing::Values("no", "normalize", "reject"));
