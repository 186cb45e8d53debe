// postsuper: the super-user's tool for the queue.
//
// When things fail: "postsuper: fatal: …" and status 1 before anything was done; later warnings, and status 0.
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include "actions.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/rights.h"
#include "log/log.h"
#include "server/command.h"
#include "server/maillog.h"
#include "structure.h"

namespace {
using postsuper::Verb;

constexpr const char* usage_text = "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-f "
                                   "queue_id (expire and/or un-hold)] [-h queue_id (hold)] "
                                   "[-H queue_id (un-hold)] [-p (purge temporary files)] [-r queue_id (requeue)] [-s "
                                   "(structure fix)] [-S (redundant structure fix)]"
                                   "[-v (verbose)] [queue...]";

struct Task {
    Verb verb;
    std::string what;
};
struct Request {
    std::string directory;
    std::vector<Task> tasks{};
    std::vector<std::string> queues{};
    postsuper::StructureOptions structure{};
};

Request read_options(int argc, char** argv) {
    Request r;
    bool from_stdin = false;
    auto task = [&](Verb verb) {
        if (std::string_view(optarg) == "-" && std::exchange(from_stdin, true))
            maillog::fatal("use only one \"-\" argument");
        r.tasks.push_back({verb, optarg});
    };
    for (int c; (c = ::getopt(argc, argv, "c:d:e:f:h:H:pr:sSv")) != -1;) {
        switch (c) {
        case 'c': r.directory = optarg; break;
        case 'd': task(Verb::remove); break;
        case 'e': task(Verb::expire); break;
        case 'f': task(Verb::expire_release); break;
        case 'h': task(Verb::hold); break;
        case 'H': task(Verb::release); break;
        case 'p': r.structure.purge = true; break;
        case 'r': task(Verb::requeue); break;
        case 'S': r.structure.fix_long = true; [[fallthrough]];
        case 's': r.structure.fix = true; break;
        case 'v': maillog::set_verbose(maillog::verbose() + 1); break;
        default: maillog::fatal("{}", usage_text);
        }
    }
    static constexpr std::string_view known[] = {"maildrop", "incoming", "active", "deferred", "hold",
                                                 "bounce",   "defer",    "trace",  "flush",    "saved"};
    for (; optind < argc; ++optind) {
        if (std::find(std::begin(known), std::end(known), argv[optind]) == std::end(known))
            maillog::fatal("invalid directory name: {}", argv[optind]);
        r.queues.emplace_back(argv[optind]);
    }
    return r;
}

// The mail owner's rights are enough for the queue, and nothing outside it can be reached by a trick with links.
void become_owner(const conf::Settings& settings) {
    auto owner = conf::mail_owner(settings);
    if (!owner)
        maillog::fatal("{}", owner.error().reason);
    conf::TakeIdentity(*owner).keep();
}

void work(postsuper::Actions& actions, Verb verb, const std::string& what, const std::vector<std::string>& queues) {
    if (auto id = mail::QueueId::parse(what))
        actions.one(verb, *id, queues);
    else
        maillog::warning("invalid mail queue id: {}", what);
}

// An id a line, as it is: "ALL" is no more than an id here.
void work_from_stdin(postsuper::Actions& actions, Verb verb, const std::vector<std::string>& queues) {
    char* line = nullptr;
    std::size_t size = 0;
    for (ssize_t n; (n = ::getline(&line, &size, stdin)) >= 0;) {
        std::string_view text(line, static_cast<std::size_t>(n));
        if (text.ends_with('\n'))
            text.remove_suffix(1);
        work(actions, verb, std::string(text), queues);
    }
    std::free(line);
}

void report(const postsuper::Counts& counts, const std::vector<Task>& tasks) {
    auto asked = [&](std::initializer_list<Verb> verbs) {
        return std::any_of(tasks.begin(), tasks.end(),
                           [&](const Task& t) { return std::find(verbs.begin(), verbs.end(), t.verb) != verbs.end(); });
    };
    auto say = [](const char* what, std::size_t n) { maillog::info("{}: {} message{}", what, n, n == 1 ? "" : "s"); };
    if (asked({Verb::requeue}))
        say("Requeued", counts.requeued);
    if (asked({Verb::remove}))
        say("Deleted", counts.removed);
    if (asked({Verb::expire, Verb::expire_release}))
        say("Force-expired", counts.expired);
    if (asked({Verb::hold}))
        say("Placed on hold", counts.held);
    if (asked({Verb::release, Verb::expire_release}))
        say("Released from hold", counts.released);
}
}

int main(int argc, char** argv) {
    static char name[] = "postsuper";
    argv[0] = name;  // what getopt calls us
    maillog::to_stderr(name);
    Request request = read_options(argc, argv);
    if (::getuid() != 0)
        maillog::fatal("use of this command is reserved for the superuser");
    auto loaded = server::command_settings(request.directory, "postsuper");
    if (!loaded)
        maillog::fatal("{}", loaded.error().reason);
    const conf::Settings& settings = *loaded;
    server::open_maillog(settings, "postsuper", server::Speaker::command);
    if (::chdir(settings[param::queue_directory].c_str()) != 0)
        maillog::fatal("chdir {}: {}", settings[param::queue_directory], errno_text(errno));
    become_owner(settings);
    queue::Directories directories(settings);
    request.structure.long_ids = settings[param::enable_long_queue_ids];
    if (!request.structure.fix && !request.structure.purge && request.tasks.empty())
        request.structure.fix = request.structure.purge = true;
    if (request.structure.fix || request.structure.purge) {
        auto queues = request.queues;
        if (queues.empty())
            queues = {"maildrop", "incoming", "active", "deferred", "hold", "bounce", "defer", "trace", "flush"};
        if (std::size_t renamed = postsuper::repair(directories, request.structure, queues); renamed > 0) {
            maillog::info("Renamed to match inode number: {} message{}", renamed, renamed == 1 ? "" : "s");
            maillog::warning("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS");
        }
    }
    postsuper::Actions actions(directories);
    for (const Task& task : request.tasks) {
        if (task.what == "-")
            work_from_stdin(actions, task.verb, request.queues);
        else if (task.what == "ALL")
            actions.all(task.verb, request.queues);
        else
            work(actions, task.verb, task.what, request.queues);
    }
    report(actions.counts(), request.tasks);
    return 0;
}
