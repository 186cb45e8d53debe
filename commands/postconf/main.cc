// postconf: shows and changes main.cf and master.cf, and says what this build can do. Serves administrators and the
// many scripts that call it; its output is what they parse.
//
// When things fail: a file that cannot be read or a value that cannot be expanded is one line on stderr and exit
// status 1. Odd names are warnings, and the exit status stays 0.
#include <stdio.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/bytes.h"
#include "bounce.h"
#include "conf/catalogue.h"
#include "conf/main_cf.h"
#include "conf/master_cf.h"
#include "conf/values.h"
#include "edit.h"
#include "facts.h"
#include "log/log.h"
#include "options.h"
#include "show.h"

using namespace postconf;

namespace {
conf::Values read_values(const Options& o) {
    conf::Values values(o.directory);
    std::string path = o.directory + "/main.cf";
    // The defaults need no file, yet the services in master.cf add theirs.
    if (!o.defaults || access(path.c_str(), R_OK) == 0) {
        Result<conf::MainFile> file = conf::read_main_cf(path);
        if (!file)
            maillog::fatal("{}", file.error().reason);
        if (!o.defaults)
            for (auto& warning : file->warnings)
                maillog::warning("{}", warning);
        for (auto& line : file->lines)
            values.assign(line.name, std::move(line.value), line.line);
    }
    for (auto& assignment : o.overrides)
        values.assign(assignment.name, assignment.value);
    values.compute();
    return values;
}

std::vector<conf::MasterEntry> read_entries(const Options& o) {
    std::vector<std::string> warnings;
    Result<std::vector<conf::MasterEntry>> entries = conf::read_master_cf(o.directory + "/master.cf", &warnings);
    bool needed = o.mode != Mode::main_cf;
    if (!entries && (needed || entries.error().sys_errno == 0))
        maillog::fatal("{}", entries.error().reason);
    if (!entries) {
        if (!o.defaults)
            maillog::warning("{}", entries.error().reason);
        return {};
    }
    for (auto& warning : warnings)
        maillog::warning("{}", warning);
    return std::move(*entries);
}

// A value of main.cf that no program could expand: they would all refuse the file, and what is shown here would be used
// by none. A user's name that nothing refers to is a warning.
void refuse_damage(const Options& o, const conf::Values& values, const conf::Names& names) {
    for (auto& [name, own] : values.all_assigned()) {
        const conf::Parameter* p = conf::find_parameter(name);
        if (p && p->raw)
            continue;
        Result<std::string> expanded = values.expand(own.value);
        if (expanded)
            continue;
        const std::string place = own.line > 0 ? fmt::format("{}/main.cf, line {}: ", o.directory, own.line) : "";
        const std::string text =
            fmt::format("{}{} = {}: {}", place, name, bytes::printable(own.value), expanded.error().reason);
        auto kind = names.find(name);
        if (p || (kind && kind != conf::NameClass::user))
            maillog::fatal("{}", text);
        if (!o.quiet)
            maillog::warning("{}", text);
    }
}

void run(const Options& o) {
    switch (o.mode) {
    case Mode::manual: show_manual(); return;
    case Mode::table_types:
    case Mode::lock_methods:
    case Mode::server_sasl:
    case Mode::client_sasl:
    case Mode::tls_facts: show_facts(o); return;
    case Mode::bounce_show:
    case Mode::bounce_templates: show_bounce(o); return;
    default: break;
    }
    if (o.action != Action::show) {
        if (o.mode == Mode::main_cf)
            edit_parameters(o);
        else
            edit_master(o);
        return;
    }
    conf::Values values = read_values(o);
    std::vector<conf::MasterEntry> entries = read_entries(o);
    conf::Names names(values, entries);
    if (!o.defaults)
        refuse_damage(o, values, names);
    if (o.mode == Mode::main_cf)
        show_parameters(o, values, names);
    else
        show_master(o, values, entries);
    fflush(stdout);
    if (!o.quiet && !o.defaults)
        for (auto& warning : names.warnings(o.directory + "/main.cf", o.directory + "/master.cf"))
            maillog::warning("{}", warning);
}
}

int main(int argc, char** argv) {
    maillog::to_stderr("postconf");
    run(parse(argc, argv));
    if (fflush(stdout) != 0 || ferror(stdout))
        maillog::fatal("write to standard output failed");
    return 0;
}
