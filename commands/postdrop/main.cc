// postdrop: the only way for an ordinary user's message into maildrop/. Set-gid to $setgid_group; sendmail runs it and
// speaks records to its standard input.
//
//     out  protocol=postdrop_protocol queue_id=ID
//     in   records … E
//     out  status=0 reason=           (0: the message is on the disk; else a cleanup status as Postfix numbers them)
//
// When things fail: the file is removed, one fatal line goes to stderr and the log, exit status 75 (or 1 for input that
// sendmail would not send). A writer that goes away early is no error: it changed its mind.
#include <pwd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/services.h"
#include "drop_file.h"
#include "log/log.h"
#include "mail/address.h"
#include "net/socket.h"
#include "records.h"
#include "server/command.h"
#include "server/maillog.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postdrop {
namespace {
constexpr int status_bad = 1, status_write = 2, status_size = 4, status_not_permitted = 512;
constexpr std::size_t record_max = 1u << 20;  // one record of a submission

std::string user_name() {
    const passwd* entry = ::getpwuid(::getuid());
    return entry ? entry->pw_name : "unknown";
}

void say(std::string_view message) {
    if (const auto sent = write_all(STDOUT_FILENO, message); !sent)
        maillog::warning("write to standard output: {}", sent.error().reason);
}

void say_status(int status, std::string_view reason) {
    using namespace std::string_literals;
    say("status\0"s + std::to_string(status) + "\0reason\0"s + std::string(reason) + "\0\0"s);
}

[[noreturn]] void give_up(std::string_view why) {
    maillog::write(maillog::Level::fatal, "uid=" + std::to_string(::getuid()) + ": " + std::string(why));
    std::exit(1);
}

// local_login_sender_maps: may this user send as this address? The value lists patterns: *, <>, @domain, user@domain.
Result<bool> owns_sender(const conf::Settings& settings, const std::string& user, const std::string& sender) {
    const table::Maps maps =
        table::Maps::open(param::local_login_sender_maps.name, settings[param::local_login_sender_maps]);
    TRY_ASSIGN(auto value, maps.find(user));
    if (!value) {
        TRY_ASSIGN(value, maps.find("uid:" + std::to_string(::getuid())));
    }
    if (!value)
        return false;
    const std::string address =
        sender.empty() ? settings[param::empty_address_local_login_sender_maps_lookup_key] : bytes::lowered(sender);
    const auto domain = mail::split_address(address).domain;
    for (std::string_view pattern : bytes::split(*value, ", \t\r\n")) {
        if (pattern == "*" || bytes::iequals(pattern, address))
            return true;
        if (domain && pattern.starts_with('@') && bytes::iequals(pattern.substr(1), *domain))
            return true;
    }
    return false;
}

void check_user(const conf::Settings& settings, const std::string& user) {
    const auto list = table::MatchList::open(param::authorized_submit_users.name,
                                             settings[param::authorized_submit_users], table::MatchList::Kind::strings);
    const auto allowed = list.match(user);
    if (!allowed)
        maillog::fatal("{}", allowed.error().reason);
    if (!*allowed)
        maillog::fatal("User {}({}) is not allowed to submit mail", user, static_cast<long>(::getuid()));
}

// Copies records until E. False: the writer went away before.
bool copy(DropFile& file, RecordFilter& filter, std::int64_t limit) {
    std::string input, kept;
    char chunk[65536];
    while (!filter.ended()) {
        const ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            give_up("read from standard input: " + errno_text(errno));
        if (n == 0) {
            if (!input.empty())
                give_up("malformed input");
            return false;
        }
        input.append(chunk, static_cast<std::size_t>(n));
        std::string_view left = input;
        queue::Record record{};
        std::size_t needed = 0;
        queue::Decoded decoded = queue::Decoded::incomplete;
        while (!filter.ended() && (decoded = queue::decode(left, record, needed)) == queue::Decoded::record) {
            const auto fate = filter.check(record.type, record.payload);
            if (!fate)
                give_up(fate.error().reason);
            if (*fate == RecordFilter::Fate::drop)
                continue;
            kept.clear();
            queue::append(kept, record.type, record.payload);
            if (limit > 0 && file.bytes() + static_cast<std::int64_t>(kept.size()) > limit) {
                say_status(status_size, "");
                give_up("message file too big");
            }
            if (const auto put = file.put(kept); !put) {
                say_status(put.error().sys_errno == EFBIG ? status_size : status_write, "");
                give_up(put.error().reason);
            }
        }
        if (!filter.ended() && (decoded == queue::Decoded::damaged || needed > record_max))
            give_up("malformed input");
        input.erase(0, input.size() - left.size());
    }
    return true;
}

int submit(const conf::Settings& settings) {
    const std::string user = user_name();
    check_user(settings, user);
    const std::string& queue_directory = settings[param::queue_directory];
    if (::chdir(queue_directory.c_str()) != 0)
        maillog::fatal("chdir {}: {}", queue_directory, errno_text(errno));
    remove_on_signals();
    auto file = DropFile::create(settings[param::enable_long_queue_ids]);
    if (!file)
        maillog::fatal("{}", file.error().reason);
    std::string first;
    queue::append(first, queue::RecordType::time,
                  std::to_string(file->created().seconds) + " " + std::to_string(file->created().microseconds));
    if (const auto put = file->put(first); !put)
        give_up(put.error().reason);
    using namespace std::string_literals;
    say("protocol\0postdrop_protocol\0queue_id\0"s + file->id().text() + "\0\0"s);

    RecordFilter filter(static_cast<std::size_t>(settings[param::line_length_limit]));
    if (!copy(*file, filter, settings[param::message_size_limit]))
        return 0;
    const auto owned = owns_sender(settings, user, filter.sender());
    if (!owned || !*owned) {
        say_status(owned ? status_not_permitted : status_write,
                   owned ? "5.7.1 Sender address is not owned by user " + user : "");
        give_up(owned ? "sender address <" + filter.sender() + "> is not owned by user " + user : owned.error().reason);
    }
    if (const auto done = file->commit(); !done) {
        say_status(status_write, "");
        give_up(done.error().reason);
    }
    const std::string pickup = "public/" + settings[param::pickup_service_name];
    if (const auto woken = net::trigger(pickup, "W", loop::in(settings[param::trigger_timeout])); !woken)
        maillog::warning("mail system is down? wake {}: {}", pickup, woken.error().reason);
    say_status(0, "");
    return 0;
}
}
}

int main(int argc, char** argv) {
    server::start_set_gid();
    maillog::to_stderr("postdrop");
    std::string directory;
    for (int option; (option = ::getopt(argc, argv, "c:rv")) != -1;) {
        switch (option) {
        case 'c': directory = optarg; break;
        case 'r': break;  // the only way there is
        case 'v': server::be_verbose(); break;
        default: maillog::fatal("usage: postdrop [-c config_dir] [-v]");
        }
    }
    if (optind < argc)
        maillog::fatal("usage: postdrop [-c config_dir] [-v]");
    const auto settings = server::command_settings(directory, "postdrop");
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    server::open_maillog(*settings, "postdrop", server::Speaker::command);
    table::configure(*settings);
    return postdrop::submit(*settings);
}
