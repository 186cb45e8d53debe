#include "fetch.h"
#include <curl/curl.h>
#include <fmt/format.h>
#include <memory>
#include "base/bytes.h"
#include "dns/host.h"
#include "loop/loop.h"

namespace mta_sts {
namespace {
struct FreeCurl { void operator()(CURL* c) const { curl_easy_cleanup(c); } };
struct FreeList { void operator()(curl_slist* l) const { curl_slist_free_all(l); } };

Failure failed(std::string reason) { return temporary(std::move(reason), {4, 7, 5}); }

std::size_t gather(char* bytes, std::size_t size, std::size_t n, void* to) {
    auto& text = *static_cast<std::string*>(to);
    if (text.size() + size * n > policy_limit) return 0;     // ends the transfer
    text.append(bytes, size * n);
    return size * n;
}

int still_wanted(void* web, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return static_cast<const Web*>(web)->ending ? 1 : 0; }

// Where the policy host is. Resolved here, not by the library: the addresses that were looked at are those that are asked.
Result<std::string> addresses(const Web& web, const std::string& host, loop::Deadline deadline) {
    dns::Addresses found = dns::dns_addresses(host, {true, true}, {.deadline = deadline});
    if (!found) return failed(found.reason);
    std::string list;
    for (const dns::Record& r : found.records) {
        if (!public_address(r.value)) {
            auto permitted = web.permitted.match("", r.value);
            if (!permitted || !*permitted) continue;
        }
        list += (list.empty() ? "" : ",") + (r.value.find(':') == std::string::npos ? r.value : "[" + r.value + "]");
    }
    if (list.empty()) return failed(host + " has no public address");
    return list;
}

Result<std::string> get(const Web& web, const std::string& host, const std::string& at, long milliseconds) {
    std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
    std::unique_ptr<curl_slist, FreeList> resolve(curl_slist_append(nullptr, fmt::format("{}:443:{}", host, at).c_str()));
    if (!curl || !resolve) return failed("no memory");
    std::string text, url = fmt::format("https://{}/.well-known/mta-sts.txt", host);
    char problem[CURL_ERROR_SIZE] = "";
    curl_blob authorities{const_cast<char*>(web.authorities.data()), web.authorities.size(), CURL_BLOB_NOCOPY};
    CURL* c = curl.get();
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(c, CURLOPT_RESOLVE, resolve.get());
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, milliseconds);
    curl_easy_setopt(c, CURLOPT_MAXFILESIZE, static_cast<long>(policy_limit));
    curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &authorities);
    curl_easy_setopt(c, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, gather);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &text);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, still_wanted);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, &web);
    CURLcode code = curl_easy_perform(c);
    if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED) return failed("longer than 64 KiB");
    if (code != CURLE_OK) return failed(bytes::printable(*problem ? problem : curl_easy_strerror(code)));
    long status = 0;
    const char* type = nullptr;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
    if (status != 200) return failed(fmt::format("HTTP status {}", status));
    std::string_view media = type ? type : "";
    if (!bytes::iequals(bytes::trim(media.substr(0, media.find(';'))), "text/plain")) return failed(fmt::format("of type {}, not text/plain", bytes::printable(media.substr(0, 100))));
    return text;
}
}

bool public_address(const std::string& address) {
    for (std::string_view net : {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15",
                                 "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/8", "64:ff9b::/96", "100::/64", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/9", "ff00::/8"}) {
        auto inside = table::in_network(address, net);
        if (inside && *inside) return false;
    }
    return true;
}

Result<Policy> fetch(const Web& web, const std::string& domain) {
    const std::string host = "mta-sts." + domain;
    loop::Deadline deadline = loop::in(web.timeout);
    TRY_ASSIGN(std::string at, addresses(web, host, deadline));
    Result<std::string> text;
    loop::offload([&] {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - loop::Clock::now()).count();
        text = left > 0 ? get(web, host, at, static_cast<long>(left)) : failed("no time left");
    });
    if (!text) return tl::unexpected(std::move(text.error()));
    return parse_policy(*text);
}
}
