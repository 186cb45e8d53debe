#include "queue/record.h"
#include <fmt/format.h>
#include "base/bytes.h"

namespace queue {
std::size_t head(char (&to)[head_max], RecordType type, std::size_t length) {
    std::size_t used = 0;
    to[used++] = static_cast<char>(type);
    do {
        to[used++] = static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
        length >>= 7;
    } while (length != 0 && used < head_max);
    return used;
}

void append(std::string& out, RecordType type, std::string_view payload) {
    char header[head_max];
    out.append(header, head(header, type, payload.size()));
    out.append(payload);
}

std::string attribute_payload(std::string_view name, std::string_view value) {
    std::string text;
    text.reserve(name.size() + value.size() + 1);
    return text.append(name).append("=").append(value);
}

std::string padded_number(std::int64_t number) { return fmt::format("{:15}", number); }

void append_pointer(std::string& out, std::int64_t offset) { append(out, RecordType::pointer, padded_number(offset)); }

std::size_t encoded_size(std::size_t payload) {
    std::size_t header = 2;
    for (std::size_t length = payload >> 7; length != 0; length >>= 7)
        ++header;
    return header + payload;
}

Decoded decode(std::string_view& input, Record& record, std::size_t& needed) {
    needed = 0;
    std::size_t length = 0, at = 1;
    for (unsigned shift = 0;; shift += 7, ++at) {
        if (at >= input.size())
            return at > 4 + 1 ? Decoded::damaged : Decoded::incomplete;
        auto byte = static_cast<unsigned char>(input[at]);
        length |= std::size_t(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
        if (shift >= 21)
            return Decoded::damaged;  // four bytes hold 256 MiB: no record is as long
    }
    if (length > payload_max)
        return Decoded::damaged;
    ++at;
    needed = at + length;
    if (input.size() < needed)
        return Decoded::incomplete;
    record = {static_cast<RecordType>(input[0]), input.substr(at, length)};
    input.remove_prefix(needed);
    return Decoded::record;
}

Result<Record> decode(std::string_view& input) {
    Record record{};
    std::size_t needed = 0;
    switch (decode(input, record, needed)) {
    case Decoded::record: return record;
    case Decoded::incomplete: return temporary("record is cut short");
    case Decoded::damaged: break;
    }
    return temporary("record length is out of range");
}

std::string SizeRecord::text() const {
    std::string text;
    for (std::int64_t number : {message_size, data_offset, recipients, qmgr_flags, content_length, send_options}) {
        const fmt::format_int digits(number);
        if (!text.empty())
            text += ' ';
        if (digits.size() < 15)
            text.append(15 - digits.size(), ' ');
        text.append(digits.data(), digits.size());
    }
    return text;
}

Result<SizeRecord> SizeRecord::parse(std::string_view payload) {
    SizeRecord size;
    std::int64_t* fields[] = {&size.message_size, &size.data_offset,    &size.recipients,
                              &size.qmgr_flags,   &size.content_length, &size.send_options};
    std::size_t count = 0;
    for (std::string_view word : bytes::split(payload, " ")) {
        auto number = bytes::to_int(word);
        if (!number || *number < 0)
            return temporary("size record holds \"" + bytes::printable(word.substr(0, 40)) +
                             "\" where a number belongs");
        if (count == 6)
            break;  // numbers of later versions are passed over
        *fields[count++] = *number;
    }
    if (count == 0)
        return temporary("size record is empty");
    if (count < 5)
        size.content_length = size.message_size;
    return size;
}
}
