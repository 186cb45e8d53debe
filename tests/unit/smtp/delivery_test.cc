#include "harness.h"

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

namespace {
std::string at(std::uint16_t port) { return "[127.0.0.1]:" + std::to_string(port); }
}

TEST_F(Smtp, DeliversAndLogsInOneLine) {
    ScriptedServer server;
    auto port = serve(server);
    auto reply = deliver(at(port), {"r1@remote.test", "r2@remote.test"}, {"Subject: x", "", ".dot", "..", "body"});
    EXPECT_FALSE(reply.deferred);
    EXPECT_EQ(server.said, (Lines{"--", "EHLO " + config->helo_name,
                                  "MAIL FROM:<sender@client.test> SIZE=" +
                                      server.said.at(2).substr(server.said.at(2).find("SIZE=") + 5),
                                  "RCPT TO:<r1@remote.test>", "RCPT TO:<r2@remote.test>", "DATA", "QUIT"}));
    EXPECT_EQ(server.message, "Subject: x\n\n..dot\n...\nbody\n");
    EXPECT_EQ(plain(port), "to=<r1@remote.test>, relay=127.0.0.1[127.0.0.1]:PORT, tls=none, dsn=2.0.0, status=sent "
                           "(250 2.0.0 Ok: queued as FAKE)\n"
                           "to=<r2@remote.test>, relay=127.0.0.1[127.0.0.1]:PORT, tls=none, dsn=2.0.0, status=sent "
                           "(250 2.0.0 Ok: queued as FAKE)\n");
}
TEST_F(Smtp, RefusedRecipientBouncesTheOthersGo) {
    ScriptedServer server;
    server.replies["RCPT TO:<bad"] = "550-5.1.1 no such\r\n550 5.1.1 user";
    auto port = serve(server);
    auto reply = deliver(at(port), {"bad@remote.test", "good@remote.test"});
    EXPECT_FALSE(reply.deferred);
    EXPECT_NE(plain(port).find(
                  "to=<bad@remote.test>, relay=127.0.0.1[127.0.0.1]:PORT, tls=none, dsn=5.1.1, status=bounced (host "
                  "127.0.0.1[127.0.0.1] said: 550-5.1.1 no such 550 5.1.1 user (in reply to RCPT TO command))"),
              std::string::npos)
        << log;
    EXPECT_NE(log.find("to=<good@remote.test>"), std::string::npos);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].first, "bounce");
    EXPECT_EQ(reports[0].second.diagnostic_text, "550-5.1.1 no such 550 5.1.1 user");
    EXPECT_EQ(reports[0].second.mta_name, "127.0.0.1");
}
TEST_F(Smtp, EveryRefusalIsToldInItsWords) {
    std::string endless;
    for (int i = 0; i < 1001; ++i)
        endless += "250-more\r\n";
    endless += "250 enough";
    struct {
        const char *command, *reply, *expected;
    } cases[] = {
        {"MAIL", "450 4.7.1 too much",
         "dsn=4.7.1, status=deferred (host 127.0.0.1[127.0.0.1] said: 450 4.7.1 too much (in reply to MAIL FROM "
         "command))"},
        {"MAIL", "550 no",
         "dsn=5.0.0, status=bounced (host 127.0.0.1[127.0.0.1] said: 550 no (in reply to MAIL FROM command))"},
        {"RCPT", "552 5.2.2 many",
         "dsn=5.2.2, status=bounced (host 127.0.0.1[127.0.0.1] said: 552 5.2.2 many (in reply to RCPT TO command))"},
        {"DATA", "451 4.3.0 later",
         "dsn=4.3.0, status=deferred (host 127.0.0.1[127.0.0.1] said: 451 4.3.0 later (in reply to DATA command))"},
        {".", "554 5.7.1 spam",
         "dsn=5.7.1, status=bounced (host 127.0.0.1[127.0.0.1] said: 554 5.7.1 spam (in reply to end of DATA "
         "command))"},
        {".", "CLOSE",
         "dsn=4.4.2, status=deferred (lost connection with 127.0.0.1[127.0.0.1] while sending end of data -- message "
         "may be sent more than once)"},
        {"EHLO", "CLOSE",
         "dsn=4.4.2, status=deferred (lost connection with 127.0.0.1[127.0.0.1] while performing the EHLO handshake)"},
        {"MAIL", "CLOSE",
         "dsn=4.4.2, status=deferred (lost connection with 127.0.0.1[127.0.0.1] while sending MAIL FROM)"},
        {"RCPT", "CLOSE",
         "dsn=4.4.2, status=deferred (lost connection with 127.0.0.1[127.0.0.1] while sending RCPT TO)"},
        {"DATA", "CLOSE",
         "dsn=4.4.2, status=deferred (lost connection with 127.0.0.1[127.0.0.1] while sending DATA command)"},
        {"RCPT", "MUTE",
         "dsn=4.4.2, status=deferred (conversation with 127.0.0.1[127.0.0.1] timed out while sending RCPT TO)"},
        {"MAIL", "what?\r\n550 5.7.1 no",
         "dsn=5.7.1, status=bounced (host 127.0.0.1[127.0.0.1] said: what? 550 5.7.1 no (in reply to MAIL FROM "
         "command))"},
        {"MAIL", endless.c_str(),
         "dsn=4.5.0, status=deferred (malformed response from 127.0.0.1[127.0.0.1] while sending MAIL FROM)"},
    };
    set("smtp_rcpt_timeout", "1");
    std::vector<std::unique_ptr<ScriptedServer>> servers;
    std::vector<ipc::DeliveryRequest> requests;
    for (auto& c : cases) {
        servers.push_back(std::make_unique<ScriptedServer>());
        servers.back()->replies[c.command] = c.reply;
        requests.push_back(queue(at(serve(*servers.back())), {"r1@remote.test"}, {"Subject: x", "", "body"}));
    }
    deliver(std::move(requests));
    for (auto& c : cases)
        EXPECT_NE(plain().find(c.expected), std::string::npos) << c.command << " " << c.reply << "\n" << plain();
}
// What a server says before it hangs up counts, also where we were about to write: the reset fails the write, and the
// words are still there to read.
TEST_F(Smtp, WordsOfAServerThatHangsUpAreNotLost) {
    const std::string host = "host 127.0.0.1[127.0.0.1] ";
    struct {
        const char *command, *reply;
        std::string expected;
    } cases[] = {
        {"EHLO", "RESET 550 5.7.1 go away",
         "dsn=4.7.1, status=deferred (" + host + "refused to talk to me: 550 5.7.1 go away)"},
        {"EHLO", "RESET 250-mx.test\r\n250 PIPELINING\r\n421 4.3.2 one",
         "dsn=4.3.2, status=deferred (" + host + "said: 421 4.3.2 one (in reply to MAIL FROM command))"},
        {"MAIL", "RESET 421 4.3.2 two",
         "dsn=4.3.2, status=deferred (" + host + "said: 421 4.3.2 two (in reply to MAIL FROM command))"},
        {"RCPT", "RESET 421 4.3.2 three",
         "dsn=4.3.2, status=deferred (" + host + "said: 421 4.3.2 three (in reply to RCPT TO command))"},
        {"DATA", "RESET 421 4.3.2 four",
         "dsn=4.3.2, status=deferred (" + host + "said: 421 4.3.2 four (in reply to DATA command))"},
        {"DATA", "RESET 354 go\r\n554 5.7.1 five",
         "dsn=5.7.1, status=bounced (" + host + "said: 554 5.7.1 five (in reply to end of DATA command))"},
        {"CONTENT", "RESET 552 5.3.4 six",
         "dsn=5.3.4, status=bounced (" + host + "said: 552 5.3.4 six (in reply to end of DATA command))"},
        {".", "RESET 421 4.3.2 seven",
         "dsn=4.3.2, status=deferred (" + host + "said: 421 4.3.2 seven (in reply to end of DATA command))"},
    };
    std::vector<std::unique_ptr<ScriptedServer>> servers;
    std::vector<ipc::DeliveryRequest> requests;
    for (auto& c : cases) {
        servers.push_back(std::make_unique<ScriptedServer>());
        servers.back()->replies[c.command] = c.reply;
        std::vector<std::string> lines{"Subject: x", ""};
        lines.resize(std::string_view(c.command) == "CONTENT" ? 10'000 : 3,
                     std::string(900, 'x'));  // more than the buffers between us hold
        requests.push_back(queue(at(serve(*servers.back())), {"r1@remote.test", "r2@remote.test"}, lines));
    }
    deliver(std::move(requests));
    for (auto& c : cases) {
        auto first = plain().find(c.expected);
        ASSERT_NE(first, std::string::npos) << c.command << " " << c.reply << "\n" << plain();
        EXPECT_NE(plain().find(c.expected, first + 1), std::string::npos)
            << "the second recipient: " << c.command << " " << c.reply << "\n"
            << plain();
    }
}
TEST_F(Smtp, GreetingsThatRefuse) {
    ScriptedServer server;
    server.greeting = "554 5.7.1 go away";
    auto port = serve(server);
    auto reply = deliver(at(port));
    EXPECT_TRUE(reply.deferred);
    EXPECT_EQ(reply.site_status, "4.7.1");
    EXPECT_NE(plain(port).find("relay=127.0.0.1[127.0.0.1]:PORT, tls=none, dsn=4.7.1, status=deferred (host "
                               "127.0.0.1[127.0.0.1] refused to talk to me: 554 5.7.1 go away)"),
              std::string::npos)
        << log;
    EXPECT_EQ(server.said.back(), "QUIT");
}
TEST_F(Smtp, NobodyListens) {
    ScriptedServer gone;
    std::uint16_t port = 0;
    {
        auto fd = net::listen_inet(*net::Address::parse("127.0.0.1", 0), 1);
        port = net::local_address(fd->get())->port();
    }
    auto reply = deliver(at(port));
    EXPECT_TRUE(reply.deferred);
    EXPECT_EQ(reply.site_reason, "connect to 127.0.0.1[127.0.0.1]:" + std::to_string(port) + ": Connection refused");
    EXPECT_EQ(plain(port), "connect to 127.0.0.1[127.0.0.1]:PORT: Connection refused\n"
                           "to=<r1@remote.test>, relay=none, tls=none, dsn=4.4.1, status=deferred (connect to "
                           "127.0.0.1[127.0.0.1]:PORT: Connection refused)\n");
}
TEST_F(Smtp, WhatTheFirstHostPutsOffTheSecondTakes) {
    auto mx = [](unsigned preference, std::string_view host) {
        return NameServer::number(preference) + NameServer::name(host);
    };
    names->add("two.test", dns::Type::mx, mx(20, "b.test"));
    names->add("two.test", dns::Type::mx, mx(10, "a.test"));
    names->add("a.test", dns::Type::a, std::string("\x7f\0\0\1", 4));
    names->add("b.test", dns::Type::a, std::string("\x7f\0\0\2", 4));
    set("inet_interfaces", "192.0.2.9");
    ScriptedServer a, b;
    a.replies["RCPT TO:<r1"] = "450 4.2.0 greylisted";
    auto port = serve(a);
    serve(b, "127.0.0.2", port);
    auto reply = deliver("two.test:" + std::to_string(port), {"r1@remote.test", "r2@remote.test"});
    EXPECT_FALSE(reply.deferred);
    EXPECT_TRUE(reply.site_status.empty());
    EXPECT_NE(plain(port).find("to=<r2@remote.test>, relay=a.test[127.0.0.1]:PORT, tls=none, dsn=2.0.0, status=sent"),
              std::string::npos)
        << log;
    EXPECT_NE(plain(port).find("to=<r1@remote.test>, relay=b.test[127.0.0.2]:PORT, tls=none, dsn=2.0.0, status=sent"),
              std::string::npos)
        << log;
    EXPECT_NE(log.find(": host a.test[127.0.0.1] said: 450 4.2.0 greylisted (in reply to RCPT TO command)\n"),
              std::string::npos)
        << log;
}
TEST_F(Smtp, NamesThatFail) {
    names->fail("servfail.test", 2);
    names->add("null.test", dns::Type::mx, NameServer::number(0) + NameServer::name(""));
    deliver({queue("nope.test", {"a@x.test"}, {"", "b"}), queue("servfail.test", {"b@x.test"}, {"", "b"}),
             queue("null.test", {"c@x.test"}, {"", "b"}), queue("[nope.test]", {"d@x.test"}, {"", "b"})});
    EXPECT_NE(plain().find("to=<a@x.test>, relay=none, dsn=5.4.4, status=bounced (Host or domain name not found. Name "
                           "service error for name=nope.test type=A"),
              std::string::npos)
        << plain();
    EXPECT_NE(plain().find("to=<b@x.test>, relay=none, dsn=4.4.3, status=deferred (Host or domain name not found. Name "
                           "service error for name=servfail.test type=MX: Host not found, try again)"),
              std::string::npos)
        << plain();
    EXPECT_NE(
        plain().find(
            "to=<c@x.test>, relay=none, dsn=5.1.0, status=bounced (Domain null.test does not accept mail (nullMX))"),
        std::string::npos)
        << plain();
    EXPECT_NE(plain().find("to=<d@x.test>, relay=none, dsn=5.4.4, status=bounced"), std::string::npos) << plain();
}
TEST_F(Smtp, MailThatComesBackToUs) {
    names->add("self.test", dns::Type::mx, NameServer::number(10) + NameServer::name("a.test"));
    names->add("a.test", dns::Type::a, std::string("\x7f\0\0\1", 4));
    set("inet_interfaces", "127.0.0.1");
    deliver("self.test");
    EXPECT_NE(plain().find("relay=none, dsn=5.4.6, status=bounced (mail for self.test loops back to myself)"),
              std::string::npos)
        << plain();
}
TEST_F(Smtp, FallbackRelayTakesWhatHasNoHost) {
    ScriptedServer server;
    auto port = serve(server);
    set("smtp_fallback_relay", at(port));
    EXPECT_FALSE(deliver("nope.test").deferred);
    EXPECT_NE(plain(port).find("relay=127.0.0.1[127.0.0.1]:PORT, tls=none, dsn=2.0.0, status=sent"), std::string::npos)
        << log;
}
TEST_F(Smtp, OldServersGetHelo) {
    ScriptedServer server;
    server.replies["EHLO"] = "500 what";
    auto port = serve(server);
    EXPECT_FALSE(deliver(at(port)).deferred);
    EXPECT_EQ(server.said.at(2), "HELO " + config->helo_name);
    EXPECT_EQ(server.said.at(3), "MAIL FROM:<sender@client.test>");
}
TEST_F(Smtp, ConnectionsAreUsedAgainOnDemand) {
    ScriptedServer server;
    auto port = serve(server);
    std::vector<ipc::DeliveryRequest> requests;
    for (int i = 0; i < 3; ++i) {
        requests.push_back(queue(at(port), {"r@remote.test"}, {"", "b"}));
        requests.back().flags =
            ipc::delivery_flags::connection_load | (i < 2 ? ipc::delivery_flags::connection_store : 0);
    }
    deliver(std::move(requests));
    EXPECT_EQ(server.connections, 1);
    EXPECT_NE(log.find("conn_use=3, "), std::string::npos) << log;
    EXPECT_EQ(std::count(server.said.begin(), server.said.end(), "RSET"), 0);
}
TEST_F(Smtp, KeptConnectionThatDiedIsReplacedInSilence) {
    ScriptedServer server;
    server.replies["MAIL FROM:<second"] = "CLOSE";
    auto port = serve(server);
    auto first = queue(at(port), {"r@remote.test"}, {"", "b"}), second = queue(at(port), {"r@remote.test"}, {"", "b"});
    first.flags = second.flags = ipc::delivery_flags::connection_load | ipc::delivery_flags::connection_store;
    second.sender = "second@client.test";
    std::vector<ipc::DeliveryReply> results;
    start();
    l->spawn([&] {
        results.push_back(agent->handle(std::move(first),
                                        [&](delivery::Job& job) { smtp::Delivery(*config, *kept, flags, job).run(); }));
        results.push_back(agent->handle(std::move(second),
                                        [&](delivery::Job& job) { smtp::Delivery(*config, *kept, flags, job).run(); }));
        loop::loop()->cancel_all();
    });
    l->spawn([&] {
        while (server.connections < 2)
            loop::yield();
        server.replies.clear();
    });
    l->run();
    ASSERT_EQ(results.size(), 2u);
    EXPECT_FALSE(results[1].deferred) << log;
    EXPECT_EQ(server.connections, 2);
}
TEST_F(Smtp, AKeywordIsDiscardedWithItsValueHoweverWritten) {
    ScriptedServer server;
    server.replies["EHLO"] = "250-mx.test\r\n250-SIZE=1\r\n250 8BITMIME";
    auto port = serve(server);
    set("smtp_discard_ehlo_keywords", "size");
    EXPECT_FALSE(deliver(at(port)).deferred);
    EXPECT_NE(log.find("status=sent"), std::string::npos) << log;
}
TEST_F(Smtp, AServerThatSaysItIsLeavingIsToldQuitAndNotKept) {
    ScriptedServer server;
    server.replies["."] = "421 4.3.2 leaving";
    auto port = serve(server);
    auto first = queue(at(port), {"r@remote.test"}, {"", "b"}), second = queue(at(port), {"r@remote.test"}, {"", "b"});
    first.flags = second.flags = ipc::delivery_flags::connection_load | ipc::delivery_flags::connection_store;
    deliver({first, second});
    EXPECT_EQ(server.connections, 2) << log;
    EXPECT_EQ(std::count(server.said.begin(), server.said.end(), "QUIT"), 2);
}
TEST_F(Smtp, FailedTransactionIsResetBeforeTheNext) {
    ScriptedServer server;
    server.replies["RCPT TO:<bad"] = "550 5.1.1 no";
    auto port = serve(server);
    auto first = queue(at(port), {"bad@remote.test"}, {"", "b"}),
         second = queue(at(port), {"r@remote.test"}, {"", "b"});
    first.flags = second.flags = ipc::delivery_flags::connection_load | ipc::delivery_flags::connection_store;
    deliver({first, second});
    EXPECT_EQ(server.connections, 1);
    EXPECT_EQ(std::count(server.said.begin(), server.said.end(), "RSET"), 1);
    EXPECT_NE(log.find("to=<r@remote.test>, relay=127.0.0.1[127.0.0.1]:" + std::to_string(port) + ", conn_use=2"),
              std::string::npos)
        << log;
}
TEST_F(Smtp, KeptConnectionIsAskedOnceForAMessage) {
    ScriptedServer server;
    server.replies["RCPT TO:<later"] = "450 4.2.1 later";
    auto port = serve(server);
    auto first = queue(at(port), {"r@remote.test"}, {"", "b"}),
         second = queue(at(port), {"later@remote.test"}, {"", "b"});
    first.flags = second.flags = ipc::delivery_flags::connection_load | ipc::delivery_flags::connection_store;
    start();
    auto asked = [&] {
        return std::count_if(server.said.begin(), server.said.end(),
                             [](const std::string& line) { return line.starts_with("RCPT TO:<later"); });
    };
    bool deferred = false;
    l->spawn([&] {
        for (auto* request : {&first, &second})
            deferred = agent
                           ->handle(std::move(*request),
                                    [&](delivery::Job& job) { smtp::Delivery(*config, *kept, flags, job).run(); })
                           .deferred;
        loop::loop()->cancel_all();
    });
    l->spawn([&] {
        while (asked() < 5)
            loop::yield();
        server.replies.clear();
    });  // an end, should it be asked again and again
    l->run();
    EXPECT_TRUE(deferred) << log;
    EXPECT_EQ(asked(), 1);
    EXPECT_EQ(server.connections, 1);
}
TEST_F(Smtp, LmtpHasAReplyForEachRecipient) {
    lmtp = true;
    ScriptedServer server;
    server.end_replies = {"250 2.0.0 <a> saved", "452 4.2.2 <b> over quota"};
    serve_path(server, "private/box");
    set("myhostname", "me.test");
    auto reply = deliver("unix:private/box", {"a@x.test", "b@x.test"});
    EXPECT_TRUE(reply.deferred);
    EXPECT_EQ(server.said.at(1), "LHLO me.test");
    EXPECT_NE(plain().find(
                  "to=<a@x.test>, relay=me.test[private/box], tls=none, dsn=2.0.0, status=sent (250 2.0.0 <a> saved)"),
              std::string::npos)
        << plain();
    EXPECT_NE(plain().find("to=<b@x.test>, relay=me.test[private/box], tls=none, dsn=4.2.2, status=deferred (host "
                           "me.test[private/box] said: 452 4.2.2 <b> over quota (in reply to end of DATA command))"),
              std::string::npos)
        << plain();
}
TEST_F(Smtp, LmtpSocketThatIsNotThere) {
    lmtp = true;
    set("myhostname", "me.test");
    deliver("unix:private/none");
    EXPECT_NE(plain().find("relay=none, tls=none, dsn=4.4.1, status=deferred (connect to me.test[private/none]: No "
                           "such file or directory)"),
              std::string::npos)
        << plain();
}
TEST_F(Smtp, LongLinesAreBroken) {
    ScriptedServer server;
    auto port = serve(server);
    set("smtp_line_length_limit", "100");
    deliver(at(port), {"r@x.test"}, {"", std::string(250, 'a'), std::string(100, 'b'), "c"});
    EXPECT_EQ(server.message, "\n" + std::string(100, 'a') + "\n " + std::string(99, 'a') + "\n " +
                                  std::string(51, 'a') + "\n" + std::string(100, 'b') + "\nc\n");
}
TEST_F(Smtp, EightBitPartsAreConvertedForOldServers) {
    ScriptedServer server;
    server.features = {"PIPELINING"};
    auto port = serve(server);
    auto q =
        queue(at(port), {"r@x.test"},
              {"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
               "gr\xc3\xbc\xc3\x9f"
               "e"});
    q.encoding = "8bit";
    deliver({q});
    EXPECT_NE(server.message.find("Content-Transfer-Encoding: quoted-printable"), std::string::npos) << server.message;
    EXPECT_NE(server.message.find("gr=C3=BC=C3=9Fe"), std::string::npos) << server.message;
    EXPECT_EQ(server.said.at(2), "MAIL FROM:<sender@client.test>");
}
TEST_F(Smtp, BodyAndDsnGoToServersThatKnowThem) {
    ScriptedServer server;
    auto port = serve(server);
    auto q = queue(at(port), {"r@x.test"}, {"", "b"});
    q.encoding = "8bit";
    q.envid = "a+b";
    q.ret = 2;
    q.recipients[0].notify = static_cast<int>(mail::notify::success | mail::notify::failure);
    q.recipients[0].orcpt = "rfc822;o@x.test";
    deliver({q});
    EXPECT_NE(server.said.at(2).find(" BODY=8BITMIME RET=HDRS ENVID=a+2Bb"), std::string::npos) << server.said.at(2);
    EXPECT_EQ(server.said.at(3), "RCPT TO:<r@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@x.test");
    EXPECT_TRUE(reports.empty());
}
TEST_F(Smtp, SuccessIsReportedHereWhereTheServerCannot) {
    ScriptedServer server;
    server.features = {};
    auto port = serve(server);
    auto q = queue(at(port), {"r@x.test"}, {"", "b"});
    q.recipients[0].notify = static_cast<int>(mail::notify::success);
    deliver({q});
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].second.action, "relayed");
}
TEST_F(Smtp, TooLargeForTheServer) {
    ScriptedServer server;
    server.features = {"SIZE 10"};
    auto port = serve(server);
    deliver(at(port));
    EXPECT_NE(plain().find("dsn=5.3.4, status=bounced (message size "), std::string::npos) << plain();
    EXPECT_NE(plain().find(" exceeds size limit 10 of server 127.0.0.1[127.0.0.1])"), std::string::npos) << plain();
}
TEST_F(Smtp, Smtputf8OnlyToServersThatOfferIt) {
    ScriptedServer old, modern;
    old.features = {"8BITMIME"};
    auto a = queue(at(serve(old)), {"r@x.test"}, {"", "b"}), b = queue(at(serve(modern)), {"r@x.test"}, {"", "b"});
    a.send_options = b.send_options = static_cast<int>(mail::smtputf8::requested | mail::smtputf8::sender);
    deliver({a, b});
    EXPECT_NE(plain().find(
                  "dsn=5.6.7, status=bounced (SMTPUTF8 is required, but was not offered by host 127.0.0.1[127.0.0.1])"),
              std::string::npos)
        << plain();
    EXPECT_NE(modern.said.at(2).find(" SMTPUTF8"), std::string::npos);
}
TEST_F(Smtp, KeywordsCanBeIgnored) {
    ScriptedServer server;
    auto port = serve(server);
    set("smtp_discard_ehlo_keywords", "pipelining, size, silent-discard");
    deliver(at(port));
    EXPECT_EQ(server.said.at(2), "MAIL FROM:<sender@client.test>");
    EXPECT_EQ(log.find("discarding"), std::string::npos);
}
TEST_F(Smtp, GenericMapsChangeEnvelopeAndHeader) {
    ScriptedServer server;
    auto port = serve(server);
    set("smtp_generic_maps", "inline:{ {sender@client.test = me@isp.test} }");
    deliver(at(port), {"r@x.test"}, {"From: Me <sender@client.test>", "To: r@x.test", "", "sender@client.test"});
    EXPECT_EQ(server.said.at(2).substr(0, 23), "MAIL FROM:<me@isp.test>");
    EXPECT_NE(server.message.find("From: Me <me@isp.test>\n"), std::string::npos) << server.message;
    EXPECT_NE(server.message.find("\nsender@client.test\n"), std::string::npos);
}
TEST_F(Smtp, GenericMapsAreAskedOnce) {
    ScriptedServer server;
    auto port = serve(server);
    set("smtp_generic_maps", "inline:{ {sender@client.test = b@isp.test}, {b@isp.test = c@isp.test} }");
    deliver(at(port), {"r@x.test"}, {"From: sender@client.test", "", "x"});
    EXPECT_EQ(server.said.at(2).substr(0, 22), "MAIL FROM:<b@isp.test>");
    EXPECT_NE(server.message.find("From: b@isp.test\n"), std::string::npos) << server.message;
}
TEST_F(Smtp, HeaderChecksAsTheMessageLeaves) {
    ScriptedServer server;
    auto port = serve(server);
    set("smtp_header_checks",
        "regexp:{ {/^X-Secret:/ IGNORE} {/^Subject: x/ REPLACE Subject: y} {/^To:/ PREPEND X-Before: 1} }");
    deliver(at(port), {"r@x.test"},
            {"X-Secret: 1", "Subject: x", "To: a", "X-Secret: gr\xfc\xdf", "", "X-Secret: body"});
    EXPECT_EQ(server.message, "Subject: y\nX-Before: 1\nTo: a\n\nX-Secret: body\n") << log;
}
TEST_F(Smtp, ProbesStopBeforeTheMessage) {
    ScriptedServer server;
    auto port = serve(server);
    auto q = queue(at(port), {"r@x.test"}, {"", "b"});
    q.flags = ipc::delivery_flags::probe;
    deliver({q});
    EXPECT_EQ(std::count(server.said.begin(), server.said.end(), "DATA"), 0);
    EXPECT_NE(plain().find("dsn=2.1.5, status=deliverable (250 2.1.5 Ok)"), std::string::npos) << plain();
}
TEST_F(Smtp, ManyRecipientsArePipelinedInBounds) {
    ScriptedServer server;
    auto port = serve(server);
    Lines recipients;
    for (int i = 0; i < 2000; ++i)
        recipients.push_back("someone-with-a-long-name-" + std::to_string(i) + "@remote.test");
    deliver(at(port), recipients);
    EXPECT_EQ(std::count_if(server.said.begin(), server.said.end(),
                            [](const std::string& s) { return s.starts_with("RCPT"); }),
              2000);
    std::size_t sent = 0;
    for (auto line : bytes::split(log, "\n"))
        sent += line.find("status=sent") != line.npos;
    EXPECT_EQ(sent, 2000u);
}
TEST_F(Smtp, FlagsPutLinesInFrontAndStopLoops) {
    ScriptedServer server;
    auto port = serve(server);
    flags.delivered_to = flags.original_to = flags.return_path = true;
    auto q = queue(at(port), {"r@x.test"}, {"Subject: x", "", "b"}),
         looping = queue(at(port), {"r@x.test"}, {"Delivered-To: R@x.test", "", "b"});
    q.recipients[0].original = "o@x.test";
    deliver({q, looping});
    EXPECT_EQ(server.message,
              "Return-Path: <sender@client.test>\nX-Original-To: o@x.test\nDelivered-To: r@x.test\nSubject: x\n\nb\n");
    EXPECT_NE(plain().find("relay=none, dsn=5.4.6, status=bounced (mail forwarding loop for r@x.test)"),
              std::string::npos)
        << plain();
}
TEST_F(Smtp, DotAfterThePauseForPixFirewalls) {
    ScriptedServer server;
    server.greeting = "220 ****************";
    auto port = serve(server);
    set("smtp_pix_workarounds", "Disable_ESMTP, delay_DotCRLF");
    set("smtp_pix_workaround_threshold_time", "0");
    set("smtp_pix_workaround_delay_time", "1");
    auto start = loop::Clock::now();
    EXPECT_FALSE(deliver(at(port)).deferred);
    EXPECT_GE(loop::Clock::now() - start, 1s);
    EXPECT_EQ(server.said.at(1), "HELO " + config->helo_name);
    EXPECT_NE(plain(port).find("enabling PIX workarounds: disable_esmtp delay_dotcrlf for 127.0.0.1[127.0.0.1]:PORT"),
              std::string::npos)
        << log;
}
TEST_F(Smtp, YoungMessagesDoNotPauseForPixFirewalls) {
    ScriptedServer server;
    server.greeting = "220 ****************";
    auto port = serve(server);
    set("smtp_pix_workaround_delay_time", "100");
    EXPECT_FALSE(deliver(at(port)).deferred);
    EXPECT_NE(plain(port).find("enabling PIX workarounds: disable_esmtp for 127.0.0.1[127.0.0.1]:PORT"),
              std::string::npos)
        << log;
}
