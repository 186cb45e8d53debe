// A server beside a target's client: on a UNIX-domain socket, in the same loop.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include "base/fd.h"
#include "loop/loop.h"
#include "net/socket.h"
#include "net/stream.h"

namespace fuzz {
// Runs client while a server at path talks with each of its connections, one after the other; number: of the
// connection, from 0. A connection ends with talk.
inline void beside_server(const std::string& path, const std::function<void(net::Stream&, int number)>& talk,
                          const std::function<void()>& client) {
    loop::Loop l;
    l.spawn([&] {
        loop::Group servers;
        servers.spawn([&, listener = std::make_shared<UniqueFd>(std::move(*net::listen_unix(path, 10, 0600)))] {
            for (int number = 0;;) {
                loop::wait_readable(listener->get());
                net::Address peer;
                auto fd = net::accept_one(listener->get(), peer);
                if (!fd || !*fd)
                    continue;
                net::Stream s(std::move(*fd));
                talk(s, number++);
                (void)s.flush(loop::in(std::chrono::seconds(5)));
            }
        });
        client();
        servers.cancel();
        servers.join(false);
    });
    l.run();
}
}
