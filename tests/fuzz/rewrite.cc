// Addresses that anyone may write, put into standard form and given their way (trivial-rewrite). The first bytes choose
// settings; then come an address, the sender and another local part, each up to a NUL.
// uses: trivial-rewrite_core
#include "fuzz.h"
#include "conf/settings.h"
#include "mail/address.h"
#include "resolver.h"
#include "rewriter.h"

namespace {
struct Both {
    rewrite::Rewriter rewriter;
    rewrite::Resolver resolver;
};

const Both& both(unsigned which) {
    static std::unique_ptr<Both> made[32];
    auto& b = made[which % 32];
    if (b)
        return *b;
    conf::Overrides o{{"myhostname", "mail.here.test"},
                      {"mydomain", "here.test"},
                      {"myorigin", "here.test"},
                      {"mydestination", "here.test, localhost, $myhostname"},
                      {"inet_interfaces", "127.0.0.1"},
                      {"relay_domains", "relay.test"},
                      {"virtual_alias_domains", "alias.test"},
                      {"virtual_mailbox_domains", "mbox.test"},
                      {"recipient_delimiter", "+"},
                      {"append_dot_mydomain", "yes"}};
    auto set = [&](const char* name, const char* value) { o.push_back({name, value}); };
    if (which & 1)
        set("swap_bangpath", "no"), set("allow_percent_hack", "no");
    if (which & 2)
        set("resolve_dequoted_address", "no"), set("resolve_null_domain", "yes"), set("resolve_numeric_domain", "yes"),
            set("allow_min_user", "yes");
    if (which & 4)
        set("transport_maps", "inline:{a.test=smtp:[b.test], .c.test=:d.test, user@e.test=error:no, *=discard:}");
    if (which & 8)
        set("relocated_maps", "inline:{f@here.test=new@g.test, @h.test=gone}"),
            set("sender_dependent_relayhost_maps", "inline:{@i.test=[j.test]}");
    if (which & 16)
        set("relayhost", "[k.test]:25"), set("remote_header_rewrite_domain", "invalid.test");
    auto settings = conf::Settings::defaults(o);
    b = std::make_unique<Both>(
        Both{rewrite::Rewriter(settings), rewrite::Resolver(settings, false, table::LocalDomains::open(settings))});
    return *b;
}
}

void fuzz::one(std::string_view bytes) {
    using Reply = ipc::ResolveReply;
    Choices choose(bytes);
    const Both& b = both(choose.byte());
    const std::string address(choose.text()), sender(choose.text()), other(choose.rest());
    for (std::string_view context : {"local", "remote"}) {
        const std::string written = b.rewriter.rewrite(context, address);
        require(written.size() <= 4 * address.size() + 100, "a rewritten address is bounded", written);
        require(written.empty() || b.rewriter.rewrite(context, written).size() <= 4 * written.size() + 100,
                "and once more", written);
        if (mail::is_plain(address))
            same(written, address, "a plain address stays as it is");
    }
    for (const std::string& a : {address, mail::to_internal(b.rewriter.rewrite("local", address))}) {
        const Reply r = b.resolver.resolve(sender, a);
        require(!(r.flags & Reply::failed), "no table fails", a);
        require(r.recipient.size() <= a.size() + 100 && r.nexthop.size() <= a.size() + 100, "an answer is bounded",
                r.recipient);
        require((r.flags & Reply::error) || (!r.transport.empty() && !r.nexthop.empty()),
                "there is a way for each address that is one", a);
        if (r.flags != Reply::whole_domain)
            continue;
        same(r.recipient, a, "an answer for a domain leaves the address as it is");
        const std::string neighbour = other + a.substr(a.rfind('@'));
        if (!mail::is_plain(neighbour))
            continue;
        const Reply n = b.resolver.resolve(sender, neighbour);
        require(n.flags == r.flags && n.address_class == r.address_class,
                "an answer for a domain holds for its other addresses", neighbour);
        same(n.recipient, neighbour, "an answer for a domain holds: recipient");
        same(n.transport + ":" + n.nexthop, r.transport + ":" + r.nexthop, "an answer for a domain holds: way");
    }
}
