#include "alias_source.h"
#include <ctime>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/settings.h"
#include "mail/address.h"
#include "mail/address_tokens.h"

namespace postalias {
Result<table::SourceEntry> parse_line(std::string_view line) {
    std::vector<mail::AddressToken> tokens = mail::address_tokens(line);
    auto colon = tokens.begin();
    while (colon != tokens.end() && !colon->is(':'))
        ++colon;
    std::vector<mail::AddressToken> name(tokens.begin(), colon),
        value(colon == tokens.end() ? colon : colon + 1, tokens.end());
    if (colon == tokens.end() || name.empty() || value.empty())
        return permanent("need name:value pair");
    for (const mail::AddressToken& token : name)
        if (token.is('@'))
            return permanent("name must be local");
    std::string key = mail::to_internal(mail::tokens_text(name));
    if (key.empty())
        return permanent("need name:value pair");
    return table::SourceEntry{mail::to_external(key), mail::tokens_text(value)};
}

Result<void> add_marks(table::Table& table, const conf::Settings& settings) {
    TRY(table.put_raw("YP_LAST_MODIFIED", std::to_string(std::time(nullptr))));
    TRY(table.put_raw("YP_MASTER_NAME", settings[param::myhostname]));
    return table.put("@", "@");
}
}
