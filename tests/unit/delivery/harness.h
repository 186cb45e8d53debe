// A queue directory of its own, one message in it, and made-up services (bounce, defer, trace, rewrite, cleanup) for
// tests of delivery agents: the agent's handler and the services run as fibers of one loop.
#pragma once
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>
#include "base/bytes.h"
#include "conf/settings.h"
#include "delivery/agent.h"
#include "ipc/bounce.h"
#include "ipc/cleanup.h"
#include "ipc/rewrite.h"
#include "log/log.h"
#include "mail/address.h"
#include "net/address.h"
#include "net/socket.h"
#include "queue/new_file.h"

namespace harness {
inline std::string slurp(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}
inline void put(const std::string& path, std::string_view text, unsigned mode = 0644) {
    std::ofstream(path, std::ios::trunc) << text;
    ::chmod(path.c_str(), mode);
}

class DeliveryTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/delivery-test-XXXXXX";
        root = ::mkdtemp(name);
        ::chmod(root.c_str(), 0755);
        old = std::filesystem::current_path();
        std::filesystem::current_path(root);
        for (const char* d : {"private", "public", "active", "incoming"})
            ::mkdir(d, 0755);
        maillog::redirect(
            [](maillog::Level level, std::string_view, std::string_view text, void* self) {
                auto* log = static_cast<std::vector<std::string>*>(self);
                log->push_back((level == maillog::Level::info      ? ""
                                : level == maillog::Level::warning ? "warning: "
                                                                   : "error: ") +
                               std::string(text));
            },
            &log);
    }
    void TearDown() override {
        maillog::redirect(nullptr, nullptr);
        std::filesystem::current_path(old);
        std::filesystem::remove_all(root);
    }

    conf::Settings settings(conf::Overrides more = {}) {
        conf::Overrides all{{"queue_directory", root},    {"myhostname", "mx.example.test"},
                            {"myorigin", "example.test"}, {"hash_queue_names", "deferred, defer"},
                            {"alias_maps", ""},           {"biff", "no"}};
        for (auto& m : more)
            all.push_back(m);
        return conf::Settings::defaults(all);
    }

    // A message with these recipients in active/; the request for it.
    ipc::DeliveryRequest message(const std::vector<std::string>& recipients,
                                 std::string_view text = "Subject: x\n\nFrom here\nhello\n",
                                 std::string sender = "s@client.test") {
        queue::Directories directories({}, 0);
        auto file = queue::NewQueueFile::create(directories, "active", false);
        EXPECT_TRUE(file);
        ipc::DeliveryRequest request;
        queue::SizeRecord size;
        EXPECT_TRUE(file->put(queue::RecordType::time, "1700000000 0"));
        EXPECT_TRUE(file->put(queue::RecordType::sender, sender));
        for (auto& r : recipients) {
            request.recipients.push_back(
                {.offset = file->offset(), .address = r, .original = r, .orcpt = "", .notify = 0});
            EXPECT_TRUE(file->put(queue::RecordType::recipient, r));
        }
        EXPECT_TRUE(file->put(queue::RecordType::message));
        size.data_offset = file->offset();
        for (std::size_t at = 0; at < text.size();) {
            std::size_t end = text.find('\n', at);
            EXPECT_TRUE(file->put(end == text.npos ? queue::RecordType::part : queue::RecordType::line,
                                  text.substr(at, end - at)));
            at = end == text.npos ? end : end + 1;
        }
        size.message_size = size.content_length = file->offset() - size.data_offset;
        size.recipients = static_cast<std::int64_t>(recipients.size());
        EXPECT_TRUE(file->put(queue::RecordType::extracted));
        id = file->id().text();
        EXPECT_TRUE(file->commit(size));
        request.queue_name = "active";
        request.queue_id = id;
        request.data_offset = size.data_offset;
        request.data_size = size.message_size;
        request.sender = std::move(sender);
        request.arrival_seconds = request.active_seconds = base::wall_now().seconds;
        return request;
    }

    // How many recipient records are still to be delivered.
    std::size_t remaining() {
        auto file = queue::QueueFile::open_path("active/" + id, queue::Access::read);
        auto envelope = file->envelope();
        EXPECT_TRUE(envelope) << (envelope ? "" : envelope.error().reason);
        return envelope ? envelope->remaining : 999;
    }

    // Runs the agent on the request as a one-session process does, outside fibers; the services that are up have a
    // thread of their own.
    ipc::DeliveryReply run(const delivery::Agent& agent, ipc::DeliveryRequest request,
                           const delivery::Agent::Handler& handler) {
        using Answer = std::function<bool(net::Stream&, const ipc::Incoming&)>;
        std::vector<std::pair<std::shared_ptr<UniqueFd>, Answer>> services;
        auto serve = [&](const char* path, Answer answer) {
            auto fd = net::listen_unix(path, 10, 0600);
            ASSERT_TRUE(fd) << fd.error().reason;
            services.emplace_back(std::make_shared<UniqueFd>(std::move(*fd)), std::move(answer));
        };
        auto report = [this](const char* service) {
            return [this, service](net::Stream& stream, const ipc::Incoming& in) {
                if (auto append = in.as<ipc::ReportAppend>())
                    appended[service].push_back(*append);
                if (auto one = in.as<ipc::ReportOne>())
                    ones.push_back(*one);
                return bool(ipc::send(
                    stream, ipc::BounceReply{.ok = !refuse_reports, .reason = refuse_reports ? "disk full" : ""},
                    loop::never));
            };
        };
        if (with_bounce)
            serve("private/bounce", report("bounce"));
        serve("private/defer", report("defer"));
        serve("private/trace", report("trace"));
        serve("private/rewrite", [this](net::Stream& stream, const ipc::Incoming& in) {
            if (auto rewrite = in.as<ipc::RewriteRequest>()) {
                std::string a = rewrite->address;
                if (a.find('@') == a.npos)
                    a += "@example.test";
                return bool(ipc::send(stream, ipc::RewriteReply{.failed = false, .address = a}, loop::never));
            }
            auto resolve = in.as<ipc::ResolveRequest>();
            if (!resolve)
                return false;
            bool ours = resolve->address.ends_with("@example.test");
            return bool(ipc::send(stream,
                                  ipc::ResolveReply{.flags = rewrite_fails ? ipc::ResolveReply::failed : 0,
                                                    .address_class = ipc::AddressClass::local,
                                                    .transport = ours ? "" : "smtp",
                                                    .nexthop = "x",
                                                    .recipient = resolve->address},
                                  loop::never));
        });
        serve("public/cleanup",
              [this](net::Stream& stream, const ipc::Incoming& in) { return take_message(stream, in); });
        int stop[2];
        EXPECT_EQ(::pipe(stop), 0);
        std::thread others([&] { serve_until(services, stop[0]); });
        ipc::DeliveryReply reply = agent.handle(std::move(request), handler);
        ::close(stop[1]);
        others.join();
        ::close(stop[0]);
        for (const char* path :
             {"private/bounce", "private/defer", "private/trace", "private/rewrite", "public/cleanup"})
            ::unlink(path);
        return reply;
    }

    template <class Services> static void serve_until(const Services& services, int stop) {
        loop::Loop l;
        for (auto& [listener, answer] : services)
            l.spawn([&l, &listener = listener, &answer = answer] {
                for (;;) {
                    loop::wait_readable(listener->get());
                    net::Address peer;
                    auto client = net::accept_one(listener->get(), peer);
                    if (!client || !*client)
                        continue;
                    l.spawn([&answer, stream = std::make_shared<net::Stream>(std::move(*client))] {
                        for (;;) {
                            auto in = ipc::receive(*stream, loop::never);
                            if (!in || !answer(*stream, *in) || !stream->flush(loop::never))
                                return;
                        }
                    });
                }
            });
        l.spawn([&l, stop] {
            loop::wait_readable(stop);
            l.cancel_all();
        });
        l.run();
    }

    bool take_message(net::Stream& stream, const ipc::Incoming& in) {
        if (!in.is<ipc::CleanupOpen>())
            return false;
        Submitted m;
        if (!ipc::send(stream,
                       ipc::CleanupOpened{
                           .queue_id = "NEW" + std::to_string(submitted.size() + 1), .status = "", .reason = ""},
                       loop::never) ||
            !stream.flush(loop::never))
            return false;
        std::string input;
        for (;;) {
            queue::Record record{};
            std::string_view view = input;
            std::size_t needed = 0;
            if (queue::decode(view, record, needed) != queue::Decoded::record) {
                auto more = stream.read_some(65536, loop::never);
                if (!more || more->empty())
                    return false;
                input.append(*more);
                continue;
            }
            if (record.type == queue::RecordType::sender)
                m.sender = record.payload;
            if (record.type == queue::RecordType::recipient)
                m.recipients.emplace_back(record.payload);
            if (record.type == queue::RecordType::original)
                m.originals.emplace_back(record.payload);
            if (record.type == queue::RecordType::line)
                m.text.append(record.payload).append("\n");
            bool end = record.type == queue::RecordType::end;
            input.erase(0, input.size() - view.size());
            if (end)
                break;
        }
        submitted.push_back(std::move(m));
        return bool(ipc::send(stream,
                              ipc::CleanupReply{.ok = !cleanup_refuses,
                                                .smtp_code = 451,
                                                .status = "4.3.0",
                                                .reason = cleanup_refuses ? "queue file write error" : ""},
                              loop::never));
    }

    // The log lines that hold this, shortened to what stands behind "delays=…, ".
    std::vector<std::string> logged(std::string_view what) const {
        std::vector<std::string> out;
        for (const std::string& line : log)
            if (line.find(what) != line.npos)
                out.push_back(line);
        return out;
    }
    // "to=<…>, …, dsn=…, status=…" of all status lines, without id, relay and delays.
    std::vector<std::string> statuses() const {
        std::vector<std::string> out;
        for (const std::string& line : log) {
            std::size_t to = line.find("to=<"), relay = line.find(", relay="), dsn = line.find(", dsn=");
            if (to == line.npos || relay == line.npos || dsn == line.npos)
                continue;
            out.push_back(line.substr(to, relay - to) + line.substr(dsn));
        }
        return out;
    }

    struct Submitted {
        std::string sender;
        std::vector<std::string> recipients, originals;
        std::string text;
    };
    std::string root, id;
    std::filesystem::path old;
    std::vector<std::string> log;
    std::map<std::string, std::vector<ipc::ReportAppend>> appended;
    std::vector<ipc::ReportOne> ones;
    std::vector<Submitted> submitted;
    bool with_bounce = true, refuse_reports = false, cleanup_refuses = false, rewrite_fails = false;
};
}
