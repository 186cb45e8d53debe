#include "conf/network.h"
#include <gtest/gtest.h>
#include "conf/settings.h"

TEST(ConfNetwork, FamiliesOfInetProtocols) {
    auto shown = [](std::string_view text) -> std::string {
        auto f = conf::families(text);
        return f ? std::string(f->ipv4 ? "4" : "") + (f->ipv6 ? "6" : "") : f.error().reason;
    };
    EXPECT_EQ(shown("all"), "46");
    EXPECT_EQ(shown("ipv4"), "4");
    EXPECT_EQ(shown("ipv6, IPV4"), "46");
    EXPECT_EQ(shown("ipv4, ipv5"), "inet_protocols: \"ipv5\": all, ipv4 or ipv6 is expected");
    EXPECT_EQ(shown(" "), "inet_protocols: no protocol is left");
}

TEST(ConfNetwork, PortsByNumberAndName) {
    auto s = conf::Settings::defaults({{"known_tcp_ports", "lmtp=24, smtps=submissions=465, smtp=2525"}});
    EXPECT_EQ(conf::port_number(s, "10025"), "10025");
    EXPECT_EQ(conf::port_number(s, "smtps"), "465");
    EXPECT_EQ(conf::port_number(s, "SUBMISSIONS"), "465");
    EXPECT_EQ(conf::port_number(s, "smtp"), "2525") << "before services(5)";
    for (const char* bad : {"65536", "-1", "", "no-such-service", "465=1"})
        EXPECT_FALSE(conf::port_number(s, bad)) << bad;
}
