// One queue file as postcat shows it: envelope, header and body, each when asked for.
//
// When things fail: an Error whose reason is ready for "postcat: fatal: "; what was printed so far stays.
#pragma once
#include <cstdint>
#include <string>
#include "base/error.h"
#include "queue/file.h"

namespace postcat {
struct Show {
    bool envelope = false, header = false, body = false;
    bool types = false, offsets = false, names = false;  // -d, -o, -v
    bool file_order = false;                             // -r
    std::int64_t from = 0;                               // -s
};

class Printer {
public:
    Printer(const Show& show, std::string name) : show_(show), name_(std::move(name)) {}
    Result<void> print(int fd);

private:
    enum class Part : std::uint8_t { envelope, header, body, extracted };
    void record(const queue::RecordReader::Item& item);
    void content(const queue::RecordReader::Item& item);
    void banner(const queue::RecordReader::Item& item, const char* text);
    void line(const queue::RecordReader::Item& item, std::string_view text);
    void lead(const queue::RecordReader::Item& item);
    bool shown(queue::RecordType type) const;
    void envelope_record(const queue::RecordReader::Item& item);

    Show show_;
    std::string name_;
    Part part_ = Part::envelope;
    bool line_open_ = false;  // the last content record was part of a line
    bool in_header_line_ = false;
};
std::string_view record_name(queue::RecordType type, bool in_content);
}
