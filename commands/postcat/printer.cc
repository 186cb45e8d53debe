#include "printer.h"
#include <cstdio>
#include <ctime>
#include "base/bytes.h"
#include "log/log.h"

namespace postcat {
using queue::RecordType;
using Item = queue::RecordReader::Item;

std::string_view record_name(RecordType type, bool in_content) {
    if (in_content && type == RecordType::part)
        return "unterminated_text";
    switch (type) {
    case RecordType::size: return "message_size";
    case RecordType::time: return "message_arrival_time";
    case RecordType::create_time: return "queue_file_create_time";
    case RecordType::full_name: return "sender_fullname";
    case RecordType::inspector: return "content_inspector";
    case RecordType::filter: return "content_filter";
    case RecordType::sender: return "sender";
    case RecordType::dsn_envelope_id: return "dsn_envelope_id";
    case RecordType::dsn_return: return "dsn_return_flags";
    case RecordType::attribute: return "named_attribute";
    case RecordType::warn_time: return "warning_message_time";
    case RecordType::verp: return "verp_delimiters";
    case RecordType::redirect: return "redirect_to";
    case RecordType::flags: return "flags";
    case RecordType::priority: return "priority";
    case RecordType::errors_to: return "errors_to";
    case RecordType::return_receipt: return "return_receipt";
    case RecordType::dsn_original: return "dsn_original_recipient";
    case RecordType::dsn_notify: return "dsn_notify_flags";
    case RecordType::original: return "original_recipient";
    case RecordType::recipient: return "recipient";
    case RecordType::done: return "done_recipient";
    case RecordType::canceled: return "canceled_recipient";
    case RecordType::killed: return "killed_record";
    case RecordType::pointer: return "pointer_record";
    case RecordType::padding: return "padding";
    case RecordType::line: return "regular_text";
    default: return "unknown_record_type";
    }
}

static std::string date(std::string_view seconds) {
    std::time_t when =
        static_cast<std::time_t>(bytes::to_int(bytes::trim(bytes::cut(bytes::trim(seconds), ' ').first)).value_or(0));
    std::tm local{};
    localtime_r(&when, &local);
    char text[64];
    return {text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local)};
}

void Printer::lead(const Item& item) {
    if (show_.offsets)
        std::printf("%9lld ", static_cast<long long>(item.offset));
    if (show_.types)
        std::printf("%3d ", static_cast<unsigned char>(item.type));
}

void Printer::line(const Item& item, std::string_view text) {
    lead(item);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::putchar('\n');
}

void Printer::banner(const Item& item, const char* text) {
    line(item, std::string("*** ") + text + ' ' + name_ + " ***");
}

void Printer::envelope_record(const Item& item) {
    std::string value(item.payload);
    std::string_view name = record_name(item.type, false);
    if (item.type == RecordType::time || item.type == RecordType::warn_time)
        value = date(item.payload);
    if (item.type == RecordType::attribute) {
        auto [attribute, text] = bytes::cut(item.payload, '=');
        if (!text) {
            maillog::warning("{}: malformed attribute: missing '=' after attribute name: {}", name_, item.payload);
            return;
        }
        if (attribute == queue::attribute::create_time) {
            name = "create_time";
            value = date(*text);
        }
    }
    line(item, std::string(name) + ": " + value);
}

// A line that may stand in a header: a name and a colon, or the continuation of one.
static bool is_header(std::string_view text, bool after_header) {
    if (text.empty())
        return false;
    if (text.front() == ' ' || text.front() == '\t')
        return after_header;
    auto colon = text.find(':');
    if (colon == text.npos || colon == 0)
        return false;
    for (char c : bytes::trim(text.substr(0, colon)))
        if (c <= 32 || static_cast<unsigned char>(c) >= 127)
            return false;
    return true;
}

void Printer::content(const Item& item) {
    const bool text = item.type == RecordType::line || item.type == RecordType::part;
    if (part_ == Part::header && text && !line_open_) {
        if (!is_header(item.payload, in_header_line_))
            part_ = Part::body;
        else
            in_header_line_ = true;
    }
    const bool continued = std::exchange(line_open_, text && item.type == RecordType::part);
    if (!(part_ == Part::header ? show_.header : show_.body))
        return;
    if (!text) {
        if (show_.names || show_.file_order)
            envelope_record(item);
        return;
    }
    if (show_.names) {
        line(item, std::string(record_name(item.type, true)) + ": " + std::string(item.payload));
        return;
    }
    const bool each = show_.offsets || show_.types;  // then each record has a line of its own
    if (each || !continued)
        lead(item);
    std::fwrite(item.payload.data(), 1, item.payload.size(), stdout);
    if (each || item.type == RecordType::line)
        std::putchar('\n');
}

void Printer::record(const Item& item) {
    switch (item.type) {
    case RecordType::message:
        if (part_ != Part::envelope)
            maillog::warning("{}: out-of-order message content marker", name_);
        if (show_.envelope)
            banner(item, "MESSAGE CONTENTS");
        part_ = Part::header;
        return;
    case RecordType::extracted:
        if (part_ == Part::extracted || part_ == Part::envelope)
            maillog::warning("{}: out-of-order extracted segment marker", name_);
        if (show_.envelope)
            banner(item, "HEADER EXTRACTED");
        part_ = Part::extracted;
        return;
    case RecordType::end:
        if (show_.envelope)
            banner(item, "MESSAGE FILE END");
        return;
    default: break;
    }
    if (part_ == Part::header || part_ == Part::body) {
        content(item);
        return;
    }
    if (!show_.envelope)
        return;
    if ((item.type == RecordType::pointer || item.type == RecordType::padding) && !show_.names && !show_.file_order)
        return;
    envelope_record(item);
}

Result<void> Printer::print(int fd) {
    queue::RecordReader reader(fd, show_.from);
    reader.show_pointers();
    if (show_.file_order)
        reader.in_file_order();
    if (show_.envelope && show_.from == 0)
        std::printf("*** ENVELOPE RECORDS %s ***\n", name_.c_str());
    bool sizes = false;
    for (;;) {
        auto item = reader.next();
        if (!item) {
            maillog::warning("{}: {}", name_, item.error().reason);
            return permanent("record read error");
        }
        if (!*item)
            return {};
        if ((*item)->type == RecordType::size && std::exchange(sizes, true))
            maillog::warning("file contains multiple size records");
        record(**item);
        if ((*item)->type == RecordType::end && !show_.file_order)
            return {};
    }
}
}
