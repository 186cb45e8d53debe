// A queue with one message, the services bounce, defer and trace, and scripted servers, all in one loop: what the
// client says to a server, what it logs, and what becomes of each recipient.
#pragma once
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <filesystem>
#include <functional>
#include <map>
#include "../dns/name_server.h"
#include "delivery.h"
#include "delivery/agent.h"
#include "dns/dns.h"
#include "ipc/bounce.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "net/socket.h"
#include "queue/new_file.h"
#include "tls/server_context.h"
#include "tls/session.h"

struct ScriptedServer {
    std::string greeting = "220 mx.test ESMTP";
    std::vector<std::string> features = {"PIPELINING", "SIZE 10000000", "8BITMIME", "DSN", "SMTPUTF8"};
    std::map<std::string, std::string>
        replies;  // by the line's beginning; longest first; "CLOSE" hangs up, "MUTE" never says anything again,
                  // "RESET words" says words and resets the connection at once; "CONTENT": in the middle of a message
    std::vector<std::string> end_replies;  // LMTP: one for each recipient
    std::shared_ptr<tls::ServerContext> tls;
    // What came.
    std::vector<std::string> said;  // command lines, all connections, "--" at each new one
    std::string message;
    int connections = 0;

    std::string reply_to(const std::string& line) {
        for (auto it = replies.rbegin(); it != replies.rend(); ++it)
            if (bytes::istarts_with(line, it->first))
                return it->second;
        if (bytes::istarts_with(line, "EHLO") || bytes::istarts_with(line, "LHLO")) {
            std::vector<std::string> lines{"mx.test"};
            lines.insert(lines.end(), features.begin(), features.end());
            std::string all;
            for (std::size_t i = 0; i < lines.size(); ++i)
                all += "250" + std::string(i + 1 < lines.size() ? "-" : " ") + lines[i] + "\r\n";
            return all.substr(0, all.size() - 2);
        }
        if (bytes::istarts_with(line, "DATA"))
            return "354 go";
        if (bytes::istarts_with(line, "QUIT"))
            return "221 bye";
        if (bytes::istarts_with(line, "MAIL"))
            return "250 2.1.0 Ok";
        if (bytes::istarts_with(line, "RCPT"))
            return "250 2.1.5 Ok";
        if (line == ".")
            return "250 2.0.0 Ok: queued as FAKE";
        return "250 Ok";
    }
    void talk(net::Stream& s) {
        auto deadline = loop::in(std::chrono::seconds(20));
        ++connections;
        said.push_back("--");
        auto answer = [&](const std::string& reply) {
            if (reply.starts_with("RESET ")) {
                (void)s.write(reply.substr(6) + "\r\n");
                (void)s.flush(deadline);
                const linger at_once{1, 0};
                setsockopt(s.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
                return false;
            }
            if (reply != "CLOSE" && reply != "MUTE")
                return s.write(reply + "\r\n").has_value();
            (void)s.flush(deadline);
            while (reply == "MUTE" && s.read_line(1000, deadline)) {}
            return false;
        };
        if (!answer(greeting))
            return;
        bool in_data = false;
        std::size_t recipients = 0;
        for (;;) {
            auto line = s.read_line(100000, deadline);
            if (!line)
                return;
            std::string text(line->text);
            if (in_data && text != ".") {
                message += text + "\n";
                if (auto early = replies.find("CONTENT"); early != replies.end() && message.size() > 100'000) {
                    answer(early->second);
                    return;
                }
                continue;
            }
            if (in_data && !end_replies.empty()) {
                in_data = false;
                for (std::size_t i = 0; i < std::min(recipients, end_replies.size()); ++i)
                    if (!answer(end_replies[i]))
                        return;
                continue;
            }
            in_data = false;
            if (text != ".")
                said.push_back(text);
            std::string reply = reply_to(text);
            if (!answer(reply))
                return;
            if (bytes::istarts_with(text, "RCPT") && reply[0] == '2')
                ++recipients;
            if (text == "DATA" && reply[0] == '3') {
                in_data = true;
                message.clear();
            }
            if (text == "QUIT") {
                (void)s.flush(deadline);
                return;
            }
            if (text == "STARTTLS" && reply[0] == '2') {
                (void)s.flush(deadline);
                if (!tls || !tls::accept(s, *tls, deadline, "client[127.0.0.1]"))
                    return;
            }
        }
    }
};

class Smtp : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/posthorn-smtp-XXXXXX";
        root = mkdtemp(name);
        before = std::filesystem::current_path();
        std::filesystem::current_path(root);
        for (const char* d : {"active", "private"})
            std::filesystem::create_directory(d);
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* me) { static_cast<Smtp*>(me)->log += std::string(text) + "\n"; },
                          this);
        names = std::make_unique<NameServer>();
        dns::open();
        l = std::make_unique<loop::Loop>();
    }
    void TearDown() override {
        dns::close();
        kept.reset();
        l.reset();
        maillog::redirect(nullptr, nullptr);
        std::filesystem::current_path(before);
        std::filesystem::remove_all(root);
    }
    void set(const std::string& name, const std::string& value) { overrides.push_back({name, value}); }

    // A listener on address (port 0: any); the port.
    std::uint16_t serve(ScriptedServer& server, const std::string& address = "127.0.0.1", std::uint16_t port = 0) {
        auto fd = std::make_shared<UniqueFd>(std::move(*net::listen_inet(*net::Address::parse(address, port), 10)));
        std::uint16_t got = net::local_address(fd->get())->port();
        accept_for(server, fd);
        return got;
    }
    void serve_path(ScriptedServer& server, const std::string& path) {
        accept_for(server, std::make_shared<UniqueFd>(std::move(*net::listen_unix(path, 10, 0666))));
    }
    void accept_for(ScriptedServer& server, std::shared_ptr<UniqueFd> listener) {
        l->spawn([this, &server, listener] {
            for (;;) {
                loop::wait_readable(listener->get());
                net::Address peer;
                auto fd = net::accept_one(listener->get(), peer);
                if (!fd || !*fd)
                    continue;
                auto s = std::make_shared<net::Stream>(std::move(*fd));
                l->spawn([&server, s] { server.talk(*s); });
            }
        });
    }
    void serve_reports(const std::string& name) {
        auto listener = std::make_shared<UniqueFd>(std::move(*net::listen_unix("private/" + name, 10, 0666)));
        l->spawn([this, name, listener] {
            for (;;) {
                loop::wait_readable(listener->get());
                net::Address peer;
                auto fd = net::accept_one(listener->get(), peer);
                if (!fd || !*fd)
                    continue;
                auto s = std::make_shared<net::Stream>(std::move(*fd));
                l->spawn([this, name, s] {
                    while (auto in = ipc::receive(*s, loop::never)) {
                        if (auto append = in->as<ipc::ReportAppend>())
                            reports.push_back({name, *append});
                        (void)ipc::send(*s, ipc::BounceReply{true, ""}, loop::never);
                        (void)s->flush(loop::never);
                    }
                });
            }
        });
    }
    // Puts a message into active/ and makes the request for it.
    ipc::DeliveryRequest queue(const std::string& nexthop, const std::vector<std::string>& recipients,
                               const std::vector<std::string>& lines) {
        directories = std::make_unique<queue::Directories>(std::vector<std::string>{}, 1);
        auto file = queue::NewQueueFile::create(*directories, "active", false);
        EXPECT_TRUE(file) << file.error().reason;
        ipc::DeliveryRequest q;
        (void)file->put(queue::RecordType::time, std::to_string(base::wall_now().seconds) + " 0");
        (void)file->put(queue::RecordType::sender, "sender@client.test");
        for (const auto& r : recipients) {
            q.recipients.emplace_back();
            q.recipients.back().offset = file->offset();
            q.recipients.back().address = r;
            (void)file->put(queue::RecordType::recipient, r);
        }
        (void)file->put(queue::RecordType::message);
        q.data_offset = file->offset();
        queue::SizeRecord size;
        size.data_offset = q.data_offset;
        for (const auto& line : lines)
            (void)file->put(queue::RecordType::line, line);
        q.data_size = size.message_size = size.content_length = file->offset() - q.data_offset;
        (void)file->put(queue::RecordType::extracted);
        EXPECT_TRUE(file->commit(size));
        q.queue_name = "active";
        q.queue_id = file->id().text();
        q.nexthop = nexthop;
        q.sender = "sender@client.test";
        q.arrival_seconds = q.active_seconds = q.handoff_seconds = base::wall_now().seconds;
        return q;
    }
    void start() {
        if (config)
            return;
        set("bounce_service_name", "bounce");
        for (const char* name : {"smtp_log_tls_feature_status", "lmtp_log_tls_feature_status"})
            overrides.insert(overrides.begin(), {name, "yes"});  // a test may say otherwise
        auto settings = conf::Settings::defaults(overrides);
        auto made = smtp::Config::load(settings, lmtp);
        ASSERT_TRUE(made) << made.error().reason;
        config = std::move(*made);
        kept = std::make_unique<smtp::Kept>(config->cache_time);
        agent = std::make_unique<delivery::Agent>(settings, "");
        for (const char* service : {"bounce", "defer", "trace"})
            serve_reports(service);
    }
    // Delivers the requests one after another, in one loop.
    std::vector<ipc::DeliveryReply> deliver(std::vector<ipc::DeliveryRequest> requests) {
        start();
        std::vector<ipc::DeliveryReply> results;
        l->spawn([&] {
            for (auto& q : requests)
                results.push_back(agent->handle(
                    std::move(q), [&](delivery::Job& job) { smtp::Delivery(*config, *kept, flags, job).run(); }));
            loop::sleep_until(loop::in(std::chrono::milliseconds(20)));  // servers read the last QUIT
            loop::loop()->cancel_all();
        });
        l->run();
        return results;
    }
    ipc::DeliveryReply deliver(const std::string& nexthop,
                               const std::vector<std::string>& recipients = {"r1@remote.test"},
                               const std::vector<std::string>& lines = {"Subject: x", "", "body"}) {
        auto results = deliver({queue(nexthop, recipients, lines)});
        return results.empty() ? ipc::DeliveryReply{} : results[0];
    }
    // The log without ids, delays and ports, so that it can be compared.
    std::string plain(std::uint16_t port = 0) const {
        std::string out;
        for (auto line : bytes::split(log, "\n")) {
            std::string s(line);
            if (auto at = s.find(": to=<"); at != s.npos)
                s.erase(0, at + 2);
            for (const char* field : {"delay=", "delays="})
                if (auto at = s.find(std::string(" ") + field); at != s.npos)
                    s.erase(at, s.find(',', at) + 1 - at);
            if (port)
                for (std::string p = ":" + std::to_string(port); s.find(p) != s.npos;)
                    s.replace(s.find(p), p.size(), ":PORT");
            out += s + "\n";
        }
        return out;
    }
    std::string root, log;
    std::filesystem::path before;
    conf::Overrides overrides;
    bool lmtp = false;
    smtp::Flags flags;
    std::unique_ptr<NameServer> names;
    std::unique_ptr<loop::Loop> l;
    std::unique_ptr<smtp::Config> config;
    std::unique_ptr<smtp::Kept> kept;
    std::unique_ptr<delivery::Agent> agent;
    std::unique_ptr<queue::Directories> directories;
    std::vector<std::pair<std::string, ipc::ReportAppend>> reports;
};
