#include "loop/loop.h"
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdlib>
#include <string>

using namespace loop;
using namespace std::chrono_literals;

namespace {
struct Pair {
    int fd[2];
    Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0); }
    ~Pair() {
        ::close(fd[0]);
        ::close(fd[1]);
    }
    void put(std::string_view s) { EXPECT_EQ(write(fd[1], s.data(), s.size()), static_cast<ssize_t>(s.size())); }
};
struct Count {
    int& n;
    ~Count() { ++n; }
};
}

TEST(Loop, TheSameWaitBlocksOutsideFibers) {
    Pair p;
    p.put("x");
    EXPECT_EQ(wait_readable(p.fd[0], in(1s)), Wait::ready);
    char c;
    (void)!read(p.fd[0], &c, 1);
    auto start = Clock::now();
    EXPECT_EQ(wait_readable(p.fd[0], start + 30ms), Wait::timed_out);
    EXPECT_GE(Clock::now() - start, 30ms);
}
TEST(Loop, OneFiberWakesAnother) {
    Pair p;
    Loop l;
    int steps = 0;
    l.spawn([&] {
        EXPECT_EQ(wait_readable(p.fd[0], in(5s)), Wait::ready);
        ++steps;
    });
    l.spawn([&] {
        sleep_until(in(5ms));
        p.put("x");
        ++steps;
    });
    l.run();
    EXPECT_EQ(steps, 2);
}
TEST(Loop, WatchIsEdgeTriggeredAndTimesOut) {
    Pair p;
    Loop l;
    l.spawn([&] {
        Watch w(p.fd[0]);
        EXPECT_EQ(w.readable(in(10ms)), Wait::timed_out);
        p.put("ab");
        EXPECT_EQ(w.readable(in(5s)), Wait::ready);
        EXPECT_EQ(w.readable(in(10ms)), Wait::timed_out);  // not drained, but no new edge
        p.put("c");
        EXPECT_EQ(w.readable(in(5s)), Wait::ready);
        EXPECT_EQ(w.writable(in(5s)), Wait::ready);
    });
    l.run();
}
TEST(Loop, PoolJobsReturnTheirExceptions) {
    Loop l;
    bool ran = false, caught = false;
    l.spawn([&] {
        offload([&] {
            EXPECT_FALSE(current());
            usleep(2000);
            ran = true;
        });
        try {
            offload([] { throw std::runtime_error("pool"); });
        } catch (const std::runtime_error&) {
            caught = true;
        }
    });
    l.run();
    EXPECT_TRUE(ran && caught);
}
// Long work that pauses between its pieces: another fiber gets its turns, but not at each piece.
TEST(Loop, WorkInPiecesLetsOthersGoOn) {
    Loop l;
    bool working = true;
    int turns = 0;
    l.spawn([&] {
        for (const Deadline end = in(std::chrono::milliseconds(200)); Clock::now() < end;)
            breathe();
        working = false;
    });
    l.spawn([&] {
        for (; working; ++turns)
            yield();
    });
    l.run();
    EXPECT_GE(turns, 5);
    EXPECT_LE(turns, 45);
    breathe();  // outside fibers there is nobody to wait for
}
// With the thread sanitizer (preset tsan): what a job touches needs no lock of its own, nor what it throws.
TEST(Loop, AFiberAndItsPoolJobsTakeTurns) {
    Loop l;
    int jobs = 0, thrown = 0;
    for (int fiber = 0; fiber < 100; ++fiber)
        l.spawn([&] {
            std::string said;
            for (int i = 0; i < 50; ++i) {
                try {
                    offload([&] {
                        said += static_cast<char>('a' + i % 26);
                        if (i % 7 == 3)
                            throw std::runtime_error(said);
                    });
                } catch (const std::runtime_error& e) {
                    EXPECT_EQ(e.what(), said);
                    ++thrown;
                }
                ++jobs;
                if (i % 5 == 0)
                    yield();
            }
            EXPECT_EQ(said.size(), 50u);
        });
    l.run();
    EXPECT_EQ(jobs, 5000);
    EXPECT_EQ(thrown, 700);
}
TEST(Loop, ACancelledFiberStaysUntilItsPoolJobIsOver) {
    Loop l;
    int begun = 0, over = 0;
    for (int fiber = 0; fiber < 100; ++fiber)
        l.spawn([&] {
            std::string mine(1000, 'x');
            ++begun;
            offload([&] {
                usleep(500);
                mine.assign(2000, 'y');
            });
            over += mine.size() == 2000;
            yield();
            ADD_FAILURE() << "a wait of a cancelled fiber";
        });
    l.spawn([] { loop::loop()->cancel_all(); });  // the first turn: all have begun, and no end of a job has been seen
    l.run();
    EXPECT_EQ(begun, 100);
    EXPECT_EQ(over, 100);
}
TEST(Loop, DoesFileJobsInPlaceUntilOneIsSlow) {
    Loop l;
    std::vector<bool> in_place;
    l.spawn([&] {
        for (int microseconds : {20000, 0})
            file_job([&, microseconds] {
                in_place.push_back(current() != nullptr);
                usleep(static_cast<useconds_t>(microseconds));
            });
    });
    l.run();
    EXPECT_EQ(in_place, (std::vector<bool>{true, false}));
}

