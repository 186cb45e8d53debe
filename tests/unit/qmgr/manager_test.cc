// qmgr with real queue files and made-up services on real sockets: what becomes of a message, and what is logged.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include "intake.h"
#include "ipc/attributes.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "net/socket.h"
#include "queue/new_file.h"

namespace {
namespace fs = std::filesystem;
using namespace qmgr;
using queue::RecipientReader;
using queue::RecordType;

class ManagerTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/qmgr_test.XXXXXX";
        root = ::mkdtemp(name);
        before = fs::current_path();
        fs::current_path(root);
        for (const char* d : {"incoming", "active", "deferred", "hold", "corrupt", "defer", "bounce", "trace", "saved",
                              "private", "public"})
            fs::create_directory(d);
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* self) { static_cast<ManagerTest*>(self)->log.emplace_back(text); },
                          this);
    }
    void TearDown() override {
        maillog::redirect(nullptr, nullptr);
        fs::current_path(before);
        fs::remove_all(root);
    }

    mail::QueueId put(const std::string& sender, std::vector<std::string> recipients, std::int64_t age = 0,
                      std::string_view queue = queue::incoming, std::int64_t due = 0) {
        queue::Directories where({"deferred", "defer"}, 1);
        auto file = queue::NewQueueFile::create(where, queue, false);
        EXPECT_TRUE(file) << file.error().reason;
        (void)file->put(RecordType::time, std::to_string(base::wall_now().seconds - age) + " 0");
        (void)file->put(RecordType::sender, sender);
        if (!filter.empty())
            (void)file->put(RecordType::filter, filter);
        (void)file->put(RecordType::warn_time,
                        queue::padded_number(warn_after == 0 ? 0 : base::wall_now().seconds - age + warn_after));
        for (const auto& r : recipients) {
            (void)file->put(RecordType::original, "o-" + r);
            (void)file->put(RecordType::recipient, r);
        }
        (void)file->put(RecordType::message);
        queue::SizeRecord size;
        size.data_offset = file->offset();
        (void)file->put(RecordType::line, "Subject: x");
        size.message_size = size.content_length = file->offset() - size.data_offset;
        size.recipients = static_cast<std::int64_t>(recipients.size());
        (void)file->put(RecordType::extracted);
        file->set_due(due);
        EXPECT_TRUE(file->commit(size));
        return file->id();
    }

    // A service at private/NAME: answer is called for each message and says what to send back ("" closes).
    void serve(const std::string& name, std::function<std::string(const ipc::Incoming&)> answer) {
        auto listener = std::make_shared<UniqueFd>(std::move(*net::listen_unix("private/" + name, 100, 0666)));
        l->spawn([this, listener, answer] {
            for (;;) {
                loop::wait_readable(listener->get());
                net::Address peer;
                auto fd = net::accept_one(listener->get(), peer);
                if (!fd || !*fd)
                    continue;
                auto s = std::make_shared<net::Stream>(std::move(*fd));
                l->spawn([s, answer] {
                    for (;;) {
                        auto in = ipc::receive(*s, loop::never);
                        if (!in)
                            return;
                        std::string out = answer(*in);
                        if (out.empty() || !s->write(out) || !s->flush(loop::never))
                            return;
                    }
                });
            }
        });
    }
    // The usual services. smtp does what the nexthop says: ok, temp, site (deferred, and the site is at fault), fail,
    // crash.
    void serve_all(bool retry = true) {
        serve("rewrite", [this](const ipc::Incoming& in) {
            if (silent_rewrite)
                loop::sleep_until(loop::never);
            auto q = in.as<ipc::ResolveRequest>();
            ipc::ResolveReply reply;
            auto at = q->address.rfind('@');
            reply.transport = q->address.starts_with("nowhere") ? "missing" : "smtp";
            reply.nexthop = q->address.substr(at + 1);
            reply.recipient = q->address;
            return ipc::encode(reply);
        });
        agent = std::make_unique<delivery::Agent>(conf::Settings::defaults(overrides), "");
        auto deliver = [this](const ipc::Incoming& in) -> std::string {
            auto request = in.as<ipc::DeliveryRequest>();
            requests.push_back(*request);
            if (request->nexthop == "crash")
                return "";
            if (request->nexthop == "slow")
                loop::sleep_until(loop::in(std::chrono::milliseconds(50)));
            return ipc::encode(agent->handle(*request, [&](delivery::Job& job) {
                for (auto& r : job.recipients()) {
                    std::string what = job.request().nexthop;
                    if (what.starts_with("4."))
                        job.deferred(r, {.status = {4, 0, 0}, .text = what});
                    else if (what == "temp" && temporary)
                        job.deferred(r, {.status = {4, 2, 0}, .text = "busy"});
                    else if (what == "fail")
                        job.bounced(r, {.status = {5, 1, 1}, .text = "no such user"});
                    else if (what == "site") {
                        job.deferred(r, {.status = {4, 4, 1}, .text = "connect"});
                        job.site_failed({4, 4, 1}, "connect to site: refused");
                    } else {
                        delivered.push_back(r.address);
                        job.delivered(r, {.text = "ok"});
                    }
                }
            }));
        };
        serve("smtp", deliver);
        if (retry)
            serve("retry", deliver);
        for (std::string name : {"bounce", "defer", "trace"})
            serve(name, [this, name](const ipc::Incoming& in) {
                if (in.is<ipc::ReportAppend>()) {
                    auto a = in.as<ipc::ReportAppend>();
                    queue::Directories where({"deferred", "defer"}, 1);
                    std::string path = where.path(name, *mail::QueueId::parse(a->queue_id));
                    (void)where.make_parents(path);
                    std::ofstream(path, std::ios::app) << a->address << "\n";
                    reasons.push_back(a->reason);
                } else if (in.is<ipc::ReportSend>()) {
                    auto s = in.as<ipc::ReportSend>();
                    reports.push_back(name + " " + s->kind + " " + s->sender);
                    if (report_fails)
                        return ipc::encode(ipc::BounceReply{.ok = false, .reason = "no"});
                }
                return ipc::encode(ipc::BounceReply{.ok = true, .reason = ""});
            });
    }
    // Runs qmgr until done says so, at most 10 seconds.
    void run(std::function<bool()> done, bool retry = true) {
        loop::Loop the_loop;
        l = &the_loop;
        serve_all(retry);
        auto settings = conf::Settings::defaults(overrides);
        Manager m(settings, {});
        Intake i(m, settings);
        manager = &m;
        intake = &i;
        the_loop.spawn([&] { i.run(); });
        the_loop.spawn([&] {
            loop::Deadline end = loop::in(std::chrono::seconds(10));
            while (!done() && loop::Clock::now() < end)
                loop::sleep_until(loop::in(std::chrono::milliseconds(5)));
            EXPECT_TRUE(done()) << testing::PrintToString(log);
            the_loop.cancel_all();
        });
        the_loop.run();
    }
    bool logged(std::string_view text) const {
        return std::any_of(log.begin(), log.end(), [&](const auto& line) { return line.find(text) != line.npos; });
    }
    std::string in_deferred(const mail::QueueId& id) const {
        return queue::Directories({"deferred", "defer"}, 1).path(queue::deferred, id);
    }
    double pause(const mail::QueueId& id) const {
        struct stat st {};
        ::stat(in_deferred(id).c_str(), &st);
        return static_cast<double>(st.st_mtime - base::wall_now().seconds);
    }
    std::size_t remaining(const std::string& path) {
        auto file = queue::QueueFile::open_path(path, queue::Access::read);
        return file ? file->envelope()->remaining : 999;
    }

    std::string root;
    fs::path before;
    conf::Overrides overrides{};
    std::vector<std::string> log{}, delivered{}, reports{}, reasons{};
    std::vector<ipc::DeliveryRequest> requests{};
    std::int64_t warn_after = 0;
    std::string filter{};
    bool report_fails = false, temporary = true, silent_rewrite = false;
    loop::Loop* l = nullptr;
    Manager* manager = nullptr;
    Intake* intake = nullptr;
    std::unique_ptr<delivery::Agent> agent{};
};

