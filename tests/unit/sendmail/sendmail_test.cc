#include <gtest/gtest.h>
#include "message.h"
#include "options.h"

using namespace sendmail;

namespace {
Result<Options> parse(std::vector<std::string> words, std::string program = "/usr/sbin/sendmail") {
    std::vector<char*> pointers{program.data()};
    for (auto& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::testing::internal::CaptureStderr();
    auto options = parse_options(static_cast<int>(words.size()) + 1, pointers.data());
    ::testing::internal::GetCapturedStderr();
    return options;
}

std::string read(std::string_view text, MessageReader::Settings settings, std::size_t step,
                 std::vector<std::string>* recipients = nullptr) {
    std::string out;
    MessageReader reader(settings, [&](queue::RecordType type, std::string_view payload) {
        ((out += static_cast<char>(type)) += payload) += '|';
    });
    for (std::size_t at = 0; at < text.size(); at += step)
        if (!reader.take(text.substr(at, step)))
            break;
    reader.finish();
    if (recipients)
        *recipients = reader.recipients();
    return out;
}
std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words)
        out += word + " ";
    return out;
}
}

TEST(Options, NamesOfTheProgramAreModes) {
    EXPECT_EQ(parse({}, "/usr/bin/mailq")->mode, Mode::list_queue);
    EXPECT_EQ(parse({}, "newaliases")->mode, Mode::make_aliases);
    EXPECT_EQ(parse({"-bp"})->mode, Mode::list_queue);
    EXPECT_EQ(parse({"-bi"})->mode, Mode::make_aliases);
    EXPECT_EQ(parse({"-I"})->mode, Mode::make_aliases);
    EXPECT_EQ(parse({"-bs"})->mode, Mode::smtp_server);
    EXPECT_EQ(parse({"-bd", "-q1h"})->mode, Mode::start_daemon);
    EXPECT_EQ(parse({"-q"})->mode, Mode::flush_queue);
    EXPECT_EQ(parse({"-q", "-v"})->mode, Mode::flush_queue);
    EXPECT_EQ(parse({"-q5m"})->mode, Mode::ignored);
    EXPECT_EQ(parse({"-qRexample.org"})->site, "example.org");
    EXPECT_EQ(parse({"-qIABC"})->mode, Mode::deliver_one);
    EXPECT_EQ(parse({"-bv", "a@b"})->mode, Mode::verify);
}

TEST(Options, ModesThatMeetFollowPostfix) {
    EXPECT_EQ(parse({"-q5m", "-bd"})->mode, Mode::start_daemon);
    EXPECT_EQ(parse({"-bp", "-q5m"})->mode, Mode::ignored);
    EXPECT_EQ(parse({"-q5m", "alice"})->mode, Mode::ignored);
    EXPECT_EQ(parse({"-q", "-bp"})->mode, Mode::list_queue);
    EXPECT_EQ(parse({"-bp", "-q"})->mode, Mode::flush_queue);
    EXPECT_EQ(parse({"-bd", "-q"})->warnings.at(0), "ignoring -q option in daemon mode");
    EXPECT_EQ(parse({"-bp", "x"}).error().reason, "display queue mode requires no recipient");
    EXPECT_EQ(parse({"-q", "5m"}).error().reason, "flush queue mode requires no recipient");
    EXPECT_EQ(parse({"-qRsite", "-bp"}).error().reason, "-qR can be used only in delivery mode");
    EXPECT_EQ(parse({"-bs", "-t"}).error().reason, "-t can be used only in delivery mode");
    EXPECT_EQ(parse({"-qI"}).error().reason, "specify: -qIqueueid");
    EXPECT_EQ(parse({"-qSsite"}).error().reason, "-qS is not implemented");
}

TEST(Options, SubmissionOptions) {
    const auto o = parse({"-t", "-i", "-f", "a@b", "-FFull Name", "-N", "success,delay", "-Rhdrs", "-V", "id",
                          "-B8bitmime", "-G", "-XV", "-v", "-oem", "-odb", "x@y", "-not-an-option"});
    ASSERT_TRUE(o);
    EXPECT_TRUE(o->recipients_from_header && o->dot_is_data && o->remote_rewriting);
    EXPECT_EQ(*o->sender, "a@b");
    EXPECT_EQ(*o->full_name, "Full Name");
    EXPECT_EQ(o->notify, 10u);
    EXPECT_EQ(o->ret, 2u);
    EXPECT_EQ(o->envelope_id, "id");
    EXPECT_EQ(o->encoding, "8bit");
    EXPECT_EQ(*o->verp, "");
    EXPECT_EQ(joined(o->recipients), "x@y -not-an-option ");
    EXPECT_EQ(joined(parse({"-f", "-q", "--", "-t"})->recipients), "-t ");
    EXPECT_EQ(*parse({"-f", "-q", "--", "-t"})->sender, "-q");
    EXPECT_TRUE(parse({"-oi", "a"})->dot_is_data);
}

