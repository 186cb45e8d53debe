#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <map>
#include "certificates.h"
#include "conf/settings.h"
#include "log/log.h"
#include "net/stream.h"
#include "tls/choice.h"
#include "tls/context.h"
#include "tls/identity.h"
#include "tls/keys.h"
#include "tls/client_context.h"
#include "tls/server_context.h"
#include "tls/session.h"

using namespace std::chrono_literals;

namespace {
class MemoryStore final : public tls::SessionStore {
public:
    std::optional<std::string> find(std::string_view id) override {
        auto it = kept.find(std::string(id));
        return it == kept.end() ? std::nullopt : std::optional(it->second);
    }
    void save(std::string_view id, std::string_view session) override { kept[std::string(id)] = session; }
    void remove(std::string_view id) override { kept.erase(std::string(id)); }
    std::vector<tls::TicketKey> ticket_keys() override { return keys; }
    std::map<std::string, std::string> kept;
    std::vector<tls::TicketKey> keys;
};

class Tls : public testing::Test {
protected:
    void SetUp() override {
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* me) { static_cast<Tls*>(me)->logged += std::string(text) + "\n"; },
                          this);
    }
    void TearDown() override { maillog::redirect(nullptr, nullptr); }
    conf::Overrides base() const {
        return {{"smtpd_tls_chain_files", files.path("both.pem")},
                {"smtpd_tls_loglevel", "1"},
                {"smtp_tls_loglevel", "1"},
                {"smtp_tls_CAfile", files.path("rsa.crt")}};
    }
    static conf::Settings with(conf::Overrides list, const conf::Overrides& more = {}) {
        list.insert(list.end(), more.begin(), more.end());
        return conf::Settings::defaults(list);
    }
    // One handshake, one line each way. Returns the client's view.
    struct Outcome {
        Result<tls::Info> server, client;
        std::string echo;
    };
    Outcome talk(tls::ServerContext& server, tls::ClientContext& client, const tls::Demand& demand = {}) {
        Outcome out{temporary("not run"), temporary("not run"), ""};
        loop::Loop l;
        auto pair = net::stream_pair();
        l.spawn([&] {
            net::Stream s(std::move(pair->first));
            out.server = tls::accept(s, server, loop::in(5s), "client.test[192.0.2.1]");
            if (!out.server)
                return;
            auto line = s.read_line(1000, loop::in(5s));
            if (!line)
                return;
            (void)s.write(std::string(line->text) + " to you\r\n");
            (void)s.flush(loop::in(5s));
            s.close();
        });
        l.spawn([&] {
            net::Stream s(std::move(pair->second));
            out.client = tls::connect(s, client, demand, loop::in(5s), "mx.test[192.0.2.2]:25");
            if (!out.client)
                return;
            (void)s.write("hello\r\n");
            if (auto line = s.read_line(1000, loop::in(5s)))
                out.echo = line->text;
            tls::save_session(s);
            s.close();
        });
        l.run();
        return out;
    }
    Certificates files;
    std::string logged;
};
}

