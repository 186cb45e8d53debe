// What TrivialRewrite asks, and what it knows already.
#include "ipc/trivial_rewrite.h"
#include <gtest/gtest.h>
#include <stdlib.h>
#include <filesystem>
#include "loop/loop.h"
#include "net/socket.h"

namespace {
// A trivial-rewrite for which an answer holds for a domain, unless that is "each.test"; it keeps the questions.
struct Service {
    std::string root = [] {
        char name[] = "/tmp/posthorn-rewrite-XXXXXX";
        return std::string(mkdtemp(name));
    }();
    std::vector<std::string> asked;
    bool fails = false;

    ~Service() { std::filesystem::remove_all(root); }
    void run(conf::Overrides overrides, std::function<void(ipc::TrivialRewrite&)> body) {
        std::filesystem::create_directory(root + "/private");
        const std::filesystem::path before = std::filesystem::current_path();
        std::filesystem::current_path(root);
        loop::Loop l;
        UniqueFd listener = std::move(*net::listen_unix("private/rewrite", 10, 0600));
        l.spawn([&] {
            loop::wait_readable(listener.get());
            net::Address peer;
            net::Stream s(std::move(*net::accept_one(listener.get(), peer)));
            while (answer(s)) {}
        });
        l.spawn([&] {
            ipc::TrivialRewrite client(conf::Settings::defaults(std::move(overrides)));
            body(client);  // its end closes the connection, and so ends the service
        });
        l.run();
        std::filesystem::current_path(before);
    }
    bool answer(net::Stream& s) {
        auto in = ipc::receive(s, loop::never);
        if (!in)
            return false;
        if (in->is<ipc::RewriteRequest>()) {
            asked.push_back("rewrite " + in->as<ipc::RewriteRequest>()->address);
            return ipc::send(s, ipc::RewriteReply{fails, asked.back().substr(8) + "@here.test"}, loop::never) &&
                   s.flush(loop::never);
        }
        auto request = in->as<ipc::ResolveRequest>();
        asked.push_back(request->sender + " " + request->address);
        ipc::ResolveReply reply{.transport = "smtp", .nexthop = "hop", .recipient = request->address};
        if (!request->address.ends_with("each.test"))
            reply.flags = ipc::ResolveReply::whole_domain;
        if (fails)
            reply.flags = ipc::ResolveReply::failed;
        return ipc::send(s, reply, loop::never) && s.flush(loop::never);
    }
};
using Asked = std::vector<std::string>;

TEST(TrivialRewrite, AsksOnceForADomainWhereTheLocalPartMakesNoDifference) {
    Service service;
    service.run({}, [](ipc::TrivialRewrite& client) {
        for (std::string address : {"a@one.test", "b@one.test", "a@one.test", "a@two.test"}) {
            auto reply = client.resolve("s@s.test", address);
            ASSERT_TRUE(reply);
            EXPECT_EQ(reply->recipient, address);
            EXPECT_EQ(reply->transport + ":" + reply->nexthop, "smtp:hop");
            EXPECT_EQ(reply->flags, 0);
        }
    });
    EXPECT_EQ(service.asked, (Asked{"s@s.test a@one.test", "s@s.test a@two.test"}));
}

TEST(TrivialRewrite, AsksForEachAddressWhereItMay) {
    Service service;
    service.run({}, [](ipc::TrivialRewrite& client) {
        for (std::string address : {"a@each.test", "b@each.test", "a@each.test", "odd%x@one.test", "@one.test",
                                    "a b@one.test", "-a@one.test"})
            EXPECT_TRUE(client.resolve("", address));
    });
    EXPECT_EQ(service.asked, (Asked{" a@each.test", " b@each.test", " odd%x@one.test", " @one.test", " a b@one.test",
                                    " -a@one.test"}));
}

TEST(TrivialRewrite, AnswersDifferBySenderOnlyWhereTheConfigurationSaysSo) {
    auto ask = [](ipc::TrivialRewrite& client) {
        for (const char* sender : {"x@s.test", "y@s.test"})
            EXPECT_TRUE(client.resolve(sender, "a@one.test"));
    };
    Service same, differs;
    same.run({}, ask);
    differs.run({{"sender_dependent_relayhost_maps", "static:relay.test"}}, ask);
    EXPECT_EQ(same.asked, (Asked{"x@s.test a@one.test"}));
    EXPECT_EQ(differs.asked, (Asked{"x@s.test a@one.test", "y@s.test a@one.test"}));
}

TEST(TrivialRewrite, FailuresAreNotKept) {
    Service service;
    service.fails = true;
    service.run({}, [&](ipc::TrivialRewrite& client) {
        EXPECT_TRUE(client.resolve("", "a@one.test")->flags & ipc::ResolveReply::failed);
        EXPECT_FALSE(client.rewrite("local", "joe"));
        service.fails = false;
        EXPECT_EQ(client.resolve("", "a@one.test")->flags, 0);
        EXPECT_EQ(*client.rewrite("local", "joe"), "joe@here.test");
        EXPECT_EQ(*client.rewrite("local", "joe"), "joe@here.test");
        client.forget();
        EXPECT_TRUE(client.resolve("", "b@one.test"));
    });
    EXPECT_EQ(service.asked, (Asked{" a@one.test", "rewrite joe", " a@one.test", "rewrite joe", " b@one.test"}));
}
}
