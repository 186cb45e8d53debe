#include "service.h"
#include <optional>
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
    Resolver mail, probes;
};
std::optional<State> state;

Result<void> answer(net::Stream& client, const ipc::Incoming& in) {
    if (in.is<ipc::RewriteRequest>()) {
        TRY_ASSIGN(auto request, in.as<ipc::RewriteRequest>());
        return ipc::send(client, ipc::RewriteReply{.failed = false, .address = state->rewriter.rewrite(request.rule, request.address)}, loop::never);
    }
    if (in.is<ipc::ResolveRequest>()) {
        TRY_ASSIGN(auto request, in.as<ipc::ResolveRequest>());
        return ipc::send(client, state->mail.resolve(request.sender, request.address), loop::never);
    }
    TRY_ASSIGN(auto request, in.as<ipc::VerifyResolveRequest>());
    return ipc::send(client, state->probes.resolve(request.sender, request.address), loop::never);
}
}

Result<void> open_tables(const conf::Settings& settings) {
    table::configure(settings);
    table::LocalDomains local_domains = table::LocalDomains::open(settings);
    state.emplace(State{Rewriter(settings), Resolver(settings, false, local_domains), Resolver(settings, true, local_domains)});
    return {};
}

void serve(net::Stream& client) {
    for (int served = 1;; ++served) {
        Result<ipc::Incoming> in = ipc::receive(client, loop::never);
        if (!in) return;                         // closed, as idle clients do
        Result<void> done = answer(client, *in);
        if (done) done = client.flush(loop::never);
        if (!done) {
            maillog::warning("client request: {}", done.error().reason);
            return;
        }
        if (served % 64 == 0) loop::yield();
    }
}
}
