// Asks trivial-rewrite what an address of an alias means: its canonical form, and whether this agent delivers it.
//
// When things fail: no answer is temporary (4.3.0), an address that cannot be is permanent (5.1.3).
#include "ipc/rewrite.h"
#include "mail/address.h"
#include "recipient.h"
#include "server/server.h"

namespace local {
Result<Resolved> resolve(Work& work, const State& state, const std::string& external) {
    ipc::RewriteRequest rewrite{.rule = "local", .address = external};
    TRY_ASSIGN(ipc::RewriteReply rewritten, work.context.rewrite.ask<ipc::RewriteReply>(rewrite));
    if (rewritten.failed) return temporary("address resolver failure");
    std::string address = mail::to_internal(rewritten.address);
    if (!state.unmatched.empty()) address = mail::add_extension(address, state.unmatched);
    ipc::ResolveRequest question{.sender = state.sender, .address = address};
    TRY_ASSIGN(ipc::ResolveReply reply, work.context.rewrite.ask<ipc::ResolveReply>(question));
    if (reply.flags & ipc::ResolveReply::failed) return temporary("address resolver failure");
    if (reply.flags & ipc::ResolveReply::error) return permanent("bad recipient address syntax: " + address, {5, 1, 3});
    return Resolved{reply.recipient, reply.transport == server::service_name()};
}
}
