#include "mail/reply.h"
#include "base/bytes.h"

namespace mail {
StatusText split_status(std::string_view text) {
    StatusText parts;
    text = bytes::trim(text);
    const auto ends_word = [](std::string_view t, std::size_t n) { return n == t.size() || bytes::is_space(t[n]); };
    if (text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && bytes::is_digit(text[1]) && bytes::is_digit(text[2]) &&
        ends_word(text, 3)) {
        parts.code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
        text = bytes::trim(text.substr(3));
    }
    EnhancedStatus status;
    const std::size_t taken = EnhancedStatus::parse(text, status);
    if (taken && ends_word(text, taken)) {
        parts.enhanced = status;
        text = bytes::trim(text.substr(taken));
    }
    parts.text = text;
    return parts;
}

Reply Reply::of(int code, std::string_view text) {
    Reply reply;
    reply.code = code;
    EnhancedStatus status;
    const std::size_t taken = EnhancedStatus::parse(text, status);
    if (taken && (taken == text.size() || text[taken] == ' ')) {
        reply.enhanced = status;
        text.remove_prefix(taken == text.size() ? taken : taken + 1);
    }
    reply.lines.emplace_back(text);
    return reply;
}

Reply Reply::of(int code, EnhancedStatus enhanced, std::string text) {
    Reply reply;
    reply.code = code;
    reply.enhanced = enhanced;
    reply.lines.push_back(std::move(text));
    return reply;
}

std::string Reply::wire() const {
    const std::string number = std::to_string(code);
    const std::string status = enhanced.klass ? enhanced.text() + " " : "";
    if (lines.empty())
        return number + " " + status + "\r\n";
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out += number;
        out += i + 1 < lines.size() ? '-' : ' ';
        out += status;
        out += lines[i];
        out += "\r\n";
    }
    return out;
}

std::string Reply::text() const {
    std::string out = std::to_string(code);
    if (enhanced.klass)
        (out += ' ') += enhanced.text();
    for (const std::string& line : lines)
        (out += ' ') += line;
    return out;
}

EnhancedStatus Reply::status() const {
    const auto klass = static_cast<std::uint8_t>(code / 100);
    if (enhanced.klass && (enhanced.klass == klass))
        return enhanced;
    return {klass, 0, 0};
}

ReplyReader::Step ReplyReader::line(std::string_view text) {
    if (text.size() < 3 || text[0] < '2' || text[0] > '5' || !bytes::is_digit(text[1]) || !bytes::is_digit(text[2]))
        return Step::malformed;
    const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    if (text.size() > 3 && text[3] != ' ' && text[3] != '-')
        return Step::malformed;
    if (reply_.code != 0 && reply_.code != code)
        return Step::malformed;
    const bool more = text.size() > 3 && text[3] == '-';
    text.remove_prefix(std::min<std::size_t>(text.size(), 4));
    EnhancedStatus status;
    const std::size_t taken = EnhancedStatus::parse(text, status);
    if (taken && (taken == text.size() || bytes::is_space(text[taken]))) {
        if (reply_.code == 0)
            reply_.enhanced = status;
        if (reply_.code == 0 || status == reply_.enhanced)
            text.remove_prefix(std::min(text.size(), taken + 1));
    }
    reply_.code = code;
    if (reply_.lines.size() < lines_max_ && bytes_ < bytes_max_) {
        text = text.substr(0, bytes_max_ - bytes_);
        bytes_ += text.size() + 1;
        reply_.lines.emplace_back(text);
    }
    return more ? Step::more : Step::done;
}

Reply ReplyReader::take() {
    bytes_ = 0;
    Reply reply = std::move(reply_);
    reply_ = {};
    return reply;
}
}
