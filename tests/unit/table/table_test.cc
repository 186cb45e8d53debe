// Types of tables: what each finds, how it folds, and what it does when broken.
#include "table/table.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "log/log.h"
#include "loop/loop.h"
#include "table/maps.h"

namespace {
std::vector<std::string> logged;
void keep(maillog::Level, std::string_view, std::string_view text, void*) { logged.emplace_back(text); }
bool logged_text(std::string_view text) {
    for (const auto& line : logged)
        if (line.find(text) != std::string::npos)
            return true;
    return false;
}

class TableTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/posthorn-table.XXXXXX";
        dir = mkdtemp(name);
        logged.clear();
        maillog::redirect(keep, nullptr);
    }
    void TearDown() override {
        maillog::redirect(nullptr, nullptr);
        std::filesystem::remove_all(dir);
    }
    std::string file(const std::string& name, const std::string& text) {
        std::ofstream(dir + "/" + name) << text;
        return dir + "/" + name;
    }
    static std::string ask(table::Table& t, std::string_view key) {
        auto found = t.find(key);
        return !found ? "ERROR " + found.error().reason : *found ? **found : "-";
    }
    static std::string ask(const std::string& name, std::string_view key, table::OpenOptions options = {}) {
        auto t = table::open(name, options);
        return t ? ask(**t, key) : "OPEN " + t.error().reason;
    }
    std::string dir;
};

class IndexedTest : public TableTest, public testing::WithParamInterface<std::string> {};
TEST_P(IndexedTest, KeepsReplacesAndFindsInAnyCase) {
    std::string name = GetParam() + ":" + dir + "/t";
    EXPECT_NE(ask(name, "a").find("No such file or directory"), std::string::npos);
    {
        auto made = table::open(name, {.access = table::Access::create});
        ASSERT_TRUE(made) << made.error().reason;
        ASSERT_TRUE((*made)->put("Key", "Value"));
        ASSERT_TRUE((*made)->put("b", "2"));
        ASSERT_TRUE((*made)->put("KEY", "other"));
        EXPECT_TRUE((*made)->commit());
    }
    auto t = table::open(name);
    ASSERT_TRUE(t) << t.error().reason;
    EXPECT_TRUE(logged_text("duplicate entry: \"key\""));
    EXPECT_EQ(ask(**t, "kEy"), "Value");
    EXPECT_EQ(ask(**t, "c"), "-");
    EXPECT_EQ(ask(**t, ""), "-");
    EXPECT_EQ(ask(**t, std::string(600, 'x')), "-");
    EXPECT_EQ(ask(name, "KEY", {.fold = false}), "-");
    int entries = 0;
    for (auto e = (*t)->first(); e && *e; e = (*t)->next())
        ++entries;
    EXPECT_EQ(entries, 2);
    // A table that was replaced is taken up by those who have it open.
    {
        auto made = table::open(name, {.access = table::Access::create});
        ASSERT_TRUE(made);
        ASSERT_TRUE((*made)->put("key", "new"));
        ASSERT_TRUE((*made)->commit());
    }
    for (int i = 0; i < 300 && ask(**t, "key") != "new"; ++i)
        usleep(10000);
    EXPECT_EQ(ask(**t, "key"), "new");
    EXPECT_EQ(ask(**t, "b"), "-");
}
TEST_P(IndexedTest, LeavesTheOldTableWhenNotCommitted) {
    std::string name = GetParam() + ":" + dir + "/t";
    {
        auto made = table::open(name, {.access = table::Access::create});
        ASSERT_TRUE((*made)->put("a", "1"));
        ASSERT_TRUE((*made)->commit());
    }
    {
        auto made = table::open(name, {.access = table::Access::create});
        ASSERT_TRUE((*made)->put("a", "2"));
    }
    EXPECT_EQ(ask(name, "a"), "1");
    std::filesystem::directory_iterator files(dir);
    EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}
