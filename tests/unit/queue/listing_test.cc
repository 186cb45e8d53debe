// Logs of deferrals and the listing that shows their reasons.
#include <gtest/gtest.h>
#include <unistd.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include "loop/loop.h"
#include "queue/failure_log.h"
#include "queue/listing.h"
#include "queue/new_file.h"

namespace {
namespace fs = std::filesystem;

constexpr const char* sample = R"(
<a1@remote.test>: host 127.0.0.1[127.0.0.1] said: 450 4.3.0 Error (in reply to RCPT TO command)
recipient=a1@remote.test
original_recipient=list@mx.test
offset=247
dsn_orig_rcpt=rfc822;list@mx.test
notify_flags=6
status=4.3.0
action=delayed
diag_type=smtp
diag_text=450 4.3.0 Error
mta_type=dns
mta_mname=127.0.0.1
reason=host 127.0.0.1[127.0.0.1] said: 450 4.3.0 Error (in reply to RCPT TO command)


<b@remote.test>: connect = refused
recipient=b@remote.test
offset=320
status=4.4.1
action=delayed
reason=connect = refused
)";

TEST(FailureLogTest, EveryFieldOfEveryParagraphIsRead) {
    auto entries = queue::parse_failure_log(sample);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].recipient, "a1@remote.test");
    EXPECT_EQ(entries[0].original_recipient, "list@mx.test");
    EXPECT_EQ(entries[0].offset, 247);
    EXPECT_EQ(entries[0].notify_flags, 6);
    EXPECT_EQ(entries[0].mta_mname, "127.0.0.1");
    EXPECT_EQ(entries[1].reason, "connect = refused");
    EXPECT_EQ(entries[1].status, "4.4.1");
}

TEST(FailureLogTest, DamageIsPassedOver) {
    for (std::size_t n = 0; n < std::string(sample).size(); ++n)
        EXPECT_LE(queue::parse_failure_log(std::string(sample).substr(0, n)).size(), 2u);
    EXPECT_EQ(queue::parse_failure_log("no equals sign\n\n\nrecipient=\n\n=\n").size(), 0u);
    EXPECT_EQ(queue::parse_failure_log(sample, 1).size(), 1u);
}

TEST(ListingTest, ReasonsBelongToTheRecordTheyWereWrittenFor) {
    char name[] = "/tmp/listing_test.XXXXXX";
    const std::string root = ::mkdtemp(name);
    for (auto q : {"maildrop", "active", "incoming", "deferred", "hold", "defer"})
        fs::create_directory(root + "/" + q);
    queue::Directories where({}, 1, root);
    auto file = queue::NewQueueFile::create(where, queue::deferred, false);
    ASSERT_TRUE(file);
    using T = queue::RecordType;
    (void)file->put(T::time, "1795308535");
    (void)file->put(T::sender, "");
    (void)file->put(T::recipient, "fresh@x");
    std::int64_t at = file->offset();
    (void)file->put(T::recipient, "late@x");
    (void)file->put(T::done, "done@x");
    (void)file->put(T::message);
    queue::SizeRecord size;
    size.data_offset = file->offset();
    size.content_length = 4711;
    (void)file->put(T::extracted);
    ASSERT_TRUE(file->commit(size));
    std::ofstream(root + "/defer/" + file->id().text()) << "recipient=late@x\noffset=" << at << "\nreason=busy\n";
    std::vector<queue::ListedMessage> listed;
    queue::list_queues(
        where, [&](const queue::ListedMessage& m, std::string&) { listed.push_back(m); },
        [](std::string_view) { return true; });
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].sender, "MAILER-DAEMON");
    EXPECT_EQ(listed[0].size, 4711);
    ASSERT_EQ(listed[0].recipients.size(), 2u);
    EXPECT_EQ(listed[0].recipients[0].address, "late@x");
    EXPECT_EQ(listed[0].recipients[0].reason, "busy");
    EXPECT_EQ(listed[0].recipients[1].reason, "");
    fs::remove_all(root);
}

// Several readers are at work; what the first takes long for is still written first.
TEST(ListingTest, QueuesAreListedInTheirOrder) {
    char name[] = "/tmp/listing_test.XXXXXX";
    const std::string root = ::mkdtemp(name);
    for (auto q : {"maildrop", "active", "incoming", "deferred", "hold", "defer"})
        fs::create_directory(root + "/" + q);
    queue::Directories where({}, 1, root);
    using T = queue::RecordType;
    for (std::string_view in : {queue::active, queue::deferred, queue::deferred, queue::hold}) {
        auto file = queue::NewQueueFile::create(where, in, false);
        ASSERT_TRUE(file);
        (void)file->put(T::time, "1795308535");
        (void)file->put(T::sender, "");
        (void)file->put(T::recipient, "r@x");
        (void)file->put(T::message);
        queue::SizeRecord size;
        size.data_offset = file->offset();
        (void)file->put(T::extracted);
        ASSERT_TRUE(file->commit(size));
    }
    loop::Loop fibers;
    std::string written;
    fibers.spawn([&] {
        queue::list_queues(
            where,
            [](const queue::ListedMessage& m, std::string& out) {
                if (m.queue_name == queue::active)
                    std::this_thread::sleep_for(std::chrono::milliseconds(50));
                out += m.queue_name + " ";
            },
            [&](std::string_view text) {
                written += text;
                return true;
            });
    });
    fibers.run();
    EXPECT_EQ(written, "active deferred deferred hold ");
    fs::remove_all(root);
}
}
