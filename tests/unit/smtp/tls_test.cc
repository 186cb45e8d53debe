// The client's side of STARTTLS: what the levels none, may and encrypt make of servers that can and cannot.
#include "../tls/certificates.h"
#include "harness.h"

namespace {
class SmtpTls : public Smtp {
protected:
    void SetUp() override {
        Smtp::SetUp();
        auto made = tls::ServerContext::create(
            conf::Settings::defaults({{"smtpd_tls_chain_files", files.path("both.pem")}}), false);
        ASSERT_TRUE(made) << made.error().reason;
        server.tls = *made;
        server.features = {"PIPELINING", "STARTTLS"};
    }
    std::string run(const std::string& level) {
        set("smtp_tls_security_level", level);
        set("smtp_tls_loglevel", "1");
        port = serve(server);
        deliver("[127.0.0.1]:" + std::to_string(port));
        return plain(port);
    }
    bool said(const std::string& line) const { return std::count(server.said.begin(), server.said.end(), line) > 0; }
    Certificates files;
    ScriptedServer server;
    std::uint16_t port = 0;
};
constexpr const char* relay = "to=<r1@remote.test>, relay=127.0.0.1[127.0.0.1]:PORT, ";
}

TEST_F(SmtpTls, MayUsesWhatIsOffered) {
    std::string log_text = run("may");
    EXPECT_NE(log_text.find(std::string(relay) + "tls=may, dsn=2.0.0, status=sent"), std::string::npos) << log_text;
    EXPECT_NE(log_text.find("Untrusted TLS connection established to 127.0.0.1[127.0.0.1]:PORT: TLSv1.3 with cipher "
                            "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange x25519"),
              std::string::npos)
        << log_text;
    EXPECT_EQ(std::count_if(server.said.begin(), server.said.end(),
                            [](const std::string& s) { return s.starts_with("EHLO"); }),
              2)
        << "EHLO again, under TLS";
}
TEST_F(SmtpTls, NoneDoesNotAskForIt) {
    EXPECT_NE(run("none").find("tls=none, dsn=2.0.0, status=sent"), std::string::npos);
    EXPECT_FALSE(said("STARTTLS"));
}
TEST_F(SmtpTls, MayGoesOnInTheClear) {
    server.features = {"PIPELINING"};
    EXPECT_NE(run("may").find("tls=may:none, dsn=2.0.0, status=sent"), std::string::npos) << log;
}
TEST_F(SmtpTls, MayGoesOnInTheClearWhenStarttlsIsRefused) {
    server.replies["STARTTLS"] = "454 4.7.0 TLS not available due to local problem";
    EXPECT_NE(run("may").find("tls=may:none, dsn=2.0.0, status=sent"), std::string::npos) << log;
    EXPECT_EQ(server.connections, 1);
}
TEST_F(SmtpTls, MayGoesWithoutAfterAFailedHandshakeOnlyWhenTheMailHasWaited) {
    server.tls = nullptr;  // 220, then the connection ends
    set("smtp_tls_security_level", "may");
    port = serve(server);
    auto young = queue("[127.0.0.1]:" + std::to_string(port), {"young@remote.test"}, {"", "b"});
    auto old = queue(young.nexthop, {"old@remote.test"}, {"", "b"});
    old.arrival_seconds -= 301;
    deliver({young, old});
    EXPECT_NE(plain().find("to=<young@remote.test>, relay=127.0.0.1[127.0.0.1]:" + std::to_string(port) +
                           ", tls=may:none, dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)"),
              std::string::npos)
        << log;
    EXPECT_NE(plain().find("to=<old@remote.test>, relay=127.0.0.1[127.0.0.1]:" + std::to_string(port) +
                           ", tls=may:none, dsn=2.0.0, status=sent"),
              std::string::npos)
        << log;
    EXPECT_EQ(server.connections, 3);
    EXPECT_NE(log.find("SSL_connect error to 127.0.0.1[127.0.0.1]:"), std::string::npos) << log;
}
TEST_F(SmtpTls, EncryptNeedsTheOffer) {
    server.features = {"PIPELINING"};
    EXPECT_NE(run("encrypt").find("tls=!encrypt:nostarttls, dsn=4.7.4, status=deferred (TLS is required, but was not "
                                  "offered by host 127.0.0.1[127.0.0.1])"),
              std::string::npos)
        << log;
    EXPECT_EQ(std::count_if(server.said.begin(), server.said.end(),
                            [](const std::string& s) { return s.starts_with("MAIL"); }),
              0);
}
TEST_F(SmtpTls, EncryptDefersAtServersWithoutEhlo) {
    server.replies["EHLO"] = "500 what";
    EXPECT_NE(run("encrypt").find("dsn=4.7.4, status=deferred (TLS is required, but was not offered by host"),
              std::string::npos)
        << log;
}
TEST_F(SmtpTls, EncryptNeedsTheHandshake) {
    server.tls = nullptr;
    EXPECT_NE(run("encrypt").find("tls=!encrypt, dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)"),
              std::string::npos)
        << log;
    EXPECT_EQ(server.connections, 1);
}
TEST_F(SmtpTls, EncryptNeedsStarttlsToBeTaken) {
    server.replies["STARTTLS"] = "454 4.7.0 not now";
    EXPECT_NE(run("encrypt").find("dsn=4.7.0, status=deferred (TLS is required, but host 127.0.0.1[127.0.0.1] refused "
                                  "to start TLS: 454 4.7.0 not now)"),
              std::string::npos)
        << log;
}
TEST_F(SmtpTls, EncryptDefersWhenOurOwnKeyIsBad) {
    set("smtp_tls_cert_file", files.path("rsa.crt"));
    set("smtp_tls_key_file", files.path("ec.key"));
    EXPECT_NE(run("encrypt").find("dsn=4.7.5, status=deferred (TLS is required, but our TLS engine is unavailable)"),
              std::string::npos)
        << log;
    EXPECT_EQ(server.connections, 0);
}
TEST_F(SmtpTls, DaneWithoutSecureLookupsIsMay) {
    EXPECT_NE(run("dane").find("tls=may, dsn=2.0.0, status=sent"), std::string::npos) << log;
    EXPECT_NE(log.find("dane configured with dnssec lookups disabled"), std::string::npos) << log;
}
TEST_F(SmtpTls, DaneOnlyWithoutSecureLookupsDefers) {
    std::string text = run("dane-only");
    EXPECT_NE(text.find("dsn=4.7.5, status=deferred (client TLS configuration problem)"), std::string::npos) << text;
    EXPECT_EQ(server.connections, 0);
}
TEST_F(SmtpTls, WrapperModeStartsWithTheHandshake) {
    set("smtp_tls_wrappermode", "yes");
    set("smtp_tls_security_level", "encrypt");
    auto listener = std::make_shared<UniqueFd>(std::move(*net::listen_inet(*net::Address::parse("127.0.0.1", 0), 5)));
    port = net::local_address(listener->get())->port();
    l->spawn([&, listener] {
        loop::wait_readable(listener->get());
        net::Address peer;
        net::Stream s(std::move(*net::accept_one(listener->get(), peer)));
        if (tls::accept(s, *server.tls, loop::in(std::chrono::seconds(5)), "client"))
            server.talk(s);
    });
    deliver("[127.0.0.1]:" + std::to_string(port));
    EXPECT_NE(plain(port).find("tls=encrypt, dsn=2.0.0, status=sent"), std::string::npos) << log;
    EXPECT_FALSE(said("STARTTLS"));
}
TEST_F(SmtpTls, PolicyTableChoosesByDestination) {
    server.features = {"PIPELINING"};
    port = serve(server);
    std::string where = "[127.0.0.1]:" + std::to_string(port);
    set("smtp_tls_security_level", "may");
    set("smtp_tls_policy_maps", "inline:{ {" + where + " = encrypt} }");
    deliver(where);
    EXPECT_NE(plain(port).find("tls=!encrypt:nostarttls, dsn=4.7.4, status=deferred"), std::string::npos) << log;
}
