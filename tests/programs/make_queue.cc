// make_queue: fills a queue directory with deferred messages, as qmgr would have left them, for tests and measurements
// of scale.
//
//     make_queue --messages 1000000 --destinations 50000 /var/spool/posthorn
//
// The files are lib/queue's own, in hashed directories; only the fsync is left out. Run it as root while the mail
// system is down: files belong to
// --owner. Recipients go to d0.test, d1.test …, or, --share percent of them, to slow.test; with --each 1 each message
// has a destination of its own. Next attempts are spread over --due seconds from now, arrivals over the last --age
// seconds; --logs percent of the messages have a log of deferrals.
//
// When things fail: a line that says why, and status 1; what was made stays.
#include <fcntl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>
#include "base/bytes.h"
#include "base/fd.h"
#include "base/time.h"
#include "queue/new_file.h"

namespace {
struct Wish {
    std::int64_t messages = 1000, destinations = 100, recipients = 1, size = 1000, share = 0, due_from = 300,
                 due_to = 4000, age = 86400, logs = 10, depth = 1, seed = 1, each = 0;
    bool long_ids = false;
    std::string owner = "postfix", root{};
};

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "make_queue: %s\n", why.c_str());
    std::exit(1);
}

struct Option {
    const char* name;
    std::int64_t Wish::*number;
    std::int64_t least, most;
};
constexpr Option options[] = {{"messages", &Wish::messages, 0, 100000000},
                              {"destinations", &Wish::destinations, 1, 10000000},
                              {"recipients", &Wish::recipients, 1, 100000},
                              {"size", &Wish::size, 0, 1000000000},
                              {"share", &Wish::share, 0, 100},
                              {"due-from", &Wish::due_from, -10000000, 10000000},
                              {"due-to", &Wish::due_to, -10000000, 10000000},
                              {"age", &Wish::age, 0, 10000000},
                              {"logs", &Wish::logs, 0, 100},
                              {"depth", &Wish::depth, 0, 8},
                              {"seed", &Wish::seed, 0, 1000000000},
                              {"each", &Wish::each, 0, 1}};

Wish read_options(int argc, char** argv) {
    Wish wish;
    std::vector<::option> known;
    for (const Option& o : options)
        known.push_back({o.name, required_argument, nullptr, 0});
    known.push_back({"long-ids", no_argument, nullptr, 'l'});
    known.push_back({"owner", required_argument, nullptr, 'o'});
    known.push_back({});
    int index = 0;
    for (int c; (c = ::getopt_long(argc, argv, "", known.data(), &index)) != -1;) {
        if (c == 'l') {
            wish.long_ids = true;
            continue;
        }
        if (c == 'o') {
            wish.owner = optarg;
            continue;
        }
        if (c != 0)
            std::exit(1);
        const Option& o = options[index];
        auto n = bytes::to_int(optarg);
        if (!n || *n < o.least || *n > o.most)
            fail(fmt::format("--{}: a number from {} to {}", o.name, o.least, o.most));
        wish.*o.number = *n;
    }
    if (optind + 1 != argc)
        fail("usage: make_queue [--messages n] [--destinations n] [--recipients n] [--size bytes] [--share percent] "
             "[--due-from s] [--due-to s] "
             "[--age s] [--logs percent] [--depth n] [--seed n] [--each 0|1] [--long-ids] [--owner user] "
             "queue_directory");
    wish.root = argv[optind];
    if (wish.due_to < wish.due_from)
        wish.due_to = wish.due_from;
    return wish;
}

class Maker {
public:
    explicit Maker(const Wish& wish)
        : wish_(wish),
          where_({"deferred", "defer"}, static_cast<int>(wish.depth), wish.root),
          random_(static_cast<std::uint64_t>(wish.seed)) {
        line_.assign(70, 'x');
    }
    Result<void> message(std::int64_t number);

private:
    std::int64_t roll(std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
    }
    Result<void> content(queue::NewQueueFile& file, std::int64_t number, const std::string& sender);
    Result<void> log(const mail::QueueId& id);

    struct To {
        std::string address;
        std::int64_t offset;
    };
    const Wish& wish_;
    queue::Directories where_;
    std::mt19937_64 random_;
    std::string line_{};
    std::vector<To> to_{};
};

