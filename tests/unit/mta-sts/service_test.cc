// Who waits for whom while policies are looked up.
#include "policy_server.h"
#include <gtest/gtest.h>
#include "../dns/name_server.h"
#include "log/log.h"
#include "net/stream.h"

using namespace std::chrono_literals;

// "drop…" gets no answer from the name server. Forty such domains are before the one that can be had.
TEST(StsService, DomainsThatDoNotAnswerHoldUpNobodyElse) {
    NameServer names;
    dns::open();
    names.fail("_mta-sts.good.test", 3);
    std::string log;
    maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                         void* to) { *static_cast<std::string*>(to) += std::string(text) + "\n"; },
                      &log);
    {
        auto service = mta_sts::PolicyServer::create(conf::Settings::defaults({{"mta_sts_cache_database", ""}}));
        ASSERT_TRUE(service) << service.error().reason;
        (*service)->first_try = 100ms;
        loop::Loop l;
        auto pair = net::stream_pair();
        ASSERT_TRUE(pair);
        net::Stream theirs(std::move(pair->first)), ours(std::move(pair->second));
        bool asked_good = false;
        loop::Deadline begin{}, end{};
        l.spawn([&] { (*service)->serve(theirs); });
        l.spawn([&] {
            auto ask = [&](const std::string& domain) {
                ASSERT_TRUE(ipc::send(ours, ipc::StsRequest{domain}, loop::in(5s)));
                ASSERT_TRUE(ipc::receive<ipc::StsReply>(ours, loop::in(5s)));
            };
            begin = loop::Clock::now();
            for (int i = 0; i < 40; ++i)
                ask("drop" + std::to_string(i) + ".test");
            const int before = names.answered;
            ask("good.test");
            while (names.answered == before && loop::Clock::now() < begin + 20s)
                loop::sleep_until(loop::in(10ms));
            asked_good = names.answered > before;
            end = loop::Clock::now();
            loop::loop()->cancel_all();
        });
        l.run();
        EXPECT_TRUE(asked_good);
        EXPECT_LT(end - begin, 5s) << "four rounds of a tenth of a second, not of what the name servers may take";
    }
    dns::close();
    maillog::redirect(nullptr, nullptr);
}
