#include "http/https.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <memory>
#include <vector>
#include "base/bytes.h"
#include "base/fd.h"
#include "dns/host.h"
#include "log/log.h"
#include "loop/loop.h"

namespace http {
namespace {
constexpr std::size_t bundle_limit = 8u << 20;
struct FreeCurl {
    void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
struct FreeList {
    void operator()(curl_slist* l) const { curl_slist_free_all(l); }
};
struct FreeUrl {
    void operator()(CURLU* u) const { curl_url_cleanup(u); }
};

Failure failed(std::string reason) { return temporary(std::move(reason), {4, 4, 1}); }

struct Target {
    std::string host, port;
};

Result<Target> target_of(const std::string& url) {
    std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
    if (!parsed)
        return failed("no memory");
    if (url.size() > 4096 || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
        return failed("not a URL");
    auto part = [&](CURLUPart which, unsigned flags = 0) {
        char* text = nullptr;
        std::string value;
        if (curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK && text)
            value = text;
        curl_free(text);
        return value;
    };
    if (part(CURLUPART_SCHEME) != "https")
        return failed("not an https URL");
    if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty())
        return failed("a URL with a user's name");
    Target t{bytes::lowered(part(CURLUPART_HOST)), part(CURLUPART_PORT, CURLU_DEFAULT_PORT)};
    if (!dns::valid_hostname(t.host) || t.host.ends_with('.'))
        return failed("a URL without a host name");
    return t;
}

// Resolved here, not by the library: the addresses that were looked at are those that are asked.
Result<std::vector<std::string>> addresses(const Web& web, const std::string& host, loop::Deadline deadline) {
    dns::Addresses found = dns::dns_addresses(host, web.families, {.deadline = deadline});
    if (!found)
        return failed(found.reason);
    std::vector<std::string> list;
    for (const dns::Record& r : found.records) {
        if (!public_address(r.value)) {
            auto permitted = web.permitted.match("", r.value);
            if (!permitted || !*permitted)
                continue;
        }
        list.push_back(r.value);
    }
    if (list.empty())
        return failed(host + " has no public address");
    return list;
}

// One transfer, on the pool: it touches only what is its own.
struct Transfer {
    const Web& web;
    const Request& request;
    const Target& target;
    const std::vector<std::string>& allowed;
    Reply reply{};

    static std::size_t gather(char* bytes, std::size_t size, std::size_t n, void* self) {
        auto& t = *static_cast<Transfer*>(self);
        const std::size_t room = t.request.limit - t.reply.text.size();
        t.reply.cut = size * n > room;
        t.reply.text.append(bytes, std::min(size * n, room));
        return t.reply.cut ? 0 : size * n;  // 0 ends the transfer
    }
    static int still_wanted(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return static_cast<Transfer*>(self)->web.ending ? 1 : 0;
    }
    // Whatever the library makes of the URL: it connects to addresses of the list, or to none.
    static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* to) {
        char text[INET6_ADDRSTRLEN] = "";
        const void* at = to->family == AF_INET
                             ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&to->addr)->sin_addr)
                             : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&to->addr)->sin6_addr);
        const auto& allowed = static_cast<Transfer*>(self)->allowed;
        if ((to->family != AF_INET && to->family != AF_INET6) || !inet_ntop(to->family, at, text, sizeof text))
            return CURL_SOCKET_BAD;
        if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
            return CURL_SOCKET_BAD;
        return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    }

    Result<Reply> run(long milliseconds) {
        std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
        std::string list = fmt::format("{}:{}:", target.host, target.port);
        for (const std::string& a : allowed)
            list += (list.ends_with(':') ? "" : ",") + (a.find(':') == a.npos ? a : "[" + a + "]");
        std::unique_ptr<curl_slist, FreeList> resolve(curl_slist_append(nullptr, list.c_str()));
        std::unique_ptr<curl_slist, FreeList> headers(curl_slist_append(nullptr, "Expect:"));
        if (!curl || !resolve || !headers)
            return failed("no memory");
        CURL* c = curl.get();
        if (!request.content_type.empty()) {
            if (!curl_slist_append(headers.get(), ("Content-Type: " + request.content_type).c_str()))
                return failed("no memory");
            curl_easy_setopt(c, CURLOPT_POSTFIELDS, request.content.data());
            curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.content.size()));
            curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
        }
        char problem[CURL_ERROR_SIZE] = "";
        curl_blob authorities{const_cast<char*>(web.authorities.data()), web.authorities.size(), CURL_BLOB_NOCOPY};
        curl_easy_setopt(c, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
        curl_easy_setopt(c, CURLOPT_RESOLVE, resolve.get());
        curl_easy_setopt(c, CURLOPT_PROXY, "");
        curl_easy_setopt(c, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, milliseconds);
        if (request.content_type.empty())
            curl_easy_setopt(c, CURLOPT_MAXFILESIZE, static_cast<long>(request.limit));
        curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
        curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &authorities);
        curl_easy_setopt(c, CURLOPT_CAPATH, nullptr);
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, problem);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, gather);
        curl_easy_setopt(c, CURLOPT_WRITEDATA, this);
        curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, still_wanted);
        curl_easy_setopt(c, CURLOPT_XFERINFODATA, this);
        curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, this);
        CURLcode code = curl_easy_perform(c);
        if (code == CURLE_FILESIZE_EXCEEDED)
            reply.cut = true;
        else if (code != CURLE_OK && !reply.cut)
            return temporary(bytes::printable(*problem ? problem : curl_easy_strerror(code)),
                             code == CURLE_PEER_FAILED_VERIFICATION ? not_verified : EnhancedStatus{4, 4, 1});
        const char* type = nullptr;
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &reply.status);
        curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
        reply.type = type ? type : "";
        return std::move(reply);
    }
};
}

void open_web(Web& web, const std::string& authorities_file, std::string_view networks_name,
              const std::string& networks, std::string_view consequence) {
    web.permitted = table::MatchList::open(networks_name, networks, table::MatchList::Kind::hosts);
    auto text = read_file(authorities_file, bundle_limit);
    if (text)
        web.authorities = std::move(*text);
    else
        maillog::warning("CA certificates {}: {}: {}", authorities_file, text.error().reason, consequence);
}

Result<Reply> ask(const Web& web, const Request& request) {
    loop::Deadline deadline = loop::in(web.timeout);
    if (request.timeout.count() > 0)
        deadline = std::min(deadline, loop::in(request.timeout));
    TRY_ASSIGN(Target target, target_of(request.url));
    TRY_ASSIGN(std::vector<std::string> allowed, addresses(web, target.host, deadline));
    Result<Reply> reply;
    loop::offload([&] {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - loop::Clock::now()).count();
        reply =
            left > 0 ? Transfer{web, request, target, allowed}.run(static_cast<long>(left)) : failed("no time left");
    });
    return reply;
}

bool public_address(const std::string& address) {
    for (std::string_view net :
         {"0.0.0.0/8",    "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",  "172.16.0.0/12",
          "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
          "224.0.0.0/3",  "::/8",         "64:ff9b::/96",   "100::/64",      "2001:db8::/32",   "2002::/16",
          "fc00::/7",     "fe80::/9",     "ff00::/8"}) {
        auto inside = table::in_network(address, net);
        if (inside && *inside)
            return false;
    }
    return true;
}
}
