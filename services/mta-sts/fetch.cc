#include "fetch.h"
#include <fmt/format.h>
#include "base/bytes.h"

namespace mta_sts {
Result<StsPolicy> fetch(const http::Web& web, const std::string& domain, std::chrono::milliseconds timeout,
                        ipc::tlsrpt::ResultType& failure) {
    using ipc::tlsrpt::ResultType;
    failure = ResultType::sts_policy_fetch_error;
    auto failed = [](std::string reason) { return temporary(std::move(reason), {4, 7, 5}); };
    auto asked = http::ask(web, {.url = fmt::format("https://mta-sts.{}/.well-known/mta-sts.txt", domain),
                                 .limit = policy_limit,
                                 .timeout = timeout});
    if (!asked && asked.error().status == http::not_verified)
        failure = ResultType::sts_webpki_invalid;
    TRY_ASSIGN(http::Reply reply, std::move(asked));
    if (reply.cut)
        return failed("longer than 64 KiB");
    if (reply.status != 200)
        return failed(fmt::format("HTTP status {}", reply.status));
    std::string_view media = std::string_view(reply.type).substr(0, reply.type.find(';'));
    if (!bytes::iequals(bytes::trim(media), "text/plain"))
        return failed(fmt::format("of type {}, not text/plain", bytes::printable(media.substr(0, 100))));
    failure = ResultType::sts_policy_invalid;
    return parse_policy(reply.text);
}
}
