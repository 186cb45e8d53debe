// What comes with MAIL and RCPT and goes into DSNs: xtext, ORCPT, NOTIFY, RET, enhanced statuses, VERP; queue ids from
// outside.
#include "fuzz.h"
#include "mail/dsn.h"
#include "mail/queue_id.h"
#include "mail/reply.h"
#include "mail/verp.h"

namespace {
void xtext(std::string_view bytes) {
    for (bool utf8 : {false, true}) {
        std::string wire = mail::xtext_encode(bytes, utf8);
        auto back = mail::xtext_decode(wire, utf8);
        fuzz::require(back.has_value(), "what was encoded can be decoded", wire);
        fuzz::same(*back, bytes, "xtext keeps every byte");
        if (auto raw = mail::xtext_decode(bytes, utf8))
            fuzz::require(mail::xtext_decode(mail::xtext_encode(*raw, utf8), utf8) == raw,
                          "decoded text survives encoding");
        if (auto o = mail::parse_orcpt(bytes, utf8)) {
            fuzz::require(!o->type.empty(), "an original recipient has a type");
            for (unsigned char c : o->address)
                fuzz::require(c >= ' ' && c != 127, "no control character gets into a report", o->address);
            auto again = mail::parse_orcpt(mail::orcpt_wire(*o, utf8), utf8);
            fuzz::require(again && again->type == o->type && again->address == o->address,
                          "ORCPT reads back as it was written", o->text());
            auto stored = mail::split_original_recipient(o->text());
            fuzz::require(stored && stored->type == o->type && stored->address == o->address,
                          "ORCPT survives the queue file", o->text());
        }
    }
    (void)mail::split_original_recipient(bytes);
}
}

void fuzz::one(std::string_view bytes) {
    xtext(bytes);
    if (auto n = mail::parse_notify(bytes))
        fuzz::require(mail::parse_notify(mail::notify_text(*n)) == n, "NOTIFY reads back");
    if (auto r = mail::parse_ret(bytes))
        fuzz::require(mail::parse_ret(mail::ret_text(*r)) == r, "RET reads back");
    EnhancedStatus status, again;
    if (std::size_t n = EnhancedStatus::parse(bytes, status)) {
        std::string text = status.text();
        fuzz::require(n <= bytes.size() && EnhancedStatus::parse(text, again) == text.size() && again == status,
                      "an enhanced status reads back", text);
    }
    (void)mail::split_status(bytes);
    if (auto id = mail::QueueId::parse(bytes)) {
        fuzz::same(id->text(), bytes, "a queue id is what was written");
        fuzz::require(bytes.find('/') == bytes.npos && bytes.size() <= mail::QueueId::length_max,
                      "a queue id is safe as a file name");
        for (int depth : {0, 1, 2, 5})
            (void)id->hash_directories(depth);
        (void)id->time();
        (void)id->inode();
    }
    fuzz::Choices choose(bytes);
    std::string_view sender = choose.text(), recipient = choose.text(), delimiters = choose.text();
    std::string verp = mail::verp_sender(sender, recipient, delimiters);
    fuzz::require(verp.size() <= sender.size() + recipient.size() + 2, "a VERP sender is no longer than its parts");
}
