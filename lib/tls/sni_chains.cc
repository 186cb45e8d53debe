#include "tls/sni_chains.h"
#include "base/bytes.h"
#include "conf/params/tls.h"
#include "log/log.h"

namespace tls {
namespace {
constexpr std::size_t loaded_limit = 1000;
}

SniChains::SniChains(const conf::Settings& settings)
    : maps_(table::Maps::open("tls_server_sni_maps", settings[param::tls_server_sni_maps])) {
    for (const auto& table : maps_.tables()) {
        std::string_view name = table->name();
        if (!name.starts_with("texthash:") && !name.starts_with("inline:"))
            continue;
        for (auto entry = table->first(); entry && *entry; entry = table->next())
            (void)chains_of((*entry)->value, (*entry)->key);
    }
}

std::string SniChains::key_of(std::string_view name) {
    if (name.ends_with('.'))
        name.remove_suffix(1);
    if (name.empty() || name.size() > 255 || name.front() == '.' || name.find("..") != name.npos)
        return {};
    for (char c : name)
        if (!bytes::is_alnum(c) && c != '-' && c != '.' && c != '_')
            return {};
    return bytes::lowered(name);
}

const std::vector<Chain>* SniChains::chains_of(const std::string& value, const std::string& name) {
    if (auto known = loaded_.find(value); known != loaded_.end())
        return &known->second;
    auto text = bytes::base64_decode(value);
    KeyFiles files;
    files.chain_files = value;
    auto chains = text && text->find("-----BEGIN") != text->npos
                      ? parse_keys(*text, "tls_server_sni_maps entry " + name)
                      : load_keys(files);
    if (!chains) {
        maillog::warning("tls_server_sni_maps: {}: {}", name, chains.error().reason);
        return nullptr;
    }
    if (loaded_.size() >= loaded_limit)
        loaded_.clear();
    return &loaded_.emplace(value, std::move(*chains)).first->second;
}

const std::vector<Chain>* SniChains::find(const std::string& name) {
    for (std::string key = name;;) {
        auto value = maps_.find(key);
        if (!value) {
            maillog::warning("tls_server_sni_maps: {}", value.error().reason);
            return nullptr;
        }
        if (*value)
            return chains_of(**value, key);
        std::size_t dot = key.find('.', 1);  // the next parent: ".example.org"
        if (dot == key.npos)
            return nullptr;
        key.erase(0, dot);
    }
}
}
