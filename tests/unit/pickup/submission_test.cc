#include "submission.h"
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace pickup;
using queue::RecordType;

namespace {
std::string encoded(std::vector<std::pair<char, std::string>> records) {
    std::string out;
    for (const auto& [type, payload] : records)
        queue::append(out, static_cast<RecordType>(type), payload);
    return out;
}

struct Copied {
    std::string text, sender, error;
    bool damaged = false;
};

Copied copy(std::string_view file, bool requeued, std::string filter = "") {
    UniqueFd fd(::memfd_create("submission", MFD_CLOEXEC));
    EXPECT_TRUE(write_all(fd.get(), file));
    auto opened = queue::QueueFile::adopt(std::move(fd), "memory");
    EXPECT_TRUE(opened);
    Submission submission(*opened, {"OLD", 1000, requeued, 1795348574});
    Copied c;
    const auto done = submission.copy(
        [&](RecordType type, std::string_view payload) -> Result<void> {
            (((c.text += static_cast<char>(type)) += payload) += '|');
            return {};
        },
        filter, "Received: by x\n\tid y", [&](std::string_view s) { c.sender = s; });
    if (!done) {
        c.error = done.error().reason;
        c.damaged = queue::is_damage(done.error());
    }
    return c;
}
const std::vector<std::pair<char, std::string>> plain = {{'T', "5 6"},
                                                         {'A', "rewrite_context=local"},
                                                         {'A', "sasl_username=root"},
                                                         {'F', "Me"},
                                                         {'S', "me"},
                                                         {'A', "notify_flags=8"},
                                                         {'R', "a@b"},
                                                         {'M', ""},
                                                         {'N', "Subject: x"},
                                                         {'N', ""},
                                                         {'X', ""},
                                                         {'R', "c@d"},
                                                         {'E', ""}};
}

TEST(Submission, UserMailGetsReceivedAndLosesForeignAttributes) {
    const Copied c = copy(encoded(plain), false, "smtp:[filter]");
    EXPECT_EQ(c.error, "");
    EXPECT_EQ(c.sender, "me");
    EXPECT_EQ(c.text, "T5 6|Lsmtp:[filter]|Arewrite_context=local|FMe|Sme|Anotify_flags=8|Ra@b|M|NReceived: by x|N\tid "
                      "y|NSubject: x|N|X|Rc@d|");
}

TEST(Submission, AttributesOfAUserAreOneLineAndOfKnownValues) {
    for (const char* bad : {"rewrite_context=remote\nX: y", "rewrite_context=bogus", "rewrite_context=",
                            "encoding=8bit\r\nX", "encoding=binary", "envelope_id=a\rb", "x=y", "x", "=x"}) {
        const Copied c =
            copy(encoded({{'T', "5 6"}, {'A', bad}, {'S', "me"}, {'M', ""}, {'X', ""}, {'A', bad}, {'E', ""}}), false);
        EXPECT_EQ(c.error, "") << bad;
        EXPECT_EQ(c.text.find("A" + std::string(bad) + "|"), std::string::npos) << c.text;
    }
    const Copied c = copy(encoded({{'T', "5 6"},
                                   {'A', "rewrite_context=remote"},
                                   {'A', "encoding=7bit"},
                                   {'S', "me"},
                                   {'M', ""},
                                   {'X', ""},
                                   {'E', ""}}),
                          false);
    EXPECT_TRUE(c.text.starts_with("T5 6|Arewrite_context=remote|Aencoding=7bit|")) << c.text;
}

TEST(Submission, RequeuedMailKeepsWhatWasKnownButGetsTheFilterOfToday) {
    const Copied c = copy(encoded({{'C', "x"},
                                   {'T', "5 6"},
                                   {'A', "create_time=5"},
                                   {'A', "log_ident=Q"},
                                   {'S', "me"},
                                   {'W', "9"},
                                   {'O', "o@p"},
                                   {'R', "a@b"},
                                   {'D', "done@b"},
                                   {'M', ""},
                                   {'N', "Subject: x"},
                                   {'X', ""},
                                   {'L', "smtp:x"},
                                   {'E', ""}}),
                          true, "smtp:[filter]");
    EXPECT_EQ(c.error, "");
    EXPECT_EQ(c.text, "Cx|T5 6|Lsmtp:[filter]|Alog_ident=Q|Sme|Oo@p|Ra@b|M|NSubject: x|X|");
}

TEST(Submission, WhatAUserMayNotWriteIsDamage) {
    for (char bad : std::string("CL>fonWpDIKO"))
        EXPECT_TRUE(copy(encoded({{'T', "1"}, {bad, "x"}, {'S', "a"}, {'M', ""}, {'X', ""}, {'E', ""}}), false).damaged)
            << bad;
    EXPECT_TRUE(copy(encoded({{'T', "1"}, {'M', ""}, {'X', ""}, {'E', ""}}), false).damaged);
    EXPECT_TRUE(copy(encoded({{'S', "1"}, {'S', "2"}, {'M', ""}, {'X', ""}, {'E', ""}}), false).damaged);
    EXPECT_TRUE(copy("", false).damaged);
}

TEST(Submission, CutAnywhereIsDamage) {
    const std::string whole = encoded(plain);
    for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_NE(copy(std::string_view(whole).substr(0, n), false).error, "") << n;
}
