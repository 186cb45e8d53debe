// Attributes and macros of pipe commands.
#include <gtest/gtest.h>
#include "attributes.h"
#include "macros.h"

using Words = std::vector<std::string>;
using pipe_agent::Attributes;

namespace {
Attributes parsed(const Words& words) {
    auto a = pipe_agent::parse_attributes(words);
    EXPECT_TRUE(a) << a.error().reason;
    return a ? *a : Attributes{};
}
std::string problem(const Words& words) {
    auto a = pipe_agent::parse_attributes(words);
    return a ? "" : a.error().reason;
}
delivery::JobRecipient to(std::string address, std::string original = "") {
    delivery::JobRecipient r;
    r.address = std::move(address);
    r.original = std::move(original);
    return r;
}
Words expanded(const Words& arguments, std::vector<delivery::JobRecipient> recipients, const std::string& flags = "",
               std::string sender = "s@c.test") {
    Words words{"user=x"};
    if (!flags.empty())
        words.push_back(flags);
    words.push_back("argv=" + arguments[0]);
    words.insert(words.end(), arguments.begin() + 1, arguments.end());
    ipc::DeliveryRequest request;
    request.sender = std::move(sender);
    request.nexthop = "Next.Hop";
    request.queue_id = "ABC";
    request.data_size = 42;
    request.log_client_address = "192.0.2.1";
    auto out = pipe_agent::expand_arguments(parsed(words), request, recipients, {.delimiters = "+"});
    EXPECT_TRUE(out) << out.error().reason;
    return out ? *out : Words{};
}

TEST(Attributes, AllOfThem) {
    Attributes a = parsed({"flags=DRhu.>", "user=alice:mail", "eol=\\r\\n", "null_sender=", "size=100", "directory=/d",
                           "chroot=/c", "argv=/bin/x", "a", "{ b c }", "user=not"});
    EXPECT_TRUE(a.delivered_to && a.return_path && a.fold_domain && a.fold_user && a.quote_dot && a.quote_from);
    EXPECT_FALSE(a.from_line || a.blank_line || a.quote || a.final_delivery || a.original_to);
    EXPECT_EQ(a.user, "alice:mail");
    EXPECT_EQ(a.end_of_line, "\r\n");
    EXPECT_EQ(a.null_sender, "");
    EXPECT_EQ(a.size_limit, 100);
    EXPECT_EQ(a.arguments, (Words{"/bin/x", "a", "b c", "user=not"}));
}

TEST(Attributes, Mistakes) {
    EXPECT_EQ(problem({"argv=/bin/x"}), "missing user= command-line attribute");
    EXPECT_EQ(problem({"user=x"}), "missing argv= command-line attribute");
    EXPECT_EQ(problem({"flags=Z", "user=x", "argv=y"}), "unknown flag: Z");
    EXPECT_EQ(problem({"foo=bar", "user=x", "argv=y"}), "unknown attribute name: foo=bar");
    EXPECT_EQ(problem({"word", "user=x", "argv=y"}), "unknown attribute name: word");
    EXPECT_EQ(problem({"size=-1", "user=x", "argv=y"}), "bad size: -1");
}

TEST(Attributes, RootAndTheMailOwnerAreRefused) {
    auto rights = [](const char* user) {
        Attributes a;
        a.user = user;
        auto done = pipe_agent::find_rights(a, "daemon");
        return done ? "uid " + std::to_string(a.rights.uid) : done.error().reason;
    };
    EXPECT_EQ(rights("root"), "user= command-line attribute specifies root privileges");
    EXPECT_EQ(rights("0"), "user= command-line attribute specifies root privileges");
    EXPECT_EQ(rights("nobody:root"), "user= command-line attribute specifies a privileged group");
    EXPECT_EQ(rights("daemon"), "user= command-line attribute specifies mail system owner daemon");
    EXPECT_EQ(rights("no.such.user"), "unknown username: no.such.user");
    EXPECT_EQ(rights("nobody"), "uid 65534");
}

TEST(Unescape, AsInC) {
    EXPECT_EQ(bytes::unescaped("\\r\\n\\t\\\\"), "\r\n\t\\");
    EXPECT_EQ(bytes::unescaped("\\101\\12x\\"), "A\nx\\");
}

TEST(Macros, OneArgumentForEachRecipient) {
    EXPECT_EQ(expanded({"cmd", "-f", "${sender}", "--", "${recipient}", "x$user-$extension", "$mailbox"},
                       {to("A+b@D.test"), to("c@e.test")}),
              (Words{"cmd", "-f", "s@c.test", "--", "A+b@D.test", "c@e.test", "xA-b", "xc-", "A+b", "c"}));
    EXPECT_EQ(
        expanded({"cmd", "${domain} $nexthop ${size} ${queue_id} $client_address [$client_helo]"}, {to("a@D.test")}),
        (Words{"cmd", "D.test Next.Hop 42 ABC 192.0.2.1 []"}));
    EXPECT_EQ(expanded({"cmd", "$$HOME", "$(user)"}, {to("a@d.test")}), (Words{"cmd", "$HOME", "a"}));
}

TEST(Macros, FlagsFoldAndQuote) {
    EXPECT_EQ(expanded({"cmd", "$recipient", "$user", "$domain", "$nexthop", "$original_recipient"},
                       {to("A+B@D.Test", "O@P.Test")}, "flags=hu"),
              (Words{"cmd", "a+b@d.test", "a", "d.test", "next.hop", "o@p.test"}));
    EXPECT_EQ(expanded({"cmd", "$sender", "$recipient", "$user"}, {to("a b@d.test")}, "flags=q", "x y@c.test"),
              (Words{"cmd", "\"x y\"@c.test", "\"a b\"@d.test", "a b"}));
}

TEST(Macros, NullSender) {
    EXPECT_EQ(expanded({"cmd", "$sender"}, {to("a@d.test")}, "", ""), (Words{"cmd", "MAILER-DAEMON"}));
    EXPECT_EQ(expanded({"cmd", "-$sender-"}, {to("a@d.test")}, "null_sender=", ""), (Words{"cmd", "--"}));
}

TEST(Macros, ValuesAreNeverExpandedAgain) {
    EXPECT_EQ(expanded({"cmd", "$recipient"}, {to("${queue_id}$(id)@d.test")}),
              (Words{"cmd", "${queue_id}$(id)@d.test"}));
}

TEST(Macros, UnknownNameIsAnError) {
    Attributes a = parsed({"user=x", "argv=cmd", "$foo"});
    std::vector<delivery::JobRecipient> recipients{to("a@d.test")};
    auto out = pipe_agent::expand_arguments(a, {}, recipients, {});
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().status, (EnhancedStatus{4, 3, 5}));
}
}
