#include "http/https.h"
#include <gtest/gtest.h>

using namespace http;

TEST(Https, OnlyPublicAddresses) {
    for (const char* good : {"1.1.1.1", "9.9.9.9", "2606:4700::1111", "172.32.0.1", "192.0.1.1"})
        EXPECT_TRUE(public_address(good)) << good;
    for (const char* bad :
         {"127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
          "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "fec0::1", "ff02::1"})
        EXPECT_FALSE(public_address(bad)) << bad;
}
TEST(Https, WhatIsNoUrlOfAHostIsNotAsked) {
    Web web;
    for (const char* bad :
         {"", "http://a.test/", "https://", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/",
          "https://127.1/", "https://u@a.test/", "https://u:p@a.test/", "https://a.test./", "file:///etc/passwd",
          "https://a b.test/", "https://a.test:99999/", "https://a.test\r\nX: y/"}) {
        auto reply = ask(web, {.url = bad});
        ASSERT_FALSE(reply) << bad;
        EXPECT_NE(reply.error().reason.find("URL"), std::string::npos) << bad << ": " << reply.error().reason;
    }
}