TEST_F(ManagerTest, ADeliveredMessageIsRemoved) {
    auto id = put("a@x", {"u@ok", "v@ok", "w@also"});
    run([&] { return logged(id.text() + ": removed"); });
    EXPECT_TRUE(logged(id.text() + ": from=<a@x>, size=12, nrcpt=3 (queue active)"));
    EXPECT_EQ(requests.size(), 2u);
    EXPECT_EQ(delivered.size(), 3u);
    EXPECT_TRUE(fs::is_empty("active"));
    EXPECT_TRUE(fs::is_empty("incoming"));
    EXPECT_TRUE(logged("to=<u@ok>, orig_to=<o-u@ok>, relay=none, delay="));
}

TEST_F(ManagerTest, WhatIsDeferredWaitsAsLongAsItIsOldWithinTheLimits) {
    auto young = put("a@x", {"u@temp", "v@ok"}), old = put("a@x", {"u@temp"}, 1000),
         ancient = put("a@x", {"u@temp"}, 100000);
    run([&] {
        return fs::exists(in_deferred(young)) && fs::exists(in_deferred(old)) && fs::exists(in_deferred(ancient));
    });
    EXPECT_NEAR(pause(young), 300, 2);
    EXPECT_NEAR(pause(old), 1000, 3);
    EXPECT_NEAR(pause(ancient), 4000, 2);
    EXPECT_EQ(remaining(in_deferred(young)), 1u);
    EXPECT_EQ(reports.size(), 0u);
}

