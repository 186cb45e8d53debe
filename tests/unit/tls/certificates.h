// Keys and certificates for tests, made on the spot.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

class Certificates {
public:
    Certificates() {
        char name[] = "/tmp/posthorn-tls-XXXXXX";
        directory = mkdtemp(name);
        make("rsa", EVP_RSA_gen(2048));
        make("ec", EVP_EC_gen("P-256"));
        write("both.pem", read("rsa.key") + read("rsa.crt"));
        write("swapped.pem", read("rsa.crt") + read("rsa.key"));
        write("mixed.pem", read("ec.key") + read("rsa.crt"));
        write("broken.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + read("rsa.crt"));
        write("empty.pem", "");
    }
    ~Certificates() {
        for (const char* f : {"rsa.key", "rsa.crt", "ec.key", "ec.crt", "rsa.enc", "ec.enc", "both.pem", "swapped.pem",
                              "mixed.pem", "broken.pem", "empty.pem"})
            std::remove(path(f).c_str());
        std::remove(directory.c_str());
    }
    std::string path(const std::string& file) const { return directory + "/" + file; }
    std::string directory;

private:
    std::string read(const std::string& file) const {
        std::ifstream in(path(file));
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void write(const std::string& file, const std::string& text) const { std::ofstream(path(file)) << text; }
    void make(const std::string& name, EVP_PKEY* key) const {
        X509* x = X509_new();
        X509_set_version(x, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        X509_gmtime_adj(X509_getm_notBefore(x), -60);
        X509_gmtime_adj(X509_getm_notAfter(x), 86400);
        X509_set_pubkey(x, key);
        auto* cn = reinterpret_cast<const unsigned char*>("mx.example.test");
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, cn, -1, -1, 0);
        X509_set_issuer_name(x, X509_get_subject_name(x));
        X509_sign(x, key, EVP_sha256());
        FILE* f = std::fopen(path(name + ".key").c_str(), "w");
        PEM_write_PrivateKey(f, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(f);
        f = std::fopen(path(name + ".enc").c_str(), "w");
        char pass[] = "secret";
        PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(), nullptr, 0, nullptr, pass);
        std::fclose(f);
        f = std::fopen(path(name + ".crt").c_str(), "w");
        PEM_write_X509(f, x);
        std::fclose(f);
        X509_free(x);
        EVP_PKEY_free(key);
    }
};
