// Records that clients of cleanup send (smtpd, pickup, bounce …): whatever comes, the message is complete and can be
// read, or is not there.
// uses: cleanup_core
#include <filesystem>
#include <unistd.h>
#include "fuzz.h"
#include "message.h"
#include "queue/file.h"

namespace {
Result<std::string> rewrite(std::string_view, const std::string& external) {
    if (external.find('@') != std::string::npos)
        return external;
    return external + "@mx.test";
}
cleanup::Rules& rules(bool much) {
    static auto made = [](bool more) {
        conf::Overrides o{{"myhostname", "mx.test"},
                          {"queue_directory", fuzz::scratch()},
                          {"message_size_limit", "50000"},
                          {"header_size_limit", "2000"},
                          {"queue_minfree", "0"}};
        if (more)
            for (auto [name, value] : {std::pair{"canonical_maps", "inline:{a@b.c=x@y.z}"},
                                       {"virtual_alias_maps", "inline:{v@mx.test={a@b.c, d@e.f}}"},
                                       {"always_bcc", "bcc@mx.test"},
                                       {"masquerade_domains", "y.z"},
                                       {"header_checks", "regexp:{{/^x-drop/ IGNORE}, {/^x-rep/ REPLACE X: y}, "
                                                         "{/^x-pre/ PREPEND P: q}, {/^x-red/ REDIRECT r@s}}"},
                                       {"disable_mime_input_processing", "no"},
                                       {"strict_8bitmime", "yes"}})
                o.push_back({name, value});
        auto r = cleanup::Rules::open(conf::Settings::defaults(o));
        fuzz::require(r.has_value(), "rules open", r ? "" : r.error().reason);
        return new cleanup::Rules(std::move(*r));
    };
    static cleanup::Rules *plain = made(false), *full = made(true);
    return much ? *full : *plain;
}
}

void fuzz::one(std::string_view bytes) {
    static bool there = [] {
        std::filesystem::current_path(fuzz::scratch());
        for (const char* d : {"incoming", "hold"})
            std::filesystem::create_directory(d);
        return true;
    }();
    (void)there;
    fuzz::Choices choose(bytes);
    bool much = choose.flag();
    int flags = static_cast<int>(choose.byte() | choose.byte() << 8);
    auto file = queue::NewQueueFile::create(rules(much).directories, "incoming", false);
    fuzz::require(file.has_value(), "a queue file can be made", file ? "" : file.error().reason);
    cleanup::MessageWriter message(
        rules(much),
        cleanup::Services{rewrite, [](const ipc::ReportAppend&) { return true; }, [](const std::string&) {}}, flags,
        std::move(*file));
    mail::QueueId id = message.id();
    std::string_view rest = choose.rest();
    while (!message.ended()) {
        auto record = queue::decode(rest);
        if (!record)
            break;
        message.take(record->type, record->payload);
    }
    bool ok = false;
    if (message.ended())
        ok = message.finish().ok;
    else
        message.withdraw();
    int found = 0;
    for (const char* where : {"incoming", "hold"}) {
        auto opened = queue::QueueFile::open(rules(much).directories, where, id, queue::Access::read);
        if (!opened)
            continue;
        ++found;
        fuzz::require(opened->complete(), "what is in the queue is complete");
        auto envelope = opened->envelope();
        fuzz::require(envelope.has_value(), "what is in the queue can be read",
                      envelope ? "" : envelope.error().reason);
        queue::ContentReader content(*opened, envelope->size);
        for (;;) {
            auto piece = content.next();
            fuzz::require(piece.has_value(), "content that is in the queue can be read",
                          piece ? "" : piece.error().reason);
            if (!*piece)
                break;
        }
        std::vector<queue::Recipient> all;
        queue::RecipientReader recipients(*opened, *envelope);
        fuzz::require(recipients.read(all, 1000000).has_value(), "recipients in the queue can be read");
        ::unlink(opened->path().c_str());
    }
    fuzz::require(found == 0 || ok, "what was refused is not in the queue");
    for (const char* where : {"incoming", "hold"})
        fuzz::require(std::filesystem::is_empty(where), "nothing stays behind", where);
}
