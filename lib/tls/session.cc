#include "tls/session.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <cerrno>
#include <csignal>
#include "base/bytes.h"
#include "log/log.h"
#include "net/stream.h"
#include "tls/callbacks.h"
#include "tls/keys.h"

namespace tls {
namespace {
struct FreeSsl { void operator()(SSL* s) const { SSL_free(s); } };
struct FreeSession { void operator()(SSL_SESSION* s) const { SSL_SESSION_free(s); } };
using SslPtr = std::unique_ptr<SSL, FreeSsl>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeSession>;

class Session final : public net::Layer {
public:
    Session(SSL_CTX* context, int fd) : ssl_(SSL_new(context)) {
        SSL_set_fd(ssl_.get(), fd);
        hang_on(ssl_.get(), &luggage);
    }
    ~Session() override { hang_on(ssl_.get(), nullptr); }

    Step read(char* to, std::size_t most) override {
        ERR_clear_error();
        std::size_t n = 0;
        int done = SSL_read_ex(ssl_.get(), to, most, &n);
        return done == 1 ? Step{Want::nothing, static_cast<ssize_t>(n)} : step(done);
    }
    Step write(const char* from, std::size_t n) override {
        ERR_clear_error();
        std::size_t sent = 0;
        int done = SSL_write_ex(ssl_.get(), from, n, &sent);
        return done == 1 ? Step{Want::nothing, static_cast<ssize_t>(sent)} : step(done);
    }
    void shut_down() override {                  // our close_notify, without waiting for the peer's (tls_fast_shutdown_enable)
        if (!broken_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    SSL* ssl() { return ssl_.get(); }
    // What a call that did not succeed needs next.
    Step step(int result) {
        int saved = errno;
        switch (SSL_get_error(ssl_.get(), result)) {
            case SSL_ERROR_WANT_READ: return {Want::read};
            case SSL_ERROR_WANT_WRITE: return {Want::write};
            case SSL_ERROR_ZERO_RETURN: return {Want::nothing, 0};
            case SSL_ERROR_SYSCALL:
                broken_ = true;
                if (ERR_peek_error() == 0 && saved == 0) return {Want::nothing, 0};
                return {Want::nothing, -1, Error{{4, 4, 2}, saved == ECONNRESET || saved == EPIPE ? "lost connection" : errno_text(saved), saved}};
            default:
                broken_ = true;
                return {Want::nothing, -1, Error{{4, 7, 0}, "TLS library problem", EPROTO}};
        }
    }

    Luggage luggage;
    ClientContext* client = nullptr;
    std::string session_key;                     // client: where luggage.made goes

private:
    SslPtr ssl_;
    bool broken_ = false;
};

void log_library_errors() {
    char text[256];
    const char *file = nullptr, *data = nullptr;
    int line = 0, flags = 0;
    for (unsigned long code; (code = ERR_get_error_all(&file, &line, nullptr, &data, &flags));) {
        ERR_error_string_n(code, text, sizeof text);
        maillog::warning("TLS library problem: {}:{}:{}:{}", text, file ? file : "", line, data && (flags & ERR_TXT_STRING) ? data : "");
    }
}

// Runs the handshake to its end. fetch() is called when the library waits for a session.
template <class Fetch> Result<void> shake(net::Stream& stream, Session& session, loop::Deadline deadline, Fetch fetch) {
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int done = SSL_do_handshake(session.ssl());
        if (done == 1) return {};
        if (SSL_get_error(session.ssl(), done) == SSL_ERROR_WANT_CLIENT_HELLO_CB) { fetch(); continue; }
        net::Layer::Step step = session.step(done);
        if (step.want == net::Layer::Want::nothing) {
            if (step.transferred == 0) return temporary("lost connection", {4, 4, 2});
            return tl::unexpected(std::move(step.error));
        }
        loop::Wait waited = step.want == net::Layer::Want::write ? stream.watch().writable(deadline) : stream.watch().readable(deadline);
        if (waited == loop::Wait::timed_out) return tl::unexpected(Error{{4, 4, 2}, "Connection timed out", ETIMEDOUT});
    }
}

Failure handshake_failed(const char* verb, const std::string& peer, Error error) {
    bool library = ERR_peek_error() != 0;
    maillog::info("{} {}: {}", verb, peer, library ? "-1" : error.reason);
    if (library) log_library_errors();
    if (library) error.reason = "handshake failure";
    return tl::unexpected(std::move(error));
}

void ignore_broken_pipes() {                     // OpenSSL writes with write(2)
    struct sigaction now;
    if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

Session* session_of(net::Stream& stream) { return dynamic_cast<Session*>(stream.layer()); }
}

Result<Info> accept(net::Stream& stream, ServerContext& context, loop::Deadline deadline, const std::string& peer) {
    ignore_broken_pipes();
    context.refresh_ticket_keys();
    stream.discard_input();
    auto session = std::make_unique<Session>(context.context(), stream.fd());
    if (context.log_level() >= 2) maillog::info("setting up TLS connection from {}", peer);
    SSL_set_accept_state(session->ssl());
    auto fetch = [&] {
        session->luggage.fetched = true;
        if (auto found = context.store()->find("smtpd:" + bytes::hex_encode(session->luggage.wanted_id))) session->luggage.found = std::move(*found);
    };
    if (auto done = shake(stream, *session, deadline, fetch); !done) return handshake_failed("SSL_accept error from", peer, std::move(done.error()));
    Info info = describe(session->ssl(), true);
    Luggage& luggage = session->luggage;
    if (context.caches_sessions() && !luggage.made.empty() && !luggage.made_id.empty()) {
        context.store()->save("smtpd:" + bytes::hex_encode(luggage.made_id), luggage.made);
        luggage.made.clear();
    }
    stream.set_layer(std::move(session));
    if (context.log_level() >= 1) maillog::info("{}", established_line(info, true, peer));
    return info;
}

Result<Info> connect(net::Stream& stream, ClientContext& context, const Demand& demand, loop::Deadline deadline, const std::string& peer) {
    ignore_broken_pipes();
    TRY_ASSIGN(SSL_CTX* library, context.context_for(demand));
    stream.discard_input();
    auto session = std::make_unique<Session>(library, stream.fd());
    if (context.log_level() >= 2) maillog::info("setting up TLS connection to {}", peer);
    session->client = &context;
    if (context.store()) session->session_key = demand.session_key;
    if (!demand.server_name.empty()) SSL_set_tlsext_host_name(session->ssl(), demand.server_name.c_str());
    if (!session->session_key.empty()) {
        if (auto found = context.store()->find(session->session_key)) {
            auto* p = reinterpret_cast<const unsigned char*>(found->data());
            SessionPtr old(d2i_SSL_SESSION(nullptr, &p, static_cast<long>(found->size())));
            if (old) SSL_set_session(session->ssl(), old.get());
            ERR_clear_error();
        }
    }
    SSL_set_connect_state(session->ssl());
    if (auto done = shake(stream, *session, deadline, [] {}); !done) {
        if (!session->session_key.empty() && SSL_get_session(session->ssl())) {
            Error error = std::move(done.error());
            Failure failed = handshake_failed("SSL_connect error to", peer, std::move(error));
            context.store()->remove(session->session_key);   // whatever it was, the next try is a fresh one
            return failed;
        }
        return handshake_failed("SSL_connect error to", peer, std::move(done.error()));
    }
    Info info = describe(session->ssl(), false);
    stream.set_layer(std::move(session));
    if (context.log_level() >= 1) maillog::info("{}", established_line(info, false, peer));
    return info;
}

void save_session(net::Stream& stream) {
    Session* session = session_of(stream);
    if (!session || session->session_key.empty() || session->luggage.made.empty()) return;
    std::string made = std::move(session->luggage.made);
    session->luggage.made.clear();
    session->client->store()->save(session->session_key, made);
}

bool active(net::Stream& stream) { return session_of(stream) != nullptr; }
}
