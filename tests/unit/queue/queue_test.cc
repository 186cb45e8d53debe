// lib/queue: the record codec, queue files from creation to the last recipient, damage, and the order of commit().
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include "base/fd.h"
#include "queue/doors.h"
#include "queue/directories.h"
#include "queue/file.h"
#include "queue/new_file.h"
#include "queue/record.h"

namespace {
namespace fs = std::filesystem;
using queue::RecordType;

class QueueTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/queue_test.XXXXXX";
        root = ::mkdtemp(name);
        for (const char* queue : {"incoming", "active", "deferred", "hold", "corrupt"})
            fs::create_directory(root + "/" + queue);
    }
    void TearDown() override {
        queue::NewQueueFile::after_step = nullptr;
        fs::remove_all(root);
    }
    queue::Directories directories(int depth = 1) { return queue::Directories({"deferred", "defer"}, depth, root); }

    // A message with this many recipients a0@x …, every second with its own original and NOTIFY.
    static Result<void> fill(queue::NewQueueFile& file, int recipients, queue::SizeRecord& size) {
        TRY(file.put(RecordType::time, "1795348498 528381"));
        TRY(file.put_attribute("create_time", "1795348498"));
        TRY(file.put_attribute("rewrite_context", "local"));
        TRY(file.put(RecordType::sender, "bob@b.test"));
        TRY(file.put(RecordType::warn_time, queue::padded_number(1795363013)));
        for (int i = 0; i < recipients; ++i) {
            if (i % 2 != 0) {
                TRY(file.put_attribute("notify_flags", "6"));
                TRY(file.put_attribute("dsn_orig_rcpt", "rfc822;o@o"));
                TRY(file.put(RecordType::original, "orig@x"));
            }
            TRY(file.put(RecordType::recipient, "a" + std::to_string(i) + "@x"));
        }
        TRY(file.put(RecordType::message));
        size.data_offset = file.offset();
        TRY(file.put(RecordType::line, "Subject: s"));
        TRY(file.put(RecordType::line, ""));
        TRY(file.put(RecordType::part, std::string(2048, 'x')));
        TRY(file.put(RecordType::line, "y"));
        size.message_size = size.content_length = file.offset() - size.data_offset;
        size.recipients = recipients;
        TRY(file.put(RecordType::extracted));
        return file.put_attribute("encoding", "8bit");
    }
    mail::QueueId make(const queue::Directories& where, int recipients, bool long_id = false) {
        auto file = queue::NewQueueFile::create(where, queue::incoming, long_id);
        EXPECT_TRUE(file) << file.error().reason;
        queue::SizeRecord size;
        EXPECT_TRUE(fill(*file, recipients, size));
        EXPECT_TRUE(file->commit(size));
        return file->id();
    }
    std::string root;
};

std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Doors, EachTakesWhatTheNextOneDoes) {
    using queue::Door, queue::Segment;
    for (Segment segment : {Segment::envelope, Segment::content, Segment::extracted}) {
        for (char letter : queue::records(Door::postdrop, segment))
            EXPECT_TRUE(queue::takes(Door::submission, segment, RecordType(letter))) << letter;
        for (Door door : {Door::submission, Door::requeued})
            for (char letter : queue::records(door, segment))
                EXPECT_TRUE(queue::takes(Door::cleanup, segment, RecordType(letter))) << letter;
    }
    EXPECT_FALSE(queue::takes(Door::postdrop, Segment::envelope, RecordType::time));  // the file's own is true
    for (char decided_by_us : {'C', 'L', '>', 'D', 'W', 'p', 'f', 'O', 'o'})
        EXPECT_FALSE(queue::takes(Door::submission, Segment::envelope, RecordType(decided_by_us))) << decided_by_us;
}

TEST(RecordTest, EveryLengthSurvivesTheRoundTrip) {
    for (std::size_t length : {0u, 1u, 127u, 128u, 129u, 16383u, 16384u, 2097151u, 2097152u}) {
        std::string bytes;
        queue::append(bytes, RecordType::line, std::string(length, 'q'));
        EXPECT_EQ(bytes.size(), queue::encoded_size(length));
        std::string_view input = bytes;
        auto record = queue::decode(input);
        ASSERT_TRUE(record) << length;
        EXPECT_EQ(record->payload.size(), length);
        EXPECT_TRUE(input.empty());
    }
}

TEST(RecordTest, ACutRecordIsAnErrorAtEveryByte) {
    std::string bytes;
    queue::append(bytes, RecordType::line, std::string(300, 'q'));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        std::string_view input = std::string_view(bytes).substr(0, n);
        EXPECT_FALSE(queue::decode(input)) << n;
    }
}