TEST_P(IndexedTest, EditsAndErases) {
    std::string name = GetParam() + ":" + dir + "/t";
    {
        auto made = table::open(name, {.access = table::Access::create});
        ASSERT_TRUE((*made)->put("a", "1"));
        ASSERT_TRUE((*made)->commit());
    }
    {
        auto made = table::open(name, {.access = table::Access::edit});
        if (GetParam() == "cdb") {  // a constant database
            EXPECT_FALSE(made);
            return;
        }
        ASSERT_TRUE(made) << made.error().reason;
        ASSERT_TRUE((*made)->put("b", "2"));
        EXPECT_EQ((*made)->erase("a").value(), true);
        EXPECT_EQ((*made)->erase("a").value(), false);
        ASSERT_TRUE((*made)->commit());
    }
    EXPECT_EQ(ask(name, "a"), "-");
    EXPECT_EQ(ask(name, "b"), "2");
}
TEST_P(IndexedTest, RefusesWhatIsNoTable) {
    std::string suffix = *table::file_suffix(GetParam());
    file("t" + suffix, std::string(5000, 'x'));
    std::string answer = ask(GetParam() + ":" + dir + "/t", "a");
    EXPECT_TRUE(answer == "-" || answer.starts_with("OPEN") || answer.starts_with("ERROR")) << answer;
}
INSTANTIATE_TEST_SUITE_P(Types, IndexedTest, testing::Values("hash", "btree", "lmdb", "cdb"));

TEST_F(TableTest, LmdbGrowsBeyondItsMap) {
    auto made = table::open("lmdb:" + dir + "/big", {.access = table::Access::create});
    std::string value(2000, 'v');
    for (int i = 0; i < 20000; ++i)
        ASSERT_TRUE((*made)->put("key" + std::to_string(i), value));
    ASSERT_TRUE((*made)->commit());
    EXPECT_EQ(ask("lmdb:" + dir + "/big", "key19999"), value);
}
TEST_F(TableTest, UpdateIsForOneProcess) {
    auto cache = table::open("btree:" + dir + "/cache", {.access = table::Access::update});
    ASSERT_TRUE(cache) << cache.error().reason;
    EXPECT_TRUE((*cache)->put("a", "1"));
    EXPECT_EQ(ask(**cache, "a"), "1");
    auto second = table::open("btree:" + dir + "/cache", {.access = table::Access::update});
    EXPECT_FALSE(second);
}

