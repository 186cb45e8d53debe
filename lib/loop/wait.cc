// The waits that fibers use, and their blocking twins outside fibers.
#include <poll.h>
#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>
#include "loop/loop.h"

namespace loop {
namespace {
Wait poll_until(int fd, short what, Deadline d) {
    for (pollfd p{fd, static_cast<short>(what & EV_READ ? POLLIN : POLLOUT), 0};;) {
        int ms = d == never ? -1
                            : static_cast<int>(std::clamp<long long>(
                                  std::chrono::ceil<std::chrono::milliseconds>(d - Clock::now()).count(), 0, 1 << 30));
        int n = poll(&p, 1, ms);
        if (n > 0)
            return Wait::ready;
        if (n == 0 && Clock::now() >= d)
            return Wait::timed_out;
    }
}

Wait wait_once(int fd, short what, Deadline d) {
    if (!current())
        return poll_until(fd, what, d);
    struct Waiting {
        event ev{};
        Fiber* fiber;
        bool got = false;
        ~Waiting() { event_del(&ev); }
    } w;
    w.fiber = current();
    event_assign(
        &w.ev, loop()->base(), fd, what,
        [](evutil_socket_t, short, void* p) {
            auto* x = static_cast<Waiting*>(p);
            x->got = true;
            loop()->wake(*x->fiber);
        },
        &w);
    if (event_add(&w.ev, nullptr) != 0)
        throw std::bad_alloc();
    while (!w.got)
        if (loop()->park_until(d) == Wait::timed_out && !w.got)
            return Wait::timed_out;
    return Wait::ready;
}
}

Wait wait_readable(int fd, Deadline d) { return wait_once(fd, EV_READ, d); }
Wait wait_writable(int fd, Deadline d) { return wait_once(fd, EV_WRITE, d); }

void sleep_until(Deadline d) {
    if (!current()) {
        std::this_thread::sleep_until(d);
        return;
    }
    while (Clock::now() < d)
        loop()->park_until(d);
}

void yield() {
    if (!current())
        return;
    loop()->wake(*current());
    loop()->park();
}

void breathe() {
    constexpr auto slice = std::chrono::milliseconds(5);
    Fiber* me = current();
    if (!me)
        return;
    const Deadline now = Clock::now();
    if (me->slice_end == Deadline{})
        me->slice_end = now + slice;
    else if (now >= me->slice_end)
        yield();
}

Watch::~Watch() { reset(); }
void Watch::reset() {
    if (std::exchange(added_, false))
        event_del(&event_);
    can_read_ = false;
}
Wait Watch::writable(Deadline d) { return wait_once(fd_, EV_WRITE | EV_ET, d); }

Wait Watch::readable(Deadline d) {
    if (!current())
        return poll_until(fd_, EV_READ, d);
    if (!added_) {
        event_assign(
            &event_, loop()->base(), fd_, EV_READ | EV_ET | EV_PERSIST,
            [](evutil_socket_t, short, void* p) {
                auto* w = static_cast<Watch*>(p);
                w->can_read_ = true;
                if (w->reader_)
                    loop()->wake(*w->reader_);
            },
            this);
        if (event_add(&event_, nullptr) != 0)
            throw std::bad_alloc();  // reports at once what is ready already
        added_ = true;
    }
    assert(!reader_);
    struct Registered {
        Fiber*& f;
        ~Registered() { f = nullptr; }
    } registered{reader_};
    reader_ = current();
    while (!can_read_)
        if (loop()->park_until(d) == Wait::timed_out && !can_read_)
            return Wait::timed_out;
    can_read_ = false;
    return Wait::ready;
}

struct Condition::Waiter {
    Condition& condition;
    Fiber& fiber;
    bool told = false, taken = false;
    void tell() {
        told = true;
        loop()->wake(fiber);
    }
    // One that is cancelled between being told and its turn hands the news on: it was perhaps the only one that was
    // told.
    ~Waiter() {
        if (told && !taken)
            condition.notify_one();
        if (told)
            return;
        auto& waiters = condition.waiters_;
        if (auto at = std::find(waiters.begin(), waiters.end(), this); at != waiters.end())
            waiters.erase(at);
    }
};

void Condition::notify_all() {
    for (Waiter* w : std::exchange(waiters_, {}))
        w->tell();
}
void Condition::notify_one() {
    if (waiters_.empty())
        return;
    Waiter* first = waiters_.front();
    waiters_.pop_front();
    first->tell();
}
Wait Condition::wait(Deadline d) {
    Waiter me{*this, *current()};
    waiters_.push_back(&me);
    Wait result = loop()->park_until(d);
    me.taken = true;
    return me.told ? Wait::ready : result;  // told at the moment when the time was over: the news is ours
}

void offload(const std::function<void()>& f) {
    Fiber* me = current();
    if (!me)
        return f();
    std::exception_ptr e;
    bool done = false;  // set by the loop's thread: the pool touches nothing after its last lock
    loop()->submit({[&] {
                        try {
                            f();
                        } catch (...) {
                            e = std::current_exception();
                        }
                    },
                    me, &done});
    while (!done)
        loop()->park(false);
    if (e)
        std::rethrow_exception(std::exchange(e, {}));
}

void file_job(const std::function<void()>& f) {
    static thread_local Deadline busy_until{};
    constexpr auto long_time = std::chrono::milliseconds(2);
    const Deadline begin = Clock::now();
    if (begin < busy_until)
        return offload(f);
    f();
    if (const Deadline end = Clock::now(); end - begin > long_time)
        busy_until = end + 20 * (end - begin);  // a twentieth of the time, at most, waits for the disk
}

void on_main_stack(const std::function<void()>& f) {
    if (!current())
        return f();
    std::exception_ptr e;
    loop()->on_main([&] {
        try {
            f();
        } catch (...) {
            e = std::current_exception();
        }
    });
    if (e)
        std::rethrow_exception(std::exchange(e, {}));
}

void Group::spawn(std::function<void()> body) {
    Fiber& f = loop()->spawn(std::move(body));
    ++left_;
    mine_.insert(&f);
    f.ended = [this, &f, owner = current()] {
        mine_.erase(&f);
        if (--left_ == 0)
            loop()->wake(*owner);
    };
}
void Group::join(bool cancellable) {
    while (left_)
        loop()->park(cancellable);
}
void Group::cancel() {
    for (auto* f : mine_)
        loop()->cancel(*f);
}
}