TEST(RecordTest, AnOverlongLengthIsDamage) {
    std::string_view input("N\xff\xff\xff\xff\x7f", 6);
    queue::Record record{};
    std::size_t needed = 0;
    EXPECT_EQ(queue::decode(input, record, needed), queue::Decoded::damaged);
}

TEST(RecordTest, ALengthOfPayloadMaxIsTakenAndOneMoreIsDamage) {
    for (std::size_t length : {queue::payload_max, queue::payload_max + 1}) {
        std::string head = "N";
        for (std::size_t rest = length; head.size() == 1 || rest != 0; rest >>= 7)
            head += static_cast<char>((rest & 0x7f) | (rest >> 7 ? 0x80 : 0));
        std::string_view input = head;
        queue::Record record{};
        std::size_t needed = 0;
        if (length == queue::payload_max) {
            EXPECT_EQ(queue::decode(input, record, needed), queue::Decoded::incomplete);
            EXPECT_EQ(needed, head.size() + length);
        } else {
            EXPECT_EQ(queue::decode(input, record, needed), queue::Decoded::damaged);
        }
    }
}

TEST(RecordTest, SizeRecordsOfOtherVersionsAreRead) {
    EXPECT_EQ(queue::SizeRecord::parse("10 2 3 4").value().content_length, 10);  // before there was one
    EXPECT_EQ(queue::SizeRecord::parse("10 2 3 4 5").value().content_length, 5);
    EXPECT_EQ(queue::SizeRecord::parse("10 2 3 4 5 6 7").value().send_options, 6);
    EXPECT_EQ(queue::SizeRecord::parse("0").value().message_size, 0);
    EXPECT_FALSE(queue::SizeRecord::parse("-1"));
}

TEST(RecordTest, SizeRecordIsPostfixs) {
    queue::SizeRecord size{3290, 839, 3, 14, 3290, 0};
    EXPECT_EQ(size.text(),
              "           3290             839               3              14            3290               0");
    EXPECT_EQ(size.text().size(), queue::SizeRecord::payload);
    auto back = queue::SizeRecord::parse(size.text());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->data_offset, 839);
    EXPECT_EQ(back->qmgr_flags, 14);
    EXPECT_FALSE(queue::SizeRecord::parse("12 x"));
    EXPECT_FALSE(queue::SizeRecord::parse(""));
}

TEST_F(QueueTest, WhatIsWrittenIsRead) {
    auto where = directories();
    auto id = make(where, 7);
    auto file = queue::QueueFile::open(where, queue::incoming, id, queue::Access::read);
    ASSERT_TRUE(file) << file.error().reason;
    EXPECT_TRUE(file->complete());
    EXPECT_EQ(file->mode(), 0700u);
    EXPECT_EQ(static_cast<std::uint64_t>(file->inode()), id.inode());
    auto envelope = file->envelope();
    ASSERT_TRUE(envelope) << envelope.error().reason;
    EXPECT_EQ(envelope->sender, "bob@b.test");
    EXPECT_EQ(envelope->arrival.microseconds, 528381);
    EXPECT_EQ(envelope->encoding, "8bit");
    EXPECT_EQ(envelope->attribute("rewrite_context"), "local");
    EXPECT_EQ(envelope->remaining, 7u);
    EXPECT_EQ(envelope->warn_time, 1795363013);
    queue::RecipientReader reader(*file, *envelope);
    std::vector<queue::Recipient> recipients;
    EXPECT_EQ(*reader.read(recipients, 3), 3u);
    queue::RecipientReader later(*file, *envelope, reader.position());
    EXPECT_EQ(*later.read(recipients, 100), 4u);
    EXPECT_TRUE(later.at_end());
    EXPECT_EQ(recipients[1].original, "orig@x");
    EXPECT_EQ(recipients[1].dsn_notify, 6);
    EXPECT_EQ(recipients[1].dsn_original, "rfc822;o@o");
    EXPECT_EQ(recipients[2].original, "");
    EXPECT_EQ(recipients[6].address, "a6@x");
    queue::ContentReader content(*file, envelope->size);
    std::string text;
    while (*content.read(text, 100, "\r\n")) {}
    EXPECT_EQ(text, "Subject: s\r\n\r\n" + std::string(2048, 'x') + "y\r\n");
}

