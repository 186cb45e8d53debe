#include "service.h"
#include <optional>
#include "conf/params/rewrite.h"
#include "conf/params/verify.h"
#include "conf/settings.h"
#include "ipc/attributes.h"
#include "ipc/rewrite.h"
#include "log/log.h"
#include "loop/loop.h"
#include "resolver.h"
#include "rewriter.h"

namespace rewrite {
namespace {
struct State {
    Rewriter rewriter;
    Resolver mail;
    std::optional<Resolver> probes;  // where probes go elsewhere
};
std::optional<State> state;

// Most systems route probes as they route mail; then one set of tables is enough.
bool probes_differ(const conf::Settings& s) {
    const std::pair<const conf::Text*, const conf::Text*> pairs[] = {
        {&param::address_verify_local_transport, &param::local_transport},
        {&param::address_verify_virtual_transport, &param::virtual_transport},
        {&param::address_verify_relay_transport, &param::relay_transport},
        {&param::address_verify_default_transport, &param::default_transport},
        {&param::address_verify_relayhost, &param::relayhost},
        {&param::address_verify_transport_maps, &param::transport_maps},
        {&param::address_verify_sender_dependent_relayhost_maps, &param::sender_dependent_relayhost_maps},
        {&param::address_verify_sender_dependent_default_transport_maps,
         &param::sender_dependent_default_transport_maps}};
    for (auto [probe, mail] : pairs)
        if (s[*probe] != s[*mail])
            return true;
    return false;
}

Result<void> answer(net::Stream& client, const ipc::Incoming& in) {
    if (in.is<ipc::RewriteRequest>()) {
        TRY_ASSIGN(auto request, in.as<ipc::RewriteRequest>());
        return ipc::send(
            client,
            ipc::RewriteReply{.failed = false, .address = state->rewriter.rewrite(request.rule, request.address)},
            loop::never);
    }
    if (in.is<ipc::ResolveRequest>()) {
        TRY_ASSIGN(auto request, in.as<ipc::ResolveRequest>());
        return ipc::send(client, state->mail.resolve(request.sender, request.address), loop::never);
    }
    TRY_ASSIGN(auto request, in.as<ipc::VerifyResolveRequest>());
    return ipc::send(client, (state->probes ? *state->probes : state->mail).resolve(request.sender, request.address),
                     loop::never);
}
}

Result<void> open_tables(const conf::Settings& settings) {
    table::configure(settings);
    table::LocalDomains local_domains = table::LocalDomains::open(settings);
    state.emplace(State{Rewriter(settings), Resolver(settings, false, local_domains), {}});
    if (probes_differ(settings))
        state->probes.emplace(settings, true, local_domains);
    return {};
}

void serve(net::Stream& client) {
    for (int served = 1;; ++served) {
        Result<ipc::Incoming> in = ipc::receive(client, loop::never);
        if (!in)
            return;  // closed, as idle clients do
        Result<void> done = answer(client, *in);
        if (done)
            done = client.flush(loop::never);
        if (!done) {
            maillog::warning("client request: {}", done.error().reason);
            return;
        }
        if (served % 64 == 0)
            loop::yield();
    }
}
}