TEST_F(ManagerTest, AFailureIsReportedAndTheMessageGoes) {
    auto id = put("a@x", {"u@fail"});
    run([&] { return logged(id.text() + ": removed"); });
    EXPECT_EQ(reports, std::vector<std::string>{"bounce bounce a@x"});
}

TEST_F(ManagerTest, AFailureThatCannotBeReportedKeepsTheMessage) {
    auto id = put("a@x", {"u@fail"});
    report_fails = true;
    run([&] { return fs::exists(in_deferred(id)); });
    EXPECT_FALSE(logged("removed"));
}

TEST_F(ManagerTest, AfterItsLifetimeAMessageIsTriedOnceMoreAndReturned) {
    auto id = put("a@x", {"u@temp"}, 5 * 86400 + 10), bounce = put("", {"u@temp"}, 5 * 86400 + 10);
    run([&] { return logged(id.text() + ": removed") && logged(bounce.text() + ": removed"); });
    EXPECT_TRUE(logged(id.text() + ": from=<a@x>, status=expired, returned to sender"));
    EXPECT_TRUE(logged(bounce.text() + ": from=<>, status=expired, returned to sender"));
    EXPECT_EQ(requests.size(), 2u);
    std::sort(reports.begin(), reports.end());
    EXPECT_EQ(reports, (std::vector<std::string>{"defer bounce ", "defer bounce a@x"}));
}

TEST_F(ManagerTest, AForceExpiredMessageIsReturnedWithoutAnAttempt) {
    auto id = put("a@x", {"u@ok"});
    ::chmod(("incoming/" + id.text()).c_str(), 0710);
    run([&] { return logged(id.text() + ": removed"); });
    EXPECT_TRUE(delivered.empty());
    EXPECT_TRUE(logged("status=force-expired, returned to sender"));
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests[0].nexthop, "4.7.0 message is administratively expired");
}

TEST_F(ManagerTest, AWarningIsSentOnce) {
    warn_after = 10;
    auto id = put("a@x", {"u@temp"}, 100);
    run([&] { return fs::exists(in_deferred(id)); });
    EXPECT_EQ(reports, std::vector<std::string>{"defer warn a@x"});
    auto file = queue::QueueFile::open_path(in_deferred(id), queue::Access::read);
    EXPECT_EQ(file->envelope()->warn_time, 0);
}

TEST_F(ManagerTest, ADestinationThatFailsIsLeftAlone) {
    std::vector<mail::QueueId> ids;
    for (int i = 0; i < 12; ++i)
        ids.push_back(put("a@x", {"u" + std::to_string(i) + "@site"}));
    run([&] {
        return std::all_of(ids.begin(), ids.end(), [&](const auto& id) { return fs::exists(in_deferred(id)); });
    });
    auto tried = std::count_if(requests.begin(), requests.end(), [](const auto& r) { return r.nexthop == "site"; });
    EXPECT_LE(tried, 6);
    EXPECT_GE(tried, 4);
    EXPECT_TRUE(logged("(4.4.1 delivery temporarily suspended: connect to site: refused)"));
}

