// A message's name: its queue file's name, the word in front of its log lines.
//
// Short: five hex digits of microseconds, then the queue file's inode in hex. Long (enable_long_queue_ids): seconds in
// base 52 (six digits or more), microseconds in base 52 (four digits), 'z', the inode in base 51. Either is made when
// the file is created, so an inode can carry the same short id twice in a row only if the clock's microseconds agree
// too.
//
// When things fail: parse() refuses everything that is not safe as a file name; nothing else can fail.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"
#include "base/time.h"

namespace mail {
class QueueId {
public:
    static constexpr std::size_t length_max = 100;
    // What others may call a message: one to length_max letters and digits. Names that neither form explains are
    // accepted (other tools put such files into the queue); time() and inode() are then absent.
    static Result<QueueId> parse(std::string_view text);
    static QueueId make(base::WallTime now, std::uint64_t inode, bool long_form);

    const std::string& text() const { return text_; }
    bool long_form() const;  // reads as a long id
    // When the file was made: long ids only.
    std::optional<base::WallTime> time() const;
    std::optional<std::uint64_t> inode() const;
    // The microseconds of the creation time as five hex digits: what directories are hashed by. Ids too short for it
    // are filled up with '_'.
    std::string hash_text() const;
    // "B/6/" for depth 2, "" for 0: the directories between the queue's name and the file.
    std::string hash_directories(int depth) const;

    friend auto operator<=>(const QueueId&, const QueueId&) = default;

private:
    explicit QueueId(std::string text) : text_(std::move(text)) {}
    std::string text_;
};
}

template <> struct std::hash<mail::QueueId> {
    std::size_t operator()(const mail::QueueId& id) const noexcept { return std::hash<std::string>{}(id.text()); }
};
