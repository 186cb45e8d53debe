#include "stand_alone.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "net/stream.h"
#include "server/maillog.h"
#include "service.h"
#include "session.h"
#include "to_postdrop.h"

namespace smtpd {
namespace {
// Standard input and output are two descriptors: this process carries bytes between them and the session's one.
void carry(int session) {
    bool input = true;
    char buffer[16384];
    for (;;) {
        pollfd wait[2] = {{session, POLLIN, 0}, {input ? STDIN_FILENO : -1, POLLIN, 0}};
        if (::poll(wait, 2, -1) < 0 && errno != EINTR)
            return;
        if (wait[0].revents) {
            ssize_t n = ::read(session, buffer, sizeof buffer);
            if (n <= 0 || !write_all(STDOUT_FILENO, {buffer, static_cast<std::size_t>(n)}))
                return;
        }
        if (wait[1].revents) {
            ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
            if (n <= 0) {
                input = false;
                ::shutdown(session, SHUT_WR);
            } else if (!write_all(session, {buffer, static_cast<std::size_t>(n)}))
                return;
        }
    }
}

std::string configuration_directory(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; ++i)
        if (std::string_view(argv[i]) == "-c")
            return argv[i + 1];
    const char* directory = std::getenv("MAIL_CONFIG");
    return directory && *directory ? directory : "/etc/postfix";
}
}

bool stand_alone_wanted(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "-S")
            return true;
    return false;
}

int stand_alone(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    maillog::open({"postfix/smtpd"});
    auto settings = conf::Settings::load(configuration_directory(argc, argv),
                                         {{"process_name", "smtpd"},
                                          {"smtpd_client_restrictions", ""},
                                          {"smtpd_helo_restrictions", ""},
                                          {"smtpd_sender_restrictions", ""},
                                          {"smtpd_recipient_restrictions", ""},
                                          {"smtpd_relay_restrictions", "permit_inet_interfaces, reject"},
                                          {"smtpd_data_restrictions", ""},
                                          {"smtpd_end_of_data_restrictions", ""},
                                          {"smtpd_etrn_restrictions", ""},
                                          {"smtpd_reject_unlisted_recipient", "no"},
                                          {"smtpd_reject_unlisted_sender", "no"},
                                          {"smtpd_tls_security_level", "none"},
                                          {"smtpd_tls_wrappermode", "no"},
                                          {"smtpd_upstream_proxy_protocol", ""},
                                          {"smtpd_forbid_bare_newline", "no"},
                                          {"smtpd_forbid_unauth_pipelining", "no"},
                                          {"queue_minfree", "0"},
                                          {"content_filter", ""}});
    if (!settings) {
        maillog::to_stderr("smtpd");
        maillog::write(maillog::Level::fatal, settings.error().reason);
        return 1;
    }
    server::open_maillog(*settings, "smtpd", server::Speaker::quiet_command);
    int sockets[2];
    if (::chdir((*settings)[param::queue_directory].c_str()) != 0 ||
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        maillog::to_stderr("smtpd");
        maillog::write(maillog::Level::fatal, (*settings)[param::queue_directory] + ": " + errno_text(errno));
        return 1;
    }
    pid_t child = ::fork();
    if (child < 0)
        return 75;
    if (child > 0) {
        ::close(sockets[1]);
        carry(sockets[0]);
        ::close(sockets[0]);
        ::waitpid(child, nullptr, 0);
        return 0;
    }
    ::close(sockets[0]);
    auto service = Service::open(*settings);
    if (!service) {
        maillog::write(maillog::Level::fatal, service.error().reason);
        ::_exit(1);
    }
    const std::string postdrop = (*settings)[param::command_directory] + "/postdrop";
    (*service)->submit = [postdrop] { return open_postdrop(postdrop); };
    {
        net::Stream stream{UniqueFd(sockets[1])};
        Session(**service, stream, false).serve(net::Address());
        stream.close();
    }
    ::_exit(0);
}
}
