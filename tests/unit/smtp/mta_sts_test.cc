// What smtp makes of a policy service that stalls, goes and comes back: what it knew holds on, and one failure is
// nobody else's.
#include "mta_sts.h"
#include <gtest/gtest.h>
#include <unistd.h>
#include <filesystem>
#include "log/log.h"
#include "net/socket.h"
#include "net/stream.h"

using namespace std::chrono_literals;

namespace {
struct Service {
    std::shared_ptr<UniqueFd> listener;
    std::string asked;  // names, each with a blank
    bool present = true;

    void open() {
        unlink("private/mta-sts");
        listener = std::make_shared<UniqueFd>(std::move(*net::listen_unix("private/mta-sts", 10, 0666)));
    }
    void close() { listener.reset(); }  // what comes is refused
    void serve(net::Stream& s) {
        while (auto request = ipc::receive<ipc::StsRequest>(s, loop::never)) {
            asked += request->domain + " ";
            if (!present)
                return;
            ipc::StsReply reply;
            if (request->domain.starts_with("safe"))
                reply = {"enforce", {"mx.safe.test"}, 86400, {}};
            if (!ipc::send(s, reply, loop::never) || !s.flush(loop::never))
                return;
        }
    }
    void run() {
        for (;;) {
            auto mine = listener;
            loop::wait_readable(mine->get());
            net::Address peer;
            auto fd = net::accept_one(mine->get(), peer);
            if (!fd || !*fd)
                continue;
            loop::loop()->spawn([this, s = std::make_shared<net::Stream>(std::move(*fd))] { serve(*s); });
        }
    }
};
}

TEST(MtaStsClient, AFailureConcernsOneQuestionAndWhatWasKnownHolds) {
    char name[] = "/tmp/posthorn-sts-XXXXXX";
    const std::string root = mkdtemp(name);
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(root);
    std::filesystem::create_directory("private");
    maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
    {
        auto settings = conf::Settings::defaults({{"mta_sts_service_name", "mta-sts"}});
        auto policies = tls::Policies::open(settings, false);
        ASSERT_TRUE(policies);
        smtp::MtaSts sts(settings, true);
        Service service;
        service.open();
        loop::Loop l;
        auto level = [&](const std::string& domain) {
            auto found =
                sts.find(*policies, tls::Site{.key = domain, .nexthop = domain, .domain = true, .path = false});
            return found && *found ? (*found)->level : tls::Level::none;
        };
        l.spawn([&] { service.run(); });
        l.spawn([&] {
            EXPECT_EQ(level("safe.test"), tls::Level::secure);
            EXPECT_EQ(level("plain.test"), tls::Level::none);
            service.present = false;  // it hangs up instead of answering
            EXPECT_EQ(level("Safe.test"), tls::Level::secure) << "what it last said of the destination";
            EXPECT_EQ(level("other.test"), tls::Level::none);
            service.present = true;
            EXPECT_EQ(level("safe2.test"), tls::Level::secure) << "asked again at once";
            loop::loop()->cancel_all();
        });
        l.run();
    }
    maillog::redirect(nullptr, nullptr);
    std::filesystem::current_path(before);
    std::filesystem::remove_all(root);
}
