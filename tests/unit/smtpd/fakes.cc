#include "fakes.h"
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include "base/bytes.h"
#include "ipc/anvil.h"
#include "ipc/cleanup.h"
#include "ipc/flush.h"
#include "ipc/rewrite.h"
#include "log/log.h"
#include "mail/address.h"
#include "net/socket.h"
#include "queue/record.h"
#include "session.h"

namespace fakes {
using namespace std::chrono_literals;

World::World() {
    char name[] = "/tmp/smtpd-test-XXXXXX";
    directory_ = mkdtemp(name);
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(directory_);
    std::filesystem::create_directory("public");
    std::filesystem::create_directory("private");
    maillog::redirect(
        [](maillog::Level level, std::string_view, std::string_view text, void* context) {
            (void)level;
            static_cast<World*>(context)->log.emplace_back(text);
        },
        this);
}
World::~World() {
    maillog::redirect(nullptr, nullptr);
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(directory_);
}

conf::Overrides World::settings() {
    return {{"myhostname", "mx.example.test"},
            {"mydomain", "example.test"},
            {"mydestination", "example.test"},
            {"mynetworks", "127.0.0.1"},
            {"inet_interfaces", "127.0.0.1"},
            {"compatibility_level", "3.11"},
            {"alias_maps", ""},
            {"local_recipient_maps", "inline:{alice=x, bob=x}"},
            {"virtual_mailbox_domains", "virt.test"},
            {"virtual_mailbox_maps", "inline:{v1@virt.test=x}"},
            {"virtual_alias_domains", "valias.test"},
            {"virtual_alias_maps", "inline:{va@valias.test=alice}"},
            {"relay_domains", "relay.test"},
            {"relay_recipient_maps", "inline:{r@relay.test=x}"},
            {"smtpd_error_sleep_time", "0"},
            {"smtpd_client_connection_count_limit", "0"},
            {"smtpd_peername_lookup", "yes"},
            {"queue_minfree", "0"}};
}

smtpd::Resolver World::resolver(const std::string& client_name) {
    smtpd::Resolver r;
    r.client_name = [client_name](const std::string&, bool) {
        if (client_name == "unknown")
            return dns::ClientName{};
        return dns::ClientName{client_name, client_name, dns::NameStatus::ok, dns::NameStatus::ok};
    };
    r.query = [this](std::string_view name, dns::Type type) {
        dns::Answer a;
        auto found = dns.find(std::string(name) + " " + std::string(dns::name_of(type)));
        if (found == dns.end()) {
            a.status = dns::Status::no_name;
            return a;
        }
        if (found->second == "temporary") {
            a.status = dns::Status::temporary;
            a.reason = "Name service error";
            return a;
        }
        a.status = dns::Status::found;
        for (std::string_view value : bytes::split(found->second, "|"))
            a.records.push_back({.type = type, .owner = std::string(name), .value = std::string(value)});
        return a;
    };
    return r;
}

namespace {
ipc::ResolveReply resolve(const std::string& address) {
    ipc::ResolveReply r;
    std::string domain =
        address.find('@') == std::string::npos ? "" : bytes::lowered(address.substr(address.rfind('@') + 1));
    r.recipient = domain.empty() ? address + "@example.test" : address;
    r.transport = "smtp";
    r.nexthop = domain;
    std::string local = address.substr(0, address.rfind('@'));
    if (local.find_first_of("%!@") != std::string::npos)
        r.flags |= ipc::ResolveReply::routed;
    if (domain.empty() || domain == "example.test")
        r.address_class = ipc::AddressClass::local, r.transport = "local";
    else if (domain == "virt.test")
        r.address_class = ipc::AddressClass::virtual_mailbox, r.transport = "virtual";
    else if (domain == "valias.test")
        r.address_class = ipc::AddressClass::virtual_alias, r.transport = "error";
    else if (domain == "relay.test")
        r.address_class = ipc::AddressClass::relay, r.transport = "relay";
    else if (domain == "gone.test")
        r.transport = "error", r.nexthop = "5.1.2 no such domain here";
    else if (domain == "dead.test")
        r.transport = "error";
    else if (domain == "later.test")
        r.transport = "error", r.nexthop = "4.1.2 later";
    else if (domain == "wait.test")
        r.transport = "retry", r.nexthop = "wait";
    else if (domain == "wait5.test")
        r.transport = "retry", r.nexthop = "5.3.1 wait";
    else if (domain == "broken.test")
        r.flags |= ipc::ResolveReply::failed;
    if (domain == "valias.test")
        r.transport = "smtp";
    if (!domain.empty() &&
        !mail::valid_mail_domain(domain.ends_with('.') ? domain.substr(0, domain.size() - 1) : domain, true))
        r.flags |= ipc::ResolveReply::error;
    return r;
}

void talk_rewrite(net::Stream& s) {
    for (;;) {
        auto in = ipc::receive(s, loop::never);
        if (!in)
            return;
        if (in->is<ipc::ResolveRequest>())
            (void)ipc::send(s, resolve(in->as<ipc::ResolveRequest>()->address), loop::never);
        else {
            auto request = in->as<ipc::RewriteRequest>();
            std::string a = request->address;
            if (a.find('@') == std::string::npos)
                a += "@example.test";
            (void)ipc::send(s, ipc::RewriteReply{false, a}, loop::never);
        }
        if (!s.flush(loop::never))
            return;
    }
}

void talk_cleanup(World& world, net::Stream& s) {
    for (;;) {
        auto open = ipc::receive<ipc::CleanupOpen>(s, loop::never);
        if (!open)
            return;
        std::size_t at = world.messages.size();
        world.messages.push_back({{}, false, open->flags});
        (void)ipc::send(s, ipc::CleanupOpened{"ID" + std::to_string(at + 1), "", ""}, loop::never);
        if (!s.flush(loop::never))
            return;
        std::string buffer;
        bool ended = false;
        ipc::CleanupReply reply{true, 250, "2.0.0", "Ok"};
        while (!ended) {
            auto some = s.read_some(65536, loop::never);
            if (!some || some->empty())
                return;
            buffer += *some;
            std::string_view left = buffer;
            queue::Record record{};
            std::size_t needed = 0;
            while (!ended && queue::decode(left, record, needed) == queue::Decoded::record) {
                world.messages[at].records.push_back(std::string(1, static_cast<char>(record.type)) + " " +
                                                     std::string(record.payload));
                if (record.payload == "Subject: reject me")
                    reply = {false, 550, "5.7.1", "bad subject"};
                ended = record.type == queue::RecordType::end;
            }
            buffer = std::string(left);
        }
        world.messages[at].complete = reply.ok;
        (void)ipc::send(s, reply, loop::never);
        if (!s.flush(loop::never))
            return;
    }
}

void talk_flush(net::Stream& s) {
    (void)s.write(ipc::announcement(ipc::FlushRequest::protocol));
    (void)s.flush(loop::never);
    for (;;) {
        auto in = ipc::receive<ipc::FlushRequest>(s, loop::never);
        if (!in)
            return;
        (void)ipc::send(s, ipc::FlushReply{in->site == "relay.test" ? ipc::FlushReply::ok : ipc::FlushReply::unknown},
                        loop::never);
        if (!s.flush(loop::never))
            return;
    }
}

void talk_anvil(net::Stream& s) {  // everything counts up by one for each request
    int n = 0;
    for (;;) {
        auto in = ipc::receive<ipc::AnvilRequest>(s, loop::never);
        if (!in)
            return;
        ++n;
        (void)ipc::send(s, ipc::AnvilReply{n, n, n, n, n, n}, loop::never);
        if (!s.flush(loop::never))
            return;
    }
}

template <class Talk> void listen(loop::Group& group, const std::string& path, Talk talk) {
    auto listener = net::listen_unix(path, 10, 0600);
    if (!listener)
        std::abort();
    group.spawn([&group, fd = listener->release(), talk] {
        UniqueFd own(fd);
        loop::Watch watch(fd);
        for (;;) {
            net::Address peer;
            auto client = net::accept_one(fd, peer);
            if (!client || !*client) {
                watch.readable(loop::never);
                continue;
            }
            group.spawn([c = client->release(), talk] {
                net::Stream s{UniqueFd(c)};
                talk(s);
            });
        }
    });
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        char c = text[++i];
        if (c == 'r')
            out += '\r';
        else if (c == 'n')
            out += '\n';
        else if (c == '0')
            out += '\0';
        else if (c == 't')
            out += '\t';
        else if (c == 'x' && i + 2 < text.size()) {
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else
            out += c;
    }
    return out;
}

bool matches(std::string_view expected, std::string_view got) {
    constexpr std::string_view dots = "…";
    if (expected.ends_with(dots))
        return got.starts_with(expected.substr(0, expected.size() - dots.size()));
    return expected == got;
}
}

void World::serve(loop::Group& group) {
    listen(group, "private/rewrite", talk_rewrite);
    listen(group, "public/cleanup", [this](net::Stream& s) { talk_cleanup(*this, s); });
    listen(group, "public/flush", talk_flush);
    listen(group, "private/anvil", talk_anvil);
}

std::string converse(World& world, smtpd::Service& service, const std::vector<std::string_view>& pieces,
                     const std::string& address) {
    std::string said;
    loop::Loop l;
    l.spawn([&] {
        loop::Group services;
        world.serve(services);
        auto pair = net::stream_pair();
        if (!pair)
            std::abort();
        auto server = std::make_shared<net::Stream>(std::move(pair->first));
        net::Stream client(std::move(pair->second));
        loop::Group session;
        session.spawn([&, server] {
            smtpd::Session(service, *server, false).serve(*net::Address::parse(address, 12345));
            server->close();
        });
        auto hear = [&] {
            for (std::string_view some = client.peek(); !some.empty(); some = client.peek()) {
                said += some;
                client.consume(some.size());
            }
        };
        for (std::string_view piece : pieces) {
            (void)client.write(piece);
            if (!client.flush(loop::in(20s)))
                break;
            for (int turn = 0; pieces.size() > 1 && turn < 8; ++turn)
                loop::yield();
            hear();
        }
        ::shutdown(client.fd(), SHUT_WR);
        for (;;) {
            auto some = client.read_some(65536, loop::in(20s));
            if (!some || some->empty())
                break;
            said += *some;
        }
        session.join();
        for (ipc::Client* kept : {&service.cleanup, &service.flush})
            kept->close_idle();
        service.rewrite.close_idle();
        service.anvil.close();
        services.cancel();
        services.join(false);
    });
    l.run();
    return said;
}

std::string play(const std::string& file) {
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    World world;
    conf::Overrides settings = World::settings();
    std::string address = "192.0.2.1", name = "unknown", problem;
    for (const std::string& line : lines) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "set") {
            auto [key, value] = bytes::cut(std::string_view(line).substr(4), '=');
            settings.push_back({std::string(bytes::trim(key)), std::string(bytes::trim(value.value_or("")))});
        } else if (word == "client") {
            words >> address;
            if (!(words >> name))
                name = "unknown";
        } else if (word == "dns") {
            std::string host, type, value;
            words >> host >> type;
            std::getline(words, value);
            world.dns[host + " " + type] = bytes::trim(value);
        }
    }
    auto service = smtpd::Service::open(conf::Settings::defaults(settings), world.resolver(name));
    if (!service)
        return service.error().reason;
    auto pair = net::stream_pair();
    loop::Loop l;
    l.spawn([&] {
        loop::Group services;
        world.serve(services);
        auto server = std::make_shared<net::Stream>(std::move(pair->first));
        auto client = std::make_unique<net::Stream>(std::move(pair->second));
        loop::Group session;
        session.spawn([&, server] {
            smtpd::Session(**service, *server, false).serve(*net::Address::parse(address, 12345));
            server->close();
        });
        std::size_t logged = 0;
        std::string sending;
        for (std::size_t i = 0; i < lines.size() && problem.empty(); ++i) {
            const std::string& line = lines[i];
            auto fail = [&](const std::string& what) {
                problem = file.substr(file.rfind('/') + 1) + ":" + std::to_string(i + 1) + ": " + what;
            };
            bool is_client = line.starts_with("C: ") || line == "C:" || line.starts_with("c: ");
            if (!is_client && !sending.empty()) {
                (void)client->write(sending);
                (void)client->flush(loop::in(5s));
                sending.clear();
            }
            if (line.starts_with("C:"))
                sending += line.substr(std::min<std::size_t>(3, line.size())) + "\r\n";
            else if (line.starts_with("c: "))
                sending += unescape(std::string_view(line).substr(3));
            else if (line == "S: <EOF>") {
                auto got = client->read_line(4096, loop::in(5s));
                if (got)
                    fail("expected the end, got " + std::string(got->text));
            } else if (line.starts_with("S: ")) {
                auto got = client->read_line(4096, loop::in(5s));
                if (!got)
                    fail("expected " + line.substr(3) + ", got " + got.error().reason);
                else if (!matches(std::string_view(line).substr(3), got->text))
                    fail("expected \"" + line.substr(3) + "\", got \"" + std::string(got->text) + "\"");
            } else if (line.starts_with("R: ")) {
                const auto& records =
                    world.messages.empty() ? std::vector<std::string>{} : world.messages.back().records;
                std::string expected = unescape(std::string_view(line).substr(3));
                if (std::none_of(records.begin(), records.end(),
                                 [&](const std::string& r) { return matches(expected, r); })) {
                    std::string all;
                    for (const std::string& r : records)
                        all += "\n   " + r;
                    fail("no record " + expected + " in" + all);
                }
            } else if (line.starts_with("L: ")) {
                for (int turn = 0; turn < 200 && problem.empty(); ++turn) {  // the session may still be writing it
                    auto hit = std::find_if(world.log.begin() + static_cast<long>(logged), world.log.end(),
                                            [&](const std::string& t) { return matches(line.substr(3), t); });
                    if (hit != world.log.end()) {
                        logged = static_cast<std::size_t>(hit - world.log.begin()) + 1;
                        break;
                    }
                    if (turn == 199) {
                        std::string all;
                        for (std::size_t k = logged; k < world.log.size(); ++k)
                            all += "\n   " + world.log[k];
                        fail("no log line " + line.substr(3) + " in" + all);
                    } else
                        loop::sleep_until(loop::in(5ms));
                }
            } else if (line == "hangup")
                client->close();
            else if (line == "messages 0" && std::any_of(world.messages.begin(), world.messages.end(),
                                                         [](const Message& m) { return m.complete; }))
                fail("a message was completed");
        }
        client->close();
        client.reset();
        session.join();
        services.cancel();
        services.join(false);
    });
    l.run();
    return problem;
}
}
