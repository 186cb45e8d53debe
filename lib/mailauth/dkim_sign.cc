#include "mailauth/dkim_sign.h"
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <algorithm>
#include "base/bytes.h"
#include "base/fd.h"

namespace mailauth {
namespace {
constexpr int smallest_rsa = 1024;  // bits; RFC 8301, section 3.2
constexpr std::size_t key_file_limit = 64 * 1024, gathered = 16 * 1024, base64_line = 72;

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

std::string sha256(std::string_view data) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(data.data(), data.size(), digest, &n, EVP_sha256(), nullptr) != 1)
        return "";
    return std::string(reinterpret_cast<char*>(digest), n);
}

// The library's reason, and its queue of errors is empty again.
std::string openssl_reason() {
    char text[256] = "";
    if (unsigned long code = ERR_peek_last_error())
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return *text ? text : "unknown error";
}

int no_passphrase(char*, int, int, void*) { return -1; }
}

Result<DkimKey> DkimKey::parse(std::string_view pem, const std::string& name) {
    std::unique_ptr<BIO, int (*)(BIO*)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(std::min(pem.size(), key_file_limit))), BIO_free);
    DkimKey k;
    k.key_ = std::shared_ptr<EVP_PKEY>(
        bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr, EVP_PKEY_free);
    if (!k.key_) {
        std::string why = openssl_reason();
        const bool encrypted = pem.find("ENCRYPTED") != pem.npos;
        return permanent(fmt::format("{}: {}", name,
                                     encrypted                                  ? "the key is encrypted"
                                     : pem.find("PRIVATE KEY-----") == pem.npos ? "no private key (PEM)"
                                                                                : why));
    }
    const int type = EVP_PKEY_get_base_id(k.key_.get()), bits = EVP_PKEY_get_bits(k.key_.get());
    k.ed25519_ = type == EVP_PKEY_ED25519;
    if (!k.ed25519_ && type != EVP_PKEY_RSA)
        return permanent(name + ": DKIM knows RSA and Ed25519 keys, this is another");
    if (!k.ed25519_ && bits < smallest_rsa)
        return permanent(fmt::format("{}: an RSA key of {} bits; DKIM wants {} at least", name, bits, smallest_rsa));
    return k;
}

Result<DkimKey> DkimKey::load(const std::string& file) {
    TRY_ASSIGN(std::string pem, read_file(file, key_file_limit));
    return parse(pem, file);
}

Result<std::string> DkimKey::sign(std::string_view data) const {
    // RFC 8463, section 3: Ed25519 signs the SHA-256 of the data.
    const std::string digest = ed25519_ ? sha256(data) : "";
    std::string_view input = ed25519_ ? std::string_view(digest) : data;
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    auto bytes_of = [](std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    std::size_t n = 0;
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, ed25519_ ? nullptr : EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &n, bytes_of(input), input.size()) != 1)
        return permanent("DKIM signature: " + openssl_reason());
    std::string signature(n, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &n, bytes_of(input),
                       input.size()) != 1)
        return permanent("DKIM signature: " + openssl_reason());
    signature.resize(n);
    return signature;
}

std::string relaxed_header(std::string_view field) {
    auto [name, value] = bytes::cut(field, ':');
    while (!name.empty() && is_wsp(name.back()))
        name.remove_suffix(1);
    std::string out = bytes::lowered(name) + ":";
    bool space = false, text = false;
    for (char c : value.value_or("")) {
        if (c == '\r' || c == '\n')
            continue;  // unfolded
        if (is_wsp(c)) {
            space = true;
            continue;
        }
        if (space && text)
            out += ' ';
        space = false;
        text = true;
        out += c;
    }
    return out;
}

// --- the body

RelaxedBodyHash::RelaxedBodyHash() : digest_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (digest_)
        EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr);
}

void RelaxedBodyHash::hash(std::string_view text) {
    out_ += text;
    if (out_.size() < gathered)
        return;
    EVP_DigestUpdate(digest_.get(), out_.data(), out_.size());
    out_.clear();
}

// Line ends and white space are held back until text follows: at the end of a line, and of the body, they do not count.
void RelaxedBodyHash::byte(char c) {
    if (c == '\n') {
        ++line_ends_;
        space_ = cr_ = false;
        return;
    }
    const bool stray = std::exchange(cr_, c == '\r');
    auto text = [this](char one) {
        for (; line_ends_ > 0; --line_ends_)
            hash("\r\n");
        if (std::exchange(space_, false))
            hash(" ");
        hash({&one, 1});
        any_ = true;
    };
    if (stray)
        text('\r');  // not part of a line end after all
    if (c == '\r')
        return;
    if (is_wsp(c))
        space_ = true;
    else
        text(c);
}

void RelaxedBodyHash::add(std::string_view text) {
    for (char c : text)
        byte(c);
}

std::string RelaxedBodyHash::finish() {
    if (cr_)
        byte(' ');  // a CR at the very end is text
    if (any_)
        hash("\r\n");
    EVP_DigestUpdate(digest_.get(), out_.data(), out_.size());
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_DigestFinal_ex(digest_.get(), digest, &n);
    return bytes::base64_encode({reinterpret_cast<char*>(digest), n});
}

// --- the signature

DkimSigner::DkimSigner(DkimKey key, DkimOptions options, std::vector<std::string> names)
    : key_(std::move(key)), options_(std::move(options)), names_(std::move(names)) {}

void DkimSigner::header(std::string_view field) {
    std::string relaxed = relaxed_header(field);
    std::string name = relaxed.substr(0, relaxed.find(':'));
    if (std::any_of(names_.begin(), names_.end(), [&](const std::string& n) { return bytes::iequals(n, name); }))
        fields_.push_back({std::move(name), std::move(relaxed)});
}

Result<std::string> DkimSigner::finish() {
    std::string data, covered;
    // A name stands for its fields from the last to the first (section 5.4.2); once more, for one that is not there.
    for (const std::string& name : names_) {
        for (auto f = fields_.rbegin(); f != fields_.rend(); ++f) {
            if (!bytes::iequals(f->name, name))
                continue;
            data += f->relaxed + "\r\n";
            covered += (covered.empty() ? "" : ":\n\t ") + name;
        }
        covered += (covered.empty() ? "" : ":\n\t ") + name;
    }
    std::string field = fmt::format(
        "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\n\ts={}; t={};\n\tbh={};\n\th={};\n\tb=", key_.algorithm(),
        options_.domain, options_.selector, options_.time, body_.finish(), covered);
    data += relaxed_header(field);
    TRY_ASSIGN(std::string signature, key_.sign(data));
    std::string text = bytes::base64_encode(signature);
    for (std::size_t at = 0; at < text.size(); at += base64_line)
        field += (at ? "\n\t " : "") + text.substr(at, base64_line);
    return field;
}
}