TEST_F(TableTest, MemoryTables) {
    EXPECT_EQ(ask("inline:{a=b, { c = d e }}", "C"), "d e");
    EXPECT_EQ(ask("inline:{a=b}", "x"), "-");
    EXPECT_EQ(ask("inline:{}", "x"), "OPEN bad syntax: \"inline:{}\"; need \"inline:{name=value...}\"");
    EXPECT_EQ(ask("inline:{a}", "x"),
              "OPEN missing '=' after attribute name: \"inline:{a}\"; need \"inline:{name=value...}\"");
    EXPECT_EQ(ask("static:x", "y"), "x");
    EXPECT_EQ(ask("static:{ a b }", "y"), "a b");
    EXPECT_TRUE(ask("fail:x", "y").starts_with("ERROR table fail:x: query error"));
    EXPECT_EQ(ask("internal:x", "y"), "-");
    EXPECT_EQ(ask("randmap:{a}", "y"), "a");
    EXPECT_EQ(ask("nosuch:x", "y"), "OPEN unsupported dictionary type: nosuch");
    EXPECT_EQ(ask("hash:", "y"), "OPEN open dictionary: expecting \"type:name\" form instead of \"hash:\"");
    EXPECT_EQ(ask("unix:passwd.byname", "ROOT").substr(0, 9), "root:x:0:");
    EXPECT_EQ(ask("unix:group.byname", "root").substr(0, 9), "root:x:0:");
    EXPECT_EQ(ask("proxy:inline:{a=b}", "a"), "b");
    setenv("TABLE_TEST", "here", 1);
    EXPECT_EQ(ask("environ:x", "TABLE_TEST"), "here");
}
TEST_F(TableTest, Texthash) {
    std::string f = file("t", "  leading b\nok a\n\n# c\n  more\nA.b x y  \n\"q k\" v\nbad\n\"un x\n");
    EXPECT_EQ(ask("texthash:" + f, "OK"), "a  more");
    EXPECT_EQ(ask("texthash:" + f, "a.B"), "x y");
    EXPECT_EQ(ask("texthash:" + f, "\"q k\""), "v");
    EXPECT_TRUE(logged_text("logical line must not start with whitespace"));
    EXPECT_TRUE(logged_text("line 8: expected format: key whitespace value"));
    EXPECT_TRUE(logged_text("line 9: unbalanced '\"' in '\"un x' -- ignoring this line"));
}
TEST_F(TableTest, Compound) {
    EXPECT_EQ(ask("pipemap:{static:x,inline:{x=yy}}", "a"), "yy");
    EXPECT_EQ(ask("pipemap:{static:z,inline:{x=yy}}", "a"), "-");
    EXPECT_EQ(ask("unionmap:{static:x,inline:{b=c},static:y}", "a"), "x,y");
    EXPECT_EQ(ask("unionmap:{inline:{b=c}}", "a"), "-");
    EXPECT_TRUE(ask("unionmap:{static:x,fail:y}", "a").starts_with("ERROR"));
}
TEST_F(TableTest, FoldsUnicodeAndRefusesWhatIsNotUtf8) {
    EXPECT_EQ(ask("inline:{äb=x}", "ÄB"), "x");
    EXPECT_EQ(ask("inline:{a=x}", "\xff"), "-");
    EXPECT_TRUE(logged_text("non-UTF-8 key \"?\""));
    EXPECT_EQ(ask("static:x", "\xff", {.utf8 = false}), "x");
    // Content: no byte may hide what stands beside it.
    for (std::string_view type : {"regexp:", "pcre:"}) {
        if (!table::known_type(type.substr(0, type.size() - 1)))
            continue;
        const std::string rules = std::string(type) + "{{/^Subject:.*viagra/ x}}";
        EXPECT_EQ(ask(rules, "Subject: buy \xe9 viagra", {.utf8 = false}), "x") << type;
        EXPECT_EQ(ask(rules, "Subject: \xff\xfe viagra", {.utf8 = false}), "x") << type;
        EXPECT_EQ(ask(rules, "Subject: buy \xe9 viagra"), "-") << type;
    }
}

