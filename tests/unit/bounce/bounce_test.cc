// Records of recipients' fates, templates, and the text of reports.
#include <gtest/gtest.h>
#include "base/fd.h"
#include "conf/settings.h"
#include "log/log.h"
#include "log_file.h"
#include "report.h"
#include "templates.h"

namespace {
using namespace bounce;

TEST(LogEntry, LooksAsPostfixWritesIt) {
    ipc::ReportAppend r{.queue_id = "X",
                        .offset = 751,
                        .address = "Uq@d2.test",
                        .original = "a b@d1.test",
                        .orcpt = "rfc822;Uq@d2.test",
                        .notify = 12,
                        .status = "4.2.0",
                        .action = "delayed",
                        .reason = "host h said:\n450 busy",
                        .diagnostic_type = "smtp",
                        .diagnostic_text = "450 busy",
                        .mta_type = "dns",
                        .mta_name = "h"};
    EXPECT_EQ(
        log_entry(r, true),
        "\n<Uq@d2.test>: host h said: 450 busy\nrecipient=Uq@d2.test\noriginal_recipient=\"a b\"@d1.test\noffset=751\n"
        "dsn_orig_rcpt=rfc822;Uq@d2.test\nnotify_flags=12\nstatus=4.2.0\naction=delayed\ndiag_type=smtp\ndiag_text=450 "
        "busy\n"
        "mta_type=dns\nmta_mname=h\nreason=host h said: 450 busy\n\n");
    auto back = queue::parse_failure_log(log_entry(r, true));
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(back[0].recipient, "Uq@d2.test");
    EXPECT_EQ(back[0].notify_flags, 12);
    EXPECT_EQ(back[0].mta_mname, "h");
}

TEST(LogEntry, KeepsToItsLinesWhateverTheReasonHolds) {
    ipc::ReportAppend r;
    r.address = "a\nrecipient=x@y\n\n<z>";
    r.reason = "one\n\nrecipient=evil@x.test\nstatus=2.0.0\r\n\0x";
    r.status = "5.0.0";
    auto back = queue::parse_failure_log(log_entry(r, true) + log_entry(r, false));
    ASSERT_EQ(back.size(), 2u);
    EXPECT_EQ(back[0].status, "5.0.0");
    EXPECT_EQ(back[1].reason.find('\n'), std::string::npos);
}

TEST(Wrapped, BreaksAtWhiteSpace) {
    auto lines = wrapped("<c@b2.test>: host 127.0.0.1[127.0.0.1] said: 550-5.1.1 first line of a long reply 550 5.1.1 "
                         "no such user here at all, and this text goes on "
                         "for quite a while so that it is folded (in reply to RCPT TO command)");
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0], "<c@b2.test>: host 127.0.0.1[127.0.0.1] said: 550-5.1.1 first line of a long");
    EXPECT_EQ(lines[1], "    reply 550 5.1.1 no such user here at all, and this text goes on for quite a");
    EXPECT_EQ(lines[2], "    while so that it is folded (in reply to RCPT TO command)");
    EXPECT_EQ(wrapped(std::string(200, 'x')).size(), 1u);
    EXPECT_EQ(wrapped("").size(), 1u);
}

TEST(TemplatesTest, ReadsTheFileFormat) {
    auto t = Templates::parse("# comment\n\nfailure_template = <<END\nCharset: iso-8859-1\nfrom: me (Me)\nSubject: "
                              "s\n\nhi $$ $myhostname ${delay_warning_time_minutes}\n# kept\nEND\n",
                              "f");
    ASSERT_TRUE(t) << t.error().reason;
    const Template& failure = (*t)[Kind::failure];
    EXPECT_EQ(failure.charset, "iso-8859-1");
    EXPECT_EQ(failure.from, "me (Me)");
    EXPECT_EQ(failure.postmaster_subject, "Postmaster Copy: Undelivered Mail");
    auto settings = conf::Settings::defaults({{"myhostname", "h.test"}, {"delay_warning_time", "2h"}});
    EXPECT_EQ(expanded(failure, settings), "hi $ h.test 120\n# kept\n");
    EXPECT_EQ((*t)[Kind::delay].subject, "Delayed Mail (still being retried)");
    EXPECT_EQ(Templates::parse("junk\n", "f").error().reason, "f, line 1: missing '=' after attribute name: \"junk\"");
    EXPECT_FALSE(Templates::parse("failure_template = <<X\nFoo: bar\n\nX\n", "f"));
    EXPECT_FALSE(Templates::parse("failure_template = <<X\nFrom: a\n\ntext\n", "f"));
    EXPECT_FALSE(Templates::parse("failure_template = text\n", "f"));
    EXPECT_TRUE(Templates::parse(Templates::built_in().dump(), "f"));
    const auto odd =
        Templates::parse("delay_template = <<E\nFrom: a\n\nEOF\nEOF_\nE\n", "f");  // text that holds the usual mark
    ASSERT_TRUE(odd);
    const auto back = Templates::parse(odd->dump(), "f");
    ASSERT_TRUE(back);
    EXPECT_EQ(back->dump(), odd->dump());
}

