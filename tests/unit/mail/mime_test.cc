#include "mail/mime.h"
#include <gtest/gtest.h>
#include "base/bytes.h"

using namespace mail;

namespace {
struct Recorder : MimeEvents {
    std::string log, out;
    void header(HeaderClass klass, const HeaderInfo&, std::string_view text) override {
        log += std::string(1, "PMN"[static_cast<int>(klass)]) + ":" + std::string(text) + "|";
        (out += text) += "\n";
    }
    void header_end() override { log += "end|"; }
    void body(std::string_view text, bool whole) override {
        (log += text) += whole ? "|" : "~";
        (out += text) += whole ? "\n" : "";
    }
    void body_end() override { log += "."; }
};

Recorder parse(std::string_view text, MimeOptions options = {}, std::uint32_t* problems = nullptr) {
    Recorder r;
    MimeParser parser(options, r);
    while (!text.empty()) {
        const auto [line, rest] = bytes::cut(text, '\n');
        parser.line(line);
        text = rest.value_or("");
    }
    parser.finish();
    if (problems)
        *problems = parser.problems();
    return r;
}

const std::string nested =
    "Subject: x\nContent-Type: multipart/mixed;\n boundary=\"b1\"\n\npreamble\n--b1\nContent-Type: "
    "text/plain\n\nhello\n"
    "--b1\nContent-Type: message/rfc822\n\nSubject: inner\nTo: a@b\n\ninner body\n--b1--\nepilogue\n";
}

TEST(Mime, PartsAndAttachedMessagesHaveHeadersOfTheirClass) {
    EXPECT_EQ(parse(nested).log,
              "P:Subject: x|P:Content-Type: multipart/mixed;\n boundary=\"b1\"|end||preamble|--b1|M:Content-Type: "
              "text/plain||hello|"
              "--b1|M:Content-Type: message/rfc822||N:Subject: inner|N:To: a@b||inner body|--b1--|epilogue|.");
}

TEST(Mime, WhatGoesInComesOut) {
    EXPECT_EQ(parse(nested).out, nested);
    for (std::size_t n = 0; n <= nested.size(); ++n) {
        std::string cut = nested.substr(0, n);
        if (!cut.empty() && cut.back() != '\n')
            cut += '\n';
        std::string out = parse(cut).out;
        // Where the text stops in the message's header, the next line cannot be known to be one; else nothing changes.
        if (n > 60) {
            EXPECT_EQ(out, cut) << n;
        }
    }
}

TEST(Mime, TextBehindTheHeaderGetsItsEmptyLine) {
    EXPECT_EQ(parse("Subject: x\nnot a header\n").log, "P:Subject: x|end||not a header|.");
    EXPECT_EQ(parse("").log, "end|.");
    EXPECT_EQ(parse(" starts with space\n").log, "end|| starts with space|.");
}

TEST(Mime, WithoutParsingAllBehindTheHeaderIsBody) {
    MimeOptions options;
    options.parse = false;
    EXPECT_EQ(parse("Content-Type: multipart/x; boundary=b\n\n--b\nX: y\n\nz\n", options).log,
              "P:Content-Type: multipart/x; boundary=b|end||--b|X: y||z|.");
}

TEST(Mime, LongLinesInPieces) {
    Recorder r;
    MimeParser parser({}, r);
    parser.line("Subject: a", false);
    parser.line("b", false);
    parser.line("c", true);
    parser.line("", true);
    parser.line("x", false);
    parser.line("--b", true);
    parser.finish();
    EXPECT_EQ(r.log, "P:Subject: abc|end||x~--b|.");
}

// Found by tests/fuzz/mime.cc: a line end came into it, and its rest could become a header.
TEST(Mime, BoundaryLineInPiecesStaysOneLine) {
    Recorder r;
    MimeParser parser({}, r);
    for (std::string_view line : {"Content-Type: multipart/mixed; boundary=b", ""})
        parser.line(line);
    parser.line("--b and so on", false);
    parser.line("X: y", false);
    parser.line("z");
    parser.line("A: b");
    parser.line("");
    parser.finish();
    EXPECT_EQ(r.log, "P:Content-Type: multipart/mixed; boundary=b|end||--b and so on~X: y~z|M:A: b||.");
}

TEST(Mime, LimitsAreReported) {
    std::uint32_t problems = 0;
    MimeOptions options;
    options.header_size_limit = 20;
    const Recorder r = parse("Subject: " + std::string(100, 'x') + "\n" + " more\nTo: a\n\n", options, &problems);
    EXPECT_EQ(problems, mime_problem::truncated_header);
    EXPECT_EQ(r.log, "P:Subject: xxxxxxxxxxx|P:To: a|end||.");
    std::string deep;
    for (int i = 0; i < 5; ++i)
        deep +=
            "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "x\n\n--b" + std::to_string(i) + "x\n";
    options = {};
    options.nesting_limit = 3;
    parse(deep, options, &problems);
    EXPECT_EQ(problems, 0u);
    options.nesting_limit = 2;
    parse(deep, options, &problems);
    EXPECT_EQ(problems, mime_problem::nesting);
}

