#include "facts.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <string_view>

#include "log/log.h"
#include "table/table.h"

namespace postconf {
namespace {
// The library's public key methods by their lower-case names, as far as certificates use them for signatures.
void print_key_algorithms() {
    for (const char* name : {"dsa", "ecdsa", "rsa", "ed25519", "ed448"}) {
        EVP_PKEY_CTX* context =
            EVP_PKEY_CTX_new_from_name(nullptr, std::string_view(name) == "ecdsa" ? "EC" : name, nullptr);
        if (context)
            printf("%s\n", name);
        EVP_PKEY_CTX_free(context);
    }
}

void print_tls_fact(const std::string& what) {
    if (what == "compile-version")
        printf("%s\n", OPENSSL_VERSION_TEXT);
    else if (what == "run-version")
        printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
    else if (what == "public-key-algorithms")
        print_key_algorithms();
    else {
        maillog::warning("unknown 'postconf -T' mode: {}", what);
        exit(1);
    }
}
}

void show_facts(const Options& o) {
    switch (o.mode) {
    case Mode::table_types:
        for (auto& type : table::types())
            printf("%s\n", type.c_str());
        break;
    case Mode::lock_methods: printf("flock\nfcntl\ndotlock\n"); break;
    case Mode::server_sasl:
    case Mode::client_sasl: break;  // no plug-in is built yet: an empty list is the fact
    case Mode::tls_facts: print_tls_fact(o.tls_fact); break;
    default: break;
    }
}
}
