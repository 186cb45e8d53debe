#include "log_names.h"
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {
namespace fs = std::filesystem;

struct LogNamesTest : testing::Test {
    LogNamesTest() {
        char name[] = "/tmp/log_names_test.XXXXXX";
        root = ::mkdtemp(name);
        for (const char* log : {"bounce", "trace"})
            fs::create_directories(root + "/" + log);
        write("defer/2/AAAA2222");
        write("bounce/BBBB3333");
    }
    ~LogNamesTest() override { fs::remove_all(root); }
    void write(const std::string& path) const {
        fs::create_directories(fs::path(root + "/" + path).parent_path());
        std::ofstream(root + "/" + path) << "x";
    }
    // As three digits, for defer, bounce and trace.
    static std::string may_have(const postsuper::LogNames& names, const std::string& id, std::string_view queue,
                                std::time_t changed) {
        struct stat message {};
        message.st_ctime = changed;
        std::string out;
        for (std::size_t i = 0; i < postsuper::log_queues.size(); ++i)
            out += names.may_have(i, *mail::QueueId::parse(id), queue, message) ? '1' : '0';
        return out;
    }
    std::string root;
};

TEST_F(LogNamesTest, OnlyLogsThatAreThereAreLookedFor) {
    const std::time_t now = std::time(nullptr);
    const queue::Directories where({"defer"}, 1, root);
    postsuper::LogNames names(where);
    struct Case {
        const char *id, *queue;
        std::time_t changed;
        const char* expected;
    } cases[] = {
        {"AAAA2222", "deferred", now - 100, "100"},
        {"BBBB3333", "deferred", now - 100, "010"},
        {"CCCC4444", "deferred", now - 100, "000"},
        // What was or is active since may have got one.
        {"CCCC4444", "deferred", now, "111"},
        {"CCCC4444", "deferred", now + 100, "111"},
        {"CCCC4444", "active", now - 100, "111"},
        {"CCCC4444", "incoming", now - 100, "111"},
        {"CCCC4444", "hold", now - 100, "111"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(may_have(names, c.id, c.queue, c.changed), c.expected) << c.id << " in " << c.queue;
}

TEST_F(LogNamesTest, ADirectoryThatCannotBeReadHidesNothing) {
    const queue::Directories where({"defer"}, 1, root);
    fs::remove_all(root + "/trace");
    std::ofstream(root + "/trace") << "no directory";
    fs::remove_all(root + "/bounce");  // none at all: no logs
    postsuper::LogNames names(where);
    EXPECT_EQ(may_have(names, "CCCC4444", "deferred", 1000), "001");
}
}
