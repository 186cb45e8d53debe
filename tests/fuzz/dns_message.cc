// Answers of name servers, and resolv.conf, nsswitch.conf and hosts files.
#include "fuzz.h"
#include "base/bytes.h"
#include "dns/message.h"
#include "dns/system.h"

void fuzz::one(std::string_view bytes) {
    auto reply = dns::message::parse(bytes);
    if (reply) {
        fuzz::require(reply->answers.size() <= dns::record_limit, "records are bounded");
        for (const auto& r : reply->answers) {
            fuzz::require(r.value.size() <= bytes.size() * 4 + 1024 && r.owner.size() <= 1100,
                          "a record is no larger than what came", r.owner);
            std::string text = r.text();
            for (unsigned char c : text)
                fuzz::require(c >= ' ' && c != 127, "no control character gets out of a record", text);
        }
    }
    if (auto question = dns::message::question(bytes, dns::Type::mx, true)) {
        fuzz::require(question->size() <= 600, "a question is small");
        fuzz::require(dns::message::parse(*question).has_value(), "a question reads as a message");
    }
    (void)dns::valid_hostname(bytes);
    (void)dns::reverse_name(bytes);
    dns::System system;
    system.read_resolv_conf(bytes);
    system.read_nsswitch(bytes);
    system.read_hosts(bytes);
    fuzz::require(system.servers.size() <= 8 && system.search.size() <= 6, "servers and search domains are bounded");
}
