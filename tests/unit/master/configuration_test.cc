#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include "configuration.h"
#include "endpoint.h"
#include "pid_file.h"

namespace {
struct Folder : testing::Test {
    std::string path = [] {
        char name[] = "/tmp/master_testXXXXXX";
        return std::string(mkdtemp(name));
    }();
    ~Folder() override { std::filesystem::remove_all(path); }
    void write(const std::string& name, const std::string& text) {
        UniqueFd fd(::creat((path + "/" + name).c_str(), 0600));
        ASSERT_TRUE(write_all(fd.get(), text));
    }
};
conf::MasterEntry entry(const std::string& line) { return *conf::parse_master_line(line, "master.cf", 1); }
std::vector<std::string> keys(const std::string& line, const conf::Overrides& overrides) {
    std::vector<std::string> all;
    auto endpoints = master::open_endpoints(entry(line), conf::Settings::defaults(overrides), {});
    if (!endpoints)
        return {endpoints.error().reason};
    for (auto& e : *endpoints)
        all.push_back(e->key.substr(0, e->key.rfind(' ')));
    return all;
}
}

using Configuration = Folder;
TEST_F(Configuration, ReadsBothFilesAndSkipsWhatIsDisabled) {
    write("main.cf", "master_service_disable = smtp/inet\n");
    write("master.cf", "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n");
    auto c = master::read_configuration(path, 1);
    ASSERT_TRUE(c) << c.error().reason;
    ASSERT_EQ((*c)->entries.size(), 1u);
    EXPECT_EQ((*c)->entries[0].type, "unix");
}
TEST_F(Configuration, AnOverrideThatIsWrongIsAnErrorWithItsLine) {
    write("main.cf", "");
    write("master.cf", "# first\nsmtp inet n - n - - smtpd -o smtpd_timeout=soon\n");
    auto c = master::read_configuration(path, 1);
    ASSERT_FALSE(c);
    EXPECT_NE(c.error().reason.find("master.cf, line 2"), std::string::npos) << c.error().reason;
}
TEST(Disabled, NamesTypesAndExceptions) {
    conf::MasterEntry smtp = entry("smtp inet n - n - - smtpd"), local = entry("local unix - n n - - local");
    EXPECT_TRUE(conf::disabled(smtp, "inet"));
    EXPECT_FALSE(conf::disabled(local, "inet"));
    EXPECT_FALSE(conf::disabled(smtp, "!smtp/inet, inet"));
    EXPECT_TRUE(conf::disabled(local, "smtp/inet local/unix"));
    EXPECT_FALSE(conf::disabled(smtp, ""));
}

TEST(Endpoints, OneSocketForEachAddress) {
    std::vector<std::string> both{"inet 127.0.0.1", "inet ::1"};
    EXPECT_EQ(keys("0 inet n - n - - smtpd", {{"inet_interfaces", "127.0.0.1"}}),
              std::vector<std::string>{"inet 127.0.0.1"});
    EXPECT_EQ(keys("0 inet n - n - - smtpd", {{"inet_interfaces", "loopback-only"}, {"inet_protocols", "ipv4"}}),
              std::vector<std::string>{"inet 127.0.0.1"});
    EXPECT_EQ(keys("127.0.0.1:0 inet n - n - - smtpd", {{"inet_interfaces", "192.0.2.1"}}),
              std::vector<std::string>{"inet 127.0.0.1"});
    EXPECT_NE(keys("0 inet n - n - - smtpd", {{"inet_protocols", "ipv5"}})[0].find("ipv5"), std::string::npos);
    EXPECT_NE(
        keys("0 inet n - n - - smtpd", {{"inet_interfaces", "::1"}, {"inet_protocols", "ipv4"}})[0].find("no address"),
        std::string::npos);
}
TEST_F(Folder, SocketsStayOverAReloadAndGoWithTheirService) {
    ASSERT_EQ(chdir(path.c_str()), 0);
    mkdir("public", 0755);
    conf::Settings s = conf::Settings::defaults({{"mail_owner", "daemon"}});  // any user but root
    if (auto owner = conf::mail_owner(s); conf::can_take_rights()) {
        ASSERT_TRUE(owner && chown("public", owner->uid, owner->gid) == 0 && chmod(path.c_str(), 0755) == 0);
    }
    auto first = master::open_endpoints(entry("cleanup unix n - n - 0 cleanup"), s, {});
    ASSERT_TRUE(first) << first.error().reason;
    struct stat st {};
    ASSERT_EQ(stat("public/cleanup", &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0666u);
    auto second = master::open_endpoints(entry("cleanup unix n - n 60 5 cleanup"), s, *first);
    EXPECT_EQ((*first)[0], (*second)[0]);
    (*first)[0]->remove = true;
    first->clear();
    second->clear();
    EXPECT_NE(stat("public/cleanup", &st), 0);
    ASSERT_EQ(chdir("/"), 0);
}
TEST_F(Folder, ThePidFileNamesItsOwner) {
    auto file = master::lock_pid_file(path);
    ASSERT_TRUE(file && file->fd);
    ASSERT_TRUE(master::write_pid(*file));
    auto second = master::lock_pid_file(path);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->fd);
    EXPECT_EQ(second->owner, getpid());
}
