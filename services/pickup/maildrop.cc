#include "maildrop.h"
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <ctime>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include "base/bytes.h"
#include "base/time.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/services.h"
#include "delivery/new_message.h"
#include "ipc/client.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mail/address.h"
#include "server/server.h"
#include "submission.h"

namespace pickup {
namespace {
constexpr std::size_t at_once = 8;                   // files on their way to cleanup at one time: their syncs overlap
constexpr std::size_t names_at_once = 1000;          // read from the directory before the first is sent
constexpr std::int64_t abandoned_after = 24 * 3600;  // an incomplete file this old has no writer any more

struct Config {
    std::string myhostname, mail_name, filter;
    uid_t owner = 0;
    int flags = 0;
    bool external_log_form = true;
    std::unique_ptr<ipc::Client> cleanup;
};
Config config;
bool scanning = false, again = false;

std::string received_header(uid_t uid, const std::string& id) {
    return "Received: by " + config.myhostname + " (" + config.mail_name + ", from userid " + std::to_string(uid) +
           ")\n\tid " + id + "; " + base::rfc5322_date(std::time(nullptr));
}

enum class Fate { remove, keep };

// Hands one message to cleanup. The Error is trouble on the way; the file then stays unless it is damaged.
Result<Fate> deliver(Submission& submission) {
    TRY_ASSIGN(delivery::NewMessage message, delivery::NewMessage::open(*config.cleanup, config.flags));
    const Origin& origin = submission.origin();
    const auto out = [&](queue::RecordType type, std::string_view payload) {
        message.put(type, payload);
        return message.so_far();
    };
    const auto log_sender = [&](std::string_view sender) {
        maillog::info("{}: uid={} from=<{}>{}", message.queue_id(), static_cast<long>(origin.uid),
                      config.external_log_form ? mail::to_external(sender) : std::string(sender),
                      origin.requeued ? " orig_id=" + origin.old_id : "");
    };
    TRY(submission.copy(out, config.filter, received_header(origin.uid, message.queue_id()), log_sender));
    TRY_ASSIGN(ipc::CleanupReply reply, message.finish());
    if (reply.ok)
        return Fate::remove;
    maillog::warning("maildrop/{}: message not accepted: {} {} {}", origin.old_id, reply.smtp_code, reply.status,
                     reply.reason);
    return reply.smtp_code >= 500 ? Fate::remove : Fate::keep;
}

// The file, when it is one to deliver.
std::optional<queue::QueueFile> open_complete(const std::string& path, Origin& origin) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) {
        if (errno != ENOENT && errno != EACCES)
            maillog::warning("open {}: {}", path, errno_text(errno));
        return {};  // EACCES: postdrop is still writing it
    }
    // After a reload the pickup of before finishes what it has in hand, beside this one. Locked first, looked at then:
    // what it has removed meanwhile has no name any more.
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return {};
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0 || st.st_nlink == 0)
        return {};
    if (!S_ISREG(st.st_mode)) {
        maillog::warning("{}: not a regular file: ignored", path);
        return {};
    }
    if (!(st.st_mode & S_IXUSR))
        return {};
    if (st.st_nlink > 1)
        return {};  // between link and unlink of its making
    origin.uid = st.st_uid;
    origin.requeued = st.st_uid == config.owner;
    origin.modified = st.st_mtime;
    auto file = queue::QueueFile::adopt(std::move(fd), path);
    if (!file)
        return {};
    return std::move(*file);
}

void take(const std::string& name) {
    const std::string path = "maildrop/" + name;
    if (!mail::QueueId::parse(name)) {
        // A temporary name (with a dot): of a postdrop that is at work, or died.
        struct stat st {};
        if (::lstat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtime + abandoned_after < std::time(nullptr))
            ::unlink(path.c_str());
        return;
    }
    Origin origin{name};
    auto file = open_complete(path, origin);
    if (!file)
        return;
    Submission submission(*file, origin);
    const auto fate = deliver(submission);
    if (fate && *fate == Fate::keep)
        return;
    if (!fate) {
        if (!queue::is_damage(fate.error())) {
            maillog::warning("{}: {}", path, fate.error().reason);
            return;
        }
        maillog::warning("uid={}: {}: {}: removed", static_cast<long>(origin.uid), path, fate.error().reason);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        maillog::warning("remove {}: {}", path, errno_text(errno));
}

std::deque<std::string> names_in_maildrop(const std::set<std::string>& tried) {
    std::deque<std::string> names;
    DIR* directory = ::opendir("maildrop");
    if (!directory) {
        maillog::warning("open directory maildrop: {}", errno_text(errno));
        return names;
    }
    while (const dirent* entry = ::readdir(directory)) {
        if (entry->d_name[0] == '.' || tried.contains(entry->d_name))
            continue;
        names.emplace_back(entry->d_name);
        if (names.size() >= names_at_once)
            break;
    }
    ::closedir(directory);
    return names;
}

// Everything that is there now. Files that stay are tried once.
void scan_once() {
    std::set<std::string> tried;
    while (tried.size() < 100 * names_at_once && !server::stopping()) {
        auto names = names_in_maildrop(tried);
        if (names.empty())
            return;
        for (const std::string& name : names)
            tried.insert(name);
        loop::Group::with([&](loop::Group& group) {
            for (std::size_t i = 0; i < std::min(at_once, names.size()); ++i)
                group.spawn([&names] {
                    while (!names.empty() && !server::stopping()) {
                        const std::string name = std::move(names.front());
                        names.pop_front();
                        take(name);
                    }
                });
        });
    }
}
}

Result<void> read_settings(const conf::Settings& s) {
    namespace f = ipc::cleanup_flags;
    config.myhostname = s[param::myhostname];
    config.mail_name = s[param::mail_name];
    config.filter = s[param::content_filter];
    config.external_log_form = s[param::info_log_address_format] != "internal";
    const passwd* owner = ::getpwnam(s[param::mail_owner].c_str());
    if (!owner)
        return permanent("mail_owner: unknown user " + s[param::mail_owner]);
    config.owner = owner->pw_uid;
    TRY_ASSIGN(const ipc::ReceiveOverrides overrides, ipc::receive_overrides(s));
    config.flags = overrides.flags | f::bounce;
    for (std::string_view word : bytes::split(s[param::smtputf8_autodetect_classes], ", \t\r\n"))
        if (s[param::smtputf8_enable] && (bytes::iequals(word, "sendmail") || bytes::iequals(word, "all")))
            config.flags |= f::autodetect_smtputf8;
    config.cleanup = std::make_unique<ipc::Client>("public/" + s[param::cleanup_service_name], s);
    return {};
}

void scan(std::string_view) {
    if (scanning) {
        again = true;
        return;
    }
    scanning = true;
    server::Commit whole;  // a stop waits for cleanup's answers to what is in hand: else it would come twice
    struct Done {
        ~Done() { scanning = false; }
    } done;
    do {
        again = false;
        scan_once();
    } while (again);
}
}
