#include "message.h"
#include <gtest/gtest.h>
#include <fmt/format.h>
#include <cstdlib>
#include <filesystem>
#include "base/bytes.h"
#include "base/fd.h"
#include "checks.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "queue/file.h"

using namespace cleanup;
using queue::RecordType;
namespace flags = ipc::cleanup_flags;

namespace {
// Stands in for trivial-rewrite: completes bare users, fails for "fail".
Result<std::string> fake_rewrite(std::string_view context, const std::string& external) {
    if (external == "fail")
        return temporary("address rewriting problem for fail");
    if (external.find('@') != std::string::npos)
        return external;
    return external + (context == "remote" ? "@domain.invalid" : "@mx.test");
}

std::string reported;

class CleanupTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/posthorn-cleanup-XXXXXX";
        directory_ = ::mkdtemp(name);
        std::filesystem::create_directories(directory_ + "/incoming");
        std::filesystem::create_directories(directory_ + "/hold");
        std::filesystem::current_path(directory_);
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* to) { *static_cast<std::string*>(to) += std::string(text) + "\n"; },
                          &log_);
    }
    void TearDown() override {
        maillog::redirect({}, nullptr);
        std::filesystem::current_path("/");
        std::filesystem::remove_all(directory_);
    }

    void open(conf::Overrides overrides = {}, int with = flags::external) {
        overrides.push_back({"myhostname", "mx.test"});
        overrides.push_back({"maillog_early_end_ids", "yes"});
        overrides.push_back({"queue_directory", directory_});
        auto rules = Rules::open(conf::Settings::defaults(overrides));
        ASSERT_TRUE(rules) << rules.error().reason;
        rules_ = std::make_unique<Rules>(std::move(*rules));
        auto file = queue::NewQueueFile::create(rules_->directories, "incoming", false);
        ASSERT_TRUE(file) << file.error().reason;
        message_ = std::make_unique<MessageWriter>(*rules_,
                                                   Services{fake_rewrite,
                                                            [](const ipc::ReportAppend& r) {
                                                                reported = r.address + " " + r.action;
                                                                return true;
                                                            }},
                                                   with, std::move(*file));
    }
    void put(char type, std::string_view payload = {}) { message_->take(static_cast<RecordType>(type), payload); }
    void envelope(std::vector<std::string> recipients, std::string_view context = "local") {
        put('T', "1795348574 5");
        put('A', "rewrite_context=" + std::string(context));
        put('A', "log_message_origin=localhost[127.0.0.1]");
        put('A', "log_helo_name=client.test");
        put('A', "log_protocol_name=ESMTP");
        put('S', "me@x.y");
        for (const auto& r : recipients)
            put('R', r);
        put('M');
    }
    void content(std::string_view text) {
        while (!text.empty()) {
            const auto [line, rest] = bytes::cut(text, '\n');
            put('N', line);
            text = rest.value_or("");
        }
        put('X');
    }
    ipc::CleanupReply end() {
        put('E');
        return message_->finish();
    }
    // The queue file as text: one record a line, content lines as they are.
    std::string file(std::string_view queue = "incoming") {
        auto opened = queue::QueueFile::open(rules_->directories, queue, message_->id(), queue::Access::read);
        if (!opened)
            return "no file: " + opened.error().reason;
        std::string out;
        queue::RecordReader reader(opened->fd());
        bool content = false;
        while (auto item = *reader.next()) {
            const char type = static_cast<char>(item->type);
            if (type == 'X')
                content = false;
            if (type != 'C' && type != 'T' && !item->payload.starts_with("create_time")) {
                if (!content)
                    (out += type) += ' ';
                (out += item->payload) += content && type == 'L' ? "~" : "\n";
            }
            if (type == 'M')
                content = true;
        }
        return out;
    }
    std::string log_without_id() {
        std::string out = log_;
        const std::string id = message_->id().text();
        for (std::size_t at; (at = out.find(id)) != std::string::npos;)
            out.replace(at, id.size(), "ID");
        return out;
    }

    std::string directory_, log_;
    std::unique_ptr<Rules> rules_;
    std::unique_ptr<MessageWriter> message_;
};
}

TEST_F(CleanupTest, AnUnknownRewriteContextIsTheDefault) {
    for (const char* context : {"local", "remote X: y", "", "LOCAL"}) {
        open();
        envelope({"r@b.c"}, context);
        content("Subject: x\n\nhello\n");
        end();
        EXPECT_NE(file().find("From: me@x.y"), std::string::npos) << context << "\n" << file();
    }
}

