// qshape's table: columns, ages, parents, widths.
#include <gtest/gtest.h>
#include "table.h"

namespace {
TEST(TableTest, AgesFallIntoDoublingColumns) {
    qshape::Shape shape;
    shape.buckets = 4;
    qshape::Table table(shape);
    for (int minutes : {0, 4, 5, 9, 10, 19, 20, 100000})
        table.add("a.test", minutes * 60);
    EXPECT_EQ(table.text(0), std::string(65, ' ') + " T  5 10 20 20+\n" + std::string(59, ' ') +
                                 "TOTAL  8  2  2  2   2\n" + std::string(58, ' ') + "a.test  8  2  2  2   2\n");
}

TEST(TableTest, LinearColumnsAreEqual) {
    qshape::Shape shape;
    shape.buckets = 4;
    shape.linear = true;
    EXPECT_EQ(shape.limits(), (std::vector<std::int64_t>{5, 10, 15}));
}

TEST(TableTest, ParentsSumUpWhatIsBelowThem) {
    qshape::Shape shape;
    shape.parents = true;
    shape.subdomains = 2;
    qshape::Table table(shape);
    for (const char* d : {"a.example.test", "b.example.test", "c.d.other.test"})
        table.add(d, 0);
    std::string text = table.text(0);
    EXPECT_NE(text.find(" .example.test  2  2"), text.npos) << text;
    EXPECT_EQ(text.find(" .test "), text.npos) << text;
    EXPECT_EQ(text.find(" .other.test "), text.npos) << text;
}

TEST(TableTest, LongNamesKeepTheirEnd) {
    qshape::Table table(qshape::Shape{});
    table.add(std::string(100, 'x') + ".the.end.test", 0);
    for (auto line = table.text(0); !line.empty(); line.erase(0, line.find('\n') + 1))
        EXPECT_EQ(line.find('\n'), 80u);
    EXPECT_NE(table.text(0).find("xx.the.end.test  1"), std::string::npos);
}

TEST(TableTest, DomainsAreFolded) {
    EXPECT_EQ(qshape::domain_of("U@Example.TEST"), "example.test");
    EXPECT_EQ(qshape::domain_of(""), "MAILER-DAEMON");
    EXPECT_EQ(qshape::domain_of("\"a@b\"@c.test"), "c.test");
}
}
