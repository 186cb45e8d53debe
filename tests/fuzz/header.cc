// Header fields, Content-Type and its parameters, encoded phrases (lib/mail/header.h).
#include "fuzz.h"
#include "base/bytes.h"
#include "mail/header.h"

void fuzz::one(std::string_view bytes) {
    std::size_t name = mail::header_name_length(bytes);
    fuzz::require(name < bytes.size() || name == 0, "a name ends before its colon");
    auto field = mail::split_header(bytes);
    fuzz::require(field.has_value() == (name > 0), "a header has a name");
    if (field) {
        fuzz::same(field->name, bytes.substr(0, name), "the name is that of the field");
        fuzz::require(field->info == &mail::find_header(field->name), "the name is known by itself");
    }
    std::string_view value = field ? field->value : bytes;
    auto type = mail::parse_content_type(value);
    std::size_t size = type.type == "text" ? 0 : type.type.size() + type.subtype.size();
    for (const auto& boundary : type.boundaries)
        size += boundary.size() + std::string_view(";boundary=").size();
    fuzz::require(size <= value.size(), "what is taken from a field is no longer than the field");
    (void)mail::first_token(value);
    std::string phrase = mail::encoded_phrase(value, "utf-8");
    if (!bytes::is_ascii(value))
        fuzz::require(bytes::is_ascii(phrase), "an encoded phrase is ASCII", phrase);
}