TEST_F(QueueTest, AMarkIsWrittenWhereARecipientsRecordIsAndNowhereElse) {
    auto where = directories();
    auto id = make(where, 3);
    auto file = queue::QueueFile::open(where, queue::incoming, id, queue::Access::update);
    auto envelope = file->envelope();
    std::vector<queue::Recipient> recipients;
    queue::RecipientReader(*file, *envelope).read(recipients, 10);
    const std::string before = *read_file(file->path());
    std::set<std::int64_t> good;
    for (const queue::Recipient& r : recipients)
        good.insert(r.offset);
    for (std::int64_t offset = 0; offset <= file->bytes() + 8; ++offset) {
        if (good.contains(offset))
            continue;
        const char here = offset < file->bytes() ? before[static_cast<std::size_t>(offset)] : '\0';
        if (auto marked = file->mark_done(offset); marked)
            EXPECT_EQ(here, 'D') << offset;
        else
            EXPECT_TRUE(queue::is_damage(marked.error())) << offset;
    }
    EXPECT_EQ(*read_file(file->path()), before);
    for (int twice = 0; twice < 2; ++twice)
        EXPECT_TRUE(file->mark_done(recipients[1].offset));
    EXPECT_EQ(file->envelope()->finished, 1u);
}

TEST_F(QueueTest, AnAgentOpensOnlyACompleteFileOfItsOwnBelowNoLink) {
    ASSERT_EQ(::chdir(root.c_str()), 0);  // an agent's working directory is queue_directory
    queue::Directories where({"incoming"}, 2);
    auto id = make(where, 1);
    const std::string path = where.path(queue::incoming, id), directory = path.substr(0, path.rfind('/'));
    auto opens = [&] { return queue::QueueFile::open(where, queue::incoming, id, queue::Access::deliver).has_value(); };
    EXPECT_TRUE(opens());
    for (auto [mode, good] :
         {std::pair{0600, false}, {0720, false}, {0702, false}, {0644, false}, {0700, true}, {0710, true}}) {
        ASSERT_EQ(::chmod(path.c_str(), static_cast<mode_t>(mode)), 0);
        EXPECT_EQ(opens(), good) << mode;
    }
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(path.c_str(), 1, 1), 0);
        EXPECT_FALSE(opens());
        ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
    }
    ASSERT_EQ(::rename(directory.c_str(), "elsewhere"), 0);
    ASSERT_EQ(::symlink("../../elsewhere", directory.c_str()), 0);
    EXPECT_TRUE(queue::QueueFile::open(where, queue::incoming, id, queue::Access::update));
    EXPECT_FALSE(opens());
    ASSERT_EQ(::chdir("/"), 0);
}

TEST_F(QueueTest, ARecipientThatIsDoneIsNotReadAgain) {
    auto where = directories();
    auto id = make(where, 3);
    auto file = queue::QueueFile::open(where, queue::incoming, id, queue::Access::update);
    auto envelope = file->envelope();
    std::vector<queue::Recipient> recipients;
    queue::RecipientReader(*file, *envelope).read(recipients, 10);
    ASSERT_TRUE(file->mark_done(recipients[1].offset));
    ASSERT_TRUE(file->mark_warned(envelope->warn_at));
    envelope = file->envelope();
    EXPECT_EQ(envelope->remaining, 2u);
    EXPECT_EQ(envelope->finished, 1u);
    EXPECT_EQ(envelope->warn_time, 0);
    recipients.clear();
    queue::RecipientReader(*file, *envelope).read(recipients, 10);
    ASSERT_EQ(recipients.size(), 2u);
    EXPECT_EQ(recipients[1].address, "a2@x");
    EXPECT_EQ(recipients[1].dsn_notify, 0);
}

TEST_F(QueueTest, BigMessagesAreWrittenInPiecesAndTheSizeRecordIsPatched) {
    auto where = directories();
    auto id = make(where, 20000);
    auto file = queue::QueueFile::open(where, queue::incoming, id, queue::Access::read);
    auto envelope = file->envelope();
    ASSERT_TRUE(envelope) << envelope.error().reason;
    EXPECT_EQ(envelope->remaining, 20000u);
    EXPECT_EQ(envelope->size.recipients, 20000);
}

