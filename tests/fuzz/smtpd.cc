// The dialogue of the SMTP server: commands, DATA, BDAT, with a made-up cleanup, trivial-rewrite and name service
// behind it. The first bytes choose settings and packets; the rest is what the client sends.
//
// What holds: each session ends; a message is complete in cleanup exactly where the client was told so; each reply is
// one; packets do not matter.
// uses: smtpd_core
// with: ../unit/smtpd/fakes.cc
#include <algorithm>
#include <memory>
#include "fuzz.h"
#include "../unit/smtpd/fakes.h"
#include "base/bytes.h"
#include "session.h"

namespace {
constexpr const char* modes[] = {"no", "normalize", "reject", "note"};

fakes::World& world() {
    static fakes::World w;
    return w;
}

smtpd::Service& service(unsigned which) {
    static std::unique_ptr<smtpd::Service> made[16];
    auto& s = made[which % 16];
    if (s)
        return *s;
    conf::Overrides settings = fakes::World::settings();
    auto set = [&](const char* name, const char* value) { settings.push_back({name, value}); };
    set("smtpd_forbid_bare_newline", modes[which & 3]);
    set("smtpd_forbid_unauth_pipelining", "no");  // depends on packets
    set("smtpd_hard_error_limit", "30");
    set("message_size_limit", "50000");
    set("smtpd_helo_required", which & 4 ? "yes" : "no");
    if (which & 4)
        set("smtpd_authorized_xclient_hosts", "192.0.2.1"), set("smtpd_authorized_xforward_hosts", "192.0.2.1");
    if (which & 8)
        set("smtpd_recipient_restrictions",
            "reject_unauth_destination, check_sender_access inline:{reject@x.test=REJECT}, reject_non_fqdn_sender"),
            set("strict_rfc821_envelopes", "yes"), set("line_length_limit", "512");
    auto opened = smtpd::Service::open(conf::Settings::defaults(settings), world().resolver("unknown"));
    fuzz::require(opened.has_value(), "the service opens", opened ? "" : opened.error().reason);
    s = std::move(*opened);
    return *s;
}

struct Outcome {
    std::string said;
    std::vector<fakes::Message> messages;
};

Outcome converse(unsigned which, const std::vector<std::string_view>& pieces) {
    world().messages.clear();
    world().log.clear();
    Outcome o{fakes::converse(world(), service(which), pieces), {}};
    std::size_t told = 0, complete = 0;
    for (std::string_view rest = o.said; !rest.empty();) {
        std::size_t end = rest.find("\r\n");
        fuzz::require(end != rest.npos, "a reply is whole lines", o.said);
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        fuzz::require(line.size() >= 4 && line[0] >= '2' && line[0] <= '5' && bytes::is_digit(line[1]) &&
                          bytes::is_digit(line[2]) && (line[3] == ' ' || line[3] == '-'),
                      "a reply has a code", o.said);
        fuzz::require(line.find('\n') == line.npos && line.find('\0') == line.npos, "a reply is one line", o.said);
        if (line.starts_with("250 2.0.0 Ok: ") && line.find("queued as") != line.npos)
            ++told;
    }
    for (auto& m : world().messages)
        if (m.complete) {
            ++complete;
            o.messages.push_back(std::move(m));
        }
    fuzz::require(told == complete, "a message is taken exactly where the client was told so", o.said);
    for (const auto& m : o.messages)
        for (const auto& r : m.records)
            if (r.starts_with("N ") || r.starts_with("L "))
                fuzz::require(r.find('\n') == r.npos, "a line holds no line end", r);
    return o;
}
}

void fuzz::one(std::string_view bytes) {
    fuzz::Choices choose(bytes);
    unsigned which = choose.byte(), packets = choose.below(5);
    std::vector<std::size_t> sizes;
    for (unsigned i = 0; i < packets; ++i)
        sizes.push_back(choose.byte());
    std::string_view all = choose.rest();
    Outcome whole = converse(which, {all});
    if (packets == 0)
        return;
    std::vector<std::string_view> pieces;
    std::string_view rest = all;
    for (std::size_t n : sizes) {
        pieces.push_back(rest.substr(0, n));
        rest.remove_prefix(std::min(n, rest.size()));
    }
    pieces.push_back(rest);
    std::erase(pieces, std::string_view());
    Outcome cut = converse(which, pieces);
    fuzz::same(whole.said, cut.said, "packets do not change what is said");
    fuzz::require(whole.messages.size() == cut.messages.size(), "packets do not change the number of messages");
    for (std::size_t i = 0; i < whole.messages.size(); ++i) {
        auto content = [](const fakes::Message& m) {
            std::string s;
            bool received = true;  // our own header, with the time and an id
            for (const auto& r : m.records) {
                if (r[0] != 'N' && r[0] != 'L')
                    continue;
                received = received && (r.starts_with("N Received: ") || r.starts_with("N \t"));
                if (!received)
                    s += r + "\n";
            }
            return s;
        };
        fuzz::same(content(whole.messages[i]), content(cut.messages[i]), "packets do not change a message");
    }
}
