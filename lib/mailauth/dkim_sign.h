// Signs messages with DKIM (RFC 6376): relaxed/relaxed, rsa-sha256 or, with an Ed25519 key, ed25519-sha256 (RFC 8463).
// The signature covers the whole body (no l=), and each header field of the list as often as it is there and once more,
// so that none can be added.
//
//     TRY_ASSIGN(mailauth::DkimKey key, mailauth::DkimKey::load("/etc/postfix/dkim.pem"));
//     mailauth::DkimSigner signer(key, {.domain = "example.org", .selector = "mail", .time = now}, {"From", "To",
//     "Subject", "Date", "Message-ID"}); signer.header("From: a@example.org");     // each field in order
//     signer.body("text\n");                    // in any pieces; lines end in LF or CRLF
//     TRY_ASSIGN(std::string field, signer.finish());
//
// When things fail: a key that cannot be used is a permanent Error that names the file and the cause. Nothing is asked
// on a terminal.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

struct evp_pkey_st;
struct evp_md_ctx_st;

namespace mailauth {
// A private key. Copies share it.
class DkimKey {
public:
    // PEM: RSA of at least 1024 bits, or Ed25519. name is for the Error.
    static Result<DkimKey> parse(std::string_view pem, const std::string& name);
    static Result<DkimKey> load(const std::string& file);
    std::string_view algorithm() const { return ed25519_ ? "ed25519-sha256" : "rsa-sha256"; }
    // Of what the header of a message hashes: bytes, not base64.
    Result<std::string> sign(std::string_view data) const;

private:
    std::shared_ptr<evp_pkey_st> key_;
    bool ed25519_ = false;
};

// A header field in relaxed form, without line end: "name:value" (RFC 6376, section 3.4.2). Lines of a folded field end
// in LF or CRLF.
std::string relaxed_header(std::string_view field);

// The SHA-256 of a body in relaxed form (section 3.4.4), as the text comes in.
class RelaxedBodyHash {
public:
    RelaxedBodyHash();
    void add(std::string_view text);
    std::string finish();  // base64

private:
    void byte(char c);
    void hash(std::string_view text);
    std::shared_ptr<evp_md_ctx_st> digest_;
    std::string out_;            // for the digest, gathered
    std::size_t line_ends_ = 0;  // seen, and not known yet to have text behind them
    bool space_ = false, cr_ = false, any_ = false;
};

struct DkimOptions {
    std::string domain, selector;  // d=, s=
    std::int64_t time = 0;         // t=, seconds since 1970
};

class DkimSigner {
public:
    DkimSigner(DkimKey key, DkimOptions options, std::vector<std::string> names);
    void header(std::string_view field);  // without its line end; folded lines are separated by LF or CRLF
    void body(std::string_view text) { body_.add(text); }
    // "DKIM-Signature: …", lines separated by LF, none at the end. Put it in front of the fields it covers.
    Result<std::string> finish();

private:
    struct Field {
        std::string name, relaxed;
    };
    DkimKey key_;
    DkimOptions options_;
    std::vector<std::string> names_;
    std::vector<Field> fields_;  // those that are in names_
    RelaxedBodyHash body_;
};
}