TEST_F(QueueTest, AFileThatIsCutOrChangedIsDamageAndNeverMore) {
    auto where = directories();
    auto id = make(where, 2);
    std::string whole = slurp(where.path(queue::incoming, id)), path = root + "/damaged";
    for (std::size_t n = 0; n<whole.size(); n += n> 300 && n < whole.size() - 300 ? 97 : 1) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, n);
        auto envelope = queue::QueueFile::open_path(path, queue::Access::read)->envelope();
        ASSERT_FALSE(envelope) << n;
        EXPECT_TRUE(queue::is_damage(envelope.error())) << n;
    }
    for (std::size_t n = 0; n < whole.size(); ++n) {  // any answer will do, within the file and in time
        std::string flipped = whole;
        flipped[n] = static_cast<char>(flipped[n] ^ 0x81);
        std::ofstream(path, std::ios::binary | std::ios::trunc) << flipped;
        auto file = queue::QueueFile::open_path(path, queue::Access::read);
        auto envelope = file->envelope();
        if (!envelope)
            continue;
        std::vector<queue::Recipient> recipients;
        queue::RecipientReader(*file, *envelope).read(recipients, 1000);
        queue::ContentReader content(*file, envelope->size);
        std::string text;
        for (auto more = content.read(text, 100, "\n"); more && *more; more = content.read(text, 100, "\n")) {}
    }
}

TEST_F(QueueTest, PointersThatGoRoundAreDamage) {
    std::string bytes, path = root + "/loop";
    queue::append(bytes, RecordType::size, queue::SizeRecord{10, 50, 1, 0, 10, 0}.text());
    queue::append_pointer(bytes, static_cast<std::int64_t>(bytes.size()));
    std::ofstream(path, std::ios::binary) << bytes;
    auto envelope = queue::QueueFile::open_path(path, queue::Access::read)->envelope();
    ASSERT_FALSE(envelope);
    EXPECT_EQ(envelope.error().reason, "pointer records form a loop");
}

// Found by tests/fuzz/queue_file.cc: a large file was read once for every 17 bytes of it.
TEST_F(QueueTest, ALargeCircleIsReadOnce) {
    std::string bytes, path = root + "/circle";
    queue::append(bytes, RecordType::size, queue::SizeRecord{10, 50, 1, 0, 10, 0}.text());
    auto start = static_cast<std::int64_t>(bytes.size());
    for (int i = 0; i < 1000; ++i)
        queue::append(bytes, RecordType::line, std::string(1000, 'x'));
    queue::append_pointer(bytes, start);
    std::ofstream(path, std::ios::binary) << bytes;
    auto file = queue::QueueFile::open_path(path, queue::Access::read);
    queue::RecordReader reader(file->fd());
    int records = 0;
    for (auto r = reader.next(); r && *r; r = reader.next())
        ++records;
    EXPECT_LE(records, 2001);
}

TEST_F(QueueTest, EditsOfAMilterAreFollowed) {
    // As Postfix's cleanup leaves a file whose sender and Subject a milter changed: see tests/corpus.
    std::string bytes, path = root + "/edited";
    queue::append(bytes, RecordType::size, std::string(queue::SizeRecord::payload, ' '));
    queue::append(bytes, RecordType::time, "1795348613 586414");
    std::size_t sender_at = bytes.size();
    queue::append_pointer(bytes, 0);
    queue::append(bytes, RecordType::canceled, "gone@x");
    queue::append(bytes, RecordType::recipient, "stays@x");
    queue::append(bytes, RecordType::message);
    auto data = static_cast<std::int64_t>(bytes.size());
    std::size_t line_at = bytes.size();
    queue::append_pointer(bytes, 0);
    queue::append(bytes, RecordType::line, "body");
    auto extracted = static_cast<std::int64_t>(bytes.size());
    queue::append(bytes, RecordType::extracted);
    queue::append(bytes, RecordType::end);
    auto patch = [&](std::size_t at, std::int64_t target) {
        std::string p;
        queue::append_pointer(p, target);
        bytes.replace(at, p.size(), p);
    };
    patch(sender_at, static_cast<std::int64_t>(bytes.size()));
    queue::append(bytes, RecordType::sender, "new@x");
    queue::append_pointer(bytes, static_cast<std::int64_t>(sender_at) + 17);
    patch(line_at, static_cast<std::int64_t>(bytes.size()));
    queue::append(bytes, RecordType::line, "Subject: new");
    queue::append_pointer(bytes, static_cast<std::int64_t>(line_at) + 17);
    std::string size;
    queue::append(size, RecordType::size, queue::SizeRecord{extracted - data, data, 1, 0, 99, 0}.text());
    bytes.replace(0, size.size(), size);
    std::ofstream(path, std::ios::binary) << bytes;
    auto file = queue::QueueFile::open_path(path, queue::Access::read);
    auto envelope = file->envelope();
    ASSERT_TRUE(envelope) << envelope.error().reason;
    EXPECT_EQ(envelope->sender, "new@x");
    EXPECT_EQ(envelope->remaining, 1u);
    std::string text;
    queue::ContentReader content(*file, envelope->size);
    EXPECT_FALSE(*content.read(text, 1000, "\n"));
    EXPECT_EQ(text, "Subject: new\nbody\n");
}

