// postqueue: lists the queue, and asks for deliveries. Set-gid, so that users may reach public/; what they may do is
// authorized_mailq_users' and authorized_flush_users' say. When the mail system is down, the super-user's listing reads
// the queue itself.
//
// When things fail: "postqueue: fatal: …" and status 69 (unavailable), for every reason, as scripts expect.
#include <pwd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/services.h"
#include "format.h"
#include "ipc/client.h"
#include "ipc/flush.h"
#include "log/log.h"
#include "mail/queue_id.h"
#include "net/socket.h"
#include "queue/listing.h"
#include "server/command.h"
#include "server/maillog.h"
#include "table/address_lookup.h"
#include "table/match_list.h"

namespace {
constexpr int unavailable = 69;

[[noreturn]] void fail(const std::string& why) {
    maillog::write(maillog::Level::fatal, why);
    std::exit(unavailable);
}
[[noreturn]] void usage() {
    fail("usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site");
}

enum class Mode : std::uint8_t { none, flush_all, flush_file, flush_site, list, json };
struct Request {
    Mode mode = Mode::none;
    std::string argument, directory;
};

Request read_options(int argc, char** argv) {
    Request r;
    auto choose = [&](Mode mode, const char* argument = "") {
        if (r.mode != Mode::none)
            usage();
        r.mode = mode;
        r.argument = argument;
    };
    for (int c; (c = ::getopt(argc, argv, "c:fi:jps:v")) != -1;) {
        switch (c) {
        case 'c': r.directory = optarg; break;
        case 'f': choose(Mode::flush_all); break;
        case 'i': choose(Mode::flush_file, optarg); break;
        case 'j': choose(Mode::json); break;
        case 'p': choose(Mode::list); break;
        case 's': choose(Mode::flush_site, optarg); break;
        case 'v': server::be_verbose(); break;
        default: usage();
        }
    }
    if (r.mode == Mode::none || optind < argc)
        usage();
    return r;
}

// Always the super-user and the mail owner; others by login name, "unknown" where they have none.
bool allowed(const conf::Settings& settings, const conf::Text& list) {
    const uid_t uid = ::getuid();
    passwd* me = ::getpwuid(uid);
    const std::string name = me ? me->pw_name : "unknown";
    if (uid == 0 || name == settings[param::mail_owner])
        return true;
    const std::string& value = settings[list];
    if (value == list.fallback)
        return true;  // static:anyone: nobody need be looked up
    auto answer = table::MatchList::open(list.name, value, table::MatchList::Kind::strings).match(name);
    return answer && *answer;
}

void require(const conf::Settings& settings, const conf::Text& list, const char* what) {
    if (allowed(settings, list))
        return;
    passwd* me = ::getpwuid(::getuid());
    fail("User " + std::string(me ? me->pw_name : "unknown") + '(' + std::to_string(::getuid()) +
         ") is not allowed to " + what);
}

void write_out(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
        fail("write error: " + errno_text(errno));
}

// Prints each message as it comes: a queue of a million is never in memory.
class Printer {
public:
    Printer(Mode mode, bool long_ids) : json_(mode == Mode::json), mailq_(long_ids) {}
    void message(const ipc::QueueListMessage& m) { write_out(json_ ? postqueue::json(m) : mailq_.message(m)); }
    void end() {
        if (!json_)
            write_out(mailq_.end());
        if (std::fflush(stdout) != 0)
            fail("write error: " + errno_text(errno));
    }

private:
    bool json_;
    postqueue::MailqFormat mailq_;
};

void list_directly(const conf::Settings& settings, Printer& printer) {
    queue::Directories directories(settings);
    queue::list_queues(
        directories, [&](const queue::ListedMessage& m, std::string&) { printer.message(m); },
        [](std::string_view) { return true; });
    printer.end();
}

Result<void> list_from(net::Stream& showq, Printer& printer, std::chrono::seconds limit) {
    TRY(ipc::queue_list::read_greeting(showq, loop::in(limit)));
    for (;;) {
        TRY_ASSIGN(auto message, ipc::queue_list::read_message(showq, loop::in(limit)));
        if (!message)
            break;
        printer.message(*message);
    }
    printer.end();
    return {};
}

void list(const conf::Settings& settings, Mode mode) {
    require(settings, param::authorized_mailq_users, "view the mail queue");
    Printer printer(mode, settings[param::enable_long_queue_ids]);
    auto connection = ipc::queue_list::connect("public/" + settings[param::showq_service_name]);
    if (connection) {
        net::Stream showq(std::move(*connection));
        if (auto listed = list_from(showq, printer, settings[param::ipc_timeout]); !listed)
            fail("mail queue listing: " + listed.error().reason);
        return;
    }
    const int error = connection.error().sys_errno;
    const std::string why =
        "Connect to the Postfix " + settings[param::showq_service_name] + " service: " + errno_text(error);
    if (::geteuid() != 0)
        fail(error == EACCES || error == EPERM ? why : "Queue report unavailable - mail system is down (" + why + ")");
    maillog::warning("Mail system is down -- accessing queue directly ({})", why);
    list_directly(settings, printer);
}

void flush_all(const conf::Settings& settings) {
    require(settings, param::authorized_flush_users, "flush the mail queue");
    if (!net::trigger("public/" + settings[param::queue_service_name], "FADI",
                      loop::in(settings[param::trigger_timeout])))
        fail("Cannot flush mail queue - mail system is down");
    (void)net::trigger("public/" + settings[param::pickup_service_name], "W",
                       loop::in(settings[param::trigger_timeout]));
}

int ask_flush(const conf::Settings& settings, const ipc::FlushRequest& request) {
    ipc::Client flush("public/" + settings[param::flush_service_name], settings);
    auto reply = flush.ask<ipc::FlushReply>(request);
    if (!reply) {
        maillog::warning("connect to public/{}: {}", settings[param::flush_service_name],
                         reply.error().sys_errno ? errno_text(reply.error().sys_errno) : reply.error().reason);
        fail("Cannot flush mail queue - mail system is down");
    }
    return reply->status;
}

void flush_file(const conf::Settings& settings, const std::string& id) {
    require(settings, param::authorized_flush_users, "flush the mail queue");
    if (!mail::QueueId::parse(id))
        fail("Cannot flush queue ID - invalid name: \"" + bytes::printable(id) + '"');
    const int status = ask_flush(settings, {.request = "send_file", .site = "", .queue_id = id});
    if (status == ipc::FlushReply::bad)
        fail("Invalid request: \"" + id + '"');
    if (status != ipc::FlushReply::ok)
        fail("Cannot flush mail queue - flush service says: try again later");
}

void flush_site(const conf::Settings& settings, const std::string& site) {
    require(settings, param::authorized_flush_users, "flush the mail queue");
    const bool valid =
        !site.empty() && site.size() < 256 && bytes::valid_utf8(site) && site.find_first_of(" \t\r\n/@") == site.npos;
    if (!valid)
        fail("Cannot flush mail queue - invalid destination: \"" + bytes::printable(site.substr(0, 100)) + '"');
    auto listed = table::MatchList::open(param::fast_flush_domains.name, settings[param::fast_flush_domains],
                                         table::MatchList::Kind::domains,
                                         table::parents_of(settings, param::fast_flush_domains.name))
                      .match(site);
    if (listed && !*listed)
        fail("Flush service is not configured for destination \"" + site + '"');
    const int status = ask_flush(settings, {.request = "send_site", .site = site, .queue_id = ""});
    if (status == ipc::FlushReply::unknown)
        fail("Flush service is not configured for destination \"" + site + '"');
    if (status == ipc::FlushReply::bad)
        fail("Invalid request: \"" + site + '"');
    if (status != ipc::FlushReply::ok)
        fail("Cannot flush mail queue - flush service says: try again later");
}
}

int main(int argc, char** argv) {
    server::start_set_gid();
    static char name[] = "postqueue";
    if (argc > 0)
        argv[0] = name;  // what getopt calls us
    maillog::to_stderr(name);
    Request request = read_options(argc, argv);
    auto settings = server::command_settings(request.directory, name);
    if (!settings)
        fail(settings.error().reason);
    if (::chdir((*settings)[param::queue_directory].c_str()) != 0)
        fail("chdir " + (*settings)[param::queue_directory] + ": " + errno_text(errno));
    server::open_maillog(*settings, "postqueue", server::Speaker::command);
    switch (request.mode) {
    case Mode::flush_all: flush_all(*settings); break;
    case Mode::flush_file: flush_file(*settings, request.argument); break;
    case Mode::flush_site: flush_site(*settings, request.argument); break;
    default: list(*settings, request.mode);
    }
    return 0;
}
