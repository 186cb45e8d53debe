// What a request comes to: log lines, reports, marks, the answer.
#include "harness.h"

using delivery::Job;
using harness::DeliveryTest;
using Statuses = std::vector<std::string>;

namespace {
class JobTest : public DeliveryTest {};

TEST_F(JobTest, DeliveredRecipientIsLoggedAndMarked) {
    delivery::Agent agent(settings(), "");
    auto request = message({"a@example.test", "b@example.test"});
    auto reply = run(agent, request, [](Job& job) {
        job.delivered(job.recipients()[0],
                      {.relay = "mx[192.0.2.1]:25", .connection_use = 2, .tls = "may", .text = "250 2.0.0 Ok"});
        job.deferred(job.recipients()[1],
                     {.relay = "none", .status = {4, 4, 1}, .text = "connect to x: Connection refused"});
    });
    EXPECT_TRUE(reply.deferred);
    EXPECT_EQ(remaining(), 1u);
    auto lines = logged("status=");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_TRUE(lines[0].starts_with(id + ": to=<a@example.test>, relay=mx[192.0.2.1]:25, conn_use=2, delay="))
        << lines[0];
    EXPECT_TRUE(lines[0].ends_with(", tls=may, dsn=2.0.0, status=sent (250 2.0.0 Ok)")) << lines[0];
    EXPECT_TRUE(lines[1].ends_with("dsn=4.4.1, status=deferred (connect to x: Connection refused)")) << lines[1];
    ASSERT_EQ(appended["defer"].size(), 1u);
    EXPECT_EQ(appended["defer"][0].address, "b@example.test");
    EXPECT_EQ(appended["defer"][0].action, "delayed");
}

TEST_F(JobTest, LeftOverRecipientIsDeferred) {
    delivery::Agent agent(settings(), "");
    EXPECT_TRUE(run(agent, message({"a@example.test"}), [](Job&) {}).deferred);
    EXPECT_EQ(remaining(), 1u);
    EXPECT_EQ(logged("left this recipient over").size(), 1u);
    EXPECT_EQ(logged("status=deferred").size(), 1u);
}

TEST_F(JobTest, SecondDispositionChangesNothing) {
    delivery::Agent agent(settings(), "");
    auto reply = run(agent, message({"a@example.test"}), [](Job& job) {
        job.deferred(job.recipients()[0], {.status = {4, 0, 0}, .text = "x"});
        job.settle(job.recipients()[0], delivery::Disposition::done);
    });
    EXPECT_TRUE(reply.deferred);
    EXPECT_EQ(remaining(), 1u);
}

TEST_F(JobTest, BounceGoesToTheBounceServiceThenTheMarkIsMade) {
    delivery::Agent agent(settings(), "");
    auto reply = run(agent, message({"a@example.test"}), [](Job& job) {
        job.bounced(job.recipients()[0], {.status = {5, 1, 1}, .text = "unknown user: \"a\""});
    });
    EXPECT_FALSE(reply.deferred);
    EXPECT_EQ(remaining(), 0u);
    ASSERT_EQ(appended["bounce"].size(), 1u);
    EXPECT_EQ(appended["bounce"][0].status, "5.1.1");
    EXPECT_EQ(statuses(), Statuses{"to=<a@example.test>, dsn=5.1.1, status=bounced (unknown user: \"a\")"});
}

TEST_F(JobTest, BounceServiceThatIsAwayDefers) {
    with_bounce = false;
    delivery::Agent agent(settings(), "");
    EXPECT_TRUE(run(agent, message({"a@example.test"}), [](Job& job) {
                    job.bounced(job.recipients()[0], {.status = {5, 1, 1}, .text = "no"});
                }).deferred);
    EXPECT_EQ(remaining(), 1u);
    EXPECT_EQ(statuses(),
              Statuses{"to=<a@example.test>, dsn=4.3.0, status=deferred (bounce or trace service failure)"});
}

TEST_F(JobTest, BounceServiceThatRefusesDefers) {
    refuse_reports = true;
    delivery::Agent agent(settings(), "");
    EXPECT_TRUE(run(agent, message({"a@example.test"}), [](Job& job) {
                    job.bounced(job.recipients()[0], {.status = {5, 1, 1}, .text = "no"});
                }).deferred);
    EXPECT_EQ(remaining(), 1u);
}

TEST_F(JobTest, SoftBounceKeepsTheRecipient) {
    delivery::Agent agent(settings({{"soft_bounce", "yes"}}), "");
    EXPECT_TRUE(run(agent, message({"a@example.test"}), [](Job& job) {
                    job.bounced(job.recipients()[0], {.status = {5, 1, 1}, .text = "no"});
                }).deferred);
    EXPECT_EQ(statuses(), Statuses{"to=<a@example.test>, dsn=4.1.1, status=SOFTBOUNCE (no)"});
    EXPECT_TRUE(appended["bounce"].empty());
}

TEST_F(JobTest, ProbeSaysDeliverableAndTellsTrace) {
    delivery::Agent agent(settings(), "");
    auto request = message({"a@example.test", "b@example.test"});
    request.flags = ipc::delivery_flags::probe;
    run(agent, request, [](Job& job) {
        job.delivered(job.recipients()[0], {.relay = "local", .text = "delivers to mailbox"});
        job.bounced(job.recipients()[1], {.relay = "local", .status = {5, 1, 1}, .text = "unknown"});
    });
    EXPECT_EQ(statuses(), (Statuses{"to=<a@example.test>, dsn=2.0.0, status=deliverable (delivers to mailbox)",
                                    "to=<b@example.test>, dsn=5.1.1, status=undeliverable (unknown)"}));
    ASSERT_EQ(appended["trace"].size(), 2u);
    EXPECT_EQ(appended["trace"][0].action, "deliverable");
    EXPECT_EQ(appended["trace"][1].action, "undeliverable");
}

TEST_F(JobTest, SuccessIsTracedWhereTheSenderAsksForIt) {
    delivery::Agent agent(settings(), "");
    auto request = message({"a@example.test", "b@example.test"});
    request.recipients[0].notify = 2;
    run(agent, request, [](Job& job) {
        for (auto& r : job.recipients())
            job.delivered(r, {.text = "ok", .action = "relayed"});
    });
    ASSERT_EQ(appended["trace"].size(), 1u);
    EXPECT_EQ(appended["trace"][0].action, "relayed");
}

TEST_F(JobTest, OriginalRecipientIsShownWhereItDiffers) {
    delivery::Agent agent(settings(), "");
    auto request = message({"a@example.test"});
    request.recipients[0].original = "alias@example.test";
    run(agent, request, [](Job& job) { job.delivered(job.recipients()[0], {.relay = "local", .text = "ok"}); });
    EXPECT_EQ(statuses(), Statuses{"to=<a@example.test>, orig_to=<alias@example.test>, dsn=2.0.0, status=sent (ok)"});
}

TEST_F(JobTest, StatusFilterReplacesCodeAndText) {
    delivery::Agent agent(settings(), "inline:{ {5.1.1 no = 4.1.1 not yet}, {5.1.2 no = 2.0.0 yes} }");
    run(agent, message({"a@example.test", "b@example.test"}), [](Job& job) {
        job.bounced(job.recipients()[0], {.status = {5, 1, 1}, .text = "no"});
        job.bounced(job.recipients()[1], {.status = {5, 1, 2}, .text = "no"});
    });
    EXPECT_EQ(statuses(), (Statuses{"to=<a@example.test>, dsn=4.1.1, status=deferred (not yet)",
                                    "to=<b@example.test>, dsn=5.1.2, status=bounced (no)"}));
}

TEST_F(JobTest, ListMembersBounceToTheListOwner) {
    delivery::Agent agent(settings(), "");
    run(agent, message({"list@example.test"}), [](Job& job) {
        delivery::Subject member = job.recipients()[0];
        member.own_sender = true;
        member.sender = "owner-list@example.test";
        job.settle(job.recipients()[0], job.report_failed(member, {.status = {5, 1, 1}, .text = "no"}));
    });
    ASSERT_EQ(ones.size(), 1u);
    EXPECT_EQ(ones[0].message.sender, "owner-list@example.test");
    EXPECT_EQ(remaining(), 0u);
}

TEST_F(JobTest, MissingQueueFileIsAnsweredDeferred) {
    delivery::Agent agent(settings(), "");
    auto request = message({"a@example.test"});
    std::filesystem::remove("active/" + id);
    bool called = false;
    EXPECT_TRUE(run(agent, request, [&](Job&) { called = true; }).deferred);
    EXPECT_FALSE(called);
}

TEST_F(JobTest, RequestThatDoesNotFitTheFileIsRefused) {
    delivery::Agent agent(settings(), "");
    auto request = message({"a@example.test"});
    request.data_offset = 1 << 30;
    bool called = false;
    EXPECT_TRUE(run(agent, request, [&](Job&) { called = true; }).deferred);
    EXPECT_FALSE(called);
    request.data_offset = 100;
    for (const char* queue : {"../x", "deferred", "incoming", ""}) {
        request.queue_name = queue;
        EXPECT_TRUE(run(agent, request, [&](Job&) { called = true; }).deferred) << queue;
        EXPECT_FALSE(called) << queue;
    }
}
}
