// What an authentication server says: its greeting, and its answers to logins.
#include "fuzz.h"
#include "sasl/dovecot.h"
#include "server.h"

void fuzz::one(std::string_view bytes) {
    static const std::string path = fuzz::scratch() + "/auth";
    const auto talk = [bytes](net::Stream& s, int number) {
        if (number % 2 == 0)
            (void)s.write("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nDONE\n");
        (void)s.write(bytes);
    };
    fuzz::beside_server(path, talk, [&] {
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
    });
}