TEST(TemplatesTest, InstalledFileIsTheBuiltInOne) {
    auto text = read_file(SOURCE_DIR "/conf/bounce.cf.default");
    ASSERT_TRUE(text);
    auto installed = Templates::parse(*text, "bounce.cf.default");
    ASSERT_TRUE(installed) << installed.error().reason;
    EXPECT_EQ(installed->dump(), Templates::built_in().dump());
    EXPECT_TRUE(text->ends_with(Templates::built_in().dump()));
}

std::string report(Kind kind, bool to_postmaster, bool whole, std::vector<Entry> entries, Subject subject,
                   std::optional<Thread> thread = {}, bool eight_bit = true) {
    auto settings = conf::Settings::defaults({{"myhostname", "h.test"}});
    Templates templates = Templates::built_in();
    Style style{.myhostname = "h.test",
                .mail_name = "Postfix",
                .from = "Mail Delivery System <MAILER-DAEMON>",
                .charset = "utf-8",
                .eight_bit = eight_bit,
                .queue_lifetime = 86400};
    Report r{.subject = subject,
             .entries = entries,
             .parts = {kind, to_postmaster, whole},
             .style = style,
             .words = templates[kind],
             .words_text = "WORDS\n\n",
             .to = "s@x.test",
             .thread = std::move(thread),
             .now = 1000};
    r.original = [](bool header_only, const Lines& visit) -> Result<void> {
        TRY(visit("Subject: hello", true));
        if (header_only)
            return {};
        TRY(visit("", true));
        return visit("no line end", false);
    };
    std::string text;
    EXPECT_TRUE(r.write([&](std::string_view line, bool ends) -> Result<void> {
        (text += line) += ends ? "\n" : "";
        return {};
    }));
    return text;
}

Subject subject(std::string sender) {
    Subject s;
    s.queue_id = "ABC";
    s.sender = std::move(sender);
    return s;
}
Entry entry(std::string recipient, std::string status, std::string action, std::string reason) {
    Entry e;
    e.recipient = std::move(recipient);
    e.status = std::move(status);
    e.action = std::move(action);
    e.reason = std::move(reason);
    return e;
}

