// See delivery/copy.h. Lines go through one buffer to the sink, 64 KiB at a time.
#include "delivery/copy.h"

#include <ctime>
#include "base/bytes.h"
#include "mail/address.h"

namespace delivery {
namespace {
constexpr std::size_t piece = 64 * 1024;

// An address in a line that we write: nothing in it may end the line.
std::string shown(std::string_view address) { return bytes::printable(mail::to_external(address)); }
}

std::string from_line(std::string_view sender, std::time_t when) {
    std::tm t{};
    char date[64] = "";
    localtime_r(&when, &t);
    std::strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &t);
    return "From " + (sender.empty() ? std::string("MAILER-DAEMON") : shown(sender)) + "  " + date;
}

Result<std::int64_t> copy_message(const Job& job, const CopyOptions& options, const Sink& sink) {
    const std::string_view end = options.end_of_line;
    std::string out;
    std::int64_t total = 0;
    auto line = [&](std::string_view text) { out.append(text).append(end); };
    auto hand_on = [&]() -> Result<void> {
        total += static_cast<std::int64_t>(out.size());
        TRY(sink(out));
        out.clear();
        return {};
    };
    if (options.from_line)
        line(from_line(options.sender, std::time(nullptr)));
    if (options.return_path)
        line("Return-Path: <" + (options.sender.empty() ? std::string() : shown(options.sender)) + ">");
    if (options.original_to && !options.original.empty())
        line("X-Original-To: " + shown(options.original));
    if (options.delivered_to)
        line("Delivered-To: " + shown(options.delivered));
    queue::ContentReader content = job.content();
    bool at_start = true;
    for (;;) {
        TRY_ASSIGN(auto next, content.next());
        if (!next)
            break;
        if (at_start && options.quote_from && next->text.starts_with("From "))
            out.push_back('>');
        if (at_start && options.quote_dot && next->text.starts_with('.'))
            out.push_back('.');
        out.append(next->text);
        at_start = next->ends_line;
        if (at_start)
            out.append(end);
        if (out.size() >= piece)
            TRY(hand_on());
    }
    if (!at_start)
        out.append(end);
    if (options.blank_line)
        out.append(end);
    if (!out.empty())
        TRY(hand_on());
    return total;
}
}
