#include "rates.h"
#include <fmt/format.h>

namespace anvil {
Rates::Client& Rates::find(const std::string& ident, Clock::time_point now) {
    auto [at, made] = clients_.try_emplace(ident);
    Client& c = at->second;
    if (made)
        c.since = now;
    if (made)
        peak(size_, static_cast<int>(clients_.size()), "");
    if (now - c.since >= unit_) {
        c.counts = ipc::AnvilReply{.count = c.counts.count};
        c.since = now;
    }
    return c;
}

void Rates::peak(Peak& p, int value, const std::string& ident) {
    if (value > p.value)
        p = {value, ident, std::time(nullptr)};
}

ipc::AnvilReply Rates::connect(const std::string& ident, Clock::time_point now) {
    Client& c = find(ident, now);
    peak(connection_rate_, ++c.counts.rate, ident);
    peak(connection_count_, ++c.counts.count, ident);
    return c.counts;
}

void Rates::disconnect(const std::string& ident) {
    auto at = clients_.find(ident);
    if (at != clients_.end() && at->second.counts.count > 0)
        --at->second.counts.count;
}

ipc::AnvilReply Rates::count(const std::string& ident, std::string_view what, Clock::time_point now) {
    if (what == "lookup" || what == "newtls_status") {
        auto at = clients_.find(ident);
        if (at == clients_.end())
            return {};
        return find(ident, now).counts;
    }
    Client& c = find(ident, now);
    if (what == "message")
        peak(message_rate_, ++c.counts.mail, ident);
    else if (what == "recipient")
        peak(recipient_rate_, ++c.counts.recipients, ident);
    else if (what == "newtls")
        peak(newtls_rate_, ++c.counts.newtls, ident);
    else if (what == "auth")
        peak(auth_rate_, ++c.counts.auth, ident);
    return c.counts;
}

void Rates::forget_old(Clock::time_point now) {
    std::erase_if(clients_, [&](const auto& c) { return c.second.counts.count == 0 && now - c.second.since >= unit_; });
}

std::vector<std::string> Rates::take_statistics() {
    std::vector<std::string> lines;
    auto when = [](std::time_t t) {
        char text[32];
        tm parts{};
        localtime_r(&t, &parts);
        std::strftime(text, sizeof text, "%b %d %H:%M:%S", &parts);
        return std::string(text);
    };
    auto rate = [&](const char* what, Peak& p) {
        if (p.value > 0)
            lines.push_back(fmt::format("statistics: max {} rate {}/{}s for ({}) at {}", what, p.value, unit_.count(),
                                        p.ident, when(p.when)));
        p = {};
    };
    rate("connection", connection_rate_);
    if (connection_count_.value > 0)
        lines.push_back(fmt::format("statistics: max connection count {} for ({}) at {}", connection_count_.value,
                                    connection_count_.ident, when(connection_count_.when)));
    connection_count_ = {};
    rate("message", message_rate_);
    rate("recipient", recipient_rate_);
    rate("newtls", newtls_rate_);
    rate("auth", auth_rate_);
    if (size_.value > 0)
        lines.push_back(fmt::format("statistics: max cache size {} at {}", size_.value, when(size_.when)));
    size_ = {};
    return lines;
}
}
