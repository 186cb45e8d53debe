// Attribute lists between daemons: every message type (lib/ipc).
#include "fuzz.h"
#include "ipc/anvil.h"
#include "ipc/attributes.h"
#include "ipc/bounce.h"
#include "ipc/cleanup.h"
#include "ipc/delivery.h"
#include "ipc/flush.h"
#include "ipc/mta_sts.h"
#include "ipc/rewrite.h"
#include "ipc/tlsmgr.h"

namespace {
template <class M> void as(const ipc::Incoming& in) {
    auto message = in.as<M>();
    if (!message)
        return;
    std::string written = ipc::encode(*message);
    written.pop_back();  // the NUL that ends the list is not Incoming's
    auto again = ipc::Incoming(written).as<M>();
    fuzz::require(again.has_value(), "a message reads back", M::protocol);
    std::string twice = ipc::encode(*again);
    twice.pop_back();
    fuzz::same(written, twice, "a message reads back as it was written");
}
template <class... M> void each(const ipc::Incoming& in) { (as<M>(in), ...); }
}

void fuzz::one(std::string_view bytes) {
    ipc::Incoming in{std::string(bytes)};
    each<ipc::CleanupOpen, ipc::CleanupOpened, ipc::CleanupReply, ipc::DeliveryRequest, ipc::DeliveryReply,
         ipc::ReportAppend, ipc::ReportSend, ipc::ReportOne, ipc::ReportForget, ipc::BounceReply, ipc::RewriteRequest,
         ipc::RewriteReply, ipc::ResolveRequest, ipc::VerifyResolveRequest, ipc::ResolveReply, ipc::AnvilRequest,
         ipc::AnvilReply, ipc::FlushRequest, ipc::FlushReply, ipc::StsRequest, ipc::StsReply, ipc::TlsSessionFind,
         ipc::TlsSessionSave, ipc::TlsSessionRemove, ipc::TlsSessionReply, ipc::TlsTicketKeysRequest,
         ipc::TlsTicketKeysReply, ipc::TlsSeedRequest, ipc::TlsSeedReply>(in);
}
