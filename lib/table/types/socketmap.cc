// socketmap:inet:HOST:PORT:NAME and socketmap:unix:PATH:NAME: a lookup server that speaks Sendmail's socketmap
// protocol. A question is the netstring "NAME key", an answer the netstring "OK value", "NOTFOUND ", "TEMP reason",
// "TIMEOUT reason" or "PERM reason".
//
// Connections are kept and used again, one for each lookup at a time; in a fiber the others go on meanwhile. A process
// has at most connections_limit of them: a thousand sessions that ask at once shall not be a thousand connections to a
// server that was made for a few.
#include <fmt/format.h>
#include <chrono>
#include "base/bytes.h"
#include "log/log.h"
#include "loop/loop.h"
#include "net/socket.h"
#include "net/stream.h"
#include "table/types/type.h"

namespace table {
namespace {
using namespace std::chrono_literals;
constexpr auto answer_time = 100s, idle_time = 10s, life_time = 100s;
constexpr std::size_t connections_limit = 20;

struct Server {
    std::string path, host, port, map;  // path: UNIX-domain
};

std::optional<Server> parse_server(std::string_view name) {
    auto colon = name.rfind(':');
    if (colon == name.npos || colon + 1 == name.size())
        return std::nullopt;
    Server s;
    s.map = name.substr(colon + 1);
    std::string_view where = name.substr(0, colon);
    if (where.starts_with("unix:") && where.size() > 5) {
        s.path = where.substr(5);
        return s;
    }
    if (!where.starts_with("inet:"))
        return std::nullopt;
    where.remove_prefix(5);
    auto at = where.rfind(':');
    if (at == where.npos || at == 0 || at + 1 == where.size())
        return std::nullopt;
    s.host = where.substr(0, at);
    s.port = where.substr(at + 1);
    return s;
}

class SocketTable : public Table {
public:
    SocketTable(std::string table_name, Server server, const OpenOptions& options)
        : Table(std::move(table_name)), server_(std::move(server)) {
        fold_ = options.fold;
        utf8_ = options.utf8;
        trusted_ = false;  // of another program's making
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        std::string query = fmt::format("{} {}", server_.map, key);
        if (query.size() > process().socketmap_query)
            return failed("the query is longer than socketmap_max_query_size");
        Place place(*this);
        if (!place.taken)
            return failed("the server is busy with other queries");
        for (bool again = false;; again = true) {
            auto connection = borrow(again);
            if (!connection)
                return failed(connection.error().reason);
            bool fresh = connection->fresh;
            auto reply = exchange(*connection->stream, query);
            if (reply) {
                idle_.push_back(std::move(*connection));
                idle_.back().since = loop::Clock::now();
                return judge(*reply);
            }
            if (again || fresh)
                return failed(reply.error().reason);  // one that was kept may have been closed meanwhile
        }
    }

private:
    struct Connection {
        std::unique_ptr<net::Stream> stream;
        loop::Clock::time_point made, since;
        bool fresh = true;
    };

    // One of the connections_limit places, from before a connection is borrowed until it is given back.
    struct Place {
        SocketTable& table;
        bool taken = false;
        explicit Place(SocketTable& t) : table(t) {
            const loop::Deadline end = loop::in(answer_time);
            while (loop::current() && table.busy_ >= connections_limit)
                if (table.free_.wait(end) == loop::Wait::timed_out)
                    return;
            ++table.busy_;
            taken = true;
        }
        Place(const Place&) = delete;
        ~Place() {
            if (!taken)
                return;
            --table.busy_;
            table.free_.notify_one();
        }
    };

    Failure failed(std::string_view why) const {
        return temporary(fmt::format("table {}: query error: {}", name(), bytes::printable(why.substr(0, 300))));
    }

    Result<Connection> borrow(bool only_fresh) {
        auto now = loop::Clock::now();
        std::erase_if(idle_,
                      [&](const Connection& c) { return now - c.since > idle_time || now - c.made > life_time; });
        while (!only_fresh && !idle_.empty()) {
            Connection c = std::move(idle_.back());
            idle_.pop_back();
            c.fresh = false;
            if (c.stream->peek().empty() && !c.stream->at_end())
                return c;
        }
        TRY_ASSIGN(UniqueFd fd, connect());
        return Connection{std::make_unique<net::Stream>(std::move(fd)), now, now, true};
    }

    Result<UniqueFd> connect() const {
        if (!server_.path.empty())
            return net::connect_unix(server_.path, loop::in(answer_time));
        return net::connect_host(server_.host, server_.port, process().families.only(), answer_time);
    }

    static Result<std::string> exchange(net::Stream& s, const std::string& query) {
        loop::Deadline deadline = loop::in(answer_time);
        TRY(s.write(fmt::format("{}:{},", query.size(), query), deadline));
        TRY(s.flush(deadline));
        TRY_ASSIGN(std::string_view digits, s.read_until(':', 12, deadline));
        if (digits.ends_with(":"))
            digits.remove_suffix(1);
        auto length = bytes::to_int(digits);
        if (!length || *length < 0 || static_cast<std::size_t>(*length) > process().socketmap_reply)
            return temporary("an answer that is no netstring, or longer than socketmap_max_reply_size");
        std::string reply(static_cast<std::size_t>(*length) + 1, '\0');
        TRY(s.read_exact(reply.data(), reply.size(), deadline));
        if (reply.back() != ',')
            return temporary("an answer that is no netstring");
        reply.pop_back();
        return reply;
    }

    Result<std::optional<std::string>> judge(std::string_view reply) const {
        auto [word, rest] = bytes::cut(reply, ' ');
        std::string_view text = rest.value_or("");
        if (word == "OK")
            return text.empty() ? failed("an answer without a value")
                                : Result<std::optional<std::string>>(std::string(text));
        if (word == "NOTFOUND")
            return std::optional<std::string>();
        return failed(word == "TEMP" || word == "TIMEOUT" || word == "PERM" ? fmt::format("{} {}", word, text)
                                                                            : "an answer that makes no sense");
    }

    Server server_;
    std::vector<Connection> idle_;
    std::size_t busy_ = 0;
    loop::Condition free_;
};

Result<std::unique_ptr<Table>> open_socketmap(std::string_view name, const OpenOptions& options) {
    auto server = parse_server(name);
    if (!server)
        return permanent(
            fmt::format("bad socketmap name: \"{}\": expected inet:host:port:name or unix:path:name", name));
    if (options.access != Access::read)
        return permanent(fmt::format("socketmap:{} cannot be changed", name));
    return std::make_unique<SocketTable>(fmt::format("socketmap:{}", name), std::move(*server), options);
}
}

const Type socketmap_type{"socketmap", "", open_socketmap};
}