// Whatever of a field's name, blanks and colon fits into header_size_limit; the blanks before the colon do not count.
TEST(Mime, ANameLongerThanTheLimitIsCut) {
    MimeOptions options;
    options.header_size_limit = 10;
    EXPECT_EQ(parse("Long-Header-Name: x\n\n", options).log, "P:Long-Heade|end||.");
    EXPECT_EQ(parse("Long-Header-Name : x\n\n", options).log, "P:Long-Heade|end||.");
    EXPECT_EQ(parse("Ten-bytes \t  : x\n\n", options).log, "P:Ten-bytes:|end||.");
    EXPECT_EQ(parse("Subject   : x\n\n", options).log, "P:Subject: x|end||.");
}

TEST(Mime, EightBitDetection) {
    std::uint32_t problems = 0;
    MimeOptions options;
    options.report_8bit_header = options.report_8bit_body = options.report_encoding_domain = true;
    parse("Subject: \xc3\xa4\n\nx\n", options, &problems);
    EXPECT_EQ(problems, mime_problem::header_8bit);
    parse("Subject: a\n\n\xc3\xa4\n", options, &problems);
    EXPECT_EQ(problems, mime_problem::body_8bit);
    parse("Content-Transfer-Encoding: 8BIT\n\n\xc3\xa4\n", options, &problems);
    EXPECT_EQ(problems, 0u);
    parse("Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n", options, &problems);
    EXPECT_EQ(problems, mime_problem::encoding_domain);
}

TEST(Mime, DowngradeMakesQuotedPrintable) {
    MimeOptions options;
    options.downgrade = true;
    EXPECT_EQ(
        parse("Subject: x\nContent-Transfer-Encoding: 8bit\nTo: a\n\ngr\xc3\xbc\xc3\x9f e=1 \nend\n", options).out,
        "Subject: x\nTo: a\nContent-Transfer-Encoding: quoted-printable\n\ngr=C3=BC=C3=9F e=3D1=20\nend\n");
    EXPECT_EQ(parse("Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: "
                    "8bit\n\n--b\nContent-Transfer-Encoding: 8bit\n\n\xc3\xa4\n--b--\n",
                    options)
                  .out,
              "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: "
              "7bit\n\n--b\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A4\n--b--\n");
    // message/rfc822 may not be encoded, its parts are; message/global is, header and all (RFC 6532, section 3.7).
    for (const char* type : {"global", "Global-Headers", "global-delivery-status"})
        EXPECT_EQ(parse("Content-Type: multipart/report; boundary=b\nContent-Transfer-Encoding: "
                        "8bit\n\n--b\nContent-Type: message/" +
                            std::string(type) + "\nContent-Transfer-Encoding: 8bit\n\nSubject: \xc3\xa4\n\nx=\n--b--\n",
                        options)
                      .out,
                  "Content-Type: multipart/report; boundary=b\nContent-Transfer-Encoding: 7bit\n\n--b\nContent-Type: "
                  "message/" +
                      std::string(type) +
                      "\nContent-Transfer-Encoding: quoted-printable\n\nSubject: =C3=A4\n\nx=3D\n--b--\n");
    const std::string out = parse("Content-Transfer-Encoding: 8bit\n\n" + std::string(500, '\xe4') + "\n", options).out;
    for (std::size_t at = 0, next; (next = out.find('\n', at)) != std::string::npos; at = next + 1)
        EXPECT_LE(next - at, 76u);
}

TEST(Header, NamesAndFields) {
    EXPECT_EQ(header_name_length("Subject: x"), 7u);
    EXPECT_EQ(header_name_length("Subject : x"), 7u);
    for (const char* bad : {"", ":", "Sub ject: x", " Subject: x", "From me", "--b"})
        EXPECT_EQ(header_name_length(bad), 0u) << bad;
    EXPECT_EQ(find_header("MESSAGE-ID").id, HeaderId::message_id);
    EXPECT_EQ(split_header("To:\n  a@b")->value, "a@b");
    for (int i = 0; i <= static_cast<int>(HeaderId::tls_required); ++i)
        EXPECT_EQ(static_cast<int>(header_info(static_cast<HeaderId>(i)).id), i);
}

