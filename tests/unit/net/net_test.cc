#include <gtest/gtest.h>
#include <unistd.h>
#include "net/address.h"
#include "net/socket.h"
#include "net/stream.h"

using namespace std::chrono_literals;

TEST(Address, ParsesLiteralsOnly) {
    EXPECT_EQ(net::Address::parse("192.0.2.1")->host(), "192.0.2.1");
    EXPECT_EQ(net::Address::parse("[2001:db8::1]")->smtp_literal(), "IPv6:2001:db8::1");
    EXPECT_EQ(net::Address::parse("::ffff:192.0.2.7")->host(), "192.0.2.7");
    for (const char* bad : {"", "localhost", "1.2.3", "1.2.3.4.5", "300.1.1.1", "::g"})
        EXPECT_FALSE(net::Address::parse(bad)) << bad;
}

struct StreamTest : testing::Test {
    UniqueFd peer;
    std::unique_ptr<net::Stream> s;
    void SetUp() override {
        auto p = net::stream_pair();
        peer = std::move(p->first);
        s = std::make_unique<net::Stream>(std::move(p->second));
    }
    void put(std::string_view t) { ASSERT_TRUE(write_all(peer.get(), t)); }
};

TEST_F(StreamTest, LinesKeepTheirEndingApart) {
    put("a\r\nb\n\r\nlast");
    auto d = loop::in(1s);
    auto l = s->read_line(100, d);
    EXPECT_EQ(l->text, "a");
    EXPECT_TRUE(l->crlf);
    l = s->read_line(100, d);
    EXPECT_EQ(l->text, "b");
    EXPECT_FALSE(l->crlf);
    l = s->read_line(100, d);
    EXPECT_EQ(l->text, "");
    peer.reset();
    EXPECT_FALSE(s->read_line(100, d));
    EXPECT_EQ(s->failure(), net::Stream::Failure::lost);
}
TEST_F(StreamTest, LongLinesComeInPieces) {
    put(std::string(25, 'x') + "\r\nnext\r\n");
    auto d = loop::in(1s);
    auto l = s->read_line(10, d);
    EXPECT_EQ(l->text.size(), 10u);
    EXPECT_FALSE(l->complete);
    l = s->read_line(10, d);
    EXPECT_EQ(l->text.size(), 10u);
    l = s->read_line(10, d);
    EXPECT_EQ(l->text, "xxxxx");
    EXPECT_TRUE(l->complete);
    EXPECT_EQ(s->read_line(10, d)->text, "next");
}
TEST_F(StreamTest, SilentPeerTimesOut) {
    EXPECT_FALSE(s->read_line(10, loop::in(10ms)));
    EXPECT_EQ(s->failure(), net::Stream::Failure::timeout);
}
TEST_F(StreamTest, PeerThatNeverReadsTimesOut) {
    EXPECT_FALSE(s->write(std::string(8 << 20, 'x'), loop::in(20ms)));
    EXPECT_EQ(s->failure(), net::Stream::Failure::timeout);
}
TEST_F(StreamTest, WrittenIsSentBeforeReading) {
    ASSERT_TRUE(s->write("hello"));
    EXPECT_FALSE(s->read_some(1, loop::in(5ms)));
    char b[8];
    EXPECT_EQ(read(peer.get(), b, sizeof b), 5);
}
TEST_F(StreamTest, DescriptorsTravel) {
    int p[2];
    ASSERT_EQ(pipe(p), 0);
    ASSERT_TRUE(s->send_descriptor(p[0], loop::in(1s)));
    net::Stream other(std::move(peer));
    auto got = other.receive_descriptor(loop::in(1s));
    ASSERT_TRUE(got);
    ASSERT_TRUE(write_all(p[1], "z"));
    char c = 0;
    EXPECT_EQ(read(got->get(), &c, 1), 1);
    EXPECT_EQ(c, 'z');
    ::close(p[0]);
    ::close(p[1]);
}
TEST_F(StreamTest, ReadsInFibersDoNotBlockOthers) {
    loop::Loop l;
    std::string got;
    l.spawn([&] { got = s->read_line(10, loop::in(5s))->text; });
    l.spawn([&] {
        loop::sleep_until(loop::in(3ms));
        put("hi\r\n");
    });
    l.run();
    EXPECT_EQ(got, "hi");
    s.reset();
}
// Data and end in one event, or in one read: the end is seen all the same, by waits on an edge.
TEST_F(StreamTest, EndBehindDataIsSeenInFibers) {
    for (int round = 0; round < 3; ++round) {
        SetUp();
        loop::Loop l;
        std::string got;
        bool lost = false;
        auto end_now = [&] {
            put("b\n");
            peer.reset();
        };
        l.spawn([&] {
            if (round == 2)
                end_now();  // before the first wait
            else
                put("a\n");
            got += s->read_line(10, loop::in(5s))->text;
            if (round == 0)
                end_now();  // before the second
            if (round < 2)
                got += s->read_line(10, loop::in(5s))->text;
            lost = !s->read_line(10, loop::in(5s)) && s->failure() == net::Stream::Failure::lost;
            s.reset();
        });
        if (round == 1)
            l.spawn([&] {
                loop::sleep_until(loop::in(3ms));
                end_now();
            });
        l.run();
        EXPECT_EQ(got, round == 2 ? "b" : "ab") << round;
        EXPECT_TRUE(lost) << round;
    }
}
