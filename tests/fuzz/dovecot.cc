// What an authentication server says: its greeting, and its answers to logins.
#include "fuzz.h"
#include "loop/loop.h"
#include "net/socket.h"
#include "net/stream.h"
#include "sasl/dovecot.h"

void fuzz::one(std::string_view bytes) {
    static const std::string path = fuzz::scratch() + "/auth";
    loop::Loop l;
    l.spawn([&] {
        loop::Group servers;
        servers.spawn([&, listener = std::make_shared<UniqueFd>(std::move(*net::listen_unix(path, 10, 0600)))] {
            for (bool greets = true;; greets = !greets) {
                loop::wait_readable(listener->get());
                net::Address peer;
                auto fd = net::accept_one(listener->get(), peer);
                if (!fd || !*fd)
                    continue;
                net::Stream s(std::move(*fd));
                if (greets)
                    (void)s.write("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nDONE\n");
                (void)s.write(bytes);
                (void)s.flush(loop::in(std::chrono::seconds(5)));
            }
        });
        auto server = sasl::open_dovecot(path, "smtp");
        fuzz::require(server.has_value(), "the address is one");
        for (int i = 0; i < 2; ++i) {
            auto mechanisms = (*server)->mechanisms();
            fuzz::require(!mechanisms || mechanisms->size() <= sasl::mechanisms_limit, "mechanisms are bounded");
            auto login = (*server)->login({"192.0.2.1", "25", "192.0.2.2", "1234", false, false});
            auto outcome = login->begin("PLAIN", "AGpvZQBwdw==");
            if (outcome.kind == sasl::Outcome::Kind::challenge)
                outcome = login->respond("am9l");
            fuzz::require(outcome.user.size() <= bytes.size() && outcome.text.size() <= bytes.size() + 100,
                          "what is said comes from the server");
            fuzz::require(outcome.kind != sasl::Outcome::Kind::success || !outcome.user.empty(),
                          "success names somebody");
        }
        servers.cancel();
        servers.join(false);
    });
    l.run();
}