TEST_F(ManagerTest, ATransportThatIsNotThereDefersThroughRetry) {
    auto id = put("a@x", {"nowhere@x"});
    run([&] { return fs::exists(in_deferred(id)); });
    EXPECT_TRUE(logged("connect to transport private/missing: No such file or directory"));
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests[0].nexthop, "4.3.0 mail transport unavailable");
}

TEST_F(ManagerTest, WithoutRetryTooQmgrDefersByItself) {
    auto id = put("a@x", {"nowhere@x"});
    run([&] { return fs::exists(in_deferred(id)); }, false);
    EXPECT_TRUE(logged("to=<nowhere@x>, orig_to=<o-nowhere@x>, relay=none"));
    EXPECT_TRUE(logged("dsn=4.3.0, status=deferred (mail transport unavailable)"));
    EXPECT_EQ(remaining(in_deferred(id)), 1u);
}

TEST_F(ManagerTest, AnAgentThatEndsWithoutAnAnswerLosesNothing) {
    auto id = put("a@x", {"u@crash"});
    run([&] { return fs::exists(in_deferred(id)); });
    EXPECT_EQ(remaining(in_deferred(id)), 1u);
    EXPECT_TRUE(logged("4.3.0 unknown mail transport error"));
}

TEST_F(ManagerTest, ADamagedFileIsSetAside) {
    auto id = put("a@x", {"u@ok"}), good = put("a@x", {"u@ok"});
    fs::resize_file("incoming/" + id.text(), 120);
    run([&] { return logged(good.text() + ": removed"); });
    EXPECT_TRUE(fs::exists("corrupt/" + id.text()));
    EXPECT_TRUE(logged("saving corrupt file \"" + id.text() + "\" from queue \"active\" to queue \"corrupt\""));
}

TEST_F(ManagerTest, AnIncompleteFileIsNotTouched) {
    auto id = put("a@x", {"u@ok"}), good = put("a@x", {"u@ok"});
    ::chmod(("incoming/" + id.text()).c_str(), 0600);
    run([&] { return logged(good.text() + ": removed"); });
    EXPECT_TRUE(fs::exists("incoming/" + id.text()));
    EXPECT_EQ(delivered.size(), 1u);
}

TEST_F(ManagerTest, NewMailWithALaterTimeWaits) {
    auto later = put("a@x", {"u@ok"}, 0, queue::incoming, base::wall_now().seconds + 100), good = put("a@x", {"u@ok"});
    run([&] { return logged(good.text() + ": removed"); });
    EXPECT_TRUE(fs::exists("incoming/" + later.text()));
}

TEST_F(ManagerTest, MoreRecipientsThanFitInMemoryAreReadInPieces) {
    overrides = {{"qmgr_message_recipient_limit", "20"},
                 {"default_recipient_limit", "30"},
                 {"default_recipient_refill_limit", "10"},
                 {"smtp_destination_recipient_limit", "7"}};
    std::vector<std::string> recipients;
    for (int i = 0; i < 1000; ++i)
        recipients.push_back("u" + std::to_string(i) + (i % 100 == 7 ? "@temp" : "@ok" + std::to_string(i % 3)));
    auto id = put("a@x", recipients);
    std::size_t most = 0;
    run([&] {
        if (manager)
            most = std::max(most, manager->recipients());
        return fs::exists(in_deferred(id)) && manager->recipients() == 0;
    });
    EXPECT_LE(most, 200u);
    EXPECT_EQ(delivered.size(), 990u);
    std::sort(delivered.begin(), delivered.end());
    EXPECT_EQ(std::unique(delivered.begin(), delivered.end()), delivered.end());
    EXPECT_EQ(remaining(in_deferred(id)), 10u);
}

