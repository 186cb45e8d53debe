// trivial-rewrite(8): puts addresses into standard form and tells where mail for them goes. One process for any number of clients.
#include "server/server.h"
#include "service.h"
#include "table/table.h"

namespace {
Result<void> open_tables(const conf::Settings& settings) {
    TRY(rewrite::open_tables(settings));
    for (const std::string& path : table::opened_files())
        if (path.starts_with('/')) server::opened_file(path);
    return {};
}
}

int main(int argc, char** argv) {
    return server::run({.name = "trivial-rewrite",
                        .bound = server::Bound::processes,
                        .before_jail = open_tables,
                        .serve = [](server::Session& session) { rewrite::serve(session.stream); }},
                       argc, argv);
}
