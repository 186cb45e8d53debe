#include "tls/context.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <algorithm>
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "tls/choice.h"
#include "tls/keys.h"

namespace tls {
void FreeContext::operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
void FreeStore::operator()(X509_STORE* s) const { X509_STORE_free(s); }

std::string disabling_text(const std::string& reason) {
    bool said =
        reason.find("disabling TLS support") != reason.npos || reason.find("TLS won't be enabled") != reason.npos;
    return said ? reason : reason + ": disabling TLS support";
}

Failure context_error(std::string text) { return temporary(std::move(text), {4, 7, 0}); }

namespace {
Failure in_parameter(std::string_view name, const Error& e) {
    return context_error(fmt::format("bad value of {}: {}", name, e.reason));
}
}

Result<void> use_common_options(SSL_CTX* c, const conf::Settings& settings) {
    auto workarounds = parse_workarounds(settings[param::tls_disable_workarounds]);
    if (!workarounds)
        return in_parameter("tls_disable_workarounds", workarounds.error());
    auto options = parse_ssl_options(settings[param::tls_ssl_options]);
    if (!options)
        return in_parameter("tls_ssl_options", options.error());
    SSL_CTX_set_options(c, (SSL_OP_ALL & ~*workarounds) | *options | SSL_OP_IGNORE_UNEXPECTED_EOF |
                               SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    std::string groups = known_groups(settings[param::tls_eecdh_auto_curves], settings[param::tls_ffdhe_auto_groups]);
    if (!groups.empty())
        SSL_CTX_set1_groups_list(c, groups.c_str());
    SSL_CTX_set_security_level(c, 0);  // the grades of main.cf decide
    return {};
}

// The library counts the CAs between the peer's certificate and the trusted one; the parameters have always allowed one
// more.
void limit_chain(SSL_CTX* c, std::int64_t certificates) {
    SSL_CTX_set_verify_depth(c, static_cast<int>(std::min<std::int64_t>(certificates, 100)) + 1);
}

Result<void> use_protocols(SSL_CTX* c, std::string_view parameter, const std::string& text) {
    auto protocols = parse_protocols(text);
    if (!protocols)
        return in_parameter(parameter, protocols.error());
    if (protocols->lowest)
        SSL_CTX_set_min_proto_version(c, protocols->lowest);  // else tls_config_file's
    if (protocols->highest)
        SSL_CTX_set_max_proto_version(c, protocols->highest);
    SSL_CTX_set_options(c, protocols->off);
    return {};
}

Result<std::string> use_ciphers(SSL_CTX* c, const conf::Settings& settings, std::string_view parameter,
                                const std::string& grade, const std::string& exclude) {
    auto list = cipher_list(settings, grade, exclude);
    if (!list)
        return in_parameter(parameter, list.error());
    if (SSL_CTX_set_cipher_list(c, list->c_str()) != 1)
        return context_error(fmt::format("no usable ciphers in \"{}\": {}", *list, library_errors("empty list")));
    return *list;
}
}
