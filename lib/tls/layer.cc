#include "tls/layer.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <cerrno>
#include <csignal>
#include "base/bytes.h"
#include "log/log.h"
#include "tls/debug.h"
#include "tls/log_options.h"
#include "tls/session.h"

namespace tls {
TlsLayer::TlsLayer(SSL_CTX* context, int fd) : ssl_(SSL_new(context)) {
    SSL_set_fd(ssl_.get(), fd);
    hang_on(ssl_.get(), &luggage);
}
TlsLayer::~TlsLayer() { hang_on(ssl_.get(), nullptr); }

// After the handshake as well no error of the library goes by unseen.
net::Layer::Step TlsLayer::told(Step step) {
    if (step.transferred < 0 && ERR_peek_error() != 0) {
        maillog::info("TLS error in session with {}", luggage.peer.empty() ? "the peer" : luggage.peer);
        log_library_errors();
    }
    return step;
}

net::Layer::Step TlsLayer::read(char* to, std::size_t most) {
    ERR_clear_error();
    std::size_t n = 0;
    int done = SSL_read_ex(ssl_.get(), to, most, &n);
    if (done == 1 && (luggage.log & log_option::session_dump))
        show_text("Read", {to, n});
    return done == 1 ? Step{Want::nothing, static_cast<ssize_t>(n)} : told(step(done));
}

net::Layer::Step TlsLayer::write(const char* from, std::size_t n) {
    ERR_clear_error();
    std::size_t sent = 0;
    int done = SSL_write_ex(ssl_.get(), from, n, &sent);
    if (done == 1 && (luggage.log & log_option::session_dump))
        show_text("Write", {from, sent});
    return done == 1 ? Step{Want::nothing, static_cast<ssize_t>(sent)} : told(step(done));
}

void TlsLayer::shut_down() {  // our close_notify, without waiting for the peer's (tls_fast_shutdown_enable)
    if (!broken_ && SSL_is_init_finished(ssl_.get()))
        SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

net::Layer::Step TlsLayer::step(int result) {
    int saved = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {Want::read};
    case SSL_ERROR_WANT_WRITE: return {Want::write};
    case SSL_ERROR_ZERO_RETURN: return {Want::nothing, 0};
    case SSL_ERROR_SYSCALL:
        broken_ = true;
        if (ERR_peek_error() == 0 && saved == 0)
            return {Want::nothing, 0};
        return {Want::nothing, -1,
                Error{{4, 4, 2}, saved == ECONNRESET || saved == EPIPE ? "lost connection" : errno_text(saved), saved}};
    default: broken_ = true; return {Want::nothing, -1, Error{{4, 7, 0}, "TLS library problem", EPROTO}};
    }
}

void log_library_errors() {
    char text[256];
    const char *file = nullptr, *data = nullptr;
    int line = 0, flags = 0;
    for (unsigned long code; (code = ERR_get_error_all(&file, &line, nullptr, &data, &flags));) {
        ERR_error_string_n(code, text, sizeof text);
        maillog::warning("TLS library problem: {}:{}:{}:{}", text, file ? file : "", line,
                         data && (flags & ERR_TXT_STRING) ? data : "");
    }
}

Result<void> shake(net::Stream& stream, TlsLayer& session, loop::Deadline deadline,
                   const std::function<void()>& fetch) {
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int done = SSL_do_handshake(session.ssl());
        if (done == 1)
            return {};
        if (SSL_get_error(session.ssl(), done) == SSL_ERROR_WANT_CLIENT_HELLO_CB) {
            fetch();
            continue;
        }
        net::Layer::Step step = session.step(done);
        if (step.want == net::Layer::Want::nothing) {
            if (step.transferred == 0)
                return temporary("lost connection", {4, 4, 2});
            return tl::unexpected(std::move(step.error));
        }
        loop::Wait waited =
            step.want == net::Layer::Want::write ? stream.wait_writable(deadline) : stream.wait_readable(deadline);
        if (waited == loop::Wait::timed_out)
            return tl::unexpected(Error{{4, 4, 2}, "Connection timed out", ETIMEDOUT});
    }
}

Failure handshake_failed(const char* verb, const std::string& peer, Error error) {
    bool library = ERR_peek_error() != 0;
    const char* first = library ? ERR_reason_error_string(ERR_peek_error()) : nullptr;
    maillog::info("{} {}: {}", verb, peer, library ? "-1" : error.reason);
    if (library)
        log_library_errors();
    if (library)
        error.reason = first ? first : "handshake failure";
    return tl::unexpected(std::move(error));
}

void ignore_broken_pipes() {
    struct sigaction now;
    if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL)
        std::signal(SIGPIPE, SIG_IGN);
}

TlsLayer* tls_layer_of(net::Stream& stream) { return dynamic_cast<TlsLayer*>(stream.layer()); }

void say_farewell(net::Stream& stream, loop::Deadline deadline) {
    TlsLayer* session = tls_layer_of(stream);
    if (!session || !SSL_is_init_finished(session->ssl()))
        return;
    for (int tries = 0; tries < 100; ++tries) {  // what the peer still sends comes first
        ERR_clear_error();
        int done = SSL_shutdown(session->ssl());
        if (done == 0)
            continue;
        int why = SSL_get_error(session->ssl(), done);
        if (done == 1 || (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE))
            break;
        if ((why == SSL_ERROR_WANT_READ ? stream.wait_readable(deadline) : stream.wait_writable(deadline)) ==
            loop::Wait::timed_out)
            break;
    }
    ERR_clear_error();
}

bool active(net::Stream& stream) { return tls_layer_of(stream) != nullptr; }
}
