// The right-hand sides of aliases and the lines of .forward files.
#include "destinations.h"
#include <gtest/gtest.h>

using local::Destination;

namespace {
// "a:alice c:|…" in short.
std::string shown(const std::vector<Destination>& all) {
    std::string out;
    for (const Destination& d : all) {
        if (!out.empty())
            out += " ; ";
        out += d.kind == Destination::Kind::address   ? "address "
               : d.kind == Destination::Kind::command ? "command "
               : d.kind == Destination::Kind::file    ? "file "
                                                      : "include ";
        out += d.text;
    }
    return out;
}
std::string parsed(std::string_view text) { return shown(local::parse_destinations(text)); }

TEST(Destinations, EachKind) {
    EXPECT_EQ(parsed("alice, bob@example.test"), "address alice ; address bob@example.test");
    EXPECT_EQ(parsed("\"|procmail -a x, y\", /var/archive/, :include:/etc/staff"),
              "command procmail -a x, y ; file /var/archive/ ; include /etc/staff");
    EXPECT_EQ(parsed("|/usr/bin/vacation alice, \\\\alice"),
              "command /usr/bin/vacation ; address alice ; address \"\\\\alice\"");
    EXPECT_EQ(parsed("\":include:/etc/a b\""), "include /etc/a b");
    EXPECT_EQ(parsed(":INCLUDE: /etc/x"), "include /etc/x");
    EXPECT_EQ(parsed("\"/a b/file\", ~/Mail/"), "file /a b/file ; file ~/Mail/");
}

// What each of many forms means, in each place that has such lists, is compared with Postfix in
// tests/system/right_hand_sides.test.
TEST(Destinations, QuotesMayStandAnywhere) {
    for (std::string_view line :
         {"\"|/bin/x a, b\"", "|\"/bin/x a, b\"", "| \"/bin/x a, b\"", "<\"|/bin/x a, b\">", "|/bin/x\\ a\\,\\ b"})
        EXPECT_EQ(parsed(line), "command /bin/x a, b") << line;
    EXPECT_EQ(parsed(":include:\"/a b\" c"), "include /a b ; address c");
    EXPECT_EQ(parsed("\"|sh -c \\\"echo a, b\\\"\", x"), "command sh -c \"echo a, b\" ; address x");
    EXPECT_EQ(parsed("\"|a\\\\b\""), "command a\\b");
}

TEST(Destinations, NoMemberOfALongListGetsLost) {
    std::string line;
    for (int i = 0; i < 6000; ++i)
        line += "u@h.test,";
    EXPECT_EQ(local::parse_destinations(line).size(), 6000u);
}

TEST(Destinations, AddressesAsInHeaders) {
    EXPECT_EQ(parsed("Alice Jones <alice@example.test> (home, sweet), bob"),
              "address alice@example.test ; address bob");
    EXPECT_EQ(parsed("\"a b\"@example.test"), "address \"a b\"@example.test");
    EXPECT_EQ(parsed("a b c"), "address a ; address b ; address c");
    EXPECT_EQ(parsed("owner-list"), "address owner-list");
}

TEST(Destinations, NothingIsNothing) {
    EXPECT_EQ(parsed(""), "");
    EXPECT_EQ(parsed(" , ,"), "");
    EXPECT_EQ(parsed("<>"), "");
}

TEST(Destinations, UnbalancedTextEndsWithIt) {
    EXPECT_EQ(parsed("\"|unclosed, x").find("command unclosed, x") != std::string::npos ||
                  !parsed("\"|unclosed, x").empty(),
              true);
    for (std::string_view odd :
         {"\"", "\\", "\"\\", "(((", "<", "|", "/", ":include:", "\"|\"", ")", "a@", "@", "a@b@c"})
        (void)parsed(odd);
}

TEST(Destinations, EveryPrefixOfALineIsRead) {
    std::string_view line = "alice, \"|cmd \\\"x\\\"\", /f, :include:/i, \\bob, Bob <b@c> (x)";
    for (std::size_t n = 0; n <= line.size(); ++n)
        (void)parsed(line.substr(0, n));
}

TEST(DestinationLines, CommentsAndEmptyLinesDoNotCount) {
    EXPECT_EQ(shown(local::parse_destination_lines("# list\n\n alice,\n\tbob\n#x\n\"|cmd # not a comment\"\n")),
              "address alice ; address bob ; command cmd # not a comment");
    EXPECT_TRUE(local::parse_destination_lines("# only\n\n").empty());
}
}
