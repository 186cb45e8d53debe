// Commands: when a shell is needed, what an end means, limits.
#include "delivery/command.h"
#include <unistd.h>
#include "harness.h"

using delivery::Command;
using delivery::CommandEnd;

namespace {
Result<CommandEnd> run(Command command, std::string_view input = "") {
    command.rights = {::geteuid(), ::getegid(), "me"};
    command.environment.emplace_back("PATH", "/usr/bin:/bin");
    return delivery::run_command(command, [&](const delivery::Sink& sink) { return sink(input); });
}
CommandEnd run_line(std::string line, std::string_view input = "") {
    auto end = run({.line = std::move(line)}, input);
    EXPECT_TRUE(end);
    return end ? *end : CommandEnd{};
}

TEST(NeedsShell, MagicCharactersAndShellCommands) {
    EXPECT_FALSE(delivery::needs_shell("/usr/bin/procmail -a work"));
    EXPECT_TRUE(delivery::needs_shell("/usr/bin/procmail -a \"$EXTENSION\""));
    EXPECT_TRUE(delivery::needs_shell("exit 75"));
    EXPECT_TRUE(delivery::needs_shell("a | b"));
    EXPECT_TRUE(delivery::needs_shell("A=b cat"));
    EXPECT_FALSE(delivery::needs_shell("exits 75"));
    EXPECT_FALSE(delivery::needs_shell("."));  // the shell would do nothing, and call that a success
}

TEST(ForkPatience, IsAsTheSettingsSay) {
    delivery::ForkPatience patience(conf::Settings::defaults({{"fork_attempts", "7"}, {"fork_delay", "8s"}}));
    EXPECT_EQ(patience.attempts, 7);
    EXPECT_EQ(patience.delay, std::chrono::seconds(8));
}

TEST(RunCommand, GetsTheMessageAndItsOutputIsKept) {
    CommandEnd end = run_line("cat; exit 69", "hello\nthere\n");
    EXPECT_EQ(end.status, 69);
    EXPECT_EQ(end.output, "hello there ");
}

TEST(RunCommand, CommandThatDoesNotReadIsNoError) {
    std::string large(1 << 20, 'x');
    EXPECT_EQ(run_line("exit 0", large).status, 0);
}

TEST(RunCommand, OutputIsBoundedWhateverIsWritten) {
    CommandEnd end = run_line("head -c 300000 /dev/zero | tr '\\0' y; exit 1");
    EXPECT_EQ(end.status, 1);
    EXPECT_LE(end.output.size(), 4096u);
    EXPECT_GT(end.output.size(), 4000u);
}

TEST(RunCommand, TimeLimitKillsWhatItStarted) {
    auto begin = std::chrono::steady_clock::now();
    auto end = run({.line = "echo begun; sleep 30 & sleep 30", .time_limit = std::chrono::seconds(1)});
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->timed_out);
    EXPECT_EQ(end->output, "begun ");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(RunCommand, ChildThatKeepsTheOutputOpenDoesNotHoldUsUp) {
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(run_line("sleep 20 & exit 0").status, 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(RunCommand, InheritsNothingButItsEnvironment) {
    ::setenv("SECRET_OF_THE_DAEMON", "1", 1);
    CommandEnd end =
        run_line("env | sort | grep -v -e ^PWD -e ^SHLVL -e ^_= -e ^OLDPWD; ls /proc/self/fd | tr '\\n' ' '; exit 1");
    EXPECT_EQ(end.output, "PATH=/usr/bin:/bin 0 1 2 3 ");  // 3: ls reads the directory
}

TEST(RunCommand, MissingProgramIsTemporary) {
    auto end = run({.arguments = {"/nonexistent"}});
    ASSERT_TRUE(end);
    EXPECT_EQ(delivery::explain(*end, "x").status, (EnhancedStatus{4, 3, 0}));
    EXPECT_EQ(delivery::explain(*end, "x").text,
              "temporary failure. Command output: local: fatal: execvp /nonexistent: No such file or directory ");
}

// As the reference does. "4.3.0": somebody may still put the file there; "5.3.0": the shell does not know the name
// either.
TEST(RunCommand, BareNameOfNoProgramGoesToTheShell) {
    constexpr const char *unknown = "5.3.0 Command died with status 127",
                         *missing = "4.3.0 temporary failure. Command output: local: fatal: execvp";
    struct {
        std::string line, shell;
        std::string_view expected;
    } rows[] = {
        {"nosuchcmd", "", unknown},
        {"nosuchcmd a", "", unknown},
        {"  nosuchcmd  a", "", unknown},
        {".x", "", unknown},
        {"/no/such", "", missing},
        {"no/such a", "", missing},
        {"./nosuch", "", missing},
        {"nosuch/", "", missing},
        {".", "", missing},
        {". x", "", missing},
        {"..", "", missing},
        {"/tmp", "", missing},
        {"true", "nosuchsh -c", missing},
    };
    for (const auto& row : rows) {
        auto end = run({.line = row.line, .shell = row.shell});
        ASSERT_TRUE(end);
        auto [status, text] = delivery::explain(*end, row.line);
        EXPECT_TRUE((status.text() + " " + text).starts_with(row.expected))
            << row.line << ": " << status.text() << " " << text;
    }
    auto direct = run({.arguments = {"nosuchcmd"}});
    ASSERT_TRUE(direct);
    EXPECT_EQ(delivery::explain(*direct, "x").status, (EnhancedStatus{4, 3, 0}));
}

TEST(RunCommand, MissingDirectoryIsTemporary) {
    maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
    auto end = run({.line = "true", .directory = "/nonexistent"});
    maillog::redirect(nullptr, nullptr);
    ASSERT_TRUE(end);
    EXPECT_EQ(delivery::explain(*end, "x").status, (EnhancedStatus{4, 3, 0}));
    EXPECT_EQ(delivery::explain(*end, "x").text, "temporary failure");
}

TEST(Explain, FollowsSysexitsAndTheOutput) {
    auto text = [](CommandEnd end) {
        auto r = delivery::explain(end, "cmd x");
        return r.status.text() + " " + r.text;
    };
    EXPECT_EQ(text({.status = 67}), "5.1.1 user unknown");
    EXPECT_EQ(text({.status = 75}), "4.3.0 temporary failure");
    EXPECT_EQ(text({.status = 77}), "5.7.0 permission denied");
    EXPECT_EQ(text({.status = 69, .output = "no room "}), "5.3.0 service unavailable. Command output: no room ");
    EXPECT_EQ(text({.status = 3}), "5.3.0 Command died with status 3: \"cmd x\"");
    EXPECT_EQ(text({.signal = 9}), "4.3.0 Command died with signal 9: \"cmd x\"");
    EXPECT_EQ(text({.timed_out = true, .output = "start "}),
              "5.3.0 Command time limit exceeded: \"cmd x\". Command output: start ");
    EXPECT_EQ(text({.status = 1, .output = "4.2.1 later "}), "4.2.1 later ");
    EXPECT_TRUE(delivery::explain({.status = 0}, "x").status.success());
}

TEST(ExportedEnvironment, TakesNamesAndPairs) {
    ::setenv("TZ", "UTC", 1);
    auto settings = conf::Settings::defaults({{"export_environment", "TZ A=b { C=d e } NOT_THERE"}});
    delivery::Environment expected{{"TZ", "UTC"}, {"A", "b"}, {"C", "d e"}, {"PATH", "/usr/bin:/bin"}};
    EXPECT_EQ(delivery::exported_environment(settings), expected);
}

TEST(FilteredText, ReplacesWhatIsNotAllowed) { EXPECT_EQ(delivery::filtered_text("a;b`c", "abc"), "a_b_c"); }
}
