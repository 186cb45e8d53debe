#include "conf/expand.h"

#include <gtest/gtest.h>

#include <map>

namespace {
std::string expanded(std::string_view text, std::map<std::string, std::string> names = {}) {
    names.insert({{"n", "x"}, {"b", ""}, {"a", "$b"}, {"level", "3.6"}});
    auto out = conf::expand(text, [&](std::string_view name) -> std::optional<conf::Found> {
        auto found = names.find(std::string(name));
        return found == names.end() ? std::nullopt : std::optional(conf::Found{found->second});
    });
    return out ? *out : "error: " + out.error().reason;
}
std::string error(std::string_view text) {
    auto e = expanded(text);
    return e.starts_with("error: ") ? "error" : e;
}

TEST(Expand, FormsOfAReference) {
    EXPECT_EQ(expanded("$n.c ${n}d $(n)-x$n-x"), "x.c xd x-xx-x");
    EXPECT_EQ(expanded("[$nothing]$$n"), "[]$n");
    EXPECT_EQ(expanded("a plain value"), "a plain value");
    EXPECT_EQ(expanded("${ n }"), "x");
}

TEST(Expand, Conditions) {
    EXPECT_EQ(expanded("${n?yes}"), "yes");
    EXPECT_EQ(expanded("${n?{yes}:{no}}${b?{yes}:{no}}"), "yesno");
    EXPECT_EQ(expanded("${b:empty}${b:{x}}z"), "emptyxz");
    EXPECT_EQ(expanded("${n?x:y}"), "x:y");
    EXPECT_EQ(expanded("${n?  {x} : {y} }"), "x");
    EXPECT_EQ(expanded("${n? x }z"), " x z");
    EXPECT_EQ(expanded("$(n?{q}:{r})"), "q");
    EXPECT_EQ(expanded("${n?{${b:{in${n}ner}}}}"), "inxner");
    EXPECT_EQ(expanded("${b?{1}:two${n}}"), "twox");
}

TEST(Expand, AConditionLooksAtTheValueAsWritten) { EXPECT_EQ(expanded("${a?yes}${a:empty}"), "yes"); }

TEST(Expand, Comparisons) {
    EXPECT_EQ(expanded("${{x}=={x}?{eq}:{ne}}${{x}!={x}?{eq}:{ne}}"), "eqne");
    EXPECT_EQ(expanded("${{ x } == {x} ? { eq } : { ne }}"), " ne ");
    EXPECT_EQ(expanded("${{10} < {9} ? {lt} : {ge}}"), "ge");
    EXPECT_EQ(expanded("${{a10} < {a9} ? {lt} : {ge}}"), "lt");
    EXPECT_EQ(expanded("${{007} == {7}}${{a}=={b}}"), "true");
    EXPECT_EQ(expanded("${{$n} == {x} ? {{in}} : {}}"), "{in}");
    EXPECT_EQ(expanded("${{99999999999999999999} > {9} ? {gt}}"), "gt");
}

TEST(Expand, LevelsCompareByNumbersBetweenDots) {
    EXPECT_EQ(expanded("${{3.11} >level {3.6} ? {newer} : {older}}"), "newer");
    EXPECT_EQ(expanded("${{$level} <level {3.6} ? {md5} : {sha256}}"), "sha256");
    EXPECT_EQ(expanded("${{2} <=level {2.0}}${{2} !=level {3}}${{2} >=level {10}}"), "truetrue");
    EXPECT_EQ(error("${{x} <level {2}}"), "error");
    EXPECT_EQ(conf::compare_levels("3.10", "3.9"), 1);
    EXPECT_FALSE(conf::compare_levels("3.", "3").has_value());
}

TEST(Expand, DomainToAscii) {
    EXPECT_EQ(expanded("${domain_to_ascii{$d}}", {{"d", "b\xc3\xbc"
                                                        "cher.example"}}),
              "xn--bcher-kva.example");
    EXPECT_EQ(expanded(".${domain_to_ascii{Example.ORG}}"), ".Example.ORG");
}

TEST(Expand, BadSyntaxIsAnError) {
    for (auto text : {"${", "${n", "$(n}", "${}", "$", "a $ b", "${n-c}", "${n?{x}y}", "${b:{x}:{y}}", "${{1}}",
                      "${{1} ~ {2}}", "${{a}=={b}x}", "${{a}==b?{c}}"})
        EXPECT_EQ(error(text), "error") << text;
}

TEST(Expand, LoopsAndBombsEnd) {
    EXPECT_EQ(expanded("$l", {{"l", "$l"}}), "error: expansion is nested too deeply, or a parameter refers to itself");
    std::map<std::string, std::string> bomb;
    for (int i = 0; i < 40; ++i)
        bomb["v" + std::to_string(i)] = "$v" + std::to_string(i + 1) + "$v" + std::to_string(i + 1);
    EXPECT_TRUE(expanded("$v0", bomb).starts_with("error"));
    std::string deep;
    for (int i = 0; i < 100000; ++i)
        deep += "${n?{";
    for (int i = 0; i < 100000; ++i)
        deep += "}}";
    EXPECT_TRUE(expanded(deep).starts_with("error"));
}

TEST(Expand, CutAtEveryByteGivesAnAnswer) {
    std::string text = "$n ${n?{${b:{x}}}:{y}} ${{$level} <level {3.6} ? {a$n} : {b}} ${domain_to_ascii{$n}} $(n) $$";
    for (std::size_t n = 0; n <= text.size(); ++n)
        for (char c : {'{', '}', '$', '?', ':', '\0'}) {
            std::string cut = text.substr(0, n);
            (void)expanded(cut);
            (void)expanded(cut + c + text.substr(n));
            conf::for_each_name(cut, [](std::string_view, bool) {});
        }
}

TEST(Expand, NamesInABranchAreSeen) {
    std::string seen;
    conf::for_each_name(
        "$a ${b?{$c}:{${d}}} ${{$e} == {x} ? {$(f)}} $$g ${domain_to_ascii{$h}}",
        [&](std::string_view n, bool conditional) { seen += std::string(n) + (conditional ? "? " : " "); });
    EXPECT_EQ(seen, "a b? c d e f h ");
}
}
