// Content: the same bytes in one BDAT chunk, and in chunks and packets as the input chooses, are the same message;
// through DATA, with dots and line ends as a careful client sends them, too.
// uses: smtpd_core
// with: ../unit/smtpd/fakes.cc
#include <memory>
#include "fuzz.h"
#include "../unit/smtpd/fakes.h"
#include "session.h"

namespace {
constexpr std::string_view hello = "EHLO client.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<alice@example.test>\r\n";

struct Taken {
    std::string lines;
    bool complete;
};

Taken send(smtpd::Service& service, fakes::World& world, const std::vector<std::string_view>& pieces) {
    world.messages.clear();
    world.log.clear();
    std::string said = fakes::converse(world, service, pieces);
    fuzz::require(said.find("\r\n221 2.0.0 Bye\r\n") != said.npos, "what follows the content is a command again", said);
    Taken r{"", false};
    int complete = 0;
    bool header = true;
    for (const auto& m : world.messages) {
        if (m.complete)
            ++complete;
        r.complete = m.complete;
        for (const auto& record : m.records) {
            if (record[0] != 'N' && record[0] != 'L')
                continue;
            if (header && (record.starts_with("N Received: ") || record.starts_with("N \t")))
                continue;
            header = false;
            r.lines += record.substr(2);
            if (record[0] == 'N')
                r.lines += '\n';
        }
    }
    fuzz::require(complete <= 1, "one message stays one", said);
    return r;
}
}

void fuzz::one(std::string_view bytes) {
    static fakes::World world;
    static std::unique_ptr<smtpd::Service> service = [] {
        conf::Overrides settings = fakes::World::settings();
        settings.push_back({"smtpd_forbid_unauth_pipelining", "no"});
        settings.push_back({"smtpd_hard_error_limit", "1000"});
        settings.push_back({"message_size_limit", "0"});
        settings.push_back({"line_length_limit", "512"});
        return std::move(*smtpd::Service::open(conf::Settings::defaults(settings), world.resolver("unknown")));
    }();
    fuzz::Choices choose(bytes);
    std::vector<std::size_t> chunks, packets;
    for (unsigned n = choose.below(6); n > 0; --n)
        chunks.push_back(choose.byte());
    for (unsigned n = choose.below(4); n > 0; --n)
        packets.push_back(choose.byte());
    std::string_view content = choose.rest();
    if (content.empty())
        return;
    std::string once =
        std::string(hello) + "BDAT " + std::to_string(content.size()) + " LAST\r\n" + std::string(content) + "QUIT\r\n";
    Taken whole = send(*service, world, {once});
    std::string many(hello);
    std::string_view rest = content;
    for (std::size_t n : chunks) {
        if (n == 0 || n >= rest.size())
            continue;
        many += "BDAT " + std::to_string(n) + "\r\n" + std::string(rest.substr(0, n));
        rest.remove_prefix(n);
    }
    many += "BDAT " + std::to_string(rest.size()) + " LAST\r\n" + std::string(rest) + "QUIT\r\n";
    std::vector<std::string_view> pieces;
    std::string_view left = many;
    left.remove_prefix(hello.size());
    pieces.push_back(hello);
    for (std::size_t n : packets)
        if (n > 0 && n < left.size()) {
            pieces.push_back(left.substr(0, n));
            left.remove_prefix(n);
        }
    pieces.push_back(left);
    Taken cut = send(*service, world, pieces);
    const bool refused = content.find("Subject: reject me") != content.npos;  // the one rule of the made-up cleanup
    fuzz::require(whole.complete == cut.complete && (whole.complete || refused), "content without rules is taken",
                  many);
    if (!whole.complete)
        return;
    fuzz::same(whole.lines, cut.lines, "chunks and packets do not change a message");
    // What DATA carries: every line end is CR LF, and a bare CR stays where it is.
    std::string dotted(hello);
    dotted += "DATA\r\n";
    for (rest = content; !rest.empty();) {
        std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        if (line.ends_with('\r') && end < rest.size())
            line.remove_suffix(1);
        if (line.starts_with('.'))
            dotted += '.';
        dotted += std::string(line) + "\r\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    dotted += ".\r\nQUIT\r\n";
    if (content.ends_with('\r'))
        return;  // with the CR LF that DATA adds it is one line end and a CR more
    fuzz::same(whole.lines, send(*service, world, {dotted}).lines, "DATA and BDAT carry the same message");
}
