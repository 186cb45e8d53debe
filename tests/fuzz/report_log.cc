// What defer/, bounce/ and trace/ files say, and bounce templates.
// uses: bounce_core
#include "fuzz.h"
#include "base/bytes.h"
#include "conf/settings.h"
#include "log_file.h"
#include "queue/failure_log.h"
#include "templates.h"

namespace {
std::string one_line(std::string_view text) {
    std::string s(text);
    for (char& c : s)
        if (c == '\n' || c == '\r' || c == '\t')
            c = ' ';
    s = bytes::printable(s);
    s.erase(s.find_last_not_of(' ') + 1);
    return s;
}
}

void fuzz::one(std::string_view bytes) {
    auto entries = queue::parse_failure_log(bytes);
    fuzz::require(entries.size() <= bytes.size(), "there are no more entries than bytes");
    fuzz::require(queue::parse_failure_log(bytes, 3).size() <= 3, "the limit holds");
    fuzz::Choices choose(bytes);
    ipc::ReportAppend r;
    for (std::string* field : {&r.address, &r.original, &r.orcpt, &r.status, &r.action, &r.reason, &r.diagnostic_type,
                               &r.diagnostic_text, &r.mta_type, &r.mta_name})
        *field = choose.text();
    r.offset = choose.byte();
    r.notify = static_cast<int>(choose.below(16));
    for (bool people : {true, false}) {
        std::string text = bounce::log_entry(r, people);
        auto back = queue::parse_failure_log(text + text);
        if (r.address.empty())
            continue;
        fuzz::require(back.size() == 2, "one report is one entry, whatever is in it", text);
        fuzz::same(back[0].reason, one_line(r.reason), "a reason reads back");
        fuzz::require(back[0].offset == r.offset, "an offset reads back", text);
    }
    if (auto templates = bounce::Templates::parse(bytes, "bounce.cf")) {
        std::string dumped = templates->dump();
        auto again = bounce::Templates::parse(dumped, "dump");
        fuzz::require(again.has_value(), "templates read back", dumped);
        fuzz::same(dumped, again->dump(), "templates read back the same");
    }
}
