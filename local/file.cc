// Mailboxes, and files that aliases and .forward files name: mbox or, where the name ends in '/', maildir.
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fmt/format.h>
#include "base/fd.h"
#include "conf/params/local.h"
#include "log/log.h"
#include "recipient.h"

namespace local {
namespace {
// Tells the biff service of new mail. Nobody waits for it, nobody cares when it is not there.
void notify_biff(const std::string& user, std::int64_t offset) {
    static const servent* service = getservbyname("biff", "udp");
    if (!service)
        return;
    UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = static_cast<in_port_t>(service->s_port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string text = fmt::format("{}@{}", user, offset);
    // The closing NUL goes along: so readers know it.
    if (fd) [[maybe_unused]]
        auto n = ::sendto(fd.get(), text.c_str(), text.size() + 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
}

delivery::MailboxTarget target_for(const Work& work, const std::string& path, const Rights& rights) {
    delivery::MailboxTarget target;
    target.path = path;
    target.rights = rights;
    target.size_limit = work.context.settings[param::mailbox_size_limit];
    target.locks = work.context.locks;
    return target;
}

// In a spool directory that anybody may write, root does nothing; in others the user may not make files.
bool only_root_makes_files(const std::string& spool) {
    delivery::TakeRights root(delivery::root_rights);
    struct stat st {};
    return ::stat(spool.c_str(), &st) == 0 && (st.st_mode & S_IWOTH) == 0;
}

Result<std::int64_t> write_mbox(Work& work, const State& state, const delivery::MailboxTarget& target) {
    delivery::CopyOptions options = copy_options(work, state, work.context.prepend_delivered.file);
    options.from_line = options.quote_from = options.blank_line = true;
    return delivery::append_to_mbox(target, [&](const delivery::Sink& sink) -> Result<void> {
        TRY(delivery::copy_message(work.job, options, sink));
        return {};
    });
}

Disposition write_maildir(Work& work, const State& state, const delivery::MailboxTarget& target) {
    if (work.job.probe())
        return sent(work, state, "delivers to maildir");
    auto done = delivery::add_to_maildir(target, [&](const delivery::Sink& sink) -> Result<void> {
        TRY(delivery::copy_message(work.job, copy_options(work, state, work.context.prepend_delivered.file), sink));
        return {};
    });
    if (done)
        return sent(work, state, "delivered to maildir");
    return failed(work, state, done.error().status, "maildir delivery failed: " + done.error().reason);
}
}

Disposition deliver_user_mailbox(Work& work, const State& state, const User& user, const std::string& path,
                                 bool spool) {
    delivery::MailboxTarget target = target_for(work, path, user.rights);
    if (path.ends_with('/'))
        return write_maildir(work, state, target);
    if (work.job.probe())
        return sent(work, state, "delivers to mailbox");
    target.strict_ownership = work.context.settings[param::strict_mailbox_ownership];
    if (spool)
        target.spool_as_root = only_root_makes_files(work.context.settings[param::mail_spool_directory]);
    auto done = write_mbox(work, state, target);
    if (!done)
        return failed(work, state, done.error().status,
                      fmt::format("cannot update mailbox {} for user {}. {}", path, user.name, done.error().reason));
    if (work.context.settings[param::biff])
        notify_biff(user.name, *done);
    return sent(work, state, "delivered to mailbox");
}

Disposition deliver_file(Work& work, const State& state, const std::string& name) {
    std::string path = name;
    if (name.starts_with('~')) {
        // Another user's home (~joe/x) is not for this one to write to.
        if (!name.starts_with("~/") || !state.home.starts_with('/')) {
            maillog::warning("{}: file {} of {}: there is no home directory that it could be in", work.job.id(), name,
                             state.subject.address);
            return failed(work, state, {5, 3, 5}, "mail system configuration error");
        }
        path = state.home + name.substr(1);
    }
    Rights rights = state.rights && state.rights->uid != 0 ? *state.rights : work.context.default_rights;
    if (!work.first_time(fmt::format("file {} {}", rights.uid, path)))
        return Disposition::done;
    if (work.job.probe())
        return sent(work, state, "delivers to file: " + path);
    delivery::MailboxTarget target = target_for(work, path, rights);
    if (path.ends_with('/'))
        return write_maildir(work, state, target);
    target.strict_ownership = false;
    target.only_regular = false;
    target.lock_file_optional = true;
    auto done = write_mbox(work, state, target);
    if (!done)
        return failed(work, state, done.error().status,
                      fmt::format("cannot append message to file {}: {}", path, done.error().reason));
    return sent(work, state, "delivered to file: " + path);
}
}
