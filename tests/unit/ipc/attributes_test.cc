#include <gtest/gtest.h>
#include "ipc/anvil.h"
#include "ipc/bounce.h"
#include "ipc/cleanup.h"
#include "ipc/delivery.h"
#include "ipc/flush.h"
#include "ipc/rewrite.h"

namespace {
ipc::DeliveryRequest sample() {
    ipc::DeliveryRequest r;
    r.queue_id = "4ABC";
    r.data_offset = -7;
    r.recipients.push_back({12, "a@b", "o@b", "rfc822;x", 3});
    r.recipients.emplace_back();
    return r;
}
template <class M> Result<M> decode(std::string text) { return ipc::Incoming(std::move(text)).as<M>(); }
}

TEST(Attributes, AMessageRoundTrips) {
    std::string text = ipc::encode(sample());
    text.pop_back();
    auto back = decode<ipc::DeliveryRequest>(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->data_offset, -7);
    ASSERT_EQ(back->recipients.size(), 2u);
    EXPECT_EQ(back->recipients[0].orcpt, "rfc822;x");
}
TEST(Attributes, CutAnywhereIsAnError) {
    std::string text = ipc::encode(sample());
    text.pop_back();
    for (std::size_t n = 0; n < text.size(); ++n)
        EXPECT_FALSE(decode<ipc::DeliveryRequest>(text.substr(0, n))) << n;
}
TEST(Attributes, OtherTypesAndLeftoversAreErrors) {
    std::string text = ipc::encode(ipc::BounceReply{});
    text.pop_back();
    EXPECT_FALSE(decode<ipc::AnvilReply>(text));
    EXPECT_FALSE(decode<ipc::BounceReply>(text + std::string("x\0y\0", 4)));
    EXPECT_FALSE(decode<ipc::FlushReply>(std::string("status\0zz\0", 10)));
    EXPECT_FALSE(decode<ipc::FlushReply>(std::string("protocol\0queue_flush_protocol\0status\0000\0", 39)));
}
TEST(Attributes, AnnouncedTypesAreAsOnPostfixsWire) {
    EXPECT_EQ(ipc::announcement(ipc::FlushRequest::protocol), std::string("protocol\0queue_flush_protocol\0\0", 31));
    const std::pair<ipc::FlushRequest, std::string> table[] = {
        {{"send_file", "", "ABCDEF012345"}, {"request\0send_file\0queue_id\0ABCDEF012345\0\0", 41}},
        {{"send_site", "fast.test", ""}, {"request\0send_site\0site\0fast.test\0\0", 34}},
        {{"add", "fast.test", "ABCDEF012345"}, {"request\0add\0site\0fast.test\0queue_id\0ABCDEF012345\0\0", 50}},
        {{"refresh", "", ""}, {"request\0refresh\0\0", 17}}};
    for (const auto& [request, wire] : table) {
        EXPECT_EQ(ipc::encode(request), wire);
        auto back = decode<ipc::FlushRequest>(wire.substr(0, wire.size() - 1));
        ASSERT_TRUE(back) << request.request;
        EXPECT_EQ(std::tie(back->request, back->site, back->queue_id),
                  std::tie(request.request, request.site, request.queue_id));
    }
    EXPECT_EQ(ipc::encode(ipc::FlushReply{ipc::FlushReply::unknown}), std::string("status\0004\0\0", 10));
}
TEST(Attributes, AHugeListIsRefusedBeforeItIsMade) {
    ipc::DeliveryRequest r;
    std::string text = ipc::encode(r);
    text.pop_back();
    text.replace(text.rfind("recipients"), std::string::npos,
                 std::string("recipients\0"
                             "99999999\0",
                             20));
    EXPECT_FALSE(decode<ipc::DeliveryRequest>(text));
}
TEST(Attributes, TravelOverAStream) {
    auto p = net::stream_pair();
    net::Stream a(std::move(p->first)), b(std::move(p->second));
    auto d = loop::in(std::chrono::seconds(1));
    ASSERT_TRUE(ipc::send(a, ipc::ResolveRequest{"s@x", "r@y"}, d));
    ASSERT_TRUE(a.flush(d));
    auto got = ipc::receive<ipc::ResolveRequest>(b, d);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->address, "r@y");
}
