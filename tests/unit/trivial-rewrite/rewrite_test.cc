// The documented forms of rewriting, and where addresses of each class go.
#include <gtest/gtest.h>
#include "conf/settings.h"
#include "log/log.h"
#include "resolver.h"
#include "rewriter.h"

namespace {
conf::Settings with(conf::Overrides more = {}) {
    conf::Overrides all{{"myhostname", "mail.here.test"},
                        {"mydomain", "here.test"},
                        {"myorigin", "here.test"},
                        {"mydestination", "here.test, localhost, $myhostname"},
                        {"inet_interfaces", "127.0.0.1"},
                        {"relay_domains", "relay.test"},
                        {"virtual_alias_domains", "alias.test"},
                        {"virtual_mailbox_domains", "mbox.test"},
                        {"recipient_delimiter", "+"},
                        {"append_dot_mydomain", "yes"}};
    for (auto& one : more)
        all.push_back(one);
    return conf::Settings::defaults(all);
}

std::string local(std::string_view address, conf::Overrides more = {}) {
    return rewrite::Rewriter(with(more)).rewrite("local", address);
}

TEST(Rewrite, DocumentedForms) {
    EXPECT_EQ(local("@hosta,@hostb:user@site.test"), "user@site.test");
    EXPECT_EQ(local("site.test!user"), "user@site.test");
    EXPECT_EQ(local("a.test!b.test!user"), "b.test!user@a.test");
    EXPECT_EQ(local("user%site.test"), "user@site.test");
    EXPECT_EQ(local("user"), "user@here.test");
    EXPECT_EQ(local("user@host"), "user@host.here.test");
    EXPECT_EQ(local("user@site.test."), "user@site.test");
    EXPECT_EQ(local("\"a b\""), "\"a b\"@here.test");
    EXPECT_EQ(local("\"a!b\"@site.test"), "a!b@site.test");
    EXPECT_EQ(local("user@[1.2.3.4]"), "user@[1.2.3.4]");
    EXPECT_EQ(local("a!b@site.test"), "a!b@site.test");
    EXPECT_EQ(local(""), "");
    EXPECT_EQ(local("user", {{"append_at_myorigin", "no"}}), "user");
    EXPECT_EQ(local("user@host", {{"append_dot_mydomain", "no"}}), "user@host");
    EXPECT_EQ(local("a!b", {{"swap_bangpath", "no"}}), "a!b@here.test");
    EXPECT_EQ(local("a%b", {{"allow_percent_hack", "no"}}), "a%b@here.test");
}
// As Debian's trivial-rewrite has them, of some 200 that were compared.
TEST(Rewrite, OddForms) {
    EXPECT_EQ(local(" user @ site.test "), "user@site.test");
    EXPECT_EQ(local("us(comment)er@site.test"), "\"us (comment) er\"@site.test");
    EXPECT_EQ(local("us\"er\"@site.test"), "\"us er\"@site.test");
    EXPECT_EQ(local("user@[1.2.3.4"), "user@[1.2.3.4]");
    EXPECT_EQ(local("user\\"), "user@here.test");
    EXPECT_EQ(local("\"\""), "\"\"");
    EXPECT_EQ(local("@"), "\"\"");
}
TEST(Rewrite, RemoteContextAppendsItsOwnDomain) {
    EXPECT_EQ(rewrite::Rewriter(with()).rewrite("remote", "user"), "user");
    EXPECT_EQ(rewrite::Rewriter(with({{"remote_header_rewrite_domain", "domain.invalid"}})).rewrite("remote", "user"),
              "user@domain.invalid");
    EXPECT_EQ(
        rewrite::Rewriter(with({{"remote_header_rewrite_domain", "domain.invalid"}})).rewrite("remote", "user@host"),
        "user@host.domain.invalid");
    EXPECT_EQ(rewrite::Rewriter(with()).rewrite("remote", "a!b"), "b@a");
}

std::string go(std::string_view address, conf::Overrides more = {}, std::string_view sender = "sender@s.test",
               bool probe = false) {
    conf::Settings settings = with(std::move(more));
    maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
    rewrite::Resolver resolver(settings, probe, table::LocalDomains::open(settings));
    ipc::ResolveReply r = resolver.resolve(sender, address);
    maillog::redirect(nullptr, nullptr);
    std::string text =
        std::to_string(static_cast<int>(r.address_class)) + " " + r.transport + " " + r.nexthop + " " + r.recipient;
    if (r.flags & ipc::ResolveReply::failed)
        return "failed";
    if (r.flags & ipc::ResolveReply::error)
        return "error " + r.recipient;
    if (r.flags & ipc::ResolveReply::routed)
        text += " routed";
    return text;
}

bool holds_for_domain(std::string_view address, conf::Overrides more = {}) {
    conf::Settings settings = with(std::move(more));
    return rewrite::Resolver(settings, false, table::LocalDomains::open(settings)).resolve("s@s.test", address).flags &
           ipc::ResolveReply::whole_domain;
}
TEST(Resolve, AnswerHoldsForADomainWhereNoTableLooksAtLocalParts) {
    for (const char* address :
         {"u@here.test", "u@alias.test", "u@mbox.test", "u@relay.test", "u@other.test", "u+x@other.test"})
        EXPECT_TRUE(holds_for_domain(address)) << address;
    for (const char* address :
         {"u", "", "u@", "a%b@other.test", "a!b@here.test", "-u@other.test", "u@[127.0.0.1]", "u@host", "u@bad..test"})
        EXPECT_FALSE(holds_for_domain(address)) << address;
    EXPECT_FALSE(holds_for_domain("u@other.test", {{"transport_maps", "inline:{x=y:}"}}));
    EXPECT_FALSE(holds_for_domain("u@other.test", {{"relocated_maps", "inline:{x=y}"}}));
}

TEST(Resolve, Classes) {
    EXPECT_EQ(go("u@here.test"), "1 local mail.here.test u@here.test");
    EXPECT_EQ(go("u@[127.0.0.1]"), "1 local mail.here.test u@[127.0.0.1]");
    EXPECT_EQ(go("u@alias.test"), "2 error 5.1.1 User unknown in virtual alias table u@alias.test");
    EXPECT_EQ(go("u@mbox.test"), "3 virtual mbox.test u@mbox.test");
    EXPECT_EQ(go("u@relay.test"), "4 relay relay.test u@relay.test");
    EXPECT_EQ(go("u@sub.relay.test"), "4 relay sub.relay.test u@sub.relay.test");
    EXPECT_EQ(go("u@other.test"), "5 smtp other.test u@other.test");
    EXPECT_EQ(go(""), "1 local mail.here.test MAILER-DAEMON@mail.here.test");
    EXPECT_EQ(go("", {{"empty_address_recipient", "nobody"}}), "1 local mail.here.test nobody@mail.here.test");
    EXPECT_EQ(go("u@here.test", {{"local_transport", "lmtp:unix:private/x"}}), "1 lmtp unix:private/x u@here.test");
    EXPECT_EQ(go("u@relay.test", {{"relay_transport", "slow:[gw.test]"}}), "4 slow [gw.test] u@relay.test");
    EXPECT_EQ(go("u@sub.relay.test", {{"parent_domain_matches_subdomains", "mynetworks"}}),
              "5 smtp sub.relay.test u@sub.relay.test");
}
TEST(Resolve, FollowsRoutesThroughLocalDomainsOnly) {
    EXPECT_EQ(go("u%other.test@here.test"), "5 smtp other.test u@other.test");
    EXPECT_EQ(go("other.test!u@here.test"), "5 smtp other.test u@other.test");
    EXPECT_EQ(go("u@other.test@here.test"), "5 smtp other.test u@other.test");
    EXPECT_EQ(go("u%other.test@here.test", {{"allow_percent_hack", "no"}}),
              "1 local mail.here.test u%other.test@here.test");
    EXPECT_EQ(go("u@other.test@here.test", {{"resolve_dequoted_address", "no"}}),
              "1 local mail.here.test u@other.test@here.test");
    EXPECT_EQ(go("u%x.test@relay.test"), "4 relay relay.test u%x.test@relay.test routed");
    EXPECT_EQ(go("u@x.test@relay.test"), "4 relay relay.test u@x.test@relay.test routed");
}
TEST(Resolve, RefusesWhatNobodyCanDeliverTo) {
    EXPECT_EQ(go("u@"), "error u@");
    EXPECT_EQ(go("u@1.2.3.4"), "error u@1.2.3.4");
    EXPECT_EQ(go("u@1.2.3.4", {{"resolve_numeric_domain", "yes"}}), "5 smtp [1.2.3.4] u@[1.2.3.4]");
    EXPECT_EQ(go("u@[not.an.address]"), "error u@[not.an.address]");
    EXPECT_EQ(go("u@a..b"), "error u@a..b");
    EXPECT_EQ(go("-u@here.test"), "error -u@here.test");
    EXPECT_EQ(go("-u@here.test", {{"allow_min_user", "yes"}}), "1 local mail.here.test -u@here.test");
    EXPECT_EQ(go("u@", {{"resolve_null_domain", "yes"}}), "1 local mail.here.test u@mail.here.test");
}
TEST(Resolve, NextHops) {
    EXPECT_EQ(go("u@other.test", {{"relayhost", "[gw.test]:587"}}), "5 smtp [gw.test]:587 u@other.test");
    EXPECT_EQ(go("u@relay.test", {{"relayhost", "[gw.test]"}}), "4 relay [gw.test] u@relay.test");
    EXPECT_EQ(go("u@other.test", {{"relayhost", "gw.test"}, {"default_transport", "smtp:[own.test]"}}),
              "5 smtp [own.test] u@other.test");
    EXPECT_EQ(go("u@mbox.test", {{"virtual_transport", "lmtp:unix:private/x"}}), "3 lmtp unix:private/x u@mbox.test");
    conf::Overrides by{
        {"relayhost", "gw.test"},
        {"sender_dependent_relayhost_maps", "inline:{a@s.test=own.test,@dunno.test=DUNNO,<>=null.test}"}};
    EXPECT_EQ(go("u@other.test", by, "a+x@s.test"), "5 smtp own.test u@other.test");
    EXPECT_EQ(go("u@other.test", by, "b@s.test"), "5 smtp gw.test u@other.test");
    EXPECT_EQ(go("u@other.test", by, "b@dunno.test"), "5 smtp gw.test u@other.test");
    EXPECT_EQ(go("u@other.test", by, ""), "5 smtp null.test u@other.test");
    EXPECT_EQ(go("u@other.test",
                 {{"sender_dependent_relayhost_maps", "inline:{nobody=null.test}"},
                  {"empty_address_relayhost_maps_lookup_key", "nobody"}},
                 ""),
              "5 smtp null.test u@other.test");
    EXPECT_EQ(go("u@other.test",
                 {{"sender_dependent_default_transport_maps", "inline:{nobody=slow:}"},
                  {"empty_address_default_transport_maps_lookup_key", "nobody"}},
                 ""),
              "5 slow other.test u@other.test");
    EXPECT_EQ(go("u@other.test",
                 {{"sender_dependent_default_transport_maps", "inline:{@s.test=slow}"}, {"relayhost", "gw.test"}}),
              "5 slow gw.test u@other.test");
    EXPECT_EQ(go("u@other.test", {{"address_verify_relayhost", "probe.test"}, {"relayhost", "gw.test"}}, "", true),
              "5 smtp probe.test u@other.test");
}
TEST(Resolve, TransportMaps) {
    auto map = [](std::string_view address, std::string_view entries) {
        return go(address, {{"transport_maps", "inline:{" + std::string(entries) + "}"}, {"relayhost", "gw.test"}});
    };
    EXPECT_EQ(map("u@other.test", "{other.test=slow:[h.test]:26}"), "5 slow [h.test]:26 u@other.test");
    EXPECT_EQ(map("u@other.test", "{other.test=slow:}"), "5 slow other.test u@other.test");
    EXPECT_EQ(map("u@other.test", "{other.test=slow}"), "5 slow other.test u@other.test");
    EXPECT_EQ(map("u@other.test", "{other.test=:[h.test]}"), "5 smtp [h.test] u@other.test");
    EXPECT_EQ(map("u@other.test", "{other.test=:}, {*=all:x}"), "5 smtp gw.test u@other.test");
    EXPECT_EQ(map("u@a.other.test", "{.other.test=slow:}, {*=all:x}"), "5 slow a.other.test u@a.other.test");
    EXPECT_EQ(map("u@other.test", "{.other.test=slow:}, {*=all:x}"), "5 all x u@other.test");
    EXPECT_EQ(map("u+e@other.test", "{u@other.test=one:}, {other.test=two:}"), "5 one other.test u+e@other.test");
    EXPECT_EQ(map("u@other.test", "{other.test=error:5.7.1 not deliverable}"),
              "5 error 5.7.1 not deliverable u@other.test");
    EXPECT_EQ(map("", "{mailer-daemon@mail.here.test=x:y}"), "1 x y MAILER-DAEMON@mail.here.test");
}
TEST(Resolve, RelocatedAndBrokenTables) {
    EXPECT_EQ(go("u@here.test", {{"relocated_maps", "inline:{u=new@x.test}"}}),
              "1 error 5.1.6 User has moved to new@x.test u@here.test");
    EXPECT_EQ(go("u@here.test", {{"relocated_maps", "inline:{{u=5.1.6 gone}}"}, {"relocated_prefix_enable", "no"}}),
              "1 error 5.1.6 gone u@here.test");
    EXPECT_EQ(go("u@other.test", {{"transport_maps", "fail:x"}}), "failed");
    EXPECT_EQ(go("u@other.test", {{"relay_domains", "hash:/nonexistent/x"}}), "failed");
    EXPECT_EQ(go("u@here.test", {{"mydestination", "/nonexistent"}}), "failed");
}
}
