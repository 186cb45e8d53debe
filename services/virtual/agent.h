// Delivery to mailboxes that tables name: virtual_mailbox_maps says which file, virtual_uid_maps and virtual_gid_maps
// with whose rights. No aliases, no .forward files, no commands.
//
// When things fail: what has no mailbox bounces (5.1.1), as does what a limit or quota refuses (5.2.2); everything else
// defers.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include "conf/settings.h"
#include "delivery/agent.h"
#include "delivery/mailbox.h"
#include "table/maps.h"

namespace virtual_mailbox {
class Context {
public:
    static Result<Context> make(const conf::Settings& settings);
    void deliver(delivery::Job& job) const;
    const delivery::Agent& agent() const { return *agent_; }

    // The mailbox for an address: path and rights. Absent: there is none.
    Result<std::optional<delivery::MailboxTarget>> find(std::string_view address) const;

private:
    Result<std::optional<std::string>> look_up(const table::Maps& maps, std::string_view address) const;
    Result<std::int64_t> id_of(const table::Maps& maps, std::string_view address, std::string_view what,
                               std::int64_t least) const;
    void deliver_one(delivery::Job& job, delivery::JobRecipient& recipient) const;

    std::unique_ptr<delivery::Agent> agent_{};
    table::Maps mailboxes_{}, uids_{}, gids_{};
    delivery::LockRules locks_{};
    std::string base_{}, delimiters_{};
    std::int64_t size_limit_ = 0, minimum_uid_ = 0;
    bool strict_ = true, original_to_ = true;
};

Result<void> before_jail(const conf::Settings& settings);
void serve(net::Stream& stream);
}
