// Answers of a socketmap server, which may be another host's.
#include "fuzz.h"
#include "server.h"
#include "table/table.h"

void fuzz::one(std::string_view bytes) {
    static const std::string path = fuzz::scratch() + "/socket";
    const auto talk = [bytes](net::Stream& s, int) {
        (void)s.read_until(',', 100000, loop::in(std::chrono::seconds(5)));
        (void)s.write(bytes);
    };
    fuzz::beside_server(path, talk, [&] {
        auto table = table::open("socketmap:unix:" + path + ":map");
        fuzz::require(table.has_value(), "the table opens");
        for (int i = 0; i < 2; ++i) {
            auto found = (*table)->find("key");
            if (found && *found)
                fuzz::require((*found)->size() <= bytes.size() && !(*found)->empty(), "a value comes from the answer",
                              **found);
        }
    });
}
