// What sendmail is given: a message with its recipients (-t), command lines, SMTP on standard input (-bs; no postdrop there, so no message is taken).
// The first bytes choose settings and pieces.
// uses: sendmail_core
#include <fcntl.h>
#include <unistd.h>
#include "fuzz.h"
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/settings.h"
#include "dialogue.h"
#include "message.h"
#include "options.h"

namespace {
struct Taken { std::string text; std::vector<std::string> recipients; };

Taken take(const sendmail::MessageReader::Settings& settings, std::string_view bytes, std::size_t piece) {
    Taken t;
    sendmail::MessageReader reader(settings, [&](queue::RecordType type, std::string_view payload) {
        fuzz::require(payload.size() <= settings.line_length && payload.find('\n') == payload.npos, "a record is part of one line, and no longer than a line may be");
        t.text += payload;
        if (type == queue::RecordType::line) t.text += '\n';
    });
    for (; !bytes.empty() && reader.take(bytes.substr(0, piece)); bytes.remove_prefix(std::min(piece, bytes.size()))) {}
    reader.finish();
    t.recipients = reader.recipients();
    return t;
}

void message(fuzz::Choices choose) {
    sendmail::MessageReader::Settings settings;
    settings.extract = true;
    settings.dot_is_data = choose.flag();
    settings.endings = static_cast<sendmail::LineEndings>(choose.below(3));
    settings.line_length = choose.flag() ? 2048 : 1 + choose.byte();
    std::size_t piece = 1 + choose.byte();
    Taken whole = take(settings, choose.rest(), choose.rest().size() + 1), pieces = take(settings, choose.rest(), piece);
    fuzz::same(pieces.text, whole.text, "a message is the same however it arrives");
    fuzz::require(pieces.recipients == whole.recipients, "recipients are the same however the message arrives");
    if (settings.dot_is_data && settings.endings == sendmail::LineEndings::never) fuzz::require(choose.rest().ends_with(whole.text), "nothing of the message is changed");
    std::size_t total = 0;
    for (const std::string& r : whole.recipients) total += r.size();
    fuzz::require(total <= 4 * choose.rest().size(), "recipients are no longer than the header", std::to_string(total));
}

void options(fuzz::Choices choose) {
    std::vector<std::string> words;
    while (!choose.empty() && words.size() < 100) words.emplace_back(choose.text());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::opterr = 0;
    if (words.empty()) return;
    auto o = sendmail::parse_options(static_cast<int>(words.size()), pointers.data());
    if (!o) fuzz::require(!o.error().reason.empty(), "a mistake is named");
    else fuzz::require(o->recipients.size() < words.size() + 1, "recipients are arguments");
}

void dialogue(std::string_view bytes) {
    static const auto settings = conf::Settings::defaults({{"myhostname", "mx.example.test"}, {"command_directory", "/nonexistent"}});
    const std::string said = fuzz::write_file("said", "");
    UniqueFd in = fuzz::file_of(std::string(bytes) + "\r\n.\r\nQUIT\r\n"), out(::open(said.c_str(), O_RDWR | O_CLOEXEC)), was(::dup(STDOUT_FILENO));
    fuzz::require(in && out && was && ::dup2(in.get(), STDIN_FILENO) >= 0 && ::dup2(out.get(), STDOUT_FILENO) >= 0, "standard input and output are there");
    sendmail::Dialogue(settings).run();
    ::dup2(was.get(), STDOUT_FILENO);
    std::string replies(static_cast<std::size_t>(::lseek(out.get(), 0, SEEK_END)), '\0');
    fuzz::require(::pread(out.get(), replies.data(), replies.size(), 0) == static_cast<ssize_t>(replies.size()), "the replies can be read");
    fuzz::require(replies.starts_with("220 ") && replies.ends_with("221 2.0.0 Bye\r\n"), "a session begins and ends", replies);
    for (std::string_view rest = replies; !rest.empty();) {
        auto end = rest.find("\r\n");
        fuzz::require(end != rest.npos, "a reply is whole lines", replies);
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        fuzz::require(line.size() >= 4 && bytes::is_digit(line[0]) && bytes::is_digit(line[1]) && bytes::is_digit(line[2]) && (line[3] == ' ' || line[3] == '-'), "a reply has a code", replies);
        fuzz::require(line.find_first_of(std::string_view("\r\n\0", 3)) == line.npos, "a reply is one line", replies);
    }
}
}

void fuzz::one(std::string_view bytes) {
    Choices choose(bytes);
    switch (choose.below(4)) {
        case 0: options(choose); break;
        case 1: dialogue(choose.rest()); break;
        default: message(choose); break;
    }
}