TEST(Options, MistakesAreSaid) {
    EXPECT_EQ(parse({"-n"}).error().reason, "-n option not supported");
    EXPECT_EQ(parse({"-bx"}).error().reason, "unsupported: -bx");
    EXPECT_EQ(parse({"-qfoo"}).error().reason, "-qf is not implemented");
    EXPECT_EQ(parse({"-B", "x"}).error().reason, "-B option needs 8BITMIME or 7BIT");
    EXPECT_EQ(parse({"-Z"}).error().reason, "usage: sendmail [options]");
    EXPECT_EQ(joined(parse({"-N", "foo", "a"})->warnings),
              "unknown DSN NOTIFY command value \"foo\" in \"foo\" bad -N option value -- ignored ");
}

TEST(MessageReader, LinesBecomeRecordsHoweverTheyArrive) {
    const std::string text = "From x\n>From y\nSubject: a\r\n\r\nFrom z\n..\nend";
    for (std::size_t step : {1u, 2u, 7u, 100u})
        EXPECT_EQ(read(text, {}, step), "NSubject: a|N|NFrom z|N..|Lend|") << step;
}

TEST(MessageReader, ADotEndsUnlessToldOtherwise) {
    for (std::size_t step : {1u, 3u, 100u}) {
        EXPECT_EQ(read("a: b\n\nx\n.\nrest\n", {}, step), "Na: b|N|Nx|");
        MessageReader::Settings s;
        s.dot_is_data = true;
        EXPECT_EQ(read("a: b\n\nx\n.\nrest\n", s, step), "Na: b|N|Nx|N.|Nrest|");
    }
}

TEST(MessageReader, LineEndings) {
    MessageReader::Settings s;
    EXPECT_EQ(read("a: b\nc\r\n", s, 100), "Na: b|Nc|");
    s.endings = LineEndings::strict;
    EXPECT_EQ(read("a: b\nc\r\n", s, 100), "Na: b|Nc\r|");
    EXPECT_EQ(read("a: b\r\nc\r\n", s, 100), "Na: b|Nc|");
    s.endings = LineEndings::never;
    EXPECT_EQ(read("a: b\r\n", s, 100), "Na: b\r|");
}

TEST(MessageReader, LongLinesAreCut) {
    MessageReader::Settings s;
    s.line_length = 4;
    for (std::size_t step : {1u, 3u, 100u})
        EXPECT_EQ(read("0123456789\n", s, step), "L0123|L4567|N89|") << step;
    for (std::size_t step : {1u, 3u, 100u})
        EXPECT_EQ(read("01234567\n.\n", s, step), "L0123|N4567|") << step;
}

TEST(MessageReader, TheFirstPieceSaysWhatALongLineIs) {
    MessageReader::Settings s;
    s.line_length = 8;
    s.extract = true;
    std::vector<std::string> found;
    for (std::size_t step : {1u, 3u, 11u, 100u}) {
        s.endings = LineEndings::always;
        EXPECT_EQ(read("From someone with a long name\na: b\n", s, step), "Na: b|") << step;
        EXPECT_EQ(read("To:           a@b, c@d\nResent-To: e@f\n\n", s, step, &found),
                  "LTo:     |L      a@|Nb, c@d|LResent-T|No: e@f|N|")
            << step;
        EXPECT_EQ(joined(found), "a@b c@d ") << step;  // a name longer than a line may be is none
        s.endings = LineEndings::strict;
        EXPECT_EQ(read("a: bbbbbbbbbbbbbbb\nc\r\n", s, step), "La: bbbbb|Lbbbbbbbb|Nbb|Nc\r|") << step;
    }
}

TEST(MessageReader, RecipientsOfTheHeader) {
    MessageReader::Settings s;
    s.extract = true;
    std::vector<std::string> found;
    for (std::size_t step : {1u, 5u, 1000u}) {
        read("To: a@b,\n \"q w\"@c\nSubject: to: no\nBcc: h@i\nCc: g: x@y;\n\nTo: body@no\n", s, step, &found);
        EXPECT_EQ(joined(found), "a@b q w@c h@i x@y ");
        read("To: a@b\nResent-Cc: r@s\n\n", s, step, &found);
        EXPECT_EQ(joined(found), "r@s ");
        read("no header\nTo: a@b\n", s, step, &found);
        EXPECT_EQ(joined(found), "");
    }
    std::string many = "To: ";
    for (int i = 0; i < 30000; ++i)
        many += "u" + std::to_string(i) + "@example.org, ";
    read(many + "\n\n", s, 4096, &found);
    EXPECT_EQ(found.size(), 30000u);
}