TEST_F(CleanupTest, ASignedMessageOfOursStaysAsItIs) {
    open();
    envelope({"r@b.c"}, "none");
    content("From: foo\nSubject: x\n\nhello\n");
    end();
    EXPECT_NE(file().find("From: foo\n"), std::string::npos) << file();
}

TEST_F(CleanupTest, PlainMessageIsCompletedAndQueued) {
    open();
    envelope({"r@b.c", "bare"});
    content("From: foo\nTo: r@b.c\nSubject: x\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_TRUE(message_->queued());
    const std::string id = message_->id().text();
    const std::string text = file();
    EXPECT_NE(text.find("S me@x.y\nA dsn_orig_rcpt=rfc822;r@b.c\nO r@b.c\nR r@b.c\nA "
                        "dsn_orig_rcpt=rfc822;bare@mx.test\nO bare\nR bare@mx.test\nM \n"
                        "From: foo@mx.test\nTo: r@b.c\nSubject: x\nMessage-Id: <20261122115614." +
                        id + "@mx.test>\nDate: Sun, 22 Nov 2026 11:56:14 "),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\n\nbody\nX \nE \n"), std::string::npos) << text;
    EXPECT_EQ(log_without_id(), "ID: message-id=<20261122115614.ID@mx.test>\n");
    auto opened = queue::QueueFile::open(rules_->directories, "incoming", message_->id(), queue::Access::read);
    EXPECT_TRUE(opened->complete());
    auto env = opened->envelope();
    ASSERT_TRUE(env);
    EXPECT_EQ(env->size.recipients, 2);
    EXPECT_EQ(env->remaining, 2u);
}

TEST_F(CleanupTest, RemoteMailKeepsItsHeaders) {
    open();
    envelope({"r@b.c"}, "remote");
    content("From: foo\nBcc: secret\nReturn-Path: <x>\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("M \nFrom: foo\n\nbody\nX \n"), std::string::npos) << file();
    EXPECT_EQ(log_without_id(), "ID: message-id=<>\n");
}

TEST_F(CleanupTest, RemoteHeadersAreCompletedWithTheirOwnDomain) {
    open({{"remote_header_rewrite_domain", "domain.invalid"}});
    envelope({"r@b.c"}, "remote");
    content("From: foo\nMessage-Id: <a@b>\nDate: x\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("M \nFrom: foo@domain.invalid\nMessage-Id: <a@b>\nDate: x\n\nbody\n"), std::string::npos)
        << file();
}

TEST_F(CleanupTest, HeaderCheckRejects) {
    open({{"header_checks", "inline:{{Subject: bad=REJECT 5.7.3 go away}}"}});
    envelope({"r@b.c"});
    content("Subject: bad\n\nbody\n");
    const auto reply = end();
    EXPECT_FALSE(reply.ok);
    EXPECT_EQ(reply.smtp_code, 550);
    EXPECT_EQ(reply.status, "5.7.3");
    EXPECT_EQ(reply.reason, "go away");
    EXPECT_EQ(log_without_id(), "ID: reject: header Subject: bad from localhost[127.0.0.1]; from=<me@x.y> to=<r@b.c> "
                                "proto=ESMTP helo=<client.test>: 5.7.3 go away\n"
                                "ID: removed (canceled)\n");
    EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/incoming"));
}

TEST_F(CleanupTest, ChecksActOnHeadersAndBody) {
    open({{"header_checks", "inline:{{Subject: warn=WARN odd}, {X-Ignore: 1=IGNORE}, {X-Old: 1=REPLACE X-New: foo}, "
                            "{X-Pre: 1=PREPEND X-First: a}, "
                            "{X-Red: 1=REDIRECT other@place}, {X-Fil: 1=FILTER smtp:[h]}, {X-Bcc: 1=BCC hid@den}, "
                            "{X-Bad: 1=FOO}, {X-Bad2: 1=FILTER x}}"},
          {"body_checks", "inline:{{strip me=STRIP why}, {replace me=REPLACE replaced}, {prepend=PREPEND before}}"}});
    envelope({"r@b.c"});
    content("Subject: warn\nX-Ignore: 1\nX-Old: 1\nX-Pre: 1\nX-Red: 1\nX-Fil: 1\nX-Bcc: 1\nX-Bad: 1\nX-Bad2: "
            "1\nMessage-Id: <a@b>\nDate: d\nFrom: a@b.c\n\nstrip me\nreplace me\nprepend\nend\n");
    EXPECT_TRUE(end().ok);
    const std::string text = file();
    EXPECT_NE(text.find("M \nSubject: warn\nX-New: foo\nX-First: a\nX-Pre: 1\nX-Red: 1\nX-Fil: 1\nX-Bcc: 1\nX-Bad: "
                        "1\nX-Bad2: 1\nMessage-Id: <a@b>\nDate: d\nFrom: a@b.c\n\n"
                        "replaced\nbefore\nprepend\nend\nX \nA notify_flags=1\nO hid@den\nR hid@den\nL smtp:[h]\n> "
                        "other@place\nE \n"),
              std::string::npos)
        << text;
    EXPECT_NE(log_without_id().find(
                  "warning: unknown command in header_checks map: FOO\nwarning: bad FILTER command x in header_checks"),
              std::string::npos)
        << log_;
}

// What header_checks (p), mime_header_checks (m), nested_header_checks (n) and body_checks (b) are asked about, as the
// reference asks.
TEST_F(CleanupTest, NoLineOfAMessagePassesItsChecksBy) {
    const std::string y = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n",
                      ym = "m MIME-Version: 1.0\nm Content-Type: multipart/mixed; boundary=b\n";
    struct {
        std::string content, seen;
    } cases[] = {
        {"Subject: buy \xe9 v\n\n\xff\xfe v\n", "p Subject: buy ? v\nb ?? v\n"},
        {"Subject : x\nX-A\t:y\nContent-Type : text/plain\n\n", "p Subject: x\np X-A:y\nm Content-Type: text/plain\n"},
        {y + "--b\nP : 1\nContent-Type \t: message/rfc822\n\nN : 1\n\nbody : x\n",
         ym + "b --b\nm P: 1\nm Content-Type: message/rfc822\nn N: 1\nb body : x\n"},
        {"Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain\n\n--b\nP: 1\n\n",
         "m Content-Type: multipart/mixed; boundary=b\nm Content-Type: text/plain\nb --b\nm P: 1\n"},
        {"Content-Type: multipart/mixed; boundary=\"\"\n\n--\nP: 1\n\n--x\nP: 2\n\n",
         "m Content-Type: multipart/mixed; boundary=\"\"\nb --\nb P: 1\nb --x\nm P: 2\n"},
        {"Content-Type: multipart/mixed; boundary=\"b \"\n\n--b\nP: 1\n\n--b \nP: 2\n\n",
         "m Content-Type: multipart/mixed; boundary=\"b \"\nb --b\nb P: 1\nb --b \nm P: 2\n"},
        {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nN: 1\n\n",
         "m Content-Type: message/rfc822\nm Content-Transfer-Encoding: base64\nn N: 1\n"},
        {"Content-Type: message/rfc822\nContent-Type: image/png\n\nN: 1\n\n",
         "m Content-Type: message/rfc822\nm Content-Type: image/png\nn N: 1\n"},
        {"Content-Type: message/rfc822\nContent-Type: \n\nN: 1\n\n",
         "m Content-Type: message/rfc822\nm Content-Type: \nb N: 1\n"},
        // body_checks_size_limit = 100, of each part; the empty line that begins it counts.
        {"A: b\n\n" + std::string(97, 'y') + "\nseen\nnot seen\n", "p A: b\nb " + std::string(97, 'y') + "\nb seen\n"},
        {"A: b\n\n" + std::string(98, 'y') + "\nnot seen\n", "p A: b\nb " + std::string(98, 'y') + "\n"},
        {y + "--b\n\n" + std::string(200, 'y') + "\nnot seen\n--b\n\nseen\n",
         ym + "b --b\nb " + std::string(200, 'y') + "\nb seen\n"},
        {y + "--b\n\n" + std::string(200, 'y') + "\n--b--\nseen\n",
         ym + "b --b\nb " + std::string(200, 'y') + "\nb --b--\nb seen\n"},
        {"A: b\n\n" + std::string(100, '\n') + "not seen\n", "p A: b\n"},
    };
    for (const auto& c : cases) {
        open({{"header_checks", "regexp:{{/./ INFO p}}"},
              {"mime_header_checks", "regexp:{{/./ INFO m}}"},
              {"nested_header_checks", "regexp:{{/./ INFO n}}"},
              {"body_checks", "regexp:{{/./ INFO b}}"},
              {"body_checks_size_limit", "100"}});
        log_.clear();
        envelope({"r@b.c"});
        content(c.content);
        EXPECT_TRUE(end().ok);
        std::string seen;
        for (std::string_view line : bytes::split(log_, "\n")) {
            const std::size_t info = line.find(": info: "), from = line.find(" from localhost[");
            if (info == line.npos || from == line.npos)
                continue;
            std::string_view text = bytes::cut(line.substr(info + 8, from - info - 8), ' ').second.value_or("");
            (((seen += line.back()) += ' ') += text) += '\n';
        }
        EXPECT_EQ(seen, c.seen) << c.content;
    }
}

TEST_F(CleanupTest, BlanksBeforeTheColonOfAHeaderGo) {
    open();
    envelope({"r@b.c"}, "remote");
    content("Subject : x\nDelivered-To\t : y\nDate \t: z\nX-Long : a\n b : c\n\nbody : x\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("M \nSubject: x\nDelivered-To: y\nDate: z\nX-Long: a\n b : c\n\nbody : x\n"),
              std::string::npos)
        << file();
}

TEST_F(CleanupTest, HoldAndDiscard) {
    open({{"header_checks", "inline:{{Subject: hold=HOLD}}"}});
    envelope({"r@b.c"});
    content("Subject: hold\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_FALSE(message_->queued());
    EXPECT_NE(file("hold").find("Subject: hold"), std::string::npos);
    open({{"header_checks", "inline:{{Subject: away=DISCARD}}"}});
    envelope({"r@b.c"});
    content("Subject: away\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(log_without_id().find("ID: removed (discarded)\n"), std::string::npos);
    EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/incoming"));
}

TEST_F(CleanupTest, LocalMailWithBadContentGoesToErrorAgent) {
    open({{"header_checks", "inline:{{Subject: bad=REJECT no}}"}}, flags::external | flags::bounce);
    envelope({"r@b.c"});
    content("Subject: bad\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("L error:5.7.1 no\n"), std::string::npos) << file();
}

TEST_F(CleanupTest, VirtualAliasesExpandWithExtensionsAndDuplicatesGo) {
    open({{"virtual_alias_maps", "inline:{{list@v.t=a@v.t, list@v.t, b, a@v.t}, {a@v.t=c@d.e}, {ext@v.t=user@w.x}, "
                                 "{@dom.t=@other.t}, {loop@v.t=loop+@v.t}}"},
          {"recipient_delimiter", "+"}});
    envelope({"list@v.t", "ext+tag@v.t", "who@dom.t"});
    content("Message-Id: <a@b>\n\nbody\n");
    EXPECT_TRUE(end().ok);
    std::string recipients;
    const std::string text = file();
    for (std::string_view line : bytes::split(text, "\n"))
        if (line.starts_with("R "))
            recipients += std::string(line.substr(2)) + " ";
    EXPECT_EQ(recipients, "c@d.e list@v.t b@mx.test user+tag@w.x who@other.t ");
}

TEST_F(CleanupTest, NoMemberOfALongAliasGetsLost) {
    std::string members;
    for (int i = 0; i < 3000; ++i)
        members += fmt::format(" u{}@b.c", i);  // more tokens than header_address_token_limit lets through
    open({{"virtual_alias_maps", "inline:{{list@v.t=" + members + "}}"}, {"virtual_alias_expansion_limit", "5000"}});
    envelope({"list@v.t"});
    content("Message-Id: <a@b>\n\nbody\n");
    EXPECT_TRUE(end().ok);
    const std::string text = file();
    int recipients = 0;
    for (std::string_view line : bytes::split(text, "\n"))
        recipients += line.starts_with("R u");
    EXPECT_EQ(recipients, 3000);
}

TEST_F(CleanupTest, AnOverlongEnvelopeAddressIsRefusedForGood) {
    const std::string longest(queue::address_max - 4, 'a'), overlong = longest + "a@x.t";
    open();
    envelope({longest + "@x.t", overlong.substr(1)});
    content("body\n");
    EXPECT_TRUE(end().ok);
    open();
    envelope({"good@x.t", overlong});
    content("body\n");
    auto reply = end();
    EXPECT_EQ(reply.smtp_code, 550);
    EXPECT_EQ(reply.status + " " + reply.reason, "5.1.3 recipient address of 16385 bytes: the limit is 16384");
    open();
    put('S', overlong);
    put('R', "good@x.t");
    put('M');
    content("body\n");
    reply = end();
    EXPECT_EQ(reply.smtp_code, 550);
    EXPECT_EQ(reply.status + " " + reply.reason, "5.1.7 sender address of 16385 bytes: the limit is 16384");
}

TEST_F(CleanupTest, AnAliasWithoutAnAddressIsRefusedForNow) {
    open({{"virtual_alias_maps", "inline:{{list@v.t=(nobody)}}"}});
    envelope({"list@v.t"});
    content("Message-Id: <a@b>\n\nbody\n");
    EXPECT_EQ(end().smtp_code, 451);
    EXPECT_NE(log_.find("there is no address in \"(nobody)\", the value for list@v.t"), std::string::npos) << log_;
}

// As the reference expands them; "451": it gives up.
TEST_F(CleanupTest, AnAddressAmongItsOwnVirtualAliasesGetsItsCopy) {
    struct {
        std::string table, recipient, expected;
    } cases[] = {
        {"{@ex.test=a@ex.test b@ex.test}", "x@ex.test", "a@ex.test b@ex.test "},
        {"{@ex.test=a@ex.test b@ex.test c@ex.test}", "a@ex.test", "a@ex.test b@ex.test c@ex.test "},
        {"{a@ex.test=b@ex.test a@ex.test}, {b@ex.test=a@ex.test b@ex.test}", "a@ex.test", "a@ex.test b@ex.test "},
        {"{a@ex.test=b@ex.test a@ex.test}, {b@ex.test=c@ex.test}, {c@ex.test=a@ex.test}", "b@ex.test", "a@ex.test "},
        {"{a@ex.test=A@ex.test z@ex.test}, {z@ex.test=a@ex.test}", "a@ex.test", "A@ex.test "},
        {"{x@ex.test=s@ex.test t@ex.test}, {s@ex.test=s@ex.test x@ex.test}", "x@ex.test", "s@ex.test t@ex.test "},
        {"{a@ex.test=c@ex.test d@ex.test a@ex.test c@ex.test}, {d@ex.test=e@ex.test e@ex.test c@ex.test}", "a@ex.test",
         "c@ex.test e@ex.test a@ex.test "},
        {"{a@ex.test=b@ex.test}, {b@ex.test=a@ex.test}", "a@ex.test", "451"},
        {"{a@ex.test=b@ex.test c@ex.test}, {b@ex.test=a@ex.test d@ex.test}, {c@ex.test=a@ex.test}", "a@ex.test", "451"},
        {"{a@ex.test=@other.test}, {a@other.test=@ex.test}", "a@ex.test", "451"},
    };
    for (const auto& c : cases) {
        open({{"virtual_alias_maps", "inline:{" + c.table + "}"}});
        envelope({c.recipient});
        content("Message-Id: <a@b>\n\nbody\n");
        const auto reply = end();
        std::string recipients = reply.ok ? "" : std::to_string(reply.smtp_code);
        const std::string text = reply.ok ? file() : "";
        for (std::string_view line : bytes::split(text, "\n"))
            if (line.starts_with("R "))
                recipients += std::string(line.substr(2)) + " ";
        EXPECT_EQ(recipients, c.expected) << c.table;
    }
    // So many addresses lead to the last that another step would be too much.
    for (int steps : {4, 5}) {
        std::string chain;
        for (int i = 0; i < steps; ++i)
            chain += fmt::format("{{c{}@ex.test=c{}@ex.test}},", i, i + 1);
        open({{"virtual_alias_maps", "inline:{" + chain + "}"}, {"virtual_alias_recursion_limit", "5"}});
        envelope({"c0@ex.test"});
        content("Message-Id: <a@b>\n\nbody\n");
        EXPECT_EQ(end().ok, steps == 4);
    }
}

TEST_F(CleanupTest, AListAnswersExpandedInsteadOfItsMembers) {
    open({{"virtual_alias_maps", "inline:{{list@v.t=a@b.c, d@e.f}}"}});
    put('T', "1795348574");
    put('S', "me@x.y");
    put('A', "notify_flags=10");
    put('R', "list@v.t");
    put('M');
    content("Message-Id: <a@b>\n\n");
    EXPECT_TRUE(end().ok);
    EXPECT_EQ(reported, "list@v.t expanded");
    EXPECT_NE(file().find("A notify_flags=8\nA dsn_orig_rcpt=rfc822;list@v.t\nO list@v.t\nR a@b.c\n"),
              std::string::npos)
        << file();
}

TEST_F(CleanupTest, UnreasonableAliasesAreRefusedForNow) {
    open({{"virtual_alias_maps", "regexp:{{/^grow(.*)@/ g@b.c, grow1$${1}@b.c, h$$1@c.d}}"}});
    envelope({"grow0@b.c"});
    content("Message-Id: <a@b>\n\nbody\n");
    const auto reply = end();
    EXPECT_EQ(reply.smtp_code, 451);
    EXPECT_EQ(reply.status + " " + reply.reason, "4.6.0 Alias expansion error");
}

TEST_F(CleanupTest, BrokenTablesRefuseForNow) {
    for (const char* parameter : {"virtual_alias_maps", "canonical_maps", "header_checks", "sender_bcc_maps",
                                  "recipient_bcc_maps", "body_checks"}) {
        open({{parameter, "fail:broken"}});
        envelope({"r@b.c"});
        content("Message-Id: <a@b>\n\nbody\n");
        const auto reply = end();
        EXPECT_EQ(std::to_string(reply.smtp_code) + " " + reply.status + " " + reply.reason,
                  "451 4.3.0 Error: queue file write error")
            << parameter;
    }
    open();
    envelope({"fail"});
    content("\n");
    EXPECT_EQ(end().smtp_code, 451);
}

TEST_F(CleanupTest, CanonicalMapsMasqueradeAndBcc) {
    open({{"canonical_maps", "inline:{{me@x.y=sub@host.corp.test}, {r@b.c=rr@b.c}}"},
          {"masquerade_domains", "corp.test"},
          {"masquerade_exceptions", "root"},
          {"always_bcc", "all@arch"},
          {"sender_bcc_maps", "inline:{{sub@corp.test=sent@arch}}"},
          {"recipient_bcc_maps", "inline:{{rr@b.c=got@arch}}"}});
    envelope({"r@b.c"});
    content("From: me@x.y\nSender: root@host.corp.test\nTo: R <r@b.c>\nMessage-Id: <a@b>\nDate: d\n\nbody\n");
    EXPECT_TRUE(end().ok);
    const std::string text = file();
    EXPECT_NE(text.find("S sub@corp.test\n"), std::string::npos) << text;
    EXPECT_NE(text.find("From: sub@corp.test\nSender: root@host.corp.test\nTo: R <rr@b.c>\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("O r@b.c\nR rr@b.c\nA notify_flags=1\nO got@arch\nR got@arch\nM"), std::string::npos) << text;
    EXPECT_NE(text.find("O all@arch\nR all@arch\nA notify_flags=1\nO sent@arch\nR sent@arch\n"), std::string::npos)
        << text;
}

TEST_F(CleanupTest, LimitsAndMimeRules) {
    open({{"message_size_limit", "1000"}});
    envelope({"r@b.c"});
    content("Subject: x\n\n" + std::string(2000, 'x') + "\n");
    EXPECT_EQ(end().smtp_code, 552);
    open({{"hopcount_limit", "3"}});
    envelope({"r@b.c"});
    content("Received: x\nReceived: x\nReceived: x\n\n");
    EXPECT_EQ(end().reason, "Error: too many hops");
    open({{"strict_8bitmime", "yes"}});
    envelope({"r@b.c"});
    log_.clear();
    content("Subject: x\nX-8: \xc3\xa4\n\nbody\n");
    const auto reply = end();
    EXPECT_EQ(reply.status + " " + reply.reason, "5.6.0 improper use of 8-bit data in message header");
    EXPECT_NE(log_without_id().find("ID: reject: mime-error improper use of 8-bit data in message header: X-8: "
                                    "\xc3\xa4 from localhost[127.0.0.1]; from=<me@x.y> to=<r@b.c>\n"),
              std::string::npos)
        << log_;
    open({{"strict_8bitmime", "yes"}});
    envelope({"r@b.c"});
    log_.clear();
    content("X-8: \xc3\xa4\nX-9: \xc3\xa4\n\nbody \xc3\xa4\n\xc3\xa4\n");
    EXPECT_FALSE(end().ok);
    EXPECT_NE(log_.find("in message header: X-8"), std::string::npos) << log_;
    EXPECT_NE(log_.find("in message body: body"), std::string::npos) << log_;  // each kind of error, once
    EXPECT_EQ(log_.find("X-9"), std::string::npos) << log_;
    // A bounce is not refused for what the returned text holds: it would never leave, nor would anybody hear of it.
    open({{"strict_8bitmime", "yes"}, {"mime_nesting_limit", "1"}}, ipc::cleanup_flags::internal);
    envelope({"r@b.c"});
    content(
        "X-8: \xc3\xa4\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\n\n\xc3\xa4\n");
    EXPECT_TRUE(end().ok);
    open({{"message_reject_characters", "\\7"}, {"message_strip_characters", "\\0"}});
    envelope({"r@b.c"});
    content("Subject: x\n\nbo" + std::string(1, '\0') + "dy\n" + "abc\7d\n");
    EXPECT_EQ(end().reason, "disallowed character");
    open();
    envelope({"r@b.c"});
    content("Subject: x\n\nstray\rcr\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("stray cr\n"), std::string::npos);
}

TEST_F(CleanupTest, NoRecipientsAndBadRecordsAreRefused) {
    open();
    envelope({});
    content("\n");
    EXPECT_EQ(end().reason, "Error: no recipients specified");
    open();
    put('R', "a@b.c");
    put('M');
    content("\n");
    EXPECT_EQ(end().status, "4.3.0");
    for (char type : std::string("SRMNXE/Kpw?\x01")) {
        open();
        put(type, "x");
        put('E');
        EXPECT_FALSE(message_->finish().ok) << type;
    }
}

TEST_F(CleanupTest, ExtractedRecipientsAndDsn) {
    open();
    put('T', "1795348574");
    put('A', "envelope_id=e1");
    put('A', "ret_flags=2");
    put('S', "");
    put('A', "notify_flags=10");
    put('A', "dsn_orig_rcpt=rfc822;orig@b.c");
    put('R', "r@b.c");
    put('M');
    content("Message-Id: <a@b>\nContent-Transfer-Encoding: 8bit\n\nbody\n");
    put('R', "late@b.c");
    EXPECT_TRUE(end().ok);
    const std::string text = file();
    EXPECT_NE(text.find("A envelope_id=e1\nA ret_flags=2\nS \nA notify_flags=10\nA dsn_orig_rcpt=rfc822;orig@b.c\nO "
                        "r@b.c\nR r@b.c\nM"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("X \nA encoding=8bit\nA dsn_orig_rcpt=rfc822;late@b.c\nO late@b.c\nR late@b.c\nE"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("From: MAILER-DAEMON\n"), std::string::npos) << text;
}

TEST_F(CleanupTest, ATimeThatNoSumCanHoldIsNotTaken) {
    for (const char* time : {"9223372036854775807 0", "1795348574 9223372036854775807", "1795348574 -1"}) {
        open({{"delay_warning_time", "4h"}});
        put('T', time);
        put('S', "me@x.y");
        put('R', "r@b.c");
        put('M');
        content("Message-Id: <a@b>\n\nbody\n");
        EXPECT_TRUE(end().ok);
        auto opened = queue::QueueFile::open(rules_->directories, "incoming", message_->id(), queue::Access::read);
        EXPECT_NEAR(static_cast<double>(opened->envelope()->arrival.seconds),
                    static_cast<double>(base::wall_now().seconds), 100)
            << time;
    }
}

TEST_F(CleanupTest, AHundredThousandRecipientsTakeBoundedMemory) {
    open();
    put('T', "1795348574");
    put('S', "me@x.y");
    for (int i = 0; i < 100000; ++i)
        put('R', "user" + std::to_string(i) + "@b.c");
    put('M');
    content("Message-Id: <a@b>\n\nbody\n");
    EXPECT_TRUE(end().ok);
    auto opened = queue::QueueFile::open(rules_->directories, "incoming", message_->id(), queue::Access::read);
    EXPECT_EQ(opened->envelope()->size.recipients, 100000);
}

// The bits of Postfix 3.7: 1 requested, 2 header, 4 sender.
TEST_F(CleanupTest, Smtputf8IsNoticedWhereAsked) {
    const auto bits = [this](std::string_view subject, std::string_view from, std::string_view to, int with) {
        open({{"smtputf8_enable", "yes"}}, with);
        put('T', "1795348574");
        put('S', from);
        put('R', to);
        put('M');
        content("Subject: " + std::string(subject) + "\n\nx\n");
        EXPECT_TRUE(end().ok);
        auto opened = queue::QueueFile::open(rules_->directories, "incoming", message_->id(), queue::Access::read);
        return opened->envelope()->size.send_options;
    };
    const int detect = flags::external | flags::autodetect_smtputf8;
    EXPECT_EQ(bits("a", "me@x.y", "r@b.c", detect), 0);
    EXPECT_EQ(bits("\xc3\xa4", "me@x.y", "r@b.c", detect), 3);
    EXPECT_EQ(bits("a", "m\xc3\xa4@x.y", "r@b.c", detect), 5);
    EXPECT_EQ(bits("a", "me@x.y", "r\xc3\xa4@b.c", detect), 1);
    EXPECT_EQ(bits("\xc3\xa4", "me@x.y", "r@b.c", flags::external), 0);
    EXPECT_EQ(bits("\xc3\xa4", "me@x.y", "r@b.c", flags::external | flags::smtputf8), 3);
}

TEST_F(CleanupTest, DelayWarningIsForSendersWithAName) {
    open({{"delay_warning_time", "4h"}});
    envelope({"r@b.c"});
    content("Message-Id: <a@b>\n\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("W      1795362974\n"), std::string::npos) << file();
}

TEST(Checks, ResultsAreParsed) {
    using Kind = Action::Kind;
    EXPECT_EQ(parse_action("reject  5.7.1 no ").text, "5.7.1 no");
    EXPECT_EQ(parse_action("DUNNO").kind, Kind::none);
    EXPECT_EQ(parse_action("ok").kind, Kind::none);
    EXPECT_EQ(parse_action("FILTER x").kind, Kind::malformed);
    EXPECT_EQ(parse_action("BCC nobody").kind, Kind::malformed);
    EXPECT_EQ(parse_action("REPLACE").kind, Kind::malformed);
    EXPECT_EQ(parse_action("NOSUCH x").kind, Kind::unknown);
    EXPECT_EQ(parse_action("").kind, Kind::unknown);
    EXPECT_EQ(bytes::unescaped("a\\7\\n\\\\b\\101"), "a\7\n\\bA");
}

TEST_F(CleanupTest, EnvelopeRecordsAreOneLineEach) {
    using namespace std::string_literals;
    open();
    put('T', "1795348574 5");
    put('A', "envelope_id=a\nb");
    put('F', "Full\nX-Injected: 1");
    put('S', "a\rb@x.y");
    put('O', "c\nd"s);
    put('R', "e\0f@b.c"s);
    put('M');
    content("Subject: x\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("A envelope_id=a b\nF Full X-Injected: 1\nS a b@x.y\nA dsn_orig_rcpt=rfc822;\"e f\"@b.c\nO c "
                          "d\nR e f@b.c\nM \n"),
              std::string::npos)
        << file();
    EXPECT_NE(file().find("\nFrom: \"Full X-Injected: 1\" <\"a b\"@x.y>\n"), std::string::npos) << file();
}

TEST_F(CleanupTest, AHeaderOfTooManyTokensIsCutWithAWarning) {
    open({{"header_address_token_limit", "4"}});
    envelope({"r@b.c"});
    content("From: f@x.y\nCc: a@x, b@y\nTo: a, b@y\n\nbody\n");
    EXPECT_TRUE(end().ok);
    EXPECT_NE(file().find("\nCc: a@x, b@y\nTo: a@mx.test, b@\n"), std::string::npos) << file();
    EXPECT_NE(log_without_id().find(
                  "ID: To holds more than header_address_token_limit = 4 tokens: what follows is taken out\n"),
              std::string::npos)
        << log_;
}

TEST_F(CleanupTest, OurMailerDaemonAsSenderIsTheNullSender) {
    struct {
        const char *said, *kept;
    } cases[] = {{"MAILER-DAEMON", ""},
                 {"mailer-daemon@mx.test", ""},
                 {"MAILER-DAEMON@a.test", "MAILER-DAEMON@a.test"},
                 {"postmaster", "postmaster@mx.test"}};
    for (const auto& c : cases) {
        open();
        put('T', "1795348574 5");
        put('S', c.said);
        put('R', "r@b.c");
        put('M');
        content("Subject: x\n\nbody\n");
        EXPECT_TRUE(end().ok);
        EXPECT_NE(file().find("S " + std::string(c.kept) + "\n"), std::string::npos) << c.said << file();
    }
}
