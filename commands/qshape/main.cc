// qshape: how much mail is queued for which domains, and how old it is.
//
// When things fail: "qshape: fatal: …" and status 1; a message that goes or is damaged is not counted.
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include "base/bytes.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "queue/listing.h"
#include "server/command.h"
#include "table.h"

namespace {
constexpr const char* usage_text = "usage: qshape [-s] [-p] [-m min_subdomains] [-b bucket_count] [-t bucket_time] "
                                   "[-l] [-w terminal_width] [-N batch_msg_count] [-n batch_top_domains] "
                                   "[-c config_directory] [queue_name ...]";

struct Request {
    qshape::Shape shape{};
    bool senders = false;
    std::size_t batch = 1000, top = 20;
    std::string directory{};
    std::vector<std::string> queues{};
};

std::size_t number(const char* text, std::int64_t least, std::int64_t most) {
    auto n = bytes::to_int(text);
    if (!n || *n < least || *n > most)
        maillog::fatal("{}", usage_text);
    return static_cast<std::size_t>(*n);
}

Request read_options(int argc, char** argv) {
    Request r;
    for (int c; (c = ::getopt(argc, argv, "b:c:lm:n:N:pst:w:")) != -1;) {
        switch (c) {
        case 'b': r.shape.buckets = number(optarg, 1, 100); break;
        case 'c': r.directory = optarg; break;
        case 'l': r.shape.linear = true; break;
        case 'm': r.shape.subdomains = number(optarg, 1, 1000000); break;
        case 'n': r.top = number(optarg, 0, 1000000); break;
        case 'N': r.batch = number(optarg, 1, 1000000000); break;
        case 'p': r.shape.parents = true; break;
        case 's': r.senders = true; break;
        case 't': r.shape.first_minutes = static_cast<std::int64_t>(number(optarg, 1, 10000000)); break;
        case 'w': r.shape.width = number(optarg, 1, 10000); break;
        default: maillog::fatal("{}", usage_text);
        }
    }
    for (; optind < argc; ++optind)
        r.queues.emplace_back(argv[optind]);
    if (r.queues.empty())
        r.queues = {"incoming", "active"};
    return r;
}
}

int main(int argc, char** argv) {
    static char name[] = "qshape";
    argv[0] = name;  // what getopt calls us
    maillog::to_stderr(name);
    const Request request = read_options(argc, argv);
    auto settings = server::command_settings(request.directory, "qshape");
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    if (::chdir((*settings)[param::queue_directory].c_str()) != 0)
        maillog::fatal("chdir {}: {}", (*settings)[param::queue_directory], errno_text(errno));
    const queue::Directories directories({}, 0);
    const bool terminal = ::isatty(STDOUT_FILENO);
    qshape::Table table(request.shape);
    const std::int64_t now = std::time(nullptr);
    std::size_t messages = 0;
    for (const auto& queue : request.queues) {
        queue::Scan scan(directories, queue);
        while (auto entry = scan.next()) {
            auto message = queue::list_message(directories, queue, entry->id, entry->path, false);
            if (!message)
                continue;
            if (request.senders)
                table.add(qshape::domain_of(message->sender), now - message->time);
            else
                for (const auto& r : message->recipients)
                    table.add(qshape::domain_of(r.address), now - message->time);
            if (terminal && ++messages % request.batch == 0)
                std::printf("%s\n", table.text(request.top).c_str());
        }
    }
    std::fputs(table.text(terminal ? request.top : 0).c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
