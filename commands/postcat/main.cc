// postcat: shows a queue file to people.
//
// When things fail: "postcat: fatal: …" and status 1.
#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include "base/bytes.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "printer.h"
#include "server/command.h"

namespace {
constexpr const char* usage_text = "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e "
                                   "(envelope records)] [-h (header text)] [-q (access queue)] [-v] [file(s)...]";

// Records are read by offset: what comes through a pipe goes to a file first.
UniqueFd seekable(int fd) {
    if (::lseek(fd, 0, SEEK_CUR) >= 0)
        return UniqueFd(::dup(fd));
    std::FILE* file = std::tmpfile();
    if (!file)
        maillog::fatal("cannot make a temporary file: {}", errno_text(errno));
    char buffer[65536];
    for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            maillog::fatal("read: {}", errno_text(errno));
        if (auto written = write_all(::fileno(file), {buffer, static_cast<std::size_t>(n)}); !written)
            maillog::fatal("{}", written.error().reason);
    }
    UniqueFd copy(::dup(::fileno(file)));
    std::fclose(file);
    return copy;
}

// The queues that hold messages, one after the other.
UniqueFd open_queued(const queue::Directories& directories, const std::string& name, std::string& path) {
    auto id = mail::QueueId::parse(name);
    if (!id)
        maillog::fatal("bad mail queue ID: {}", bytes::printable(name));
    for (auto queue : {queue::maildrop, queue::incoming, queue::active, queue::deferred, queue::hold, queue::saved}) {
        path = directories.path(queue, *id);
        UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (fd)
            return fd;
        if (errno != ENOENT)
            maillog::fatal("open queue file {}: {}", name, errno_text(errno));
    }
    maillog::fatal("open queue file {}: {}", name, errno_text(ENOENT));
}

void show(const postcat::Show& what, int fd, const std::string& name) {
    auto printed = postcat::Printer(what, name).print(fd);
    if (std::fflush(stdout) != 0)
        maillog::fatal("output write error: {}", errno_text(errno));
    if (!printed)
        maillog::fatal("{}", printed.error().reason);
}
}

int main(int argc, char** argv) {
    static char name[] = "postcat";
    argv[0] = name;  // what getopt calls us
    maillog::to_stderr(name);
    postcat::Show what;
    std::string directory;
    bool in_queue = false;
    for (int c; (c = ::getopt(argc, argv, "bc:dehoqrs:v")) != -1;) {
        switch (c) {
        case 'b': what.body = true; break;
        case 'c': directory = optarg; break;
        case 'd': what.types = true; break;
        case 'e': what.envelope = true; break;
        case 'h': what.header = true; break;
        case 'o': what.offsets = true; break;
        case 'q': in_queue = true; break;
        case 'r': what.file_order = true; break;
        case 's': {
            auto offset = bytes::to_int(optarg);
            if (!offset || *offset < 0)
                maillog::fatal("bad offset: {}", optarg);
            what.from = *offset;
            break;
        }
        case 'v': what.names = true; break;
        default: maillog::fatal("{}", usage_text);
        }
    }
    if (!what.body && !what.envelope && !what.header)
        what.body = what.envelope = what.header = true;
    if (optind == argc) {
        if (in_queue)
            maillog::fatal("{}", usage_text);
        UniqueFd input = seekable(STDIN_FILENO);
        show(what, input.get(), "stdin");
        return 0;
    }
    auto settings = server::command_settings(directory, "postcat");
    if (!settings) {
        if (in_queue || !directory.empty())
            maillog::fatal("{}", settings.error().reason);
        settings = conf::Settings::defaults();  // a file that was named needs no configuration
    }
    if (in_queue && ::chdir((*settings)[param::queue_directory].c_str()) != 0)
        maillog::fatal("chdir {}: {}", (*settings)[param::queue_directory], errno_text(errno));
    queue::Directories directories(*settings);
    for (; optind < argc; ++optind) {
        std::string path = argv[optind];
        UniqueFd fd = in_queue ? open_queued(directories, argv[optind], path)
                               : UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd)
            maillog::fatal("open {}: {}", path, errno_text(errno));
        show(what, fd.get(), path);
    }
    return 0;
}
