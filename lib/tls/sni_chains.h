// tls_server_sni_maps: other keys and certificates by the name that the client asks for.
//
// A value is what `postmap -F` stores, base64 of the PEM text; in tables without a separate source format it is a list
// of chain files, which are read at once where the table can be listed (texthash:, inline:), else when they are needed.
//
// When things fail: a warning that names table or file, and the session goes on with the default chains.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>
#include "conf/settings.h"
#include "table/maps.h"
#include "tls/keys.h"

namespace tls {
class SniChains {
public:
    explicit SniChains(const conf::Settings& settings);
    bool empty() const { return maps_.empty(); }
    // "Example.ORG." as a key, lower case without the dot; empty where it is no host name.
    static std::string key_of(std::string_view name);
    // Chains of this name or of ".parent"; null: none. May wait. Valid until the next call.
    const std::vector<Chain>* find(const std::string& name);

private:
    const std::vector<Chain>* chains_of(const std::string& value, const std::string& name);
    table::Maps maps_;
    std::map<std::string, std::vector<Chain>> loaded_;  // by value
};
}
