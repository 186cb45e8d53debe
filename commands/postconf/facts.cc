#include "facts.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <unistd.h>

#include "log/log.h"
#include "table/table.h"

namespace postconf {
namespace {
void print_tls_fact(const Options& o) {
    if (o.arguments.size() != 1) maillog::fatal("-T requires one of compile-version, run-version");
    const std::string& what = o.arguments[0];
    if (what == "compile-version") printf("%s\n", OPENSSL_VERSION_TEXT);
    else if (what == "run-version") printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
    else maillog::fatal("unsupported -T mode: {}: compile-version or run-version is expected", what);
}
}

void show_facts(const Options& o) {
    switch (o.mode) {
    case Mode::table_types:
        for (auto& type : table::types()) printf("%s\n", type.c_str());
        break;
    case Mode::lock_methods:
        printf("flock\nfcntl\ndotlock\n");
        break;
    case Mode::server_sasl:
    case Mode::client_sasl:
        break;                                   // no plug-in is built yet: an empty list is the fact
    case Mode::tls_facts:
        print_tls_fact(o);
        break;
    default:
        break;
    }
}
}
