#include "sasl/dovecot.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <map>

#include "base/bytes.h"
#include "log/log.h"
#include "loop/loop.h"
#include "net/socket.h"
#include "net/stream.h"

namespace sasl {
namespace {
constexpr std::string_view lost = "Connection lost to authentication server";
constexpr std::string_view nonsense = "Authentication backend error";

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\001' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char c = text[++i];
        constexpr std::string_view letters = "01trl";
        const std::size_t which = letters.find(c);
        out += which == letters.npos ? c : std::string_view("\0\001\t\r\n", 5)[which];
    }
    return out;
}

unsigned property(std::string_view name) {
    static constexpr std::pair<std::string_view, Property> properties[] = {
        {"plaintext", plaintext},    {"active", active},  {"dictionary", dictionary},
        {"anonymous", anonymous},    {"private", hidden}, {"forward-secrecy", forward_secrecy},
        {"mutual-auth", mutual_auth}};
    for (auto& [known, bit] : properties)
        if (known == name)
            return bit;
    return 0;
}

// One connection. Requests hold it for as long as they run: a login that was begun on it cannot go on with another.
class Link {
public:
    explicit Link(UniqueFd fd) : stream_(std::move(fd)) {}

    Result<void> shake_hands(loop::Deadline deadline);
    const std::vector<Mechanism>& mechanisms() const { return mechanisms_; }
    std::uint32_t next_id() { return ++last_id_; }
    // Sends a line and waits for the line that answers request id.
    Result<std::string> ask(std::uint32_t id, const std::string& line, loop::Deadline deadline);
    // Says a line that nothing answers, if that is possible at once.
    void tell(const std::string& line);
    bool usable();

private:
    struct Waiting {
        std::optional<std::string> answer{};
        loop::Condition changed{};
    };
    Result<void> send(loop::Deadline deadline);
    void read_for_all(loop::Deadline deadline);
    void pass_the_reading_on();
    void break_off();

    net::Stream stream_;
    std::vector<Mechanism> mechanisms_{};
    std::map<std::uint32_t, Waiting*> waiting_{};
    std::string out_{};  // not yet sent
    std::uint32_t last_id_ = 0;
    loop::Clock::time_point heard_{};  // of it, last
    bool reading_ = false, sending_ = false, broken_ = false;
};

// Answers that came too late are passed over; behind them may be the end.
bool Link::usable() {
    if (!broken_ && !reading_ && waiting_.empty()) {
        for (std::size_t end; (end = stream_.peek().rfind('\n')) != std::string_view::npos;)
            stream_.consume(end + 1);
        broken_ = stream_.at_end();
    }
    return !broken_;
}

Result<void> Link::shake_hands(loop::Deadline deadline) {
    TRY(stream_.write(fmt::format("VERSION\t1\t1\nCPID\t{}\n", getpid()), deadline));
    bool version = false;
    for (;;) {
        TRY_ASSIGN(net::Stream::Line line, stream_.read_line(line_limit, deadline));
        if (!line.complete)
            return temporary("its greeting has a line that is too long");
        const Fields fields(line.text);
        if (fields[0] == "VERSION") {
            if (fields[1] != "1")
                return temporary(fmt::format("it speaks version \"{}\" of the protocol, not 1",
                                             bytes::printable(fields[1].substr(0, 20))));
            version = true;
        } else if (fields[0] == "MECH" && !fields[1].empty() && mechanisms_.size() < mechanisms_limit) {
            unsigned properties = 0;
            for (std::size_t i = 2; !fields[i].empty(); ++i)
                properties |= property(fields[i]);
            mechanisms_.push_back({std::string(fields[1]), properties});
        } else if (fields[0] == "DONE") {
            if (!version)
                return temporary("it does not say which version of the protocol it speaks");
            return {};
        }
    }
}

