// Asks trivial-rewrite what an address of an alias means: its canonical form, and whether this agent delivers it.
//
// When things fail: no answer is temporary (4.3.0), an address that cannot be is permanent (5.1.3).
#include "mail/address.h"
#include "recipient.h"
#include "server/server.h"

namespace local {
Result<Resolved> resolve(Work& work, const State& state, const std::string& external) {
    TRY_ASSIGN(std::string standard, work.context.rewrite.rewrite("local", external));
    std::string address = mail::to_internal(standard);
    if (!state.unmatched.empty())
        address = mail::add_extension(address, state.unmatched);
    TRY_ASSIGN(ipc::ResolveReply reply, work.context.rewrite.resolve(state.sender, address));
    if (reply.flags & ipc::ResolveReply::failed)
        return temporary("address resolver failure");
    if (reply.flags & ipc::ResolveReply::error)
        return permanent("bad recipient address syntax: " + address, {5, 1, 3});
    return Resolved{reply.recipient, reply.transport == server::service_name()};
}
}
