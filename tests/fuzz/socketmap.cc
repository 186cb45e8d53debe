// Answers of a socketmap server, which may be another host's.
#include <filesystem>
#include "fuzz.h"
#include "loop/loop.h"
#include "net/socket.h"
#include "net/stream.h"
#include "table/table.h"

void fuzz::one(std::string_view bytes) {
    static const std::string path = fuzz::scratch() + "/socket";
    loop::Loop l;
    l.spawn([&] {
        loop::Group servers;
        servers.spawn([&, listener = std::make_shared<UniqueFd>(std::move(*net::listen_unix(path, 10, 0600)))] {
            for (;;) {
                loop::wait_readable(listener->get());
                net::Address peer;
                auto fd = net::accept_one(listener->get(), peer);
                if (!fd || !*fd)
                    continue;
                net::Stream s(std::move(*fd));
                (void)s.read_until(',', 100000, loop::in(std::chrono::seconds(5)));
                (void)s.write(bytes);
                (void)s.flush(loop::in(std::chrono::seconds(5)));
            }
        });
        auto table = table::open("socketmap:unix:" + path + ":map");
        fuzz::require(table.has_value(), "the table opens");
        for (int i = 0; i < 2; ++i) {
            auto found = (*table)->find("key");
            if (found && *found)
                fuzz::require((*found)->size() <= bytes.size() && !(*found)->empty(), "a value comes from the answer",
                              **found);
        }
        servers.cancel();
        servers.join(false);
    });
    l.run();
}
