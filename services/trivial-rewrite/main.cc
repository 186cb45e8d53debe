// trivial-rewrite(8): puts addresses into standard form and tells where mail for them goes. One process for any number
// of clients.
#include "server/server.h"
#include "service.h"

int main(int argc, char** argv) {
    return server::run({.name = "trivial-rewrite",
                        .needs = server::need::tables,
                        .bound = server::Bound::processes,
                        .before_jail = rewrite::open_tables,
                        .serve = [](server::Connection& session) { rewrite::serve(session.stream); }},
                       argc, argv);
}
