#include "progress.h"
#include <gtest/gtest.h>

namespace {
std::string said(int files, std::chrono::milliseconds every) {
    std::FILE* f = std::tmpfile();
    postsuper::Progress progress("deferred", f, every);
    for (int i = 0; i < files; ++i)
        progress.step();
    std::string text(static_cast<std::size_t>(std::ftell(f)), '\0');
    std::rewind(f);
    text.resize(std::fread(text.data(), 1, text.size(), f));
    std::fclose(f);
    return text;
}

TEST(Progress, SaysNowAndThenHowFarItIs) {
    EXPECT_EQ(said(250, std::chrono::milliseconds(0)),
              "postsuper: deferred: 100 files so far\npostsuper: deferred: 200 files so far\n");
}
TEST(Progress, ShortWorkSaysNothing) {
    EXPECT_EQ(said(99, std::chrono::milliseconds(0)), "");
    EXPECT_EQ(said(5000, std::chrono::hours(1)), "");
}
TEST(Progress, WithoutATerminalNothingIsSaid) {
    postsuper::Progress progress("deferred", nullptr, std::chrono::milliseconds(0));
    for (int i = 0; i < 2000; ++i)
        progress.step();
}
}
