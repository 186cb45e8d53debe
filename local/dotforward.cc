// .forward files and :include: lists: text files with destinations. A .forward is read with its user's rights, never
// through a symbolic link; a list that it names with those of the same user, any other as include_reader.h says. What
// everybody may write to is not followed.
//
// When things fail: a .forward that cannot be trusted or opened is passed over with a warning, and mail goes to the
// mailbox; one below a directory that the user may not search counts as absent; an :include: list that is missing or
// unsafe bounces as a configuration error. Trouble with the file system defers.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/local.h"
#include "include_reader.h"
#include "log/log.h"
#include "recipient.h"

namespace local {
namespace {
constexpr std::size_t file_max = 16u << 20;

bool file_system_trouble(int err) {
    return err == EIO || err == ESTALE || err == ETIMEDOUT || err == ENOMEM || err == EMFILE || err == ENFILE ||
           err == EAGAIN;
}

// What is wrong with the file for somebody who takes orders from it, or "".
std::string objection(const struct stat& st, const std::string& path, std::optional<uid_t> owner) {
    if (!S_ISREG(st.st_mode))
        return "file " + path + " is not a regular file";
    if (owner && st.st_uid != 0 && st.st_uid != *owner)
        return fmt::format("file {} has bad owner uid {}", path, st.st_uid);
    if (st.st_mode & S_IWOTH)
        return "file " + path + " is world writable";
    return "";
}

// The text of a .forward; absent where there is no such file, or it is not to be followed (refused is set then).
Result<std::optional<std::string>> read_forward(const std::string& path, const User& user, bool& refused) {
    delivery::TakeRights rights(user.rights);
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
        int err = errno;
        struct stat st {};
        if (file_system_trouble(err))
            return system_error("cannot open file " + path, err);
        if (::lstat(path.c_str(), &st) != 0)
            return std::optional<std::string>();
        refused = true;
        if (S_ISREG(st.st_mode))
            maillog::warning("cannot open file {}: {}", path, errno_text(err));
        else
            maillog::warning("file {} is not a regular file", path);
        return std::optional<std::string>();
    }
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0)
        return system_error("cannot look at " + path, errno);
    if (std::string why = objection(st, path, user.rights.uid); !why.empty()) {
        maillog::warning("{}", why);
        refused = true;
        return std::optional<std::string>();
    }
    TRY_ASSIGN(std::string text, read_file(fd, path, file_max));
    return std::optional(std::move(text));
}

std::optional<Disposition> follow(Work& work, const State& from, const User& user, const std::string& text,
                                  bool extension_used) {
    State state = from;
    take_user(state, user);
    state.trusted = true;
    state.source = Origin::forward;
    state.alias.clear();
    state.forward_user = user.name;
    if (extension_used || !work.context.propagate.forward)
        state.unmatched.clear();
    auto destinations = parse_destination_lines(text);
    if (destinations.empty())
        return std::nullopt;  // an empty file: do not forward
    return deliver_destinations(work, state, destinations);
}
}

std::optional<Disposition> deliver_dotforward(Work& work, const State& from) {
    const conf::Settings& settings = work.context.settings;
    auto user = delivery::find_user(from.user);
    if (!user)
        return failed(work, from, {4, 3, 0}, "user lookup error");
    if (!*user)
        return std::nullopt;
    const User& owner = **user;
    State state = from;
    state.home = owner.home;
    state.shell = owner.shell;
    if (settings[param::require_home_directory]) {
        int problem = 0;
        {
            delivery::TakeRights rights(owner.rights);  // not for the report: a user may not speak to the daemons
            struct stat st {};
            if (::stat(owner.home.c_str(), &st) != 0)
                problem = errno;
        }
        if (problem != 0)
            return failed(work, from, {4, 3, 0},
                          "cannot access home directory " + owner.home + ": " + errno_text(problem));
    }
    const std::string& filter = settings[param::forward_expansion_filter];
    for (std::string_view item : bytes::split_outside_braces(settings[param::forward_path], ", \t\r\n")) {
        std::string path = expand_names(work, state, item, filter, Into::path);
        if (!path.starts_with('/'))
            continue;
        State plain = state;
        plain.extension.clear();
        bool extension_used = !state.extension.empty() && expand_names(work, plain, item, filter, Into::path) != path;
        bool refused = false;
        auto text = read_forward(path, owner, refused);
        if (!text) {
            maillog::warning("{}: {}", work.job.id(), text.error().reason);
            return failed(work, from, {4, 3, 0}, "cannot read " + path);
        }
        if (refused)
            return std::nullopt;
        if (!*text)
            continue;
        // Once a message: the second time, the user's mailbox is meant.
        if (!work.first_time(fmt::format("forward {} {}", owner.rights.uid, path)))
            return std::nullopt;
        return follow(work, state, owner, **text, extension_used);
    }
    return std::nullopt;
}

namespace {
Result<std::string> read_include(const std::string& path, const Rights& rights) {
    delivery::TakeRights user(rights);
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd)
        return system_error(fmt::format("cannot open include file {} with the rights of {}", path, rights.name), errno);
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0)
        return system_error("cannot look at " + path, errno);
    if (std::string why = objection(st, path, std::nullopt); !why.empty())
        return permanent(why);
    return read_file(fd, path, file_max);
}

Disposition include_failed(Work& work, const State& state, const Error& error) {
    maillog::warning("{}", error.reason);
    if (file_system_trouble(error.sys_errno))
        return failed(work, state, {4, 3, 0}, "cannot read :include: file");
    return failed(work, state, {5, 3, 5}, "mail system configuration error");
}
}

Disposition deliver_include(Work& work, State state, const std::string& path) {
    if (!path.starts_with('/')) {
        maillog::warning(":include:{} uses a relative path", path);
        return failed(work, state, {5, 3, 5}, "mail system configuration error");
    }
    if (++state.level > 100)
        return failed(work, state, {5, 4, 6}, "alias database loop for " + state.local);
    if (!state.trusted)
        return failed(work, state, {5, 7, 1}, "mail to file is restricted");
    if (!work.first_time("include " + path))
        return Disposition::done;
    // Without a user, the list's owner is the one whose orders it holds. Root's own .forward may name a list that
    // others can exchange.
    if (!state.have_user)
        state.rights.reset();
    Rights reading = state.rights.value_or(Rights{});
    if (reading.uid == 0) {
        auto reader = include_reader(path, work.context.default_rights);
        if (!reader && reader.error().sys_errno == 0) {
            maillog::warning(":include: {}", reader.error().reason);
            return failed(work, state, {4, 3, 0}, "cannot find the owner of an :include: file");
        }
        if (!reader)
            return include_failed(
                work, state,
                Error{{4, 3, 0}, "unable to lookup :include: file " + reader.error().reason, reader.error().sys_errno});
        reading = reader->reading;
        if (!state.have_user && reader->owner)
            take_user(state, *reader->owner);
        else if (!state.have_user)
            state.rights = work.context.default_rights;
    }
    auto text = read_include(path, reading);
    if (!text)
        return include_failed(work, state, text.error());
    state.source = Origin::include;
    if (!work.context.propagate.include)
        state.unmatched.clear();
    return deliver_destinations(work, state, parse_destination_lines(*text));
}
}
