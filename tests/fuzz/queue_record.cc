// The records of queue files, and the numbers of the first one (lib/queue/record.h).
#include "fuzz.h"
#include "queue/record.h"

void fuzz::one(std::string_view bytes) {
    std::string written;
    std::string_view left = bytes;
    for (std::size_t n = 0; !left.empty(); ++n) {
        auto record = queue::decode(left);
        if (!record)
            break;
        fuzz::require(record->payload.size() <= bytes.size(), "a record lies within its file");
        std::string one;
        queue::append(one, record->type, record->payload);
        fuzz::require(one.size() == queue::encoded_size(record->payload.size()), "encoded_size tells the size");
        std::string_view back = one;
        auto again = queue::decode(back);
        fuzz::require(again && back.empty() && again->type == record->type && again->payload == record->payload,
                      "a record reads back as it was written");
        if (auto size = queue::SizeRecord::parse(record->payload)) {
            auto twice = queue::SizeRecord::parse(size->text());
            fuzz::require(twice.has_value(), "numbers read back", size->text());
            fuzz::same(twice->text(), size->text(), "numbers read back the same");
        }
        written += one;
    }
    // The beginning of a record is incomplete, never damaged and never another record.
    for (std::size_t n = 0; n < std::min<std::size_t>(written.size(), 64); ++n) {
        std::string_view part(written.data(), n);
        queue::Record record{};
        std::size_t needed = 0;
        auto found = queue::decode(part, record, needed);
        fuzz::require(found != queue::Decoded::damaged, "the beginning of good records is good");
    }
}
