// The PROXY protocol of load balancers, versions 1 and 2, and addresses as text.
// uses: smtpd_core
#include "fuzz.h"
#include "proxy_protocol.h"
#include "net/address.h"

void fuzz::one(std::string_view bytes) {
    for (auto parsed : {smtpd::parse_proxy_line(bytes), smtpd::parse_proxy_block(bytes)}) {
        if (!parsed || parsed->local)
            continue;
        fuzz::require(parsed->client.family() == parsed->server.family() && !parsed->client.host().empty(),
                      "both ends are of one family");
    }
    net::Stream stream(fuzz::file_of(bytes));
    auto header = smtpd::read_proxy_header(stream, loop::never);
    if (header)
        fuzz::require(stream.bytes_read() <= bytes.size(), "no more is read than there is");
    if (auto address = net::Address::parse(bytes, 25)) {
        auto again = net::Address::parse(address->host(), 25);
        fuzz::require(again && *again == *address, "an address reads back", address->host());
        again = net::Address::parse(address->smtp_literal(), 25);
        fuzz::require(again && *again == *address, "an address literal reads back", address->smtp_literal());
    }
}
