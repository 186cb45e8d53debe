// What every fuzz target stands on. A target is one file tests/fuzz/NAME.cc with a function fuzz::one(), which takes
// any bytes, feeds them to one decoder of outside bytes, and checks what must hold whatever they are:
//
//     void fuzz::one(std::string_view bytes) {
//         auto path = mail::parse_path(bytes, true);
//         if (path) fuzz::require(mail::parse_path(…) …, "a path reads back as it was written");
//     }
//
// entry.cc makes it what libFuzzer calls, with the limits that hold for all targets: CPU time and memory of one input.
// driver.cc is the main() where there is no libFuzzer (g++): the kept corpus, then seeded mutations of it.
//
// When things fail: the process aborts, and says what did not hold; libFuzzer or the driver keep the input in a file.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include "base/fd.h"

namespace fuzz {
inline constexpr std::size_t input_limit = 100000;  // bytes; longer inputs are cut
#ifdef __SANITIZE_ADDRESS__
inline constexpr double seconds_limit = 3.0;  // CPU time for one input: ./check may run on a slow and busy machine
#else
inline constexpr double seconds_limit = 1.0;
#endif

void one(std::string_view bytes);  // the target

[[noreturn]] void fail(std::string_view what, std::string_view detail = {});
inline void require(bool holds, std::string_view what, std::string_view detail = {}) {
    if (!holds)
        fail(what, detail);
}
// Two texts that must be the same.
void same(std::string_view a, std::string_view b, std::string_view what);

// A directory in memory that goes with the process.
const std::string& scratch();
// A file without a name that holds these bytes, read from its start.
UniqueFd file_of(std::string_view bytes);
// A file in scratch(), made anew.
std::string write_file(std::string_view name, std::string_view bytes);

// Takes decisions off the front of the input, and what is left is the decoder's.
class Choices {
public:
    explicit Choices(std::string_view bytes) : left_(bytes) {}
    unsigned byte() {
        if (left_.empty())
            return 0;
        auto c = static_cast<unsigned char>(left_[0]);
        left_.remove_prefix(1);
        return c;
    }
    bool flag() { return byte() & 1; }
    unsigned below(unsigned n) { return byte() % n; }
    std::string_view take(std::size_t n) {
        auto s = left_.substr(0, n);
        left_.remove_prefix(s.size());
        return s;
    }
    // Up to the next NUL, which is taken.
    std::string_view text() {
        auto s = left_.substr(0, left_.find('\0'));
        left_.remove_prefix(std::min(left_.size(), s.size() + 1));
        return s;
    }
    std::string_view rest() const { return left_; }
    bool empty() const { return left_.empty(); }

private:
    std::string_view left_;
};
}
