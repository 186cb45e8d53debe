// The rooms of a session, each without the others: content on its way downstream, words of a command, EHLO's keywords,
// the client.
#include <gtest/gtest.h>
#include "content.h"
#include "dialogue.h"
#include "downstream.h"
#include "fakes.h"
#include "keywords.h"
#include "log/log.h"
#include "tls/info.h"

namespace {
class Kept final : public smtpd::Downstream {
public:
    std::string text;
    std::string_view queue_id() const override { return "ID"; }
    Refusal add(const smtpd::EnvelopeRecipient&) override { return std::nullopt; }
    Refusal begin(const smtpd::Actions&, const smtpd::Actions&, std::string_view) override { return std::nullopt; }
    void line(std::string_view piece, bool ends) override { text.append(piece).append(ends ? "$" : "|"); }
    bool failed() const override { return false; }
    std::string finish(const smtpd::Actions&, const smtpd::Actions&, std::string_view) override {
        return "250 2.0.0 Ok";
    }
};

struct Piece {
    std::string_view text;
    bool ends = true;
};
std::string taken(const std::vector<Piece>& pieces, std::int64_t limit = 0, smtpd::Content* out = nullptr) {
    maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
    Kept kept;
    smtpd::Content content;
    content.begin(kept, limit);
    for (const Piece& piece : pieces)
        content.line(piece.text, piece.ends);
    if (out)
        *out = content;
    maillog::redirect(nullptr, nullptr);
    return kept.text;
}
}

TEST(Content, WhatMailboxesPutInFrontIsNoHeader) {
    EXPECT_EQ(taken({{"From a@b Tue"}, {"Subject: x"}}), "X-Mailbox-Line: From a@b Tue$Subject: x$");
    EXPECT_EQ(taken({{">From a@b", false}, {" Tue"}}), "X-Mailbox-Line: >From a@b| Tue$");
    EXPECT_EQ(taken({{"Subject: x"}, {"From a"}}), "Subject: x$From a$");
}

TEST(Content, AMessageMayBeginWithItsBody) {
    EXPECT_EQ(taken({{" text"}, {" more"}}), "$ text$ more$");
    EXPECT_EQ(taken({{"\ttext", false}, {"more"}}), "$\ttext|more$");
    EXPECT_EQ(taken({{""}, {" text"}}), "$ text$");
}

TEST(Content, BeyondTheLimitNothingGoesDownstream) {
    smtpd::Content content;
    EXPECT_EQ(taken({{"12345678"}, {"1"}, {"2"}}, 10, &content), "12345678$");
    EXPECT_TRUE(content.over_limit());
    EXPECT_EQ(content.bytes(), 10);
    EXPECT_EQ(taken({{"123456789"}, {"1"}}, 10, &content), "");
    EXPECT_TRUE(content.over_limit());
    EXPECT_EQ(content.bytes(), 0);
    EXPECT_EQ(taken({{"12345678"}}, 10, &content), "12345678$");
    EXPECT_FALSE(content.over_limit());
}

TEST(Words, AreSeparatedOutsideQuotesAndBrackets) {
    const std::pair<std::string_view, smtpd::Words> cases[] = {
        {"", {}},
        {"  \t", {}},
        {"QUIT", {"QUIT"}},
        {" MAIL  FROM:<a@b>\tSIZE=1 ", {"MAIL", "FROM:<a@b>", "SIZE=1"}},
        {"RCPT TO: <a b@c>", {"RCPT", "TO:", "<a b@c>"}},
        {"RCPT TO:<\"a b\"@c> X", {"RCPT", "TO:<\"a b\"@c>", "X"}},
        {"RCPT TO:<\"a>b c\"@d>", {"RCPT", "TO:<\"a>b c\"@d>"}},
        {"RCPT TO:<a\\> b> c", {"RCPT", "TO:<a\\> b>", "c"}},
        {"VRFY \"open", {"VRFY", "\"open"}},
        {"VRFY a> b", {"VRFY", "a>", "b"}},
    };
    for (const auto& [line, words] : cases)
        EXPECT_EQ(smtpd::split_words(line), words) << line;
}

TEST(Keywords, AreReadInAnyCaseAndNamedInOrder) {
    namespace keyword = smtpd::keyword;
    EXPECT_EQ(smtpd::parse_keywords("dsn, Pipelining,silent-discard", "p"),
              keyword::dsn | keyword::pipelining | keyword::silent);
    EXPECT_EQ(smtpd::parse_keywords("xverp", "p"), smtpd::parse_keywords("VERP", "p"));
    EXPECT_EQ(smtpd::keyword_names(keyword::dsn | keyword::pipelining | keyword::silent), "PIPELINING DSN");
    std::vector<std::string> log;
    maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                         void* to) { static_cast<std::vector<std::string>*>(to)->emplace_back(text); },
                      &log);
    EXPECT_EQ(smtpd::parse_keywords("etrn etrm", "smtpd_discard_ehlo_keywords"), keyword::etrn);
    maillog::redirect(nullptr, nullptr);
    EXPECT_EQ(log, std::vector<std::string>{"warning: unknown EHLO keyword \"etrm\" in smtpd_discard_ehlo_keywords"});
}

// Does local_header_rewrite_clients include a client that shows this certificate?
static bool included(const std::string& setting, const tls::Info& certificate) {
    fakes::World world;
    conf::Overrides settings = fakes::World::settings();
    settings.push_back({"local_header_rewrite_clients", setting});
    settings.push_back({"relay_clientcerts", "inline:{AA:BB=x, CC:DD=x}"});
    auto service = smtpd::Service::open(conf::Settings::defaults(settings), world.resolver("unknown"));
    if (!service)
        return false;
    smtpd::Client client;
    client.address = "192.0.2.1";
    client.family = AF_INET;
    client.encryption = std::make_shared<const tls::Info>(certificate);
    return (*service)->rewrite_clients.include(client, **service);
}

TEST(HeaderRewriteClients, AreKnownByTheirCertificate) {
    tls::Info shown;
    shown.peer_certificate = true;
    shown.fingerprint = "AA:BB";
    shown.key_fingerprint = "EE:FF";
    tls::Info key = shown, unlisted = shown, revoked = shown, none = shown, trusted = shown;
    key.fingerprint = "00:00", key.key_fingerprint = "CC:DD";
    unlisted.fingerprint = "00:00";
    revoked.revoked = true;
    none.peer_certificate = false;
    trusted.fingerprint = "00:00", trusted.status = tls::PeerStatus::trusted;
    for (const auto& [certificate, listed, all] : {std::tuple{&shown, true, false},
                                                   {&key, true, false},
                                                   {&unlisted, false, false},
                                                   {&revoked, false, false},
                                                   {&none, false, false},
                                                   {&trusted, false, true}}) {
        EXPECT_EQ(included("permit_tls_clientcerts", *certificate), listed) << certificate->fingerprint;
        EXPECT_EQ(included("permit_tls_all_clientcerts", *certificate), all) << certificate->fingerprint;
        EXPECT_FALSE(included("permit_inet_interfaces, permit_sasl_authenticated", *certificate));
    }
}