TEST_F(Tls, HandshakeIsLoggedInTheUsualWords) {
    auto s = with(base());
    auto server = tls::ServerContext::create(s, false);
    auto client = tls::ClientContext::create(s, false);
    ASSERT_TRUE(server) << server.error().reason;
    ASSERT_TRUE(client) << client.error().reason;
    auto out = talk(**server, **client);
    ASSERT_TRUE(out.client) << out.client.error().reason;
    EXPECT_EQ(out.echo, "hello to you");
    EXPECT_EQ(out.client->status, tls::PeerStatus::trusted);
    const char* tail = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange x25519 server-signature "
                       "RSA-PSS (2048 bits) server-digest SHA256\n";
    EXPECT_NE(logged.find(std::string("Anonymous TLS connection established from client.test[192.0.2.1]: ") + tail),
              logged.npos)
        << logged;
    EXPECT_NE(logged.find(std::string("Trusted TLS connection established to mx.test[192.0.2.2]:25: ") + tail),
              logged.npos)
        << logged;
    EXPECT_EQ(out.client->peer_name, "mx.example.test");
}
TEST_F(Tls, EllipticKeysAreNamedByTheirCurve) {
    auto s = with(base(), {{"smtpd_tls_chain_files", ""},
                           {"smtpd_tls_cert_file", files.path("ec.crt")},
                           {"smtpd_tls_key_file", files.path("ec.key")}});
    auto out = talk(**tls::ServerContext::create(s, false), **tls::ClientContext::create(s, false));
    ASSERT_TRUE(out.client);
    EXPECT_EQ(out.client->server_signature, "ECDSA (prime256v1)");
    EXPECT_EQ(out.client->status, tls::PeerStatus::untrusted);
}
TEST_F(Tls, TicketsOfTheStoresKeysResumeSessions) {
    MemoryStore store;
    store.keys.push_back({std::string(16, 'n'), std::string(32, 'c'), std::string(32, 'm')});
    auto s = with(base());
    auto server = tls::ServerContext::create(s, false);
    auto client = tls::ClientContext::create(s, false);
    (*server)->keep_sessions_in(&store);
    (*client)->keep_sessions_in(&store);
    tls::Demand demand{.session_key = "smtp:mx.test"};
    EXPECT_FALSE(talk(**server, **client, demand).client->resumed);
    ASSERT_EQ(store.kept.size(), 1u);
    EXPECT_EQ(store.kept.begin()->first, "smtp:mx.test&" + demand.identity());
    logged.clear();
    auto again = talk(**server, **client, demand);
    ASSERT_TRUE(again.client);
    EXPECT_TRUE(again.client->resumed);
    EXPECT_EQ(again.client->status, tls::PeerStatus::trusted);
    EXPECT_NE(logged.find("(256/256 bits) key-exchange x25519\n"), logged.npos) << logged;
    auto other = tls::ServerContext::create(s, false);  // another process with the same keys
    (*other)->keep_sessions_in(&store);
    EXPECT_TRUE(talk(**other, **client, demand).client->resumed);
    store.keys.clear();
    auto keyless = tls::ServerContext::create(s, false);
    (*keyless)->keep_sessions_in(&store);
    auto fresh = talk(**keyless, **client, demand);
    ASSERT_TRUE(fresh.client);
    EXPECT_FALSE(fresh.client->resumed);
}
TEST_F(Tls, TicketsOfAKeyThatWasReplacedAreTakenWhileItIsKnown) {
    auto key = [](char c) {
        return tls::TicketKey{std::string(16, c), std::string(32, c), std::string(32, c), 4102444800};
    };
    auto s = with(base());
    auto client = tls::ClientContext::create(s, false);
    MemoryStore sessions, keys;
    (*client)->keep_sessions_in(&sessions);
    auto handshake = [&](std::vector<tls::TicketKey> known) {  // each time another process
        keys.keys = std::move(known);
        auto server = tls::ServerContext::create(s, false);
        (*server)->keep_sessions_in(&keys);
        auto out = talk(**server, **client, {.session_key = "smtp:mx.test"});
        return out.client && out.client->resumed;
    };
    EXPECT_FALSE(handshake({key('1')}));
    EXPECT_TRUE(handshake({key('2'), key('1')}));
    EXPECT_TRUE(handshake({key('2')})) << "a new ticket came along";
    EXPECT_TRUE(handshake({key('3'), key('2')}));
    EXPECT_FALSE(handshake({key('4')}));
}
TEST_F(Tls, TicketKeysStayInUseWhileNobodyHasNewOnes) {
    MemoryStore store;
    store.keys.push_back({std::string(16, 'n'), std::string(32, 'c'), std::string(32, 'm'), 4102444800});
    auto server = tls::ServerContext::create(with(base()), false);
    (*server)->keep_sessions_in(&store);
    (*server)->refresh_ticket_keys();
    store.keys.clear();
    (*server)->refresh_ticket_keys(true);
    EXPECT_EQ((*server)->ticket_keys().size(), 1u);
    store.keys.push_back({std::string(16, 'o'), std::string(32, 'c'), std::string(32, 'm'), 1});
    (*server)->refresh_ticket_keys(true);
    store.keys.clear();
    (*server)->refresh_ticket_keys(true);
    EXPECT_TRUE((*server)->ticket_keys().empty()) << "too old to seal";
}
TEST_F(Tls, CiphersOfTickets) {
    for (const char* name : {"aes-256-cbc", "AES-128-CBC", "aes-192-cbc", "camellia-256-cbc"}) {
        auto server = tls::ServerContext::create(with(base(), {{"tls_session_ticket_cipher", name}}), false);
        ASSERT_TRUE(server);
        EXPECT_TRUE((*server)->ticket_cipher()) << name;
    }
    for (const char* name : {"aes-256-gcm", "des-cbc", "junk"}) {
        logged.clear();
        auto server = tls::ServerContext::create(with(base(), {{"tls_session_ticket_cipher", name}}), false);
        ASSERT_TRUE(server);
        EXPECT_FALSE((*server)->ticket_cipher()) << name;
        EXPECT_EQ(logged, std::string("warning: tls_session_ticket_cipher: invalid value: ") + name +
                              "; session tickets disabled\n");
    }
}
TEST_F(Tls, SessionsOfOlderProtocolsAreFoundByTheirId) {
    MemoryStore store;
    auto s = with(base(), {{"smtp_tls_protocols", "<=TLSv1.2"},
                           {"smtpd_tls_session_cache_database", "btree:/none"},
                           {"tls_ssl_options", "NO_TICKET"}});
    auto server = tls::ServerContext::create(s, false);
    auto client = tls::ClientContext::create(s, false);
    ASSERT_TRUE(server) << server.error().reason;
    (*server)->keep_sessions_in(&store);
    (*client)->keep_sessions_in(&store);
    tls::Demand demand{.session_key = "smtp:mx.test"};
    EXPECT_FALSE(talk(**server, **client, demand).client->resumed);
    EXPECT_EQ(store.kept.size(), 2u);
    EXPECT_TRUE(talk(**server, **client, demand).client->resumed);
}
TEST_F(Tls, WithoutAStoreNothingIsResumedAndNothingFails) {
    auto s = with(base());
    auto server = tls::ServerContext::create(s, false);
    auto client = tls::ClientContext::create(s, false);
    for (int i = 0; i < 2; ++i)
        EXPECT_TRUE(talk(**server, **client, {.session_key = "x"}).client);
}
TEST_F(Tls, ProtocolsThatDoNotMeetFailTheHandshake) {
    auto s = with(base(), {{"smtp_tls_protocols", "<=TLSv1.2"}, {"smtpd_tls_protocols", ">=TLSv1.3"}});
    auto out = talk(**tls::ServerContext::create(s, false), **tls::ClientContext::create(s, false));
    EXPECT_FALSE(out.server);
    EXPECT_FALSE(out.client);
    EXPECT_NE(logged.find("SSL_accept error from client.test[192.0.2.1]: -1"), logged.npos) << logged;
    EXPECT_NE(logged.find("TLS library problem: error:"), logged.npos) << logged;
}
TEST_F(Tls, PlaintextBeforeTheHandshakeIsThrownAway) {
    auto s = with(base());
    auto server = tls::ServerContext::create(s, false);
    auto client = tls::ClientContext::create(s, false);
    loop::Loop l;
    auto pair = net::stream_pair();
    std::string got;
    l.spawn([&] {
        net::Stream stream(std::move(pair->first));
        EXPECT_EQ(stream.read_line(100, loop::in(5s))->text, "STARTTLS");
        (void)stream.write("220 go\r\n");
        (void)stream.flush(loop::in(5s));
        ASSERT_TRUE(tls::accept(stream, **server, loop::in(5s), "c[1]"));
        got = stream.read_line(100, loop::in(5s))->text;
    });
    l.spawn([&] {
        net::Stream stream(std::move(pair->second));
        (void)stream.write("STARTTLS\r\nMAIL FROM:<injected@example>\r\n");
        EXPECT_EQ(stream.read_line(100, loop::in(5s))->text, "220 go");
        ASSERT_TRUE(tls::connect(stream, **client, {}, loop::in(5s), "s[2]:25"));
        (void)stream.write("EHLO x\r\n");
        (void)stream.flush(loop::in(5s));
    });
    l.run();
    EXPECT_EQ(got, "EHLO x");
}
TEST_F(Tls, SilentPeerIsLeftAtTheDeadline) {
    auto server = tls::ServerContext::create(with(base()), false);
    auto pair = net::stream_pair();
    net::Stream stream(std::move(pair->first));
    auto done = tls::accept(stream, **server, loop::in(30ms), "slow[1]");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().reason, "Connection timed out");
}
TEST_F(Tls, BadKeysAreNamedWithTheirCause) {
    auto reason = [&](conf::Overrides more) {
        auto made = tls::ServerContext::create(with({}, more), false);
        return made ? std::string("good") : made.error().reason;
    };
    EXPECT_EQ(reason({{"smtpd_tls_chain_files", files.path("none.pem")}}),
              "error loading chain from " + files.path("none.pem") + ": No such file or directory");
    EXPECT_EQ(reason({{"smtpd_tls_cert_file", files.path("rsa.crt")}, {"smtpd_tls_key_file", files.path("rsa.enc")}}),
              "cannot get RSA private key from file \"" + files.path("rsa.enc") +
                  "\": disabling TLS support: the key is encrypted");
    EXPECT_EQ(reason({{"smtpd_tls_cert_file", files.path("rsa.crt")}, {"smtpd_tls_key_file", files.path("ec.key")}}),
              "cannot get RSA private key from file \"" + files.path("ec.key") +
                  "\": disabling TLS support: the key does not match the certificate in " + files.path("rsa.crt"));
    EXPECT_EQ(reason({{"smtpd_tls_chain_files", files.path("mixed.pem")}}),
              "error loading chain from " + files.path("mixed.pem") + ": the key does not match the certificate in " +
                  files.path("mixed.pem"));
    EXPECT_NE(reason({{"smtpd_tls_chain_files", files.path("swapped.pem")}}), "good");
    EXPECT_NE(reason({{"smtpd_tls_chain_files", files.path("broken.pem")}}), "good");
    EXPECT_NE(reason({{"smtpd_tls_chain_files", files.path("empty.pem")}}), "good");
    EXPECT_EQ(reason({{"smtpd_tls_chain_files", files.path("both.pem")}}), "good");
    EXPECT_NE(reason({{"smtpd_tls_chain_files", files.path("both.pem")}, {"smtpd_tls_protocols", ">=TLSv9"}})
                  .find("smtpd_tls_protocols"),
              std::string::npos);
}
TEST(TlsChoice, Protocols) {
    auto p = tls::parse_protocols(">=TLSv1.2, <=TLSv1.3");
    ASSERT_TRUE(p);
    EXPECT_EQ(p->lowest, 0x0303);
    EXPECT_EQ(p->highest, 0x0304);
    EXPECT_EQ(tls::parse_protocols("!SSLv2, !SSLv3")->off, std::uint64_t(SSL_OP_NO_SSLv3));
    EXPECT_EQ(tls::parse_protocols("TLSv1.2")->off & SSL_OP_NO_TLSv1_3, std::uint64_t(SSL_OP_NO_TLSv1_3));
    EXPECT_EQ(tls::parse_protocols("TLSv1.2")->off & SSL_OP_NO_TLSv1_2, 0u);
    EXPECT_EQ(tls::parse_protocols(">=0303")->lowest, 0x0303);
    EXPECT_EQ(tls::parse_protocols("")->off, 0u);
    EXPECT_FALSE(tls::parse_protocols("TLSv7"));
    EXPECT_FALSE(tls::parse_protocols(">=TLSv1.3 <=TLSv1.2"));
}
TEST(TlsChoice, CiphersByGrade) {
    auto s = conf::Settings::defaults();
    EXPECT_EQ(*tls::cipher_list(s, "High", "aNULL, MD5"),
              "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH:!aNULL:!MD5");
    EXPECT_EQ(*tls::cipher_list(s, "export", ""), *tls::cipher_list(s, "medium", ""));
    EXPECT_FALSE(tls::cipher_list(s, "best", ""));
}
TEST(TlsChoice, OptionsAndGroups) {
    EXPECT_EQ(*tls::parse_ssl_options("no_ticket, 0x1"), SSL_OP_NO_TICKET | 1u);
    EXPECT_FALSE(tls::parse_ssl_options("NO_SUCH"));
    EXPECT_TRUE(tls::parse_workarounds("CVE-2010-4180 TLSEXT_PADDING"));
    EXPECT_EQ(tls::known_groups("X25519 X25519MLKEM999 prime256v1", "ffdhe2048"), "X25519:prime256v1:ffdhe2048");
}
TEST(TlsChoice, WorkaroundsCanBeTurnedOff) {
    auto has = [](const conf::Overrides& overrides) {
        std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()), SSL_CTX_free);
        EXPECT_TRUE(tls::use_common_options(context.get(), conf::Settings::defaults(overrides)));
        return (SSL_CTX_get_options(context.get()) & SSL_OP_CRYPTOPRO_TLSEXT_BUG) != 0;
    };
    EXPECT_TRUE(has({}));
    EXPECT_FALSE(has({{"tls_disable_workarounds", "CRYPTOPRO_TLSEXT_BUG"}}));
}

TEST(TlsIdentity, SendmailsEncoding) {
    EXPECT_EQ(tls::plus_encode("/O=Foo Enterprises/CN=a+b (c) <d> \"e\""),
              "/O=Foo+20Enterprises/CN=a+2Bb+20+28c+29+20+3Cd+3E+20+22e+22");
    EXPECT_EQ(tls::plus_encode("/CN=a\\+b"), "/CN=a+2Bb");
    EXPECT_EQ(tls::plus_encode("/CN=a\\/CN=b"), "/CN=a\\/CN=b");
    EXPECT_EQ(tls::plus_encode("/CN=\x01\x7f\xc3\xa4"), "/CN=+01+7F+C3+A4");
}
