#include "ipc/trivial_rewrite.h"
#include "conf/params/global.h"
#include "conf/params/rewrite.h"
#include "mail/address.h"

namespace ipc {
static constexpr std::chrono::seconds life{5};    // a table that changed is believed soon enough
static constexpr std::size_t known_most = 10000;  // some 2 MB; beyond, all are forgotten at once

template <class Reply> const Reply* TrivialRewrite::Known<Reply>::find(const std::string& key) const {
    auto entry = replies_.find(key);
    return entry != replies_.end() && loop::Clock::now() < entry->second.until ? &entry->second.reply : nullptr;
}
template <class Reply> void TrivialRewrite::Known<Reply>::keep(std::string key, const Reply& reply) {
    if (replies_.size() >= known_most)
        replies_.clear();
    replies_.insert_or_assign(std::move(key), Entry{reply, loop::Clock::now() + life});
}

TrivialRewrite::TrivialRewrite(Client client, const conf::Settings& settings)
    : client_(std::move(client)),
      sender_matters_(!settings[param::sender_dependent_relayhost_maps].empty() ||
                      !settings[param::sender_dependent_default_transport_maps].empty()) {}
TrivialRewrite::TrivialRewrite(const conf::Settings& settings)
    : TrivialRewrite(Client("private/" + settings[param::rewrite_service_name], settings), settings) {}
TrivialRewrite::TrivialRewrite(const conf::Settings& settings, std::chrono::seconds timeout)
    : TrivialRewrite(Client("private/" + settings[param::rewrite_service_name], timeout), settings) {}

void TrivialRewrite::forget() {
    rewritten_.clear();
    addresses_.clear();
    domains_.clear();
}

Result<std::string> TrivialRewrite::rewrite(std::string_view context, std::string_view address) {
    std::string key(context);
    key.append(1, '\0').append(address);
    if (const std::string* known = rewritten_.find(key))
        return *known;
    TRY_ASSIGN(RewriteReply reply,
               client_.ask<RewriteReply>(RewriteRequest{std::string(context), std::string(address)}));
    if (reply.failed)
        return temporary("address rewriting problem for " + std::string(address));
    rewritten_.keep(std::move(key), reply.address);
    return std::move(reply.address);
}

Result<ResolveReply> TrivialRewrite::resolve(std::string_view sender, std::string_view address) {
    std::string key(sender_matters_ ? sender : "");
    key += '\0';
    const std::size_t prefix = key.size();
    key += address;
    if (const ResolveReply* known = addresses_.find(key))
        return *known;

    std::string domain_key;
    if (mail::is_plain(address)) {
        domain_key.assign(key, 0, prefix).append(*mail::split_address(address).domain);
        if (const ResolveReply* known = domains_.find(domain_key)) {
            ResolveReply reply = *known;
            reply.recipient = address;
            return reply;
        }
    }
    TRY_ASSIGN(ResolveReply reply,
               client_.ask<ResolveReply>(ResolveRequest{std::string(sender), std::string(address)}));
    if (reply.flags & ResolveReply::failed)
        return reply;
    const bool for_domain = (reply.flags & ResolveReply::whole_domain) && !domain_key.empty();
    reply.flags &= ~ResolveReply::whole_domain;  // a word between the two of us
    if (for_domain)
        domains_.keep(std::move(domain_key), reply);
    else
        addresses_.keep(std::move(key), reply);
    return reply;
}
}
