// What sendmail is given: a message with its recipients (-t), command lines.
// The first bytes choose settings and pieces.
// uses: sendmail_core
#include "fuzz.h"
#include <getopt.h>
#include "message.h"
#include "options.h"

namespace {
struct Taken {
    std::string text;
    std::vector<std::string> recipients;
};

Taken take(const sendmail::MessageReader::Settings& settings, std::string_view bytes, std::size_t piece) {
    Taken t;
    sendmail::MessageReader reader(settings, [&](queue::RecordType type, std::string_view payload) {
        fuzz::require(payload.size() <= settings.line_length && payload.find('\n') == payload.npos,
                      "a record is part of one line, and no longer than a line may be");
        t.text += payload;
        if (type == queue::RecordType::line)
            t.text += '\n';
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
    Taken whole = take(settings, choose.rest(), choose.rest().size() + 1),
          pieces = take(settings, choose.rest(), piece);
    fuzz::same(pieces.text, whole.text, "a message is the same however it arrives");
    fuzz::require(pieces.recipients == whole.recipients, "recipients are the same however the message arrives");
    if (settings.dot_is_data && settings.endings == sendmail::LineEndings::never)
        fuzz::require(choose.rest().ends_with(whole.text), "nothing of the message is changed");
    std::size_t total = 0;
    for (const std::string& r : whole.recipients)
        total += r.size();
    fuzz::require(total <= 4 * choose.rest().size(), "recipients are no longer than the header", std::to_string(total));
}

void options(fuzz::Choices choose) {
    std::vector<std::string> words;
    while (!choose.empty() && words.size() < 100)
        words.emplace_back(choose.text());
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::opterr = 0;
    if (words.empty())
        return;
    auto o = sendmail::parse_options(static_cast<int>(words.size()), pointers.data());
    if (!o)
        fuzz::require(!o.error().reason.empty(), "a mistake is named");
    else
        fuzz::require(o->recipients.size() < words.size() + 1, "recipients are arguments");
}
}

void fuzz::one(std::string_view bytes) {
    Choices choose(bytes);
    switch (choose.below(4)) {
    case 0: options(choose); break;
    default: message(choose); break;
    }
}
