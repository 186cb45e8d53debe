// TLS reports: datagrams of sessions, the TXT record and its destinations, entries of the database, the report made of
// them.
// uses: tlsrpt_core
#include <nlohmann/json.hpp>
#include "fuzz.h"
#include "collection.h"
#include "ipc/tlsrpt.h"
#include "record.h"
#include "report.h"

void fuzz::one(std::string_view bytes) {
    if (auto record = tlsrpt::parse_record(bytes)) {
        fuzz::require(!record->empty() && record->size() <= tlsrpt::destinations_limit, "destinations are bounded");
        for (const auto& uri : *record) {
            auto again = tlsrpt::parse_uri(uri.text);
            fuzz::require(again && again->address == uri.address, "a destination reads back", uri.text);
            for (unsigned char c : uri.address)
                fuzz::require(c > ' ' && c < 127, "an address of a report is plain", uri.address);
        }
    }
    (void)tlsrpt::parse_uri(bytes);
    if (auto entry = tlsrpt::Entry::parse(bytes)) {
        auto again = tlsrpt::Entry::parse(entry->text());
        fuzz::require(again.has_value(), "an entry reads back", entry->text());
        fuzz::same(again->text(), entry->text(), "an entry reads back as it was written");
        (void)tlsrpt::report_json(*entry, {});
    }
    auto datagram = ipc::tlsrpt::decode(bytes);
    if (!datagram)
        return;
    std::string written = ipc::tlsrpt::encode(*datagram);
    fuzz::require(written.size() <= ipc::tlsrpt::datagram_limit, "a datagram stays within its limit");
    auto again = ipc::tlsrpt::decode(written);
    fuzz::require(again.has_value(), "a datagram reads back", written);
    fuzz::same(ipc::tlsrpt::encode(*again), written, "a datagram reads back as it was written");
    tlsrpt::Collection collection({.domains = 3, .details = 5});
    for (int i = 0; i < 3; ++i)
        (void)collection.add(*datagram, 1000000 + i);
    collection.turn(1000000 + 86400);
    for (const auto& [key, counted] : collection.entries()) {
        tlsrpt::Entry entry = counted;
        entry.id = "id";  // as the service gives it to what was closed
        auto report = nlohmann::json::parse(
            tlsrpt::report_json(
                entry, {.organization = "o", .contact = "c", .domain = "d.test", .sender = "s", .selector = "x"}),
            nullptr, false);
        fuzz::require(report.is_object(), "a report is JSON", key);
        auto back = tlsrpt::Entry::parse(entry.text());
        fuzz::require(back && back->text() == entry.text(), "an entry that was counted reads back", entry.text());
    }
}
