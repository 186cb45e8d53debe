// sendmail's command line: Sendmail's options as Postfix understands them, `mailq` and `newaliases` by the program's
// name.
//
// When things fail: an Error whose reason is what the user is told.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "mail/dsn.h"

namespace sendmail {
enum class Mode {
    submit,
    verify,
    list_queue,
    make_aliases,
    smtp_server,
    start_daemon,
    start_foreground,
    flush_queue,
    flush_site,
    deliver_one,
    ignored
};

struct Options {
    Mode mode = Mode::submit;
    std::string configuration;             // -C, a directory or a main.cf
    std::optional<std::string> sender;     // -f, -r; as written
    std::optional<std::string> full_name;  // -F
    std::string encoding;                  // -B: "8bit", "7bit"
    mail::DsnNotify notify = 0;            // -N
    mail::DsnReturn ret = 0;               // -R
    std::string envelope_id;               // -V
    bool remote_rewriting = false;         // -G
    bool dot_is_data = false;              // -i, -oi
    bool recipients_from_header = false;   // -t
    std::optional<std::string> verp;       // -XV: "" stands for default_verp_delimiters
    std::string site, queue_id;            // -qR, -qI
    bool queue_interval = false;           // -q30m
    std::string alias_database;            // -oA
    int verbose = 0;                       // -v: once asks for a report, more often for logging
    bool smtputf8 = false;                 // -O smtputf8
    bool require_tls = false;              // -O requiretls
    std::vector<std::string> recipients;   // as written
    std::vector<std::string> warnings;     // to be said once logging works
};
Result<Options> parse_options(int argc, char** argv);
}
