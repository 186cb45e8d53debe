// The command line of postconf: one mode, and what changes how it prints.
//
// When things fail: parse() reports combinations that make no sense in the words that scripts know, through
// maillog::fatal.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postconf {
enum class Mode {
    main_cf,
    master_services,
    master_fields,
    master_parameters,
    table_types,
    lock_methods,
    server_sasl,
    client_sasl,
    bounce_show,
    bounce_templates,
    tls_facts,
    manual
};
enum class Action { show, edit, remove, comment_out };

struct Options {
    Mode mode = Mode::main_cf;
    Action action = Action::show;
    std::string tls_fact;      // -T
    std::string directory;     // -c, MAIL_CONFIG or the default
    bool defaults = false;     // -d
    bool only_set = false;     // -n
    bool expand = false;       // -x
    bool fold = false;         // -f
    bool values_only = false;  // -h
    bool names_only = false;   // -H
    bool json = false;         // -j
    bool quiet = false;        // -q: no warnings about unused, undefined and deprecated parameters
    bool builtin = true, service = true, user = true;  // -C
    conf::Overrides overrides;                         // -o
    std::vector<std::string> arguments;
};

Options parse(int argc, char** argv);
}
