#include "tls/dane.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <algorithm>
#include "base/bytes.h"
#include "dns/dns.h"
#include "log/log.h"
#include "tls/keys.h"

namespace tls {
namespace {
constexpr std::size_t records_limit = 100;
constexpr auto lookup_time = std::chrono::seconds(60);

struct FreeSsl {
    void operator()(SSL* s) const { SSL_free(s); }
};
struct FreeDigest {
    void operator()(EVP_MD* d) const { EVP_MD_free(d); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;
using DigestPtr = std::unique_ptr<EVP_MD, FreeDigest>;

Tlsa record_of(std::string_view octets) {  // never fewer than 4: dns sees to it
    return {static_cast<std::uint8_t>(octets[0]), static_cast<std::uint8_t>(octets[1]),
            static_cast<std::uint8_t>(octets[2]), std::string(octets.substr(3))};
}

std::string text_of(const Tlsa& r, std::size_t most) {
    return fmt::format("{} {} {} {}", r.usage, r.selector, r.matching,
                       bytes::hex_encode(std::string_view(r.data).substr(0, most), true));
}
std::string shown(const Tlsa& r) { return text_of(r, 64) + (r.data.size() > 64 ? "..." : ""); }

Failure bad_digests(std::string_view word, const char* why) {
    return permanent(fmt::format("tls_dane_digests: \"{}\": {}", bytes::printable(word), why), {5, 3, 5});
}
}

Result<std::shared_ptr<const Dane>> Dane::create(std::string_view digests) {
    auto made = std::make_shared<Dane>();
    for (std::string_view word : bytes::split(digests, " \t\r\n,")) {
        auto [name, number] = bytes::cut(word, '=');
        DigestPtr known(EVP_MD_fetch(nullptr, std::string(name).c_str(), nullptr));
        ERR_clear_error();
        if (!known)
            return bad_digests(word, "no such digest");
        int assigned = bytes::iequals(name, "sha256") ? 1 : bytes::iequals(name, "sha512") ? 2 : 0;
        std::int64_t type = assigned;
        if (number) {
            auto n = bytes::to_int(*number);
            if (!n || *n < 1 || *n > 254)
                return bad_digests(word, "the number is not one of a matching type");
            if (assigned && *n != assigned)
                return bad_digests(word, "not the number that this digest has");
            type = *n;
        }
        if (!type)
            return bad_digests(word, "this digest needs the number of its matching type");
        bool twice =
            std::any_of(made->digests_.begin(), made->digests_.end(), [&](const Digest& d) { return d.type == type; });
        if (twice)
            return bad_digests(word, "listed twice");
        made->digests_.push_back({static_cast<std::uint8_t>(type), std::string(name)});
    }
    if (made->digests_.empty() || made->digests_.size() > 16)
        return bad_digests(digests, "expected 1 to 16 digests");
    made->scratch_.reset(SSL_CTX_new(TLS_client_method()));
    if (!made->scratch_)
        return temporary(library_errors("cannot start the TLS library"), {4, 7, 0});
    TRY(made->prepare(made->scratch_.get()));
    return made;
}

Result<void> Dane::prepare(SSL_CTX* context) const {
    bool good = SSL_CTX_dane_enable(context) > 0;
    for (std::uint8_t type : {1, 2})
        good = good && SSL_CTX_dane_mtype_set(context, nullptr, type, 0) > 0;  // what is not listed is not used
    auto rank = static_cast<std::uint8_t>(digests_.size());
    for (const Digest& d : digests_)
        good = good && SSL_CTX_dane_mtype_set(context, EVP_get_digestbyname(d.name.c_str()), d.type, rank--) > 0;
    if (!good)
        return temporary("cannot enable DANE: " + library_errors("no reason given"), {4, 7, 0});
    return {};
}

bool Dane::takes(const Tlsa& r) const {
    bool known = r.matching == 0 ||
                 std::any_of(digests_.begin(), digests_.end(), [&](const Digest& d) { return d.type == r.matching; });
    if (!known || r.selector > 1 || (r.usage != 2 && r.usage != 3))
        return false;
    SslPtr ssl(SSL_new(scratch_.get()));
    auto* data = reinterpret_cast<const unsigned char*>(r.data.data());
    bool taken = ssl && SSL_dane_enable(ssl.get(), nullptr) > 0 &&
                 SSL_dane_tlsa_add(ssl.get(), r.usage, r.selector, r.matching, data, r.data.size()) > 0;
    ERR_clear_error();
    return taken;
}

TlsaSet Dane::find_at(const std::string& base, std::uint16_t port, const std::string& label) const {
    TlsaSet set;
    set.base = base;
    std::string owner = fmt::format("_{}._tcp.{}", port, base);
    dns::Answer answer = dns::query(owner, dns::Type::tlsa, {.deadline = loop::in(lookup_time), .dnssec = true});
    switch (answer.status) {
    case dns::Status::found: break;
    case dns::Status::no_data:
    case dns::Status::no_name:
    case dns::Status::filtered:
    case dns::Status::null_mx: return set;
    case dns::Status::temporary:
    case dns::Status::invalid:
        maillog::warning("DANE TLSA lookup problem: Host or domain name not found. {}", answer.reason);
        set.state = TlsaSet::State::unknown;
        set.reason = fmt::format("TLSA lookup error for {}:{}", base, port);
        return set;
    }
    if (!answer.authenticated)
        return set;
    for (const dns::Record& r : answer.records) {
        Tlsa record = record_of(r.value);
        if (set.texts.size() < records_limit)
            set.texts.push_back(text_of(record, record.data.size()));
        if (record.usage != 2 && record.usage != 3)
            maillog::warning("{} unsupported TLSA certificate usage: {}", owner,
                             shown(record));  // RFC 7672, section 3.1.3
        else if (!takes(record))
            maillog::warning("{}: unusable TLSA RR: {}", label, shown(record));
        else if (set.records.size() < records_limit)
            set.records.push_back(std::move(record));
    }
    std::sort(set.texts.begin(), set.texts.end());
    set.state = set.records.empty() ? TlsaSet::State::unusable : TlsaSet::State::usable;
    return set;
}

TlsaSet Dane::find(const HostLookup& host, std::uint16_t port, bool even_insecure, const std::string& label) const {
    bool alias = !host.canonical.empty() && !bytes::iequals(host.canonical, host.name);
    if (alias && host.authenticated) {  // RFC 7672, section 2.2.2: the end of the chain first, then its beginning
        TlsaSet set = find_at(host.canonical, port, label);
        if (set.state != TlsaSet::State::none)
            return set;
    }
    if (alias && !host.authenticated && !even_insecure) {
        // The chain leaves the signed zones somewhere. Where its first step is signed, the name asked for may still
        // have records.
        dns::Answer step = dns::query(host.name, dns::Type::cname, {.deadline = loop::in(lookup_time), .dnssec = true});
        if (step.temporary())
            return {TlsaSet::State::unknown,
                    host.name,
                    {},
                    {},
                    fmt::format("TLSA lookup error for {}:{}", host.name, port)};
        if (!step.authenticated)
            return {};
    } else if (!host.authenticated && !even_insecure) {
        return {};
    }
    return find_at(host.name, port, label);
}
}
