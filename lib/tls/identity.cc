#include "tls/identity.h"
#include <fmt/format.h>
#include <openssl/x509v3.h>
#include <algorithm>
#include "base/bytes.h"

namespace tls {
namespace {
constexpr std::size_t name_limit = 1000;

std::string whole_line(const X509_NAME* name) {
    char* line = X509_NAME_oneline(name, nullptr, 0);
    std::string text = line ? line : "";
    OPENSSL_free(line);
    return text;
}
}

std::string slash_name(const X509_NAME* name) {
    std::string text = whole_line(name);
    return text.size() <= name_limit ? text : std::string();
}

std::string shown_name(const X509_NAME* name, std::size_t most) {
    return bytes::printable(std::string_view(whole_line(name)).substr(0, most));
}

std::string plus_encode(std::string_view text) {
    constexpr std::string_view special = "<>()\"+ ";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto c = static_cast<unsigned char>(text[i]);
        if (c == '\\' && text.substr(i + 1, 1) == "+")
            continue;  // OpenSSL 3 escapes it, the versions that access maps were written with did not
        if (c < 33 || c > 126 || special.find(static_cast<char>(c)) != special.npos)
            out += fmt::format("+{:02X}", c);
        else
            out += static_cast<char>(c);
    }
    return out;
}

std::string common_name(const X509_NAME* name) {
    int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), NID_commonName, -1);
    if (at < 0)
        return {};
    unsigned char* utf8 = nullptr;
    int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (length < 0)
        return {};
    std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(std::min(length, 256)));
    OPENSSL_free(utf8);
    if (text.find('\0') != text.npos || !bytes::valid_utf8(text))
        return {};
    return bytes::printable(text);
}
}
