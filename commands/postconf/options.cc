#include "options.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <string_view>

#include "base/bytes.h"
#include "conf/master_cf.h"
#include "conf/params/commands.h"
#include "log/log.h"

namespace postconf {
namespace {
[[noreturn]] void usage() {
    maillog::fatal("usage: postconf [-a (server SASL types)] [-A (client SASL types)] [-b (bounce texts)] [-c "
                   "config_dir] [-C class,...] [-d (defaults)] "
                   "[-e (edit)] [-f (fold lines)] [-F (master.cf fields)] [-h (no names)] [-H (no values)] [-j (JSON)] "
                   "[-l (lock methods)] "
                   "[-m (table types)] [-M (master.cf)] [-n (set in main.cf)] [-o name=value (override)] [-p "
                   "(main.cf)] [-P (master.cf parameters)] "
                   "[-q (no warnings)] [-t (bounce templates)] [-T compile-version|run-version|public-key-algorithms] "
                   "[-v (verbose)] [-x (expand values)] [-X (remove)] [-# (comment out)] [name...]");
}

void choose_classes(Options& o, std::string_view list) {
    o.builtin = o.service = o.user = false;
    for (std::string_view one : bytes::split(list, ", \t")) {
        if (one == "builtin")
            o.builtin = true;
        else if (one == "service")
            o.service = true;
        else if (one == "user")
            o.user = true;
        else if (one == "all")
            o.builtin = o.service = o.user = true;
        else
            maillog::fatal("unknown -C option value \"{}\" in \"{}\"", one, list);
    }
}

char mode_letter(Mode mode) {
    switch (mode) {
    case Mode::main_cf: return 'p';
    case Mode::master_services: return 'M';
    case Mode::master_fields: return 'F';
    case Mode::master_parameters: return 'P';
    case Mode::table_types: return 'm';
    case Mode::lock_methods: return 'l';
    case Mode::server_sasl: return 'a';
    case Mode::client_sasl: return 'A';
    case Mode::bounce_show: return 'b';
    case Mode::bounce_templates: return 't';
    case Mode::tls_facts: return 'T';
    case Mode::manual: return 'G';
    }
    return 'p';
}

// Which options go with which mode; anything else is refused with both letters named.
void check_combinations(const Options& o, std::string_view given) {
    auto has = [&](char c) { return given.find(c) != given.npos; };
    auto exclusive = [&](char a, char b) {
        if (has(a) && has(b))
            maillog::fatal("specify one of -{} -{}", a, b);
    };
    exclusive('d', 'n');
    exclusive('d', 'o');
    exclusive('h', 'H');
    exclusive('e', 'X');
    exclusive('e', '#');
    exclusive('X', '#');
    std::string_view allowed;
    switch (o.mode) {
    case Mode::main_cf: allowed = "pdfhHjnoqvxCceX#"; break;
    case Mode::master_services: allowed = "Mfjoqvxce X#"; break;
    case Mode::master_fields: allowed = "FfhHjoqvxce"; break;
    case Mode::master_parameters: allowed = "PfhHjoqvxceX"; break;
    default: allowed = "amAlbtTGvc"; break;
    }
    for (char c : given)
        if (allowed.find(c) == allowed.npos)
            maillog::fatal("with option -{}, do not specify -{}", mode_letter(o.mode), c);
}
}

Options parse(int argc, char** argv) {
    Options o;
    const char* environment = getenv("MAIL_CONFIG");
    o.directory = environment && *environment ? environment : std::string(param::config_directory.fallback);
    std::string given;
    bool mode_chosen = false, editing = false;
    auto choose = [&](Mode mode) {
        if (mode_chosen && mode != o.mode)
            maillog::fatal("specify one of -{} -{}", mode_letter(o.mode), mode_letter(mode));
        o.mode = mode;
        mode_chosen = true;
    };
    opterr = 0;
    for (int c; (c = getopt(argc, argv, "aAbc:C:deEfFGhHjlmMno:pPqtT:vxX#")) > 0;) {
        switch (c) {
        case 'a': choose(Mode::server_sasl); break;
        case 'A': choose(Mode::client_sasl); break;
        case 'b': choose(Mode::bounce_show); break;
        case 'c': o.directory = optarg; break;
        case 'C': choose_classes(o, optarg); break;
        case 'd': o.defaults = true; break;
        case 'e': editing = true; break;
        case 'f': o.fold = true; break;
        case 'F': choose(Mode::master_fields); break;
        case 'G': choose(Mode::manual); break;
        case 'h': o.values_only = true; break;
        case 'H': o.names_only = true; break;
        case 'j': o.json = true; break;
        case 'l': choose(Mode::lock_methods); break;
        case 'm': choose(Mode::table_types); break;
        case 'M': choose(Mode::master_services); break;
        case 'n': o.only_set = true; break;
        case 'o': {
            Result<conf::Assignment> assignment = conf::parse_assignment(optarg);
            if (!assignment)
                maillog::fatal("invalid parameter override: {}: {}", optarg, assignment.error().reason);
            o.overrides.push_back(*assignment);
            break;
        }
        case 'p': choose(Mode::main_cf); break;
        case 'P': choose(Mode::master_parameters); break;
        case 'q': o.quiet = true; break;
        case 't': choose(Mode::bounce_templates); break;
        case 'T':
            choose(Mode::tls_facts);
            o.tls_fact = optarg;
            break;
        case 'v': maillog::set_verbose(maillog::verbose() + 1); break;
        case 'x': o.expand = true; break;
        case 'X': o.action = Action::remove; break;
        case '#': o.action = Action::comment_out; break;
        default: usage();
        }
        if (given.find(static_cast<char>(c)) == given.npos)
            given += static_cast<char>(c);
    }
    check_combinations(o, given);
    o.arguments.assign(argv + optind, argv + argc);
    bool can_edit = o.mode == Mode::main_cf || o.mode == Mode::master_services || o.mode == Mode::master_fields ||
                    o.mode == Mode::master_parameters;
    // A value on the command line means editing, also without -e.
    if (can_edit && o.action == Action::show) {
        for (auto& argument : o.arguments)
            editing = editing || argument.find('=') != std::string::npos;
        if (editing)
            o.action = Action::edit;
    }
    if (o.action != Action::show && o.arguments.empty())
        maillog::fatal("{}", o.action == Action::edit ? "-e requires name=value argument"
                                                      : "-X or -# requires a name argument");
    return o;
}
}