Result<void> Maker::content(queue::NewQueueFile& file, std::int64_t number, const std::string& sender) {
    TRY(file.put(queue::RecordType::line, "From: <" + sender + ">"));
    TRY(file.put(queue::RecordType::line, fmt::format("Subject: message {}", number)));
    TRY(file.put(queue::RecordType::line, fmt::format("Message-Id: <{}@make-queue.test>", number)));
    TRY(file.put(queue::RecordType::line, ""));
    for (std::int64_t written = 0; written < wish_.size; written += static_cast<std::int64_t>(line_.size()))
        TRY(file.put(queue::RecordType::line, line_));
    return {};
}

// As bounce writes it for a recipient that was deferred.
Result<void> Maker::log(const mail::QueueId& id) {
    const std::string path = where_.path(queue::defer_log, id);
    TRY(where_.make_parents(path));
    std::string text;
    for (const To& to : to_) {
        const std::string reason = fmt::format("connect to {}[192.0.2.1]:25: Connection timed out",
                                               std::string_view(to.address).substr(to.address.find('@') + 1));
        text += fmt::format("<{0}>: {1}\nrecipient={0}\noffset={2}\nstatus=4.4.1\naction=delayed\nreason={1}\n\n",
                            to.address, reason, to.offset);
    }
    UniqueFd fd(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    if (!fd)
        return system_error("create " + path, errno);
    return write_all(fd.get(), text);
}

Result<void> Maker::message(std::int64_t number) {
    const std::int64_t now = base::wall_now().seconds, arrival = now - roll(0, wish_.age),
                       due = now + roll(wish_.due_from, wish_.due_to);
    const std::string sender = number % 20 == 0 ? "" : fmt::format("sender{}@from{}.test", number % 9973, number % 331);
    TRY_ASSIGN(auto file, queue::NewQueueFile::create(where_, queue::deferred, wish_.long_ids));
    queue::SizeRecord size;
    TRY(file.put(queue::RecordType::time, fmt::format("{} {}", arrival, roll(0, 999999))));
    TRY(file.put_attribute(queue::attribute::create_time, std::to_string(arrival)));
    TRY(file.put_attribute(queue::attribute::rewrite_context, "local"));
    TRY(file.put(queue::RecordType::sender, sender));
    TRY(file.put_attribute(queue::attribute::log_client_name, "client.test"));
    TRY(file.put_attribute(queue::attribute::log_client_address, "192.0.2.7"));
    TRY(file.put_attribute(queue::attribute::log_protocol_name, "ESMTP"));
    to_.clear();
    for (std::int64_t i = 0; i < wish_.recipients; ++i) {
        const std::string domain = roll(0, 99) < wish_.share ? "slow.test"
                                   : wish_.each              ? fmt::format("d{}.test", number)
                                                             : fmt::format("d{}.test", roll(0, wish_.destinations - 1));
        const std::string address = fmt::format("user{}@{}", number * wish_.recipients + i, domain);
        TRY(file.put(queue::RecordType::original, address));
        to_.push_back({address, file.offset()});
        TRY(file.put(queue::RecordType::recipient, address));
    }
    TRY(file.put(queue::RecordType::message));
    size.data_offset = file.offset();
    TRY(content(file, number, sender));
    size.message_size = size.content_length = file.offset() - size.data_offset;
    size.recipients = wish_.recipients;
    TRY(file.put(queue::RecordType::extracted));
    file.set_due(due);
    const mail::QueueId id = file.id();
    const std::string path = file.path();
    (void)file.commit(size);  // stops before the fsync, with an Error
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0 || (st.st_mode & 0100) == 0)
        return system_error("write " + path, errno);
    if (roll(0, 99) < wish_.logs)
        TRY(log(id));
    return {};
}

void become(const std::string& name) {
    passwd* owner = ::getpwnam(name.c_str());
    if (!owner)
        fail("no such user: " + name);
    if (::geteuid() == 0 && (::setegid(owner->pw_gid) != 0 || ::seteuid(owner->pw_uid) != 0))
        fail("cannot take the rights of " + name);
}
}

int main(int argc, char** argv) {
    const Wish wish = read_options(argc, argv);
    become(wish.owner);
    queue::NewQueueFile::after_step = [](std::string_view step) { return step != "mode"; };
    Maker maker(wish);
    for (std::int64_t n = 0; n < wish.messages; ++n) {
        if (auto made = maker.message(n); !made)
            fail(made.error().reason);
        if ((n + 1) % 100000 == 0)
            std::fprintf(stderr, "%lld\n", static_cast<long long>(n + 1));
    }
    return 0;
}