TEST_F(QueueTest, FilesMoveBetweenHashedQueuesAndAreFound) {
    auto where = directories(2);
    std::set<std::string> made;
    for (int i = 0; i < 40; ++i) {
        auto id = make(where, 1, i % 2 != 0);
        made.insert(id.text());
        auto moved = where.rename(id, queue::incoming, queue::deferred);
        ASSERT_TRUE(moved) << moved.error().reason;
        EXPECT_TRUE(fs::exists(root + "/deferred/" + id.hash_directories(2) + id.text()));
    }
    std::set<std::string> found;
    queue::Scan scan(where, queue::deferred);
    while (auto entry = scan.next()) {
        EXPECT_EQ(entry->path, where.path(queue::deferred, entry->id));
        found.insert(entry->id.text());
    }
    EXPECT_EQ(found, made);
    auto absent = where.rename(*mail::QueueId::parse("ABCDEF123"), queue::incoming, queue::deferred);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().sys_errno, ENOENT);
}

TEST_F(QueueTest, ARenameNeverReplaces) {
    auto where = directories();
    auto id = make(where, 1);
    std::ofstream(where.path(queue::active, id)) << "another";
    auto moved = where.rename(id, queue::incoming, queue::active);
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().sys_errno, EEXIST);
    EXPECT_EQ(slurp(where.path(queue::active, id)), "another");
}

TEST_F(QueueTest, WhatIsNotCommittedLeavesNothing) {
    auto where = directories();
    {
        auto file = queue::NewQueueFile::create(where, queue::incoming, false);
        ASSERT_TRUE(file);
        queue::SizeRecord size;
        ASSERT_TRUE(fill(*file, 5000, size));
    }
    EXPECT_TRUE(fs::is_empty(root + "/incoming"));
}

TEST_F(QueueTest, AfterEachStepOfCommitTheFileIsIncompleteOrWhole) {
    auto where = directories();
    for (std::string stop : {"write", "size", "mode", "sync"}) {
        queue::NewQueueFile::after_step = [&](std::string_view step) { return step != stop; };
        auto file = queue::NewQueueFile::create(where, queue::incoming, false);
        ASSERT_TRUE(file);
        queue::SizeRecord size;
        ASSERT_TRUE(fill(*file, 9000, size));
        EXPECT_FALSE(file->commit(size)) << stop;  // so the client never had 250
        auto left = queue::QueueFile::open_path(file->path(), queue::Access::read);
        ASSERT_TRUE(left);
        if (stop == "write" || stop == "size")
            EXPECT_FALSE(left->complete()) << stop;
        else
            EXPECT_TRUE(left->complete() && left->envelope()) << stop;
    }
}

TEST_F(QueueTest, ACompleteFileIsLockedUntilItIsOnDisk) {
    auto where = directories();
    for (std::string step : {"mode", "sync"}) {
        auto file = queue::NewQueueFile::create(where, queue::incoming, false);
        ASSERT_TRUE(file);
        bool locked = false;
        queue::NewQueueFile::after_step = [&](std::string_view now) {
            if (now != step)
                return true;
            auto reader = queue::QueueFile::open_path(file->path(), queue::Access::update);
            locked = reader && reader->complete() && !*reader->try_lock_shared();
            return true;
        };
        queue::SizeRecord size;
        ASSERT_TRUE(fill(*file, 3, size));
        ASSERT_TRUE(file->commit(size));
        EXPECT_TRUE(locked) << step;
        auto reader = queue::QueueFile::open_path(file->path(), queue::Access::update);
        EXPECT_TRUE(*reader->try_lock_exclusive()) << step;
    }
}

TEST_F(QueueTest, OnlyOneHasTheExclusiveLock) {
    auto where = directories();
    auto id = make(where, 1);
    auto a = queue::QueueFile::open(where, queue::incoming, id, queue::Access::update);
    auto b = queue::QueueFile::open(where, queue::incoming, id, queue::Access::update);
    EXPECT_TRUE(*a->try_lock_shared());
    EXPECT_TRUE(*b->try_lock_shared());
    EXPECT_FALSE(*b->try_lock_exclusive());
    a->unlock();
    EXPECT_TRUE(*b->try_lock_exclusive());
    EXPECT_FALSE(*a->try_lock_shared());
}
}
