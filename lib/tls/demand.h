// How one outgoing connection is to be secured: what tls::connect() is told. policy.h makes it from configuration; DANE
// adds its records.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tls {
// In the order of the documentation. half_dane is no name of configuration: TLSA records of a host whose MX record was
// not signed.
enum class Level : std::uint8_t { none, may, encrypt, half_dane, dane, dane_only, fingerprint, verify, secure };
std::string_view name_of(Level level);                    // "dane-only"; half_dane is "dane"
std::optional<Level> parse_level(std::string_view text);  // any case
inline bool mandatory(Level level) {
    return level >= Level::encrypt && level != Level::dane;
}  // dane: only where there are TLSA records
// Must the server prove who it is?
inline bool verified(Level level) { return level >= Level::half_dane; }

// A TLSA record (RFC 6698), and what else is compared as one: fingerprints are 3 0 255 and 3 1 255, trust anchors 2 0 0
// and 2 1 0.
struct Tlsa {
    static constexpr std::uint8_t fingerprint_type = 255;  // matching type for the demand's own digest
    std::uint8_t usage = 0, selector = 0, matching = 0;
    std::string data;  // octets
    friend bool operator==(const Tlsa&, const Tlsa&) = default;
};

// What a sender's REQUIRETLS (RFC 8689) comes to at a destination.
enum class RequireTls : std::uint8_t {
    no,             // not demanded, or the policy is "disable"
    opportunistic,  // passed on to servers that know it
    with_starttls,  // and never in the clear
    enforce,        // only to servers that prove who they are and know it
};

// What a session with one host must show: the handshake's part, which connect() is told, and what the client adds.
struct Demand {
    Level level = Level::may;              // dane here means: there are records, and they must match
    bool mandatory = false;                // the mandatory_ protocols and ciphers hold
    std::string protocols{}, ciphers{};    // where not empty: instead of those of main.cf
    std::optional<std::string> exclude{};  // instead of those of main.cf
    std::vector<std::string>
        names{};  // one must be in the certificate: "mx.example.org", or ".example.org" for names below it
    std::vector<Tlsa> records{};      // one must match (dane, half_dane, fingerprint), or be above the chain (anchors)
    std::string digest{};             // of fingerprint records: "sha256"
    std::string server_name{};        // SNI; empty: none
    bool public_authorities = false;  // the chain ends at a CA of mta_sts_CAfile, not of main.cf's CAs
    bool raw_public_keys = false;
    int minimum_bits = 0;
    std::string session_key{};  // of this server, for resumption; empty: none. connect() adds what the demand is

    Level policy_level = Level::none;         // the policy's, as logs say it; level is what this host makes of it
    bool unmeetable = false;                  // the MTA-STS policy is known to be no good, and demands: nobody meets it
    std::string testing_for{};                // the domain whose MTA-STS policy is only tried out
    RequireTls require_tls = RequireTls::no;  // what the client's host must offer besides
    bool wanted() const { return policy_level != Level::none; }
    bool must() const { return mandatory || require_tls >= RequireTls::with_starttls; }
    // All that decides whether a session under one demand will do for another: part of the keys of kept connections.
    std::string description() const;
    std::string identity() const;  // its SHA-256 in hexadecimal: part of the keys of sessions
};
}
