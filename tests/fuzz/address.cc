// Addresses of headers, commands, tables and queue files: external and internal form, paths, lists, host names, IDNA
// (lib/mail).
#include "fuzz.h"
#include "base/bytes.h"
#include "mail/address.h"
#include "mail/address_tokens.h"

namespace {
void list(std::string_view bytes) {
    auto list = mail::AddressList::parse(bytes);
    if (bytes.size() > 5000)
        return;  // more tokens than are taken may come of writing it
    for (const std::string& a : list.addresses())
        if (a.starts_with('@'))
            return;  // read again, a comma behind it would be that of a route
    std::string once = list.text();
    auto again = mail::AddressList::parse(once);
    if (once.find('(') == once.npos)
        fuzz::same(once, again.text(), "an address list reads back as it was written");  // comments may change places
    fuzz::require(list.addresses() == again.addresses(), "a list that was written has the same addresses", once);
    for (const std::string& external : list.addresses()) {
        std::string internal = mail::to_internal(external);
        fuzz::same(internal, mail::to_internal(mail::to_external(internal)), "an internal address survives quoting");
    }
    (void)list.text("To:");
    auto changed = mail::AddressList::parse(bytes);
    changed.rewrite([](const std::string& a) {
        return a.size() % 2 ? std::optional<std::string>(a + ", x@y.test (c)") : std::nullopt;
    });
    fuzz::require(changed.addresses() == mail::AddressList::parse(changed.text()).addresses(),
                  "a list that was rewritten reads back", changed.text());
    (void)mail::tokens_text(mail::address_tokens(bytes));
}

void path(std::string_view bytes) {
    for (bool strict : {true, false}) {
        (void)mail::parse_path(bytes, strict);
        auto address = mail::path_address(bytes, strict);
        if (!address)
            continue;
        auto again = mail::path_address("<" + mail::to_external(*address) + ">", true);
        if (!strict)
            continue;  // what is taken by courtesy may have no strict form
        if (address->rfind('@') > address->find("@[") + 1)
            continue;  // within brackets: such a domain is refused where it is looked at
        const auto domain = mail::split_address(*address).domain;
        if (domain && domain->starts_with('[') && !domain->ends_with(']'))
            continue;  // as is one whose bracket stays open
        fuzz::require(again.has_value(), "a strict path reads back", *address);
        fuzz::same(*address, *again, "a strict path reads back the same");
    }
    (void)mail::balanced(bytes);
}

void parts(std::string_view bytes) {
    auto split = mail::split_address(bytes);
    fuzz::require(split.local.size() + (split.domain ? split.domain->size() + 1 : 0) == bytes.size(),
                  "local part and domain are the whole address");
    for (std::string_view delimiters : {"", "+", "-", "+-"}) {
        mail::ExtensionRules rules{.delimiters = delimiters};
        auto stripped = mail::strip_extension(bytes, rules);
        fuzz::require(stripped.address.size() + stripped.extension.size() == bytes.size(),
                      "nothing gets lost with an extension");
        fuzz::same(mail::add_extension(stripped.address, stripped.extension), bytes,
                   "an extension goes back to where it was");
        for (bool local : {true, false})
            for (const auto& key : mail::lookup_keys(bytes, rules, local))
                fuzz::require(key.key.size() <= bytes.size() + 1, "a key is no longer than the address");
    }
}

void names(std::string_view bytes) {
    for (bool utf8 : {true, false}) {
        (void)mail::valid_hostname(bytes, utf8);
        (void)mail::valid_mail_domain(bytes, utf8);
    }
    (void)mail::valid_ipv4(bytes);
    (void)mail::valid_ipv6(bytes);
    (void)mail::address_literal(bytes);
    for (bool old : {true, false}) {
        auto ascii = mail::to_ascii_domain(bytes, old);
        if (!ascii || bytes::is_ascii(bytes))
            continue;
        fuzz::require(bytes::is_ascii(*ascii), "an A-label is ASCII", *ascii);
        auto unicode = mail::to_utf8_domain(*ascii, old);
        if (unicode)
            fuzz::require(mail::to_ascii_domain(*unicode, old) == ascii, "a domain survives U-labels", *ascii);
    }
    std::string folded = mail::fold_case(bytes);
    fuzz::same(folded, mail::fold_case(folded), "folding twice is folding once");
    (void)bytes::printable(bytes);
    (void)bytes::valid_utf8(bytes);
    (void)bytes::to_int(bytes);
    if (auto raw = bytes::base64_decode(bytes))
        fuzz::require(bytes::base64_decode(bytes::base64_encode(*raw)) == raw, "base64 reads back");
    (void)bytes::split_outside_braces(bytes, ", \t");
}
}

void fuzz::one(std::string_view bytes) {
    list(bytes);
    path(bytes);
    parts(bytes);
    names(bytes);
}