TEST_F(ManagerTest, WhatAnEarlierQmgrHadInHandIsDelivered) {
    auto id = put("a@x", {"u@ok"});
    fs::rename("incoming/" + id.text(), "active/" + id.text());
    run([&] { return logged(id.text() + ": removed"); });
}

TEST_F(ManagerTest, WhatAnAgentStillDeliversIsSkipped) {
    auto id = put("a@x", {"u@ok"});
    auto held = queue::QueueFile::open_path("incoming/" + id.text(), queue::Access::read);
    ASSERT_TRUE(*held->try_lock_shared());
    bool busy = true;
    run([&] {
        if (busy && logged(id.text() + ": skipped, still being delivered")) {
            EXPECT_TRUE(delivered.empty());
            held->unlock();  // the agent has done
            busy = false;
        }
        return logged(id.text() + ": removed");
    });
}

TEST_F(ManagerTest, DeferredMailIsTakenWhenDueOrWhenAsked) {
    std::int64_t now = base::wall_now().seconds;
    auto due = put("a@x", {"u@ok"}, 0, queue::deferred, now - 5),
         later = put("a@x", {"v@ok"}, 0, queue::deferred, now + 500);
    run([&] { return logged(due.text() + ": removed"); });
    EXPECT_TRUE(fs::exists(in_deferred(later)));
    bool asked = false;
    run([&] {
        if (intake && !asked) {
            asked = true;
            intake->trigger("AFD");
        }
        return logged(later.text() + ": removed");
    });
}

TEST_F(ManagerTest, DeferTransportsHoldUntilAFlush) {
    overrides = {{"defer_transports", "smtp"}};
    auto id = put("a@x", {"u@ok"});
    run([&] { return fs::exists(in_deferred(id)); });
    EXPECT_EQ(requests.at(0).nexthop, "4.3.2 deferred transport");
    bool asked = false;
    run([&] {
        if (intake && !asked) {
            asked = true;
            intake->trigger("AFD");
        }
        return logged(id.text() + ": removed");
    });
    EXPECT_EQ(delivered.size(), 1u);
}

TEST_F(ManagerTest, TheActiveQueueHasALimit) {
    overrides = {{"qmgr_message_active_limit", "3"}};
    for (int i = 0; i < 20; ++i)
        put("a@x", {"u" + std::to_string(i) + "@ok"});
    std::size_t most = 0;
    run([&] {
        if (manager)
            most = std::max(most, manager->active());
        return delivered.size() == 20 && manager->active() == 0;
    });
    EXPECT_LE(most, 3u);
}

TEST_F(ManagerTest, PausesOfDeferredMailHaveLimits) {
    overrides = {{"minimal_backoff_time", "100s"}, {"maximal_backoff_time", "500s"}};
    auto young = put("a@x", {"u@temp"}), ancient = put("a@x", {"u@temp"}, 100000);
    run([&] { return fs::exists(in_deferred(young)) && fs::exists(in_deferred(ancient)); });
    EXPECT_NEAR(pause(young), 100, 2);
    EXPECT_NEAR(pause(ancient), 500, 2);
}

TEST_F(ManagerTest, AMessageIsTriedForItsLifetime) {
    overrides = {{"maximal_queue_lifetime", "1h"}};
    auto id = put("a@x", {"u@temp"}, 3610);
    run([&] { return logged(id.text() + ": removed"); });
    EXPECT_TRUE(logged(id.text() + ": from=<a@x>, status=expired, returned to sender"));
}

TEST_F(ManagerTest, ASenderWhoWasWarnedHearsOfTheEndWithConfirmDelayCleared) {
    overrides = {{"confirm_delay_cleared", "yes"}};
    warn_after = 10;
    auto id = put("a@x", {"u@temp", "v@ok"}, 100);
    run([&] { return fs::exists(in_deferred(id)); });  // the warning goes out
    requests.clear();
    temporary = false;
    bool asked = false;
    run([&] {
        if (intake && !asked) {
            asked = true;
            intake->trigger("AFD");
        }
        return logged(id.text() + ": removed");
    });
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_NE(requests[0].recipients.at(0).notify & static_cast<int>(mail::notify::success), 0);
}