TEST_F(TableTest, CidrRulesOfOneFamilySayNothingOfTheOther) {
    struct {
        std::string rules, key, value;
    } cases[] = {
        {"{!10.0.0.0/8 x}", "11.0.0.1", "x"},
        {"{!10.0.0.0/8 x}", "10.0.0.1", "-"},
        {"{!10.0.0.0/8 x}", "2001:db8::1", "-"},
        {"{!2001:db8::/32 x}", "::1", "x"},
        {"{!2001:db8::/32 x}", "192.0.2.1", "-"},
        {"{!0.0.0.0/0 x}", "::1", "-"},
        {"{!::/0 x}", "192.0.2.1", "-"},
        {"{!10.0.0.0/8 x}", "::ffff:11.0.0.1", "-"},
        {"{if !10.0.0.0/8}, {::/0 six}, {0.0.0.0/0 four}, {endif}", "::1", "-"},
        {"{if !10.0.0.0/8}, {::/0 six}, {0.0.0.0/0 four}, {endif}", "11.0.0.1", "four"},
        {"{if !::1}, {0.0.0.0/0 four}, {endif}, {0.0.0.0/0 other}", "192.0.2.1", "other"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(ask("cidr:{" + c.rules + "}", c.key), c.value) << c.rules << " " << c.key;
}

TEST_F(TableTest, Cidr) {
    std::string f = file("c", "10.0.0.1/8 a\n10.0.0.0/8 b\n1.2.3 c\n[::1] d\n2001:db8::/32 e\nif "
                              "192.0.0.0/8\n!192.1.0.0/16 f\n192.1.1.1 g\nendif\n11.0.0.0/8\nendif\n1.2.3.4/33 x\n");
    EXPECT_EQ(ask("cidr:" + f, "10.1.1.1"), "b");
    EXPECT_EQ(ask("cidr:" + f, "::1"), "d");
    EXPECT_EQ(ask("cidr:" + f, "2001:DB8:0::1"), "e");
    EXPECT_EQ(ask("cidr:" + f, "192.2.2.2"), "f");
    EXPECT_EQ(ask("cidr:" + f, "192.1.1.1"), "g");
    EXPECT_EQ(ask("cidr:" + f, "192.1.1.2"), "-");
    EXPECT_EQ(ask("cidr:" + f, "11.1.1.1"), "-");
    EXPECT_EQ(ask("cidr:" + f, "host.name"), "-");
    EXPECT_EQ(ask("cidr:{{!10.0.0.0/8 x}}", "name"), "-");
    EXPECT_EQ(ask("cidr:{{0.0.0.0/0 x}}", "1.2.3.4"), "x");
    EXPECT_TRUE(logged_text("line 1: non-null host address bits in \"10.0.0.1/8\", perhaps you should use "
                            "\"10.0.0.0/8\" instead: skipping this rule"));
    EXPECT_TRUE(logged_text("line 3: bad address pattern: \"1.2.3\": skipping this rule"));
    EXPECT_TRUE(logged_text("line 10: no lookup result: skipping this rule"));
    EXPECT_TRUE(logged_text("line 11: ENDIF without IF: skipping this rule"));
    EXPECT_TRUE(logged_text("line 12: bad mask length in \"1.2.3.4/33\": skipping this rule"));
}

class PatternTest : public TableTest, public testing::WithParamInterface<std::string> {};
TEST_P(PatternTest, RulesIfAndSubstitution) {
    std::string t = GetParam() + ":" +
                    file("r", "/^no/ first\nif /^[ab]/\n!/x/ ${1}no\n/^a(.)(.)/ $2-$1-$$-${1}x-$(2)\nif !/y/\n/^b/ "
                              "b\nendif\nendif\n/^(Q)$/i case\n/z/ all $1\n/e(f)?g/ [$1]\n");
    EXPECT_EQ(ask(t, "aBCx"), "C-B-$-Bx-C");
    EXPECT_EQ(ask(t, "bx"), "b");
    EXPECT_EQ(ask(t, "bxy"), "-");
    EXPECT_EQ(ask(t, "Q"), "case");
    EXPECT_EQ(ask(t, "q"), "-");
    EXPECT_EQ(ask(t, "NOthing"), "first");
    EXPECT_EQ(ask(t, "eg"), "[]");
    EXPECT_TRUE(logged_text("line 3: $number found in negative match replacement text: skipping this rule"));
    EXPECT_TRUE(logged_text("line 10: out of range replacement index \"1\": skipping this rule"));
    EXPECT_EQ(ask(t, "abcx", {.refuse_substitution = true}), "-");
    EXPECT_EQ(ask(t, "", {}), "-");
}
TEST_P(PatternTest, ReportsWhatMakesNoSense) {
    std::string t = GetParam() + ":" + file("r", "/(/ a\n/a/Z x\nendif\nfoo bar\n/noend\n/empty/\nif /x/\n/n/ ${x}\n");
    EXPECT_EQ(ask(t, "empty"), "");
    for (auto what : {"line 2: unknown regexp option \"Z\": skipping this rule",
                      "line 3: ignoring ENDIF without matching IF", "line 4: ignoring unrecognized request",
                      "line 5: no closing regexp delimiter \"/\":", "line 6: no replacement text: using empty string",
                      "line 7: IF has no matching ENDIF", "line 8: non-numeric replacement index \"x\""})
        EXPECT_TRUE(logged_text(what)) << what;
    EXPECT_TRUE(logged_text(GetParam() == "pcre" ? "line 1: error in regex at offset 1: missing closing parenthesis"
                                                 : "line 1: Unmatched ( or \\("));
}
TEST_P(PatternTest, LongSubjectsAndNulBytes) {
    std::string t = GetParam() + ":{{/^a+b/ yes}, {/x\\x00?$/ x}}";
    EXPECT_EQ(ask(t, std::string(1 << 20, 'a')), "-");
    EXPECT_EQ(ask(t, std::string(90000, 'a') + "b"), "yes");
    EXPECT_EQ(ask(t, std::string_view("q\0aab", 5)), "-");
}
INSTANTIATE_TEST_SUITE_P(Types, PatternTest, testing::Values("regexp", "pcre"));

TEST_F(TableTest, PcreLimitIsAnErrorNotAPass) {
    EXPECT_TRUE(ask("pcre:{{/^(([a-z])+.)+[A-Z]([a-z])+$/i x}}", std::string(5000, 'a') + "!").starts_with("ERROR") ||
                ask("pcre:{{/^((a+)+)+$/ x}}", std::string(60, 'a') + "!").starts_with("ERROR"));
}
// A fiber's stack is small: deep patterns are compiled elsewhere, and lookups stay within it.
TEST_F(TableTest, ServesFibers) {
    std::string deep = std::string(200, '(') + "a" + std::string(200, ')');
    std::string name = "hash:" + dir + "/t";
    {
        auto made = table::open(name, {.access = table::Access::create});
        ASSERT_TRUE((*made)->put("a", "1"));
        ASSERT_TRUE((*made)->commit());
    }
    int served = 0;
    loop::Loop fibers;
    fibers.spawn([&] {
        for (const std::string& t : {"regexp:{{/" + deep + "/ 1}}", "pcre:{{/" + deep + "/ 1}}", name,
                                     std::string("regexp:{{/^(a)\\1?$/ 1}}")})
            served += ask(t, "a") == "1";
        served += ask("unix:passwd.byname", "root").starts_with("root:");
    });
    fibers.run();
    EXPECT_EQ(served, 5);
}

// What an administrator, or a disk, may put into a rule file: nothing of it may end the process. The seed is fixed.
TEST_F(TableTest, SourceFilesOfAnySort) {
    const std::string_view pieces[] = {"/",  "a", "(",  ")", "if ", "endif", "!",   "$1", "${",
                                       "\n", " ", "\t", "#", "\"",  "\\",    "[",   "]",  "10.0.0.0/8",
                                       "::", "{", "}",  "*", "+",   "\xff",  "key", ":",  "$$"};
    std::uint32_t seed = 12345;
    auto next = [&](std::uint32_t n) {
        seed = seed * 1664525u + 1013904223u;
        return (seed >> 8) % n;
    };
    for (int i = 0; i < 800; ++i) {
        std::string text;
        for (std::uint32_t n = next(40); n > 0; --n)
            text += pieces[next(std::size(pieces))];
        std::string name = file("any", text);
        for (std::string_view type : {"regexp:", "pcre:", "cidr:", "texthash:"}) {
            auto t = table::open(std::string(type) + name);
            ASSERT_TRUE(t);
            for (std::string_view key : {"", "a", "key", "10.1.2.3", "::1", "a\nb(", "\xff"})
                static_cast<void>((*t)->find(key));
        }
        for (std::string_view type : {"inline:", "cidr:", "pipemap:", "randmap:", "static:"})
            static_cast<void>(table::open(std::string(type) + "{" + text + "}"));
    }
}
// Looks one subject up in a fiber while another one, which serves others, asks the same table for short ones. Returns
// what the look-up took and the longest time that the other had to wait for its turn.
struct Meanwhile {
    std::chrono::duration<double> took{}, waited{};
    std::string found;
};
Meanwhile look_up(const std::string& table_name, const std::string& subject, int at_once = 1) {
    auto t = table::open(table_name, {});
    Meanwhile out;
    loop::Loop l;
    int left = at_once;
    const auto begin = loop::Clock::now();
    for (int i = 0; i < at_once; ++i)
        l.spawn([&] {
            auto found = (*t)->find(subject);
            out.found = found && *found ? **found : "-";
            if (--left == 0)
                out.took = loop::Clock::now() - begin;
        });
    l.spawn([&] {
        auto last = begin;
        do {
            EXPECT_TRUE((*t)->find("short"));
            loop::offload([] {});  // as a job that writes a file
            const auto now = loop::Clock::now();
            out.waited = std::max<std::chrono::duration<double>>(out.waited, now - last);
            last = now;
        } while (left > 0);
    });
    l.run();
    return out;
}

TEST_F(TableTest, ASlowPatternHoldsUpNobodyElse) {
    const struct {
        std::string table, subject, found;
    } cases[] = {
        {"regexp:{{/(a+)+$/ x}}", std::string(4000, 'a') + "!", "-"},  // what a header field may be
        {"regexp:{{/nothing/ y} {/^(a*)*\\1$/ x} {/short/ s}}", std::string(300, 'a'), "x"},
        {"pcre:{{/(a?){20}a{20}$/ x}}", std::string(120, 'a') + "!",
         "-"},  // beyond no limit of steps, for they count for each place anew
        {"pcre:{{/^x/ y} {/^(a|aa)+$/ x}}", std::string(20000, 'a'), "x"},  // more stack than the machine code has
    };
    for (const auto& c : cases) {
        const Meanwhile m = look_up(c.table, c.subject);
        EXPECT_EQ(m.found, c.found) << c.table;
        EXPECT_LT(m.waited.count(), 0.1 + m.took.count() / 5) << c.table << " took " << m.took.count();
    }
}

TEST_F(TableTest, ATableLearnsWhichSubjectsTakeLong) {
    auto t = table::open("regexp:{{/(a+)+$/ x}}", {});
    const std::string subject = std::string(1000, 'a') + "!";  // each some 20 ms, as 200 lines of a body
    const auto cpu_time = [&] {
        timespec begin{}, end{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        for (int i = 0; i < 30; ++i)
            EXPECT_EQ(ask(**t, subject), "-");
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        return static_cast<double>(end.tv_sec - begin.tv_sec) + static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e9;
    };
    double on_loop = 1000;
    loop::Loop l;
    l.spawn([&] { on_loop = cpu_time(); });
    l.run();
    EXPECT_LT(on_loop, cpu_time() / 4);  // outside fibers there is no pool: all of it
}

TEST_F(TableTest, ManySlowLookupsLeaveRoomInThePool) {
    const Meanwhile m = look_up("regexp:{{/(a+)+$/ x}}", std::string(2000, 'a') + "!", 30);
    EXPECT_LT(m.waited.count(), 0.1 + m.took.count() / 5) << "took " << m.took.count();
}

TEST_F(TableTest, RegexpBackReferences) { EXPECT_EQ(ask("regexp:{{/^(.+)\\1$/ twice $1}}", "abab"), "twice ab"); }

TEST_F(TableTest, MapsGoOnPastMissesAndStopAtErrors) {
    auto maps = table::Maps::open("x_maps", "inline:{a=1}, {inline:{b=2, a=3}} regexp:{{/^z$/ pattern}}");
    EXPECT_EQ(maps.find("a")->value(), "1");
    EXPECT_EQ(maps.find("b")->value(), "2");
    EXPECT_EQ(maps.find("z")->value(), "pattern");
    EXPECT_FALSE(maps.find("z", table::Which::fixed)->has_value());
    EXPECT_TRUE(maps.has_patterns());
    auto failing = table::Maps::open("x_maps", "inline:{a=1} hash:/nonexistent/x");
    EXPECT_TRUE(logged_text("open database /nonexistent/x.db: No such file or directory"));
    EXPECT_EQ(failing.find("a")->value(), "1");
    auto miss = failing.find("b");
    ASSERT_FALSE(miss);
    EXPECT_TRUE(miss.error().status.temporary());
    EXPECT_NE(miss.error().reason.find("hash:/nonexistent/x is unavailable"), std::string::npos);
}
}
// A record whose value's length wraps around would lead back to itself.
TEST_F(TableTest, DamagedCdbHasAnEnd) {
    auto number = [](std::uint32_t n) {
        return std::string{static_cast<char>(n), static_cast<char>(n >> 8), static_cast<char>(n >> 16),
                           static_cast<char>(n >> 24)};
    };
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += number(2064) + number(0);
    file("t.cdb", bytes + number(0) + number(0xfffffff8) + std::string(8, 'x'));
    auto t = table::open("cdb:" + dir + "/t");
    ASSERT_TRUE(t);
    int entries = 0;
    for (auto e = (*t)->first(); e && *e && entries < 1000; e = (*t)->next())
        ++entries;
    EXPECT_LT(entries, 1000);
}