TEST(Header, ContentTypes) {
    struct {
        std::string_view value, type, subtype, boundaries;
    } cases[] = {
        // boundaries: each ended by '|'
        {"Multipart/Mixed (c); boundary=\"a b\\\"c\"; charset=utf-8;\n x=y=z", "multipart", "mixed", "a b\"c|"},
        {"multipart/mixed;; boundary=b", "multipart", "mixed", "b|"},
        {"multipart; boundary=b", "multipart", "", "b|"},
        {"multipart/; boundary=b", "multipart", "", "b|"},
        {"multipart mixed; boundary=b", "multipart", "", "b|"},
        {"multipart/mixed; boundary=\"\"", "multipart", "mixed", "|"},
        {"multipart/mixed; boundary=b\"c\"", "multipart", "mixed", "b|"},
        {"multipart/mixed; boundary=b/c", "multipart", "mixed", "b|"},
        {"multipart/mixed; boundary=\"b \"", "multipart", "mixed", "b |"},
        {"multipart/mixed; boundary==b", "multipart", "mixed", "=|"},
        {"multipart/mixed; boundary=\x01"
         "b",
         "multipart", "mixed", "\x01|"},
        {"multipart/mixed; boundary=b\x01", "multipart", "mixed", "b|"},
        {"multipart/mixed; boundary=a; boundary=b", "multipart", "mixed", "a|b|"},
        {"multipart/mixed; boundary=; x=; BOUNDARY=b", "multipart", "mixed", "b|"},
        {"multipart/mixed; boundary=", "multipart", "mixed", ""},
        {"multipart/mixed boundary=b", "multipart", "mixed", ""},
        {"multipart/mixed; \"boundary\"=b", "multipart", "mixed", ""},
        {"multipart/mixed; x=\"; boundary=b", "multipart", "mixed", ""},
        {"\"multipart\"/mixed; boundary=b", "", "mixed", "b|"},
        {"message/\"rfc822\"", "message", "", ""},
        {"garbage", "garbage", "", ""},
        {"", "text", "plain", ""},
        {" (c)", "text", "plain", ""},
        {"; x", "text", "plain", ""},
    };
    for (const auto& c : cases) {
        const ContentType t = parse_content_type(c.value);
        std::string boundaries;
        for (const std::string& b : t.boundaries)
            boundaries += b + "|";
        EXPECT_EQ(t.type, c.type) << c.value;
        EXPECT_EQ(t.subtype, c.subtype) << c.value;
        EXPECT_EQ(boundaries, c.boundaries) << c.value;
    }
    const std::string many = "multipart/mixed; " + [] {
        std::string s;
        for (int i = 0; i < 1000; ++i)
            s += "x=y;";
        return s;
    }() + "boundary=b";
    EXPECT_EQ(parse_content_type(many).boundaries.size(), 1u);
    EXPECT_EQ(first_token(" (c) 8BIT "), "8bit");
    EXPECT_EQ(encoded_phrase("Jürgen", "utf-8"), "=?utf-8?B?SsO8cmdlbg==?=");
}

// As Debian's Postfix writes them; it lets marks of direction and quotes pass, which are meant to mislead whoever reads
// the header.
TEST(Header, WhatOthersSayOfThemselvesCannotLookLikeMore) {
    struct {
        const char *said, *written;
    } names[] = {
        {"client.test", "client.test"},
        {"bank.test(bank.test[192.0.2.7])by", "bank.test?bank.test[192.0.2.7]?by"},
        {"(x)", "?x?"},
        {"\"q\"", "?q?"},
        {"a\\(b", "a??b"},
        {"[1.2.3.4]", "[1.2.3.4]"},
        {"[IPv6:::1]", "[IPv6:::1]"},
        {"[x y]", "[x?y]"},
        {"<a@b>", "?a?b?"},
        {"a;b", "a?b"},
        {"a,b", "a,b"},
        {"a:b", "a:b"},
        {"a/b", "a/b"},
        {"a=b", "a=b"},
        {"a%b!c$d#e&f'g*h?i^j`k{l}m|n~o", "a%b!c$d#e&f'g*h?i^j`k{l}m|n~o"},
        {"\xc3\xa9.test", "\xc3\xa9.test"},
        {"a\x01"
         "b\x1b\x7f\r\t",
         "a?b????"},
        {"a..b", "a..b"},
        {"-a", "-a"},
        {"a\xe2\x80\xae"
         "b",
         "a?b"},
        {"\xc2\x9bx", "?x"},
        {"\xe2\x80\xa8y", "?y"},
        {"\xe2\x81\xa6z", "?z"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
    };
    for (const auto& n : names)
        EXPECT_EQ(received_name(n.said), n.written) << n.said;
    struct {
        const char *said, *written;
    } texts[] = {
        {"plain", "plain"},
        {"a b c", "a b c"},
        {"a;b<c>@d", "a;b<c>@d"},
        {"a\\b", "a?b"},
        {"(x)", "(x)"},
        {",:[]'`$", ",:[]'`$"},
        {" lead", " lead"},
        {"\xc3\xa9", "??"},
        {"a\xe2\x80\xae"
         "b",
         "a???b"},
        {"x\" b) (c", "x? b? ?c"},
        {"((a)", "?(a)"},
        {"a\nb", "a?b"},
    };
    for (const auto& t : texts)
        EXPECT_EQ(quoted_in_comment(t.said), t.written) << t.said;
}
