// Bytes on a socket between daemons: attribute lists as they arrive, showq's list of the queue, and postqueue's two
// ways to show it.
// uses: postqueue_core
#include <nlohmann/json.hpp>
#include "fuzz.h"
#include "base/bytes.h"
#include "format.h"
#include "ipc/attributes.h"
#include "ipc/mail_queue_list.h"
#include "net/stream.h"

namespace {
net::Stream stream_of(std::string_view bytes) { return net::Stream(fuzz::file_of(bytes)); }

void show(const ipc::QueueListMessage& m) {
    std::string json = postqueue::json(m);
    fuzz::require(json.find('\n') == json.size() - 1, "JSON is one line", json);
    auto parsed = nlohmann::json::parse(json, nullptr, false);
    fuzz::require(parsed.is_object(), "JSON is an object", json);
    fuzz::require(parsed["recipients"].is_array() && parsed["recipients"].size() == m.recipients.size(),
                  "JSON names all recipients", json);
    if (bytes::valid_utf8(m.sender))
        fuzz::same(parsed["sender"].get<std::string>(), m.sender, "JSON keeps the sender");
    for (bool long_ids : {false, true}) {
        postqueue::MailqFormat mailq(long_ids);
        const std::string shown = mailq.message(m) + mailq.end();
        for (unsigned char c : shown)
            fuzz::require(c == '\n' || (c >= ' ' && c != 127), "mailq shows nothing that moves the cursor", shown);
    }
    std::string wire, back;
    ipc::queue_list::append(wire, m, true);
    auto s = stream_of(wire);
    auto again = ipc::queue_list::read_message(s, loop::never);
    fuzz::require(again.has_value(), "a listed message reads back");
    if (!*again)
        return;
    ipc::queue_list::append(back, **again, true);
    fuzz::same(back, wire, "a listed message reads back as it was written");
}
}

void fuzz::one(std::string_view bytes) {
    fuzz::Choices choose(bytes);
    if (choose.flag()) {
        auto s = stream_of(choose.rest());
        for (std::size_t n = 0; n < 1000; ++n) {
            auto in = ipc::receive(s, loop::never);
            if (!in)
                break;
            (void)in->protocol();
        }
        return;
    }
    auto greeted = stream_of(choose.rest());
    bool good = ipc::queue_list::read_greeting(greeted, loop::never).has_value();
    auto plain = stream_of(choose.rest());
    for (net::Stream* s : {&greeted, &plain}) {
        if (s == &greeted && !good)
            continue;
        for (std::size_t n = 0; n < 1000; ++n) {
            auto m = ipc::queue_list::read_message(*s, loop::never);
            if (!m || !*m)
                break;
            show(**m);
        }
    }
}