TEST(ReportTest, FailureInThreeParts) {
    Entry plain = entry("x@e.test", "5.7.1", "failed", "no way"),
          remote = entry("u@b.test", "5.1.1", "", "host m said: 550 no");
    plain.dsn_orig_rcpt = "rfc822;X@e.test";
    remote.original_recipient = "al@h.test";
    remote.diag_type = "smtp";
    remote.diag_text = "550 no";
    remote.mta_type = "dns";
    remote.mta_mname = "m";
    Subject about = subject("s@x.test");
    about.envid = "env";
    std::string text = report(Kind::failure, false, true, {plain, remote}, about);
    EXPECT_EQ(text, "From: Mail Delivery System <MAILER-DAEMON>\nSubject: Undelivered Mail Returned to Sender\nTo: "
                    "s@x.test\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
                    "Content-Type: multipart/report; "
                    "report-type=delivery-status;\n\tboundary=\"ABC.1000/h.test\"\nContent-Transfer-Encoding: 8bit\n\n"
                    "This is a MIME-encapsulated message.\n\n--ABC.1000/h.test\nContent-Description: "
                    "Notification\nContent-Type: text/plain; charset=utf-8\n"
                    "Content-Transfer-Encoding: 8bit\n\nWORDS\n\n<x@e.test>: no way\n\n<u@b.test> (expanded from "
                    "<al@h.test>): host m said: 550 no\n\n"
                    "--ABC.1000/h.test\nContent-Description: Delivery report\nContent-Type: "
                    "message/delivery-status\n\nReporting-MTA: dns; h.test\n"
                    "Original-Envelope-Id: env\nX-Postfix-Queue-ID: ABC\nX-Postfix-Sender: rfc822; "
                    "s@x.test\n\nFinal-Recipient: rfc822; x@e.test\n"
                    "Original-Recipient: rfc822;X@e.test\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: X-Postfix; "
                    "no way\n\nFinal-Recipient: rfc822; u@b.test\n"
                    "Original-Recipient: rfc822;al@h.test\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; "
                    "m\nDiagnostic-Code: smtp; 550 no\n\n"
                    "--ABC.1000/h.test\nContent-Description: Undelivered Message\nContent-Type: "
                    "message/rfc822\nContent-Transfer-Encoding: 8bit\n\n"
                    "Return-Path: <s@x.test>\nSubject: hello\n\nno line end\n\n--ABC.1000/h.test--\n");
}
// With smtputf8_enable = no the message's own encoding counts; that it was said to be 7bit is not repeated for the part
// that has it.
TEST(ReportTest, SevenBitsAreNotPromised) {
    auto labels = [](std::string encoding) {
        Subject about = subject("s@x.test");
        about.encoding = std::move(encoding);
        std::string text = report(Kind::failure, false, true, {entry("x@e.test", "5.7.1", "failed", "no way")}, about,
                                  {}, false),
                    found;
        for (std::size_t at = 0; (at = text.find("Content-Transfer-Encoding: ", at)) != text.npos; at += 27)
            found += text.substr(at + 27, text.find('\n', at) - at - 27) + ' ';
        return found;
    };
    EXPECT_EQ(labels("7bit"), "7bit ");
    EXPECT_EQ(labels("8bit"), "8bit 8bit 8bit ");
    EXPECT_EQ(labels(""), "");
}

TEST(ReportTest, DelayTellsHowLong) {
    Entry e = entry("x@e.test", "4.4.1", "delayed", "later");
    Subject about = subject("s@x.test");
    about.arrival = 1;
    std::string text = report(Kind::delay, false, false, {e}, about);
    EXPECT_NE(text.find("Will-Retry-Until: Fri,  2 Jan 1970"), std::string::npos) << text;
    EXPECT_NE(text.find("Content-Description: Undelivered Message Headers\nContent-Type: text/rfc822-headers\n"),
              std::string::npos);
    EXPECT_EQ(text.find("no line end"), std::string::npos);
}
TEST(ReportTest, PostmasterCopyAndNullSender) {
    std::string text = report(Kind::failure, true, true, {entry("x@e.test", "", "", "no")}, subject(""));
    EXPECT_NE(text.find("Subject: Postmaster Copy: Undelivered Mail\n"), std::string::npos);
    EXPECT_NE(text.find("Auto-Submitted: auto-generated\n"), std::string::npos);
    EXPECT_NE(text.find("X-Postfix-Sender: rfc822; MAILER-DAEMON@h.test\n"), std::string::npos);
    EXPECT_EQ(text.find("WORDS"), std::string::npos);
}
TEST(ReportTest, Utf8AndThreads) {
    Subject utf8 = subject("s@x.test");
    utf8.utf8 = true;
    std::string text = report(Kind::success, false, false, {entry("\xc3\xbc@e.test", "2.0.0", "relayed", "ok")}, utf8,
                              Thread{"<m@x>", "<r@x>"});
    EXPECT_NE(text.find("report-type=global-delivery-status"), std::string::npos);
    EXPECT_NE(text.find("Content-Type: message/global-delivery-status\n"), std::string::npos);
    EXPECT_NE(text.find("Final-Recipient: utf-8; \xc3\xbc@e.test\nAction: relayed\n"), std::string::npos);
    EXPECT_NE(text.find("Content-Type: message/global-headers\n"), std::string::npos);
    EXPECT_NE(text.find("References: <r@x> <m@x>\nIn-Reply-To: <m@x>\n"), std::string::npos);
}
}
