#include "dialogue.h"
#include <sys/socket.h>
#include <algorithm>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/services.h"
#include "conf/params/smtpd.h"
#include "loop/stack.h"
#include "mail/address.h"
#include "reply_footer.h"
#include "server/server.h"
#include "service.h"

namespace smtpd {
namespace {
constexpr int yield_commands = 64;  // one pipelining client must not keep the others waiting
constexpr std::chrono::seconds rest_after(2);

// Each line of a reply is what this server says: an address, a rule or a policy server puts no line of its own in it.
void keep_lines(std::string& text) {
    for (std::size_t at = text.find_first_of("\r\n"); at != text.npos; at = text.find_first_of("\r\n", at)) {
        if (text.compare(at, 2, "\r\n") == 0)
            at += 2;
        else
            text[at++] = ' ';
    }
}
}

loop::Deadline Dialogue::deadline() const { return loop::in(settings_[param::smtpd_timeout]); }

// One that is silent for some seconds may go on so for minutes: its session keeps no memory but what it needs to go on.
Dialogue::Input Dialogue::await(bool between) {
    command_until_ = deadline();
    if (!stream_.buffered().empty())
        return Input::ready;
    std::optional<server::Idle> idle;
    if (between)
        idle.emplace();
    bool sent = stream_.flush(command_until_).has_value();
    stream_.release_buffers();
    command_until_ = deadline();
    if (sent && stream_.wait_input(std::min(loop::in(rest_after), command_until_)) == loop::Wait::timed_out) {
        loop::release_unused_stack();
        if (stream_.wait_input(command_until_) == loop::Wait::timed_out)
            return Input::silent;
    }
    return sent ? Input::ready : Input::lost;
}

std::optional<Dialogue::Line> Dialogue::read() {
    const auto limit = static_cast<std::size_t>(settings_[param::line_length_limit]);
    auto line = stream_.read_line(limit, command_until_);
    if (!line)
        return std::nullopt;
    Line out{std::string(line->text), line->crlf};
    while (!line->complete) {  // the rest of an overlong command is passed over
        line = stream_.read_line(limit, command_until_);
        if (!line)
            return std::nullopt;
        out.crlf = line->crlf;
    }
    return out;
}

Dialogue::Input Dialogue::take_turns() {
    if (++commands_ % yield_commands != 0)
        return Input::ready;
    if (!flush())
        return Input::lost;
    loop::yield();
    return Input::ready;
}

bool Dialogue::say(std::string_view reply) {
    const bool bad = reply.starts_with('4') || reply.starts_with('5');
    const auto pause = settings_[param::smtpd_error_sleep_time];
    if (errors_ >= settings_[param::smtpd_soft_error_limit] && pause.count() > 0) {
        (void)flush();
        loop::sleep_until(loop::in(pause));
    }
    std::string text(reply);
    if (bad && settings_[param::soft_bounce] && text[0] == '5') {
        text[0] = '4';
        if (text.size() > 5 && text[4] == '5' && text[5] == '.')
            text[4] = '4';
    }
    if (bad) {
        filter_reply(service_, text);
        add_footer(service_, client_, text);
        transcript_.classify(text);
    }
    keep_lines(text);
    const bool last = text.starts_with("421") || text.starts_with("521");
    transcript_.note(" Out: ", text);
    text += "\r\n";
    if (!over_ && !stream_.write(text, deadline()))
        over_ = write_failed_ = true;
    if (last)
        over_ = true;
    return !bad;
}

bool Dialogue::flush() { return stream_.flush(deadline()).has_value(); }

void Dialogue::last_word(std::string_view text) {
    if (!stream_.layer() && stream_.pending() == 0)
        (void)!::send(stream_.fd(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Dialogue::junk() {
    if (junk_++ > settings_[param::smtpd_junk_command_limit])
        error();
}

bool Dialogue::too_many_errors() const { return errors_ >= settings_[param::smtpd_hard_error_limit]; }

Words split_words(std::string_view line) {
    Words words;
    while (true) {
        while (!line.empty() && bytes::is_space(line.front()))
            line.remove_prefix(1);
        if (line.empty())
            return words;
        bool open;
        const std::size_t end = mail::word_end(line, open);
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

std::string joined(const Words& words, std::size_t from) {
    std::string out;
    for (std::size_t i = from; i < words.size(); ++i)
        out.append(i > from ? " " : "").append(words[i]);
    return out;
}
}