TEST_F(ManagerTest, TheFilterWithoutANextHopHasTheDefault) {
    overrides = {{"default_filter_nexthop", "ok.filter"}};
    filter = "smtp:";
    auto id = put("a@x", {"u@temp"});
    run([&] { return logged(id.text() + ": removed"); });
    EXPECT_EQ(requests.at(0).nexthop, "ok.filter");
}

TEST_F(ManagerTest, FeedbackIsLoggedWhenAsked) {
    overrides = {{"destination_concurrency_feedback_debug", "yes"}};
    auto id = put("a@x", {"u@ok"});
    run([&] { return logged(id.text() + ": removed"); });
    EXPECT_TRUE(logged("feedback: transport=smtp, destination=ok, window 5 -> "));
}

TEST_F(ManagerTest, ATransportThatFailedIsTriedAgainAfterItsTime) {
    overrides = {{"transport_retry_time", "1s"}};
    auto first = put("a@x", {"nowhere@x"});
    bool there = false;
    loop::Deadline next{};
    run([&] {
        if (!there && fs::exists(in_deferred(first))) {  // from now on there is such a transport
            there = true;
            serve("missing", [this](const ipc::Incoming& in) {
                return ipc::encode(agent->handle(*in.as<ipc::DeliveryRequest>(), [this](delivery::Job& job) {
                    for (auto& r : job.recipients()) {
                        delivered.push_back(r.address);
                        job.delivered(r, {.text = "ok"});
                    }
                }));
            });
        }
        if (there && loop::Clock::now() > next) {  // what comes before its time is put off
            next = loop::in(std::chrono::milliseconds(300));
            put("a@x", {"nowhere@x"});
            intake->trigger("I");
        }
        return !delivered.empty();
    });
}

TEST_F(ManagerTest, OneDestinationThatFillsTheQueueIsWarnedOf) {
    const std::vector<std::pair<conf::Overrides, bool>> rows = {
        {{}, true}, {{{"qmgr_clog_warn_time", "0"}}, false}, {{{"helpful_warnings", "no"}}, false}};
    for (const auto& [own, warned] : rows) {
        log.clear();
        delivered.clear();
        overrides = own;
        for (const char* few : {"smtp_initial_destination_concurrency", "smtp_destination_concurrency_limit"})
            overrides.push_back({few, "1"});
        overrides.push_back({"qmgr_message_active_limit", "10"});
        for (int i = 0; i < 10; ++i)
            put("a@x", {"u@slow"});
        run([&] { return delivered.size() == 10 && manager->active() == 0; });
        EXPECT_EQ(logged("mail for slow is using up"), warned) << testing::PrintToString(log);
    }
}

TEST_F(ManagerTest, AServiceThatIsSilentIsWaitedForAsLongAsTheLimit) {
    overrides = {{"qmgr_ipc_timeout", "1s"}};
    silent_rewrite = true;
    auto id = put("a@x", {"u@ok"});
    run([&] { return fs::exists(in_deferred(id)); });
    EXPECT_EQ(requests.at(0).nexthop, "4.3.0 address resolver failure");
}

TEST_F(ManagerTest, TheDeferredQueueIsLookedThroughEveryRunDelay) {
    overrides = {{"queue_run_delay", "1s"}};
    auto id = put("a@x", {"u@ok"}, 0, queue::deferred, base::wall_now().seconds + 1);
    run([&] { return logged(id.text() + ": removed"); });
}

TEST_F(ManagerTest, HowManyRecipientsOfAMessageAreInMemoryAtLeast) {
    overrides = {{"qmgr_message_recipient_limit", "1"},
                 {"default_recipient_limit", "1"},
                 {"qmgr_message_recipient_minimum", "40"},
                 {"default_recipient_refill_limit", "1"}};
    std::vector<std::string> recipients;
    for (int i = 0; i < 100; ++i)
        recipients.push_back("u" + std::to_string(i) + "@ok");
    auto id = put("a@x", recipients);
    std::size_t most = 0;
    run([&] {
        if (manager)
            most = std::max(most, manager->recipients());
        return logged(id.text() + ": removed");
    });
    EXPECT_GE(requests.at(0).recipients.size(), 40u);
}
}