// One fiber sends for all that have something to send meanwhile.
Result<void> Link::send(loop::Deadline deadline) {
    if (sending_)
        return {};
    sending_ = true;
    struct Done {
        bool& sending;
        ~Done() { sending = false; }
    } done{sending_};
    while (!out_.empty()) {
        const ssize_t n = ::send(stream_.fd(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            out_.erase(0, static_cast<std::size_t>(n));
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (stream_.wait_writable(deadline) == loop::Wait::timed_out)
                return temporary(std::string(lost));
        } else if (errno != EINTR)
            return temporary(std::string(lost));
    }
    return {};
}

void Link::tell(const std::string& line) {
    if (broken_ || sending_ || !out_.empty())
        return;
    const ssize_t n = ::send(stream_.fd(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0 && static_cast<std::size_t>(n) < line.size())
        break_off();  // half a line cannot be taken back
}

void Link::break_off() {
    broken_ = true;
    for (auto& [id, waiting] : waiting_)
        waiting->changed.notify_all();
}

void Link::pass_the_reading_on() {
    reading_ = false;
    for (auto& [id, waiting] : waiting_)
        if (!waiting->answer && waiting->changed.waiting() > 0) {
            waiting->changed.notify_all();
            return;
        }
}

// Takes one line and gives it to whom it answers; what nobody waits for (any more) is passed over.
void Link::read_for_all(loop::Deadline deadline) {
    reading_ = true;
    struct Done {
        Link& link;
        ~Done() { link.pass_the_reading_on(); }
    } done{*this};
    Result<net::Stream::Line> line = stream_.read_line(line_limit, deadline);
    if (!line && stream_.failure() == net::Stream::Failure::timeout)
        return;
    if (!line || !line->complete)
        return break_off();
    heard_ = loop::Clock::now();
    const Fields fields(line->text);
    if (fields[0] != "OK" && fields[0] != "CONT" && fields[0] != "FAIL")
        return;
    auto id = bytes::to_int(fields[1]);
    auto found = id && *id > 0 && *id <= UINT32_MAX ? waiting_.find(static_cast<std::uint32_t>(*id)) : waiting_.end();
    if (found == waiting_.end())
        return;
    found->second->answer = std::string(line->text);
    found->second->changed.notify_all();
}

Result<std::string> Link::ask(std::uint32_t id, const std::string& line, loop::Deadline deadline) {
    Waiting me;
    waiting_[id] = &me;
    struct Done {
        Link& link;
        std::uint32_t id;
        ~Done() {
            link.waiting_.erase(id);
            if (!link.reading_)
                link.pass_the_reading_on();  // whoever leaves may have been the one it was passed to
        }
    } done{*this, id};
    const auto begun = loop::Clock::now();
    out_ += line;
    if (auto sent = send(deadline); !sent) {
        break_off();
        return tl::unexpected(sent.error());
    }
    while (!me.answer) {
        if (broken_)
            return temporary(std::string(lost));
        if (loop::Clock::now() >= deadline) {
            if (heard_ < begun)
                break_off();  // not slow with one login, but silent
            return temporary(std::string(lost));
        }
        if (!reading_)
            read_for_all(deadline);
        else
            (void)me.changed.wait(deadline);
    }
    return std::move(*me.answer);
}

class Dovecot final : public Server {
public:
    Dovecot(std::string path, std::string service) : path_(std::move(path)), service_(std::move(service)) {}
    Result<std::vector<Mechanism>> mechanisms() override;
    std::unique_ptr<Login> login(const Connection& connection) override;
    Result<std::shared_ptr<Link>> connected();
    const std::string& service() const { return service_; }

private:
    Result<UniqueFd> connect() const;
    Result<std::shared_ptr<Link>> connect_anew();
    std::string path_, service_;
    std::shared_ptr<Link> link_{};
    std::vector<Mechanism> known_{};  // when it was asked last
    bool connecting_ = false;
    loop::Condition connected_{};
};

// While it restarts clients hear what it offered before: a login gets a temporary answer then, not "no such command".
Result<std::vector<Mechanism>> Dovecot::mechanisms() {
    auto link = connected();
    if (link)
        known_ = (*link)->mechanisms();
    else if (known_.empty())
        return tl::unexpected(link.error());
    return known_;
}

Result<UniqueFd> Dovecot::connect() const {
    std::string_view where = path_;
    if (!where.starts_with("inet:")) {
        if (where.starts_with("unix:"))
            where.remove_prefix(5);
        return net::connect_unix(std::string(where), loop::in(answer_time));
    }
    where.remove_prefix(5);
    const std::size_t colon = where.rfind(':');
    return net::connect_host(where.substr(0, colon), std::string(where.substr(colon + 1)), AF_UNSPEC, answer_time);
}

Result<std::shared_ptr<Link>> Dovecot::connect_anew() {
    auto fd = connect();
    if (!fd)
        return temporary(fmt::format("connect to authentication server {}: {}", path_, fd.error().reason));
    auto link = std::make_shared<Link>(std::move(*fd));
    if (auto done = link->shake_hands(loop::in(answer_time)); !done)
        return temporary(fmt::format("authentication server {}: {}", path_, done.error().reason));
    return link;
}

// Sessions that need the connection while one makes it wait for that one.
Result<std::shared_ptr<Link>> Dovecot::connected() {
    while (connecting_)
        if (connected_.wait(loop::in(answer_time)) == loop::Wait::timed_out)
            return temporary(std::string(lost));
    if (link_ && link_->usable())
        return link_;
    connecting_ = true;
    struct Done {
        Dovecot& d;
        ~Done() {
            d.connecting_ = false;
            d.connected_.notify_all();
        }
    } done{*this};
    link_.reset();
    TRY_ASSIGN(link_, connect_anew());
    return link_;
}

class DovecotLogin final : public Login {
public:
    DovecotLogin(Dovecot& server, const Connection& connection) : server_(server), connection_(connection) {}
    ~DovecotLogin() override {
        if (unfinished_)
            link_->tell(fmt::format("CANCEL\t{}\n", id_));
    }
    Outcome begin(std::string_view mechanism, std::optional<std::string_view> initial) override;
    Outcome respond(std::string_view base64) override { return ask(fmt::format("CONT\t{}\t{}\n", id_, base64)); }

private:
    Outcome ask(const std::string& line);
    Outcome judge(const std::string& line);
    Dovecot& server_;
    Connection connection_;
    std::shared_ptr<Link> link_{};
    std::uint32_t id_ = 0;
    bool unfinished_ = false;
};

Outcome DovecotLogin::begin(std::string_view mechanism, std::optional<std::string_view> initial) {
    auto link = server_.connected();
    if (!link) {
        maillog::warning("SASL: {}", link.error().reason);
        return {Outcome::Kind::unavailable, std::string(lost), {}};
    }
    link_ = std::move(*link);
    id_ = link_->next_id();
    std::string line = fmt::format("AUTH\t{}\t{}\tservice={}\tnologin\tlip={}\trip={}", id_, mechanism,
                                   server_.service(), connection_.local_address, connection_.remote_address);
    if (!connection_.local_port.empty())
        line += "\tlport=" + connection_.local_port;
    if (!connection_.remote_port.empty())
        line += "\trport=" + connection_.remote_port;
    if (connection_.encrypted)
        line += "\tsecured";
    if (connection_.certificate_verified)
        line += "\tvalid-client-cert";
    if (initial)
        line.append("\tresp=").append(*initial);
    return ask(line + "\n");
}

Outcome DovecotLogin::ask(const std::string& line) {
    if (line.size() > line_limit)  // it would hang up, on everybody
        return {Outcome::Kind::failed, "the response is too long", {}};
    unfinished_ = true;
    auto answer = link_->ask(id_, line, loop::in(answer_time));
    if (!answer)
        return {Outcome::Kind::unavailable, answer.error().reason, {}};
    return judge(*answer);
}

Outcome DovecotLogin::judge(const std::string& line) {
    const Fields fields(line);
    if (fields[0] == "CONT") {
        if (bytes::base64_decode(fields[2]))
            return {Outcome::Kind::challenge, std::string(fields[2]), {}};
        maillog::warning("authentication server: a challenge that is no base64");
        return {Outcome::Kind::unavailable, std::string(nonsense), {}};
    }
    unfinished_ = false;
    if (fields[0] == "OK") {
        std::string user = fields.value("user");
        if (!user.empty())
            return {Outcome::Kind::success, {}, std::move(user)};
        maillog::warning("authentication server: success without a user name");
        return {Outcome::Kind::unavailable, std::string(nonsense), {}};
    }
    const bool temporary = fields.has("temp") || fields.value("code") == "temp_fail";
    return {temporary ? Outcome::Kind::unavailable : Outcome::Kind::failed, fields.value("reason"),
            fields.value("user")};
}

std::unique_ptr<Login> Dovecot::login(const Connection& connection) {
    return std::make_unique<DovecotLogin>(*this, connection);
}
}

Fields::Fields(std::string_view line) {
    for (std::size_t at = 0; at <= line.size();) {
        const std::size_t end = std::min(line.find('\t', at), line.size());
        fields_.push_back(line.substr(at, end - at));
        at = end + 1;
    }
}

std::string_view Fields::operator[](std::size_t n) const { return n < fields_.size() ? fields_[n] : ""; }

bool Fields::has(std::string_view name) const {
    for (std::size_t i = 2; i < fields_.size(); ++i)
        if (fields_[i] == name)
            return true;
    return false;
}

std::string Fields::value(std::string_view name) const {
    for (std::size_t i = 2; i < fields_.size(); ++i)
        if (fields_[i].size() > name.size() && fields_[i].starts_with(name) && fields_[i][name.size()] == '=')
            return unescaped(fields_[i].substr(name.size() + 1));
    return {};
}

Result<std::unique_ptr<Server>> open_dovecot(const std::string& path, const std::string& service) {
    const std::string_view where = path;
    if (where.starts_with("inet:") ? where.rfind(':') <= 5 || where.ends_with(':') : where.empty() || where == "unix:")
        return permanent(fmt::format("\"{}\" is no address of an authentication server: a socket's path, unix:PATH or "
                                     "inet:HOST:PORT is expected",
                                     bytes::printable(path)));
    return std::make_unique<Dovecot>(path, service);
}
}
