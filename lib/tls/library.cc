#include "tls/library.h"
#include <fmt/format.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <memory>
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "tls/keys.h"

namespace tls {
namespace {
struct FreeConf {
    void operator()(CONF* c) const { NCONF_free(c); }
};
struct FreeSettings {
    void operator()(OPENSSL_INIT_SETTINGS* s) const { OPENSSL_INIT_free(s); }
};

Result<void> start(const std::string& file, const std::string& name) {
    bool by_default = file.empty() || file == "default";
    auto bad = [&](std::string why) {
        return temporary(fmt::format("tls_config_file = {}: {}", file, why), {4, 7, 0});
    };
    if (file == "none") {
        if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1)
            return bad(library_errors("cannot start the TLS library"));
        return {};
    }
    if (!by_default && !file.starts_with("/"))
        return bad("expected default, none or an absolute path");
    if (by_default && name.empty())
        return {};      // what the library does by itself
    if (!by_default) {  // the library passes over a name that is not there
        std::unique_ptr<CONF, FreeConf> conf(NCONF_new(nullptr));
        long line = 0;
        if (NCONF_load(conf.get(), file.c_str(), &line) != 1)
            return bad(line > 0 ? fmt::format("line {}: {}", line, library_errors("malformed"))
                                : library_errors("cannot be read"));
        const char* wanted = name.empty() ? "openssl_conf" : name.c_str();
        if (!NCONF_get_string(conf.get(), nullptr, wanted))
            return bad(fmt::format("it does not set {}", wanted));
    }
    std::unique_ptr<OPENSSL_INIT_SETTINGS, FreeSettings> settings(OPENSSL_INIT_new());
    unsigned long flags = by_default ? CONF_MFLAGS_DEFAULT_SECTION | CONF_MFLAGS_IGNORE_MISSING_FILE |
                                           CONF_MFLAGS_IGNORE_ERRORS | CONF_MFLAGS_SILENT
                                     : 0;
    if (!by_default && OPENSSL_INIT_set_config_filename(settings.get(), file.c_str()) != 1)
        return bad("out of memory");
    if (!name.empty() && OPENSSL_INIT_set_config_appname(settings.get(), name.c_str()) != 1)
        return bad("out of memory");
    OPENSSL_INIT_set_config_file_flags(settings.get(), flags);
    if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, settings.get()) != 1 && !by_default)
        return bad(library_errors("cannot be used"));
    return {};
}
}

Result<void> start_library(const conf::Settings& settings) {
    static const Result<void> result = start(settings[param::tls_config_file], settings[param::tls_config_name]);
    return result;
}
}