TEST(Loop, DeepWorkRunsOnTheMainStack) {
    Loop l;
    bool ok = false;
    l.spawn([&] {
        on_main_stack([&] {
            volatile char big[1 << 20];
            big[0] = 1;
            big[sizeof big - 1] = 1;
            ok = !current();
        });
    });
    l.run();
    EXPECT_TRUE(ok);
}
TEST(Loop, AGroupEndsWithItsOwner) {
    Loop l;
    bool child = false, thrown = false;
    int joined = 0;
    l.spawn([&] {
        try {
            Group::with([&](Group& g) {
                g.spawn([&] {
                    struct D {
                        bool& b;
                        ~D() { b = true; }
                    } d{child};
                    sleep_until(never);
                });
                sleep_until(in(2ms));
                throw std::runtime_error("x");
            });
        } catch (const std::runtime_error&) {
            thrown = child;
        }
        Group::with([&](Group& g) {
            for (int i = 0; i < 5; i++)
                g.spawn([&, i] {
                    sleep_until(in(1ms * i));
                    ++joined;
                });
        });
    });
    l.run();
    EXPECT_TRUE(thrown);
    EXPECT_EQ(joined, 5);
}
TEST(Loop, CancellingEndsEveryWait) {
    Pair p;
    int destroyed = 0, swallowed = 0;
    bool pooled = false;
    {
        Loop l;
        for (int i = 0; i < 100; i++)
            l.spawn([&] {
                Count c{destroyed};
                Watch w(p.fd[0]);
                for (;;)
                    wait_readable(p.fd[0]);
            });
        l.spawn([&] {
            Count c{destroyed};
            for (;;) {
                try {
                    sleep_until(never);
                } catch (const Cancelled&) {
                    if (++swallowed > 3)
                        throw;
                }
            }
        });
        l.spawn([&] {
            Count c{destroyed};
            offload([&] {
                usleep(10000);
                pooled = true;
            });
            sleep_until(never);
        });
        l.spawn([&] {
            sleep_until(in(3ms));
            loop::loop()->cancel_all();
        });
        l.run();
        EXPECT_EQ(destroyed, 102);
        EXPECT_EQ(swallowed, 4);
        EXPECT_TRUE(pooled);
        for (int i = 0; i < 10; i++)
            l.spawn([&] { sleep_until(never); });  // ended by ~Loop before they ran
    }
}
TEST(Loop, HandledExceptionsBelongToTheirFiber) {
    Loop l;
    int good = 0;
    for (int i = 0; i < 20; i++)
        l.spawn([&, i] {
            try {
                throw std::runtime_error("e" + std::to_string(i));
            } catch (const std::exception&) {
                sleep_until(in(1ms * ((i * 7) % 13)));
                try {
                    throw;
                } catch (const std::exception& e) {
                    yield();
                    good += e.what() == "e" + std::to_string(i);
                }
            }
        });
    l.run();
    EXPECT_EQ(good, 20);
}
// Three wait for a place, one place is free; who is told of it is cancelled in the same moment.
TEST(Loop, ACancelledFiberHandsOnTheNewsThatItWasTold) {
    Loop l;
    Condition place;
    bool free = false;
    std::string order;
    std::vector<Fiber*> waiters;
    for (char name : {'a', 'b', 'c'})
        waiters.push_back(&l.spawn([&, name] {
            while (!free)
                if (place.wait(in(5s)) == Wait::timed_out) {
                    order += '-';
                    return;
                }
            free = false;
            order += name;
        }));
    l.spawn([&] {
        sleep_until(in(1ms));
        free = true;
        place.notify_one();
        l.cancel(*waiters[0]);
        sleep_until(in(5ms));
        order += '.';
        l.cancel(*waiters[2]);
    });
    l.run();
    EXPECT_EQ(order, "b.");
}
TEST(Loop, NewsThatComesAsTheTimeEndsIsNotLost) {
    Loop l;
    Condition place;
    Wait got = Wait::timed_out;
    const Deadline end = in(20ms);
    l.spawn([&] { got = place.wait(end); });
    l.spawn([&] {
        sleep_until(in(1ms));
        while (Clock::now() < end) {}  // the waiter's time is over, and it has not had its turn
        place.notify_one();
    });
    l.run();
    EXPECT_EQ(got, Wait::ready);
}
TEST(Loop, ConditionWakesAllAndTimesOut) {
    Loop l;
    Condition c;
    bool flag = false;
    int woken = 0;
    for (int i = 0; i < 3; i++)
        l.spawn([&] {
            while (!flag)
                c.wait();
            ++woken;
        });
    l.spawn([&] {
        EXPECT_EQ(Condition().wait(in(3ms)), Wait::timed_out);
        flag = true;
        c.notify_all();
    });
    l.run();
    EXPECT_EQ(woken, 3);
}
TEST(Loop, SignalsArriveInTheLoop) {
    Loop l;
    bool got = false;
    l.on_signal(SIGUSR1, [&] { got = true; });
    l.spawn([&] {
        kill(getpid(), SIGUSR1);
        auto end = in(5s);
        while (!got && Clock::now() < end)
            sleep_until(in(1ms));
    });
    l.run();
    EXPECT_TRUE(got);
}
