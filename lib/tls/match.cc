#include "tls/match.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <algorithm>
#include <memory>
#include "base/bytes.h"
#include "base/fd.h"
#include "tls/keys.h"

namespace tls {
namespace {
constexpr std::size_t anchor_file_limit = 1u << 20, anchors_limit = 200;
struct FreeBio {
    void operator()(BIO* b) const { BIO_free(b); }
};

std::string colon_separated(const unsigned char* digest, unsigned length) {
    std::string text;
    for (unsigned i = 0; i < length; ++i)
        text += fmt::format("{}{:02X}", i ? ":" : "", digest[i]);
    return text;
}

template <class Object, class Encode> std::string der_of(Object* object, Encode encode) {
    unsigned char* der = nullptr;
    int length = encode(object, &der);
    if (length <= 0)
        return {};
    std::string octets(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return octets;
}
}

std::vector<std::string> expected_names(const std::vector<std::string>& strategies, std::string_view nexthop,
                                        std::string_view host) {
    std::vector<std::string> names;
    auto add = [&](std::string name) {
        while (name.size() > 1 && name.ends_with('.'))
            name.pop_back();
        if (name.empty() || name == ".")
            return;
        if (std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(std::move(name));
    };
    for (const std::string& s : strategies) {
        if (bytes::iequals(s, "nexthop"))
            add(bytes::lowered(nexthop));
        else if (bytes::iequals(s, "dot-nexthop"))
            add(nexthop.empty() ? "" : "." + bytes::lowered(nexthop));
        else if (bytes::iequals(s, "hostname"))
            add(bytes::lowered(host));
        else
            add(bytes::lowered(s));
    }
    return names;
}

std::optional<std::string> parse_fingerprint(std::string_view text) {
    std::string digits;
    auto is_hex = [](char c) { return bytes::is_digit(c) || (bytes::lower(c) >= 'a' && bytes::lower(c) <= 'f'); };
    bool colons = text.find(':') != text.npos;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (colons && i % 3 == 2) {
            if (text[i] != ':')
                return std::nullopt;
        } else if (is_hex(text[i])) {
            digits += bytes::lower(text[i]);
        } else {
            return std::nullopt;
        }
    }
    if (digits.empty() || digits.size() % 2 || (colons && text.size() % 3 != 2))
        return std::nullopt;
    std::string octets;
    auto value = [](char c) { return bytes::is_digit(c) ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i < digits.size(); i += 2)
        octets += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
    return octets;
}

Result<const EVP_MD*> find_digest(const std::string& name) {
    if (const EVP_MD* digest = EVP_get_digestbyname(name.c_str()))
        return digest;
    ERR_clear_error();
    return temporary(fmt::format("the digest algorithm \"{}\" is not known", bytes::printable(name)), {4, 7, 0});
}

std::string fingerprint(const X509* certificate, const EVP_MD* digest) {
    unsigned char octets[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    return X509_digest(certificate, digest, octets, &length) == 1 ? colon_separated(octets, length) : std::string();
}

std::string key_fingerprint(const X509* certificate, const EVP_MD* digest) {
    std::string der = der_of(X509_get_X509_PUBKEY(certificate), i2d_X509_PUBKEY);
    unsigned char octets[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    return !der.empty() && EVP_Digest(der.data(), der.size(), octets, &length, digest, nullptr) == 1
               ? colon_separated(octets, length)
               : std::string();
}

Result<std::vector<Tlsa>> load_anchors(const std::string& file) {
    auto text = read_file(file, anchor_file_limit);
    if (!text)
        return temporary(fmt::format("error opening trust anchor file: {}: {}", file,
                                     text.error().sys_errno ? errno_text(text.error().sys_errno) : text.error().reason),
                         {4, 7, 5});
    std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
    std::vector<Tlsa> anchors;
    auto bad = [&](std::string_view why) {
        return temporary(fmt::format("error reading trust anchor file: {}: {}", file, why), {4, 7, 5});
    };
    char *name, *header;
    unsigned char* data;
    long length;
    while (PEM_read_bio(bio.get(), &name, &header, &data, &length) == 1) {
        std::string kind = name, octets(reinterpret_cast<char*>(data), static_cast<std::size_t>(length));
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(length));
        auto* p = reinterpret_cast<const unsigned char*>(octets.data());
        if (anchors.size() >= anchors_limit)
            return bad("too many certificates");
        if (kind == PEM_STRING_PUBLIC) {
            std::unique_ptr<X509_PUBKEY, decltype(&X509_PUBKEY_free)> key(d2i_X509_PUBKEY(nullptr, &p, length),
                                                                          X509_PUBKEY_free);
            if (!key)
                return bad(library_errors("malformed public key"));
            anchors.push_back({2, 1, 0, std::move(octets)});
        } else if (kind == PEM_STRING_X509 || kind == PEM_STRING_X509_OLD) {
            X509Ptr certificate(d2i_X509(nullptr, &p, length));
            if (!certificate)
                return bad(library_errors("malformed certificate"));
            anchors.push_back({2, 0, 0, std::move(octets)});
        } else {
            return bad(fmt::format("unexpected \"{}\"", bytes::printable(kind)));
        }
    }
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!end)
        return bad(library_errors("malformed PEM text"));
    ERR_clear_error();
    if (anchors.empty())
        return bad("no certificate or public key");
    return anchors;
}
}
