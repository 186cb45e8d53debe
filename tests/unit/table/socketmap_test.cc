// A socketmap server that takes its time, asked by many fibers at once.
#include <gtest/gtest.h>
#include "loop/loop.h"
#include "net/socket.h"
#include "net/stream.h"
#include "table/table.h"

using namespace std::chrono_literals;

TEST(Socketmap, ManyLookupsAtOnceShareAFewConnections) {
    auto listener = net::listen_inet(*net::Address::parse("127.0.0.1", 0), 300);
    ASSERT_TRUE(listener);
    auto table = table::open(
        "socketmap:inet:127.0.0.1:" + std::to_string(net::local_address(listener->get())->port()) + ":m", {});
    ASSERT_TRUE(table) << table.error().reason;
    int connections = 0, found = 0, left = 200;
    loop::Loop l;
    l.spawn([&] {
        for (;;) {
            loop::wait_readable(listener->get());
            net::Address peer;
            auto fd = net::accept_one(listener->get(), peer);
            if (!fd || !*fd)
                continue;
            ++connections;
            l.spawn([s = std::make_shared<net::Stream>(std::move(*fd))] {
                while (s->read_until(',', 100, loop::never)) {
                    loop::sleep_until(loop::in(2ms));
                    if (!s->write("4:OK x,") || !s->flush(loop::never))
                        return;
                }
            });
        }
    });
    for (int i = 0; i < 200; ++i)
        l.spawn([&] {
            auto value = (*table)->find("key");
            found += value && *value && **value == "x";
            if (--left == 0)
                l.cancel_all();
        });
    l.run();
    EXPECT_EQ(found, 200);
    EXPECT_LE(connections, 20);
}
