#include "dns/message.h"
#include <arpa/inet.h>
#include <ares.h>
#include <fmt/format.h>
#include <memory>
#include "base/bytes.h"

namespace dns {
std::string_view name_of(Type type) {
    switch (type) {
    case Type::a: return "A";
    case Type::ns: return "NS";
    case Type::cname: return "CNAME";
    case Type::soa: return "SOA";
    case Type::ptr: return "PTR";
    case Type::mx: return "MX";
    case Type::txt: return "TXT";
    case Type::aaaa: return "AAAA";
    case Type::srv: return "SRV";
    case Type::tlsa: return "TLSA";
    }
    return "?";
}

std::string Record::text() const {
    std::string head = fmt::format("{}. {} IN {} ", owner, ttl, name_of(type));
    switch (type) {
    case Type::a:
    case Type::aaaa: return head + value;
    case Type::mx: return fmt::format("{}{} {}.", head, preference, value);
    case Type::srv: return fmt::format("{}{} {} {} {}.", head, preference, weight, port, value);
    case Type::txt: return head + bytes::printable(value);
    case Type::tlsa: return head + bytes::hex_encode(value);
    default: return fmt::format("{}{}.", head, value);
    }
}

bool valid_hostname(std::string_view name) { return bytes::valid_hostname(name); }

std::string reverse_name(std::string_view address) {
    std::string text(address);
    unsigned char b[16];
    if (inet_pton(AF_INET, text.c_str(), b) == 1)
        return fmt::format("{}.{}.{}.{}.in-addr.arpa", b[3], b[2], b[1], b[0]);
    if (inet_pton(AF_INET6, text.c_str(), b) != 1)
        return {};
    std::string name;
    for (int i = 15; i >= 0; --i)
        name += fmt::format("{:x}.{:x}.", b[i] & 15, b[i] >> 4);
    return name + "ip6.arpa";
}

namespace message {
namespace {
struct FreeAres {
    void operator()(char* p) const { ares_free_string(p); }
};

class Reader {
public:
    explicit Reader(std::string_view raw) : raw_(raw) {}
    bool good() const { return good_; }
    std::size_t at() const { return at_; }
    unsigned u8() { return need(1) ? byte(at_++) : 0; }
    unsigned u16() {
        unsigned hi = u8();
        return hi << 8 | u8();
    }
    std::uint32_t u32() {
        std::uint32_t hi = u16();
        return hi << 16 | u16();
    }
    std::string_view take(std::size_t n) {
        if (!need(n))
            return {};
        auto s = raw_.substr(at_, n);
        at_ += n;
        return s;
    }
    void seek(std::size_t at) {
        good_ &= at <= raw_.size();
        if (good_)
            at_ = at;
    }
    std::string name() {  // ares_expand_name bounds compression loops
        char* text = nullptr;
        long used = 0;
        auto* base = reinterpret_cast<const unsigned char*>(raw_.data());
        if (!need(1) ||
            ares_expand_name(base + at_, base, static_cast<int>(raw_.size()), &text, &used) != ARES_SUCCESS) {
            good_ = false;
            return {};
        }
        std::unique_ptr<char, FreeAres> owned(text);
        at_ += static_cast<std::size_t>(used);
        return text;
    }

private:
    bool need(std::size_t n) {
        good_ = good_ && raw_.size() - at_ >= n;
        return good_;
    }
    unsigned byte(std::size_t i) const { return static_cast<unsigned char>(raw_[i]); }
    std::string_view raw_;
    std::size_t at_ = 0;
    bool good_ = true;
};

std::string address(int family, std::string_view octets) {
    char text[INET6_ADDRSTRLEN];
    return inet_ntop(family, octets.data(), text, sizeof text) ? text : "";
}

// Reads the data of one record; false where it is not what its type demands.
bool read_data(Reader& in, Record& r, std::size_t length) {
    std::size_t end = in.at() + length;
    switch (r.type) {
    case Type::a:
        if (length != 4)
            return false;
        r.value = address(AF_INET, in.take(4));
        break;
    case Type::aaaa:
        if (length != 16)
            return false;
        r.value = address(AF_INET6, in.take(16));
        break;
    case Type::mx:
        r.preference = static_cast<std::uint16_t>(in.u16());
        r.value = in.name();
        break;
    case Type::srv:
        r.preference = static_cast<std::uint16_t>(in.u16());
        r.weight = static_cast<std::uint16_t>(in.u16());
        r.port = static_cast<std::uint16_t>(in.u16());
        r.value = in.name();
        break;
    case Type::ns:
    case Type::cname:
    case Type::ptr:
    case Type::soa: r.value = in.name(); break;
    case Type::txt:
        while (in.good() && in.at() < end) {
            unsigned n = in.u8();
            if (in.at() + n > end)
                return false;
            r.value += in.take(n);
        }
        break;
    case Type::tlsa:
        if (length < 4)
            return false;
        r.value = in.take(length);
        break;
    }
    return in.good() && (r.type == Type::soa || in.at() == end);
}

bool known(unsigned type) { return name_of(static_cast<Type>(type)) != "?"; }

// Whether the record names a host by a name that hosts can have. "." is for the caller to judge (null MX, no such
// service).
bool acceptable(const Record& r, std::string& gripe) {
    if (r.type != Type::mx && r.type != Type::srv && r.type != Type::ns && r.type != Type::ptr && r.type != Type::cname)
        return true;
    if (r.value.empty() || valid_hostname(r.value))
        return true;
    unsigned char b[16];
    if (inet_pton(AF_INET, r.value.c_str(), b) == 1) {
        gripe = fmt::format("numeric domain name in resource data of {} record for {}: {}", name_of(r.type), r.owner,
                            r.value);
        return r.type != Type::ptr;
    }
    if (r.type == Type::cname ||
        r.type == Type::ptr) {  // reverse zones of RFC 2317 have names such as 0/25.2.0.192.in-addr.arpa
        bool plain = r.value.size() <= 255;
        for (char c : r.value)
            plain &= c > ' ' && c < 127 && c != '\\';
        if (plain)
            return true;
    }
    gripe = fmt::format("malformed domain name in resource data of {} record for {}: {}", name_of(r.type), r.owner,
                        r.value.substr(0, 100));
    return false;
}
}

Result<std::string> question(std::string_view name, Type type, bool dnssec) {
    std::string text(name);
    unsigned char* buffer = nullptr;
    int length = 0;
    int status =
        ares_create_query(text.c_str(), 1 /* IN */, static_cast<int>(type), 0, 1, &buffer, &length, dnssec ? 1232 : 0);
    if (status == ARES_ENOMEM)
        throw std::bad_alloc();
    if (status != ARES_SUCCESS)
        return permanent(ares_strerror(status));
    std::string raw(reinterpret_cast<char*>(buffer), static_cast<std::size_t>(length));
    ares_free_string(buffer);
    if (dnssec) {
        raw[3] = static_cast<char>(raw[3] | 0x20);      // AD
        raw[raw.size() - 4] = static_cast<char>(0x80);  // DO: the OPT record comes last and has no data
    }
    return raw;
}

Result<Reply> parse(std::string_view raw) {
    Reader in(raw);
    Reply reply;
    in.take(2);
    unsigned flags = in.u16();
    reply.rcode = static_cast<int>(flags & 15);
    reply.authenticated = flags & 0x20;
    unsigned questions = in.u16(), answers = in.u16();
    in.take(4);
    for (unsigned i = 0; i < questions && in.good(); ++i) {
        in.name();
        in.take(4);
    }
    for (unsigned i = 0; i < answers && in.good() && reply.answers.size() < record_limit; ++i) {
        Record r;
        r.owner = in.name();
        unsigned type = in.u16(), klass = in.u16();
        r.ttl = in.u32();
        std::size_t length = in.u16();
        std::size_t end = in.at() + length;
        if (!in.good() || end > raw.size())
            return temporary("cut message", {4, 4, 3});
        if (klass == 1 && known(type)) {
            r.type = static_cast<Type>(type);
            if (r.ttl > 0x7fffffff)
                r.ttl = 0;  // RFC 2181, section 8
            if (!read_data(in, r, length))
                return temporary("malformed record", {4, 4, 3});
            if (acceptable(r, reply.malformed))
                reply.answers.push_back(std::move(r));
        }
        in.seek(end);
    }
    if (!in.good())
        return temporary("cut message", {4, 4, 3});
    return reply;
}
}
}
