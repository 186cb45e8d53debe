// The vectors of RFC 6376 (section 3.4.5) and of RFC 8463 (appendix A), keys and signatures as printed there.
#include "mailauth/dkim_sign.h"
#include <gtest/gtest.h>
#include "base/bytes.h"

using namespace mailauth;

namespace {
const char* const rsa_key =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\nY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/"
    "8uBsCR+yz1Lxj+PL6lHvqM\nKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
    "AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRq"
    "E7Tm5SxKjvvQoZZe\nzHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
    "6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\nuSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/"
    "dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\nWvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
    "WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\nlicIeVlo1e+"
    "qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\no7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//"
    "5qDZ2UiDGnOe\n"
    "uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n-----END RSA PRIVATE KEY-----\n";

// nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=, as PKCS #8.
std::string ed25519_key() {
    std::string der = std::string("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16) +
                      *bytes::base64_decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
    return "-----BEGIN PRIVATE KEY-----\n" + bytes::base64_encode(der) + "\n-----END PRIVATE KEY-----\n";
}

const std::vector<std::string> fields = {"From: Joe SixPack <joe@football.example.com>",
                                         "To: Suzie Q <suzie@shopping.example.net>", "Subject: Is dinner ready?",
                                         "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
                                         "Message-ID: <20030712040037.46341.5F8J@football.example.com>"};
const char* const body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

// What the signature field with an empty b= makes of the message's header:
// h=from:to:subject:date:message-id:from:subject:date.
std::string signed_data(const std::string& signature) {
    std::string data;
    for (const std::string& f : fields)
        data += relaxed_header(f) + "\r\n";
    return data + relaxed_header(signature);
}

std::string body_hash(std::string_view text) {
    RelaxedBodyHash h;
    h.add(text);
    return h.finish();
}
}

TEST(Dkim, RelaxedHeaderOfRfc6376) {
    EXPECT_EQ(relaxed_header("A: X"), "a:X");
    EXPECT_EQ(relaxed_header("B : Y\t\r\n\tZ  "), "b:Y Z");
    EXPECT_EQ(relaxed_header("SubJect:\n  a\n\tb"), "subject:a b");
    EXPECT_EQ(relaxed_header("Empty:"), "empty:");
    EXPECT_EQ(relaxed_header("Empty: \t"), "empty:");
}
TEST(Dkim, RelaxedBodyOfRfc6376) {
    const std::string canonical = " C\r\nD E\r\n";
    EXPECT_EQ(body_hash(" C \r\nD \t E\r\n\r\n\r\n"), body_hash(canonical));
    EXPECT_EQ(body_hash(" C \nD \t E\n\n \t\n"), body_hash(canonical));  // LF alone, and a last line of white space
    EXPECT_EQ(body_hash(" C\r\nD E"), body_hash(canonical));             // the line end that is missing is added
    EXPECT_NE(body_hash("C\r\nD E\r\n"), body_hash(canonical));
    EXPECT_NE(body_hash(" C\r\n\r\nD E\r\n"), body_hash(canonical));
    EXPECT_EQ(body_hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    EXPECT_EQ(body_hash("\r\n\r\n"), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    EXPECT_NE(body_hash("a\rb\n"), body_hash("ab\n"));  // a CR within a line is text
}
TEST(Dkim, BodyMayComeInAnyPieces) {
    std::string text = " C \r\nD \t E\r\n\r\nlast\rline \r\n\r\n";
    for (int i = 0; i < 2000; ++i)
        text += "a line of a long body\n";
    for (std::size_t size : {1u, 2u, 3u, 7u, 4096u}) {
        RelaxedBodyHash h;
        for (std::size_t at = 0; at < text.size(); at += size)
            h.add(std::string_view(text).substr(at, size));
        EXPECT_EQ(h.finish(), body_hash(text)) << size;
    }
}
TEST(Dkim, Ed25519SignatureOfRfc8463) {
    EXPECT_EQ(body_hash(body), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
    auto key = DkimKey::parse(ed25519_key(), "test");
    ASSERT_TRUE(key) << key.error().reason;
    EXPECT_EQ(key->algorithm(), "ed25519-sha256");
    auto signature =
        key->sign(signed_data("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; "
                              "i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                              " subject : date : message-id : from : subject : date;\r\n "
                              "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b="));
    ASSERT_TRUE(signature) << signature.error().reason;
    EXPECT_EQ(bytes::base64_encode(*signature),
              "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
}
TEST(Dkim, RsaSignatureOfRfc8463) {
    auto key = DkimKey::parse(rsa_key, "test");
    ASSERT_TRUE(key) << key.error().reason;
    EXPECT_EQ(key->algorithm(), "rsa-sha256");
    auto signature = key->sign(signed_data(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=football.example.com; "
        "i=@football.example.com;\r\n q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
        " date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b="));
    ASSERT_TRUE(signature) << signature.error().reason;
    EXPECT_EQ(bytes::base64_encode(*signature),
              "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+"
              "FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
}
TEST(Dkim, FieldsAreCoveredFromTheLastAndOnceMore) {
    auto key = DkimKey::parse(ed25519_key(), "test");
    ASSERT_TRUE(key);
    DkimSigner signer(*key, {.domain = "football.example.com", .selector = "brisbane", .time = 1528637909},
                      {"From", "Comments", "Reply-To"});
    for (const char* f : {"From: a@b.test", "Comments: one", "Subject: x", "comments:  two"})
        signer.header(f);
    signer.body(body);
    auto field = signer.finish();
    ASSERT_TRUE(field);
    EXPECT_EQ(
        field->find("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com;\n\ts=brisbane; "
                    "t=1528637909;\n\tbh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
                    "\th=From:\n\t From:\n\t Comments:\n\t Comments:\n\t Comments:\n\t Reply-To;\n\tb="),
        0u)
        << *field;
    std::string unsigned_field = field->substr(0, field->find("\n\tb=") + 4);
    auto expected = key->sign("from:a@b.test\r\ncomments:two\r\ncomments:one\r\n" + relaxed_header(unsigned_field));
    std::string b;
    for (char c : field->substr(unsigned_field.size()))
        if (!bytes::is_space(c))
            b += c;
    EXPECT_EQ(b, bytes::base64_encode(*expected));
    for (std::string_view line : bytes::split(*field, "\n"))
        EXPECT_LE(line.size(), 90u);
}
TEST(Dkim, KeysThatDoNotDoSayWhy) {
    auto reason = [](std::string_view pem) {
        auto k = DkimKey::parse(pem, "k.pem");
        return k ? "" : k.error().reason;
    };
    EXPECT_EQ(reason(""), "k.pem: no private key (PEM)");
    EXPECT_EQ(reason("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"), "k.pem: no private key (PEM)");
    EXPECT_EQ(reason("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n"),
              "k.pem: the key is encrypted");
    EXPECT_NE(reason(std::string_view(rsa_key).substr(0, 400)), "");
    EXPECT_NE(DkimKey::load("/nonexistent/key").error().reason.find("/nonexistent/key"), std::string::npos);
}
