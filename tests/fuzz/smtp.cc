// The dialogue of the SMTP and LMTP client with a server that says what the input says, whatever is asked: replies are
// lines of the input, one after another.
//
// What holds: the delivery ends; each recipient has one outcome, and each that is sent had a good reply to the end of
// content.
// uses: smtp_core GTest::gtest
#include "fuzz.h"
#include "base/bytes.h"
#include "../unit/smtp/harness.h"

namespace {
conf::Settings settings(bool lmtp) {
    static const conf::Settings made = conf::Settings::defaults({{"smtp_tls_security_level", "none"},
                                                                 {"lmtp_tls_security_level", "none"},
                                                                 {"myhostname", "client.test"},
                                                                 {"compatibility_level", "3.11"}});
    (void)lmtp;
    return made;
}
smtp::Config& configuration(bool lmtp) {
    static std::unique_ptr<smtp::Config> made[2];
    if (!made[lmtp])
        made[lmtp] = std::move(*smtp::Config::load(settings(lmtp), lmtp));
    return *made[lmtp];
}

class World : public Smtp {
public:
    explicit World(bool as_lmtp) {
        lmtp = as_lmtp;
        std::filesystem::current_path(fuzz::scratch());
        for (const char* d : {"active", "private"})
            std::filesystem::create_directory(d);
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* me) { static_cast<World*>(me)->log += std::string(text) + "\n"; },
                          this);
        l = std::make_unique<loop::Loop>();
    }
    ~World() override {
        kept.reset();
        agent.reset();
        l.reset();
        maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
        std::filesystem::remove_all("active");
    }
    void TestBody() override {}
    using Smtp::log;

    ipc::DeliveryReply run(const std::vector<std::string>& recipients, const std::vector<std::string>& lines) {
        kept = std::make_unique<smtp::Kept>(configuration(lmtp).cache_time);
        agent = std::make_unique<delivery::Agent>(settings(lmtp), "");
        for (const char* service : {"bounce", "defer", "trace"})
            serve_reports(service);
        ipc::DeliveryReply result;
        l->spawn([&] {
            result = agent->handle(queue("unix:server", recipients, lines), [&](delivery::Job& job) {
                smtp::Delivery(configuration(lmtp), *kept, flags, job).run();
            });
            loop::loop()->cancel_all();
        });
        l->run();
        return result;
    }

    // The server: reads nothing but what it must to see the end, writes the input in `pieces` bytes at a time.
    void serve_bytes(std::string_view bytes, std::size_t piece) {
        auto listener = std::make_shared<UniqueFd>(std::move(*net::listen_unix("server", 10, 0666)));
        l->spawn([this, listener, bytes, piece] {
            loop::wait_readable(listener->get());
            net::Address peer;
            auto fd = net::accept_one(listener->get(), peer);
            if (!fd || !*fd)
                return;
            net::Stream s(std::move(*fd));
            for (std::string_view rest = bytes; !rest.empty();) {
                (void)s.write(rest.substr(0, piece));
                rest.remove_prefix(std::min(piece, rest.size()));
                if (!s.flush(loop::in(std::chrono::seconds(20))))
                    return;
                if (piece < bytes.size())
                    loop::yield();
            }
            ::shutdown(s.fd(), SHUT_WR);
            while (true) {
                auto some = s.read_some(65536, loop::in(std::chrono::seconds(20)));
                if (!some || some->empty())
                    return;
            }
        });
    }
};
}

void fuzz::one(std::string_view input) {
    fuzz::Choices choose(input);
    unsigned bits = choose.byte();
    std::size_t piece = bits & 4 ? 1 + choose.byte() : 100000;
    World w(bits & 1);
    w.serve_bytes(choose.rest(), piece);
    std::vector<std::string> recipients{"r1@remote.test", "r2@remote.test"};
    auto reply = w.run(recipients, {"Subject: x", "", ".dot", "b\xc3\xa9", "end"});
    std::size_t outcomes = 0, deferred = 0;
    for (std::string_view line :
         bytes::split(w.log, "\n")) {  // "ID: to=<…": what servers say may look so too, but not there
        if (line.find(": to=<") != line.find(':') || line.find(':') == line.npos)
            continue;
        ++outcomes;
        if (line.substr(std::min(line.size(), line.find(", status="))).starts_with(", status=deferred ("))
            ++deferred;  // the first: a server may say it too
    }
    fuzz::require(outcomes == recipients.size(), "each recipient has one outcome", w.log);
    fuzz::require(reply.deferred == (deferred > 0), "qmgr hears of what is deferred", w.log);
}
