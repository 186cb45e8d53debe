#include <gtest/gtest.h>
#include <sys/stat.h>
#include <cstdlib>
#include <filesystem>
#include "drop_file.h"
#include "records.h"

using namespace postdrop;
using queue::RecordType;

namespace {
bool accepts(std::string_view types) {
    RecordFilter filter;
    for (char type : types)
        if (!filter.check(static_cast<RecordType>(type), type == 'A' ? "encoding=8bit" : "x"))
            return false;
    return filter.ended();
}
}

TEST(RecordFilter, OnlyTheOrderOfASubmission) {
    for (const char* good : {"SRMNXE", "AFSARRVMLNXARE", "MXE", "SMXRE"})
        EXPECT_TRUE(accepts(good)) << good;
    for (const char* bad : {"SRMNE", "SRNXE", "TSRMXE", "CSRMXE", "SSRMXE", "SRMXNE", "SRM>XE", "SRLMXE", "SRfMXE",
                            "SOMXE", "pMXE", "SRMpXE", "SRMXEE"})
        EXPECT_FALSE(accepts(bad)) << bad;
}

TEST(RecordFilter, AttributesThatAUserMaySet) {
    RecordFilter filter;
    using Fate = RecordFilter::Fate;
    EXPECT_EQ(*filter.check(RecordType::attribute, "notify_flags=10"), Fate::keep);
    for (const char* bad :
         {"log_client_name=x", "sasl_username=root", "client_address=1.2.3.4", "noequals", "=x", "create_time=1",
          "rewrite_context=remote\nX: y", "rewrite_context=bogus", "rewrite_context=", "encoding=8bit\r\nX",
          "encoding=binary", "envelope_id=a\rb", "smtputf8=1\n"})
        EXPECT_EQ(*filter.check(RecordType::attribute, bad), Fate::drop) << bad;
}

TEST(RecordFilter, NulIsRefusedButInTheContent) {
    for (char type : {'S', 'F', 'V', 'A'}) {
        for (const std::string& text :
             {std::string("envelope_id=a\0b", 15), std::string("envelope_id=a\0", 14), std::string("\0", 1)})
            EXPECT_FALSE(RecordFilter().check(static_cast<RecordType>(type), text)) << type;
    }
    RecordFilter filter;
    EXPECT_FALSE(filter.check(RecordType::recipient, std::string_view("a\0b@c", 5)));
    ASSERT_TRUE(filter.check(RecordType::message, ""));
    EXPECT_TRUE(filter.check(RecordType::line, std::string_view("a\0b", 3)));
}

TEST(DropFile, IsVisibleWhenCompleteAndGoneWhenNot) {
    char name[] = "/tmp/posthorn-postdrop-XXXXXX";
    const std::string directory = ::mkdtemp(name);
    std::filesystem::create_directories(directory + "/maildrop");
    std::filesystem::current_path(directory);
    std::string kept;
    {
        auto file = DropFile::create(false);
        ASSERT_TRUE(file);
        kept = "maildrop/" + file->id().text();
        struct stat st {};
        ASSERT_EQ(::stat(kept.c_str(), &st), 0);
        EXPECT_FALSE(st.st_mode & S_IXUSR);
        EXPECT_EQ(*file->id().inode(), st.st_ino);
        EXPECT_TRUE(file->put("abc"));
        EXPECT_TRUE(file->commit());
    }
    struct stat st {};
    ASSERT_EQ(::stat(kept.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0744u);
    EXPECT_EQ(st.st_size, 3);
    {
        auto file = DropFile::create(true);
        ASSERT_TRUE(file);
        EXPECT_TRUE(file->put("abc"));
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator("maildrop"), std::filesystem::directory_iterator()), 1);
    std::filesystem::current_path("/");
    std::filesystem::remove_all(directory);
}

TEST(RecordFilter, AnAddressLongerThanALineIsRefusedAtOnce) {
    for (char type : {'S', 'R', 'F', 'A'}) {
        RecordFilter filter(100);
        const std::string text = type == 'A' ? "envelope_id=" : "";
        if (type == 'R') {
            for (char before : {'M', 'X'})
                ASSERT_TRUE(filter.check(static_cast<queue::RecordType>(before), ""));
        }
        EXPECT_TRUE(filter.check(static_cast<queue::RecordType>(type), text + std::string(100 - text.size(), 'a')))
            << type;
        const auto refused =
            RecordFilter(100).check(static_cast<queue::RecordType>(type), text + std::string(101 - text.size(), 'a'));
        ASSERT_FALSE(refused) << type;
        EXPECT_TRUE(refused.error().reason.starts_with("illegal length 101, record type ")) << refused.error().reason;
    }
}
