#include "conf/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <tuple>

#include "base/bytes.h"
#include "conf/catalogue.h"
#include "conf/main_cf.h"
#include "conf/names.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "conf/restrictions.h"
#include "conf/values.h"

namespace conf {
namespace {
// One scope: main.cf alone, or one service with its own -o parameters.
struct Scope {
    const Settings& settings;
    const MasterEntry* entry = nullptr;  // null: main.cf
    Overrides overrides;
};

// Tests a value of an unbuilt parameter: true where it must not be passed over. The scope is there for what belongs
// together.
struct Danger {
    std::string_view name;
    bool (*holds)(std::string_view value, const Scope& scope);
    std::string_view because;
};

bool filled(std::string_view value, const Scope&) { return !bytes::trim(value).empty(); }
bool yes(std::string_view value, const Scope&) { return bytes::iequals(bytes::trim(value), "yes"); }

constexpr std::string_view unfiltered = "mail would go past the filter";
constexpr std::string_view clear = "mail would be sent without the protection that is demanded";
constexpr std::string_view rejected = "mail that is delivered today would be refused";
constexpr std::string_view open = "clients that must prove who they are would not have to";
// Only while the parameter is not implemented.
constexpr std::array<Danger, 26> dangers{{
    {"smtpd_milters", filled, unfiltered},
    {"smtpd_milter_maps", filled, unfiltered},
    {"non_smtpd_milters", filled, unfiltered},
    {"content_filter", filled, unfiltered},
    {"smtpd_proxy_filter", filled, unfiltered},
    {"smtpd_sasl_auth_enable", yes, rejected},
    {"smtp_sasl_auth_enable", yes, rejected},
    {"lmtp_sasl_auth_enable", yes, rejected},
    {"smtp_tls_policy_maps", filled, clear},
    {"lmtp_tls_policy_maps", filled, clear},
    {"smtp_tls_per_site", filled, clear},
    {"lmtp_tls_per_site", filled, clear},
    {"smtp_tls_security_level", filled, clear},
    {"lmtp_tls_security_level", filled, clear},
    {"smtp_enforce_tls", yes, clear},
    {"lmtp_enforce_tls", yes, clear},
    {"smtp_tls_wrappermode", yes, clear},
    {"lmtp_tls_wrappermode", yes, clear},
    {"smtpd_tls_security_level", [](std::string_view v, const Scope&) { return v == "encrypt"; }, clear},
    {"smtpd_enforce_tls", yes, clear},
    {"smtpd_tls_wrappermode", yes, clear},
    {"smtpd_tls_req_ccert", yes, open},
    {"authorized_submit_users", [](std::string_view v, const Scope&) { return v != "static:anyone"; },
     "users who must not send mail could"},
    {"smtpd_upstream_proxy_protocol", filled, rejected},
    {"relay_clientcerts", filled, rejected},
    {"use_srv_lookup", filled, "mail would be sent to other hosts"},
}};

// What installation scripts and other tools read through postconf: the mail system itself has nothing to do with them.
constexpr std::array<std::string_view, 9> told_only{"html_directory",   "mailq_path",      "manpage_directory",
                                                    "meta_directory",   "newaliases_path", "readme_directory",
                                                    "sample_directory", "sendmail_path",   "shlib_directory"};

// What Postfix 3.12 knows, shows and takes no notice of, without a word about it.
constexpr std::array<std::string_view, 3> ignored{"postscreen_tls_dh512_param_file", "smtpd_tls_dh512_param_file",
                                                  "tlsproxy_tls_dh512_param_file"};

// Programs of Postfix's stock master.cf that nothing here asks for anything.
constexpr std::array<std::string_view, 3> not_needed{"proxymap", "scache", "verify"};

// Table types of Postfix 3.12. One that is not built fails each lookup: 451 at the door, and queued mail waits.
constexpr std::array<std::string_view, 32> known_table_types{
    "btree",    "cdb",       "cidr",   "dbm",      "environ", "fail",     "hash",     "inline",
    "internal", "ldap",      "lmdb",   "memcache", "mongodb", "mysql",    "netinfo",  "nis",
    "nisplus",  "pcre",      "pgsql",  "pipemap",  "proxy",   "randmap",  "redis",    "regexp",
    "sdbm",     "socketmap", "sqlite", "static",   "tcp",     "texthash", "unionmap", "unix"};

std::string place(const Scope& scope, std::string_view name) {
    if (scope.entry)
        for (auto& own : scope.overrides)
            if (own.name == name)
                return fmt::format("{}/master.cf, line {}: service {}/{}: ", scope.settings.directory(),
                                   scope.entry->line, scope.entry->name, scope.entry->type);
    if (const Assigned* own = scope.settings.values().assigned(name); own && own->line > 0)
        return fmt::format("{}/main.cf, line {}: ", scope.settings.directory(), own->line);
    return fmt::format("{}/main.cf: ", scope.settings.directory());
}

class Checker {
public:
    Checker(const Settings& settings, const std::vector<MasterEntry>& entries,
            const std::vector<std::string>& table_types)
        : settings_(settings), entries_(effective(entries)), table_types_(table_types) {}

    Findings run() {
        Scope main{settings_, nullptr, {}};
        check_scope(main);
        check_restrictions(main);
        for (auto& entry : entries_)
            check_entry(entry);
        if (!without_program_.empty())
            out_.notes.push_back(fmt::format("{}/master.cf: {}: not built yet, and no mail waits for them: the daemons "
                                             "open proxy: tables and keep connections themselves, and "
                                             "what a setting would need of them is named by itself",
                                             settings_.directory(), fmt::join(without_program_, ", ")));
        check_transports();
        Names names(settings_.values(), entries_);
        for (auto& warning : names.warnings(settings_.directory() + "/main.cf", settings_.directory() + "/master.cf"))
            warn(warning);
        return std::move(out_);
    }

private:
    void warn(std::string text) {
        if (said_.insert(text).second)
            out_.warnings.push_back(std::move(text));
    }
    void refuse(std::string text) {
        if (said_.insert(text).second)
            out_.refusals.push_back(std::move(text));
    }

    // Every parameter that this scope itself sets.
    void check_scope(const Scope& scope) {
        if (scope.entry) {
            for (auto& own : scope.overrides)
                check_parameter(scope, own.name);
            return;
        }
        std::vector<std::pair<int, std::string>> by_line;
        for (auto& [name, own] : settings_.values().all_assigned())
            by_line.emplace_back(own.line, name);
        std::sort(by_line.begin(), by_line.end());
        for (auto& [line, name] : by_line)
            check_parameter(scope, name);
    }

    void check_tables(const Scope& scope, const std::string& name, std::string_view value) {
        if (table_types_.empty())
            return;
        for (std::string_view word : bytes::split(value, ", \t\r\n{}")) {
            for (auto [type, rest] = bytes::cut(word, ':'); rest && !rest->empty();
                 std::tie(type, rest) = bytes::cut(*rest, ':')) {
                if (std::find(known_table_types.begin(), known_table_types.end(), type) == known_table_types.end())
                    break;
                if (std::find(table_types_.begin(), table_types_.end(), type) == table_types_.end())
                    warn(fmt::format("{}{}: table type {} is not built yet: {} cannot be looked up", place(scope, name),
                                     name, type, bytes::printable(word)));
                if (type != "proxy")
                    break;
            }
        }
    }

    void check_parameter(const Scope& scope, const std::string& name) {
        const Parameter* p = find_parameter(name);
        if (!p) {
            auto family = family_of(name);
            if (family)
                p = family->first;
        }
        if (!p)
            return;
        std::string value = scope.settings.value(name).value_or("");
        check_tables(scope, name, value);
        // What has no effect any more in Postfix either is named with the other old names.
        if (p->implemented || (p->removed && !is_danger(name)))
            return;
        for (auto& danger : dangers) {
            if (danger.name != name || !danger.holds(value, scope))
                continue;
            refuse(fmt::format("{}{} = {}: this parameter is not built yet: {}", place(scope, name), name,
                               bytes::printable(value), danger.because));
            return;
        }
        if (std::find(told_only.begin(), told_only.end(), name) != told_only.end())
            return;
        if (std::find(ignored.begin(), ignored.end(), name) != ignored.end())
            return;
        // What is written out as it would be anyway changes nothing.
        Result<std::string> fallback =
            scope.settings.values().expand(scope.settings.values().fallback(name).value_or(""));
        if (fallback && *fallback == value)
            return;
        if (!warned_.insert(name).second)
            return;
        warn(fmt::format("{}parameter {} is not built yet: the setting has no effect", place(scope, name), name));
    }

    static bool is_danger(std::string_view name) {
        return std::any_of(dangers.begin(), dangers.end(), [&](auto& d) { return d.name == name; });
    }

    void check_restrictions(const Scope& scope) {
        static constexpr std::array<const Text*, 8> lists{
            &param::smtpd_client_restrictions,      &param::smtpd_helo_restrictions,
            &param::smtpd_sender_restrictions,      &param::smtpd_relay_restrictions,
            &param::smtpd_recipient_restrictions,   &param::smtpd_data_restrictions,
            &param::smtpd_end_of_data_restrictions, &param::smtpd_etrn_restrictions};
        std::vector<std::string> classes;
        for (std::string_view one : bytes::split(scope.settings[param::smtpd_restriction_classes], ", \t\r\n"))
            classes.emplace_back(one);
        auto look = [&](std::string_view name, std::string_view value) {
            for (auto& problem : restriction_problems(value, classes))
                warn(fmt::format("{}{}: {}", place(scope, name), name, problem));
        };
        for (const Text* list : lists) {
            // A service repeats only what it changes.
            bool own = !scope.entry || std::any_of(scope.overrides.begin(), scope.overrides.end(),
                                                   [&](auto& o) { return o.name == list->name; });
            if (own)
                look(list->name, scope.settings[*list]);
        }
        if (scope.entry)
            return;
        for (auto& one : classes)
            if (auto value = scope.settings.value(one))
                look(one, *value);
    }

    // The program behind an entry; empty where it is there.
    std::string missing_program(const MasterEntry& entry) const {
        std::string path =
            entry.command.starts_with('/') ? entry.command : settings_[param::daemon_directory] + "/" + entry.command;
        return access(path.c_str(), X_OK) == 0 ? "" : path;
    }

    void check_entry(const MasterEntry& entry) {
        std::string where = fmt::format("{}/master.cf, line {}: service {}/{}", settings_.directory(), entry.line,
                                        entry.name, entry.type);
        Result<ServiceOptions> options = options_of(entry);
        if (!options) {
            refuse(fmt::format("{}: {}", where, options.error().reason));
            return;
        }
        if (std::string path = missing_program(entry); !path.empty()) {
            bool door = entry.service_type() == ServiceType::inet || entry.service_type() == ServiceType::pass;
            std::string text = fmt::format("{}: there is no program {}", where, path);
            if (door && entry.maxproc() != 0)
                refuse(text + ": who connects would find nobody");
            else if (std::find(not_needed.begin(), not_needed.end(), entry.command) != not_needed.end())
                without_program_.push_back(entry.name);
            else
                warn(text);
        }
        if (options->overrides.empty())
            return;
        Result<Settings> own = settings_.with(options->overrides);
        if (!own) {
            refuse(fmt::format("{}: {}", where, own.error().reason));
            return;
        }
        Scope scope{*own, &entry, std::move(options->overrides)};
        check_scope(scope);
        check_restrictions(scope);
    }

    // transport[:nexthop] parameters name a unix service whose program must be there. Without it mail waits in the
    // queue, as with Postfix: nothing is lost, and what other transports carry goes on.
    void check_transports() {
        check_transport("local_transport", !settings_.value("mydestination").value_or("").empty());
        check_transport("default_transport", true);
        check_transport("relay_transport", !settings_.value("relay_domains").value_or("").empty());
        check_transport("virtual_transport", !settings_.value("virtual_mailbox_domains").value_or("").empty());
        check_transport("mailbox_transport", true);
        check_transport("fallback_transport", true);
        check_transport("content_filter", true);
    }

    void check_transport(std::string_view name, bool used) {
        std::string value = settings_.value(name).value_or("");
        std::string_view transport = bytes::trim(bytes::cut(value, ':').first);
        if (transport.empty() || (!used && !settings_.is_set(name)))
            return;
        Scope main{settings_, nullptr, {}};
        auto entry = std::find_if(entries_.begin(), entries_.end(), [&](auto& e) {
            return e.name == transport && e.service_type() != ServiceType::inet;
        });
        const std::string setting = fmt::format("{}{} = {}", place(main, name), name, bytes::printable(value));
        if (entry == entries_.end())
            warn(fmt::format("{}: there is no service {} of type unix in {}/master.cf: mail waits for one", setting,
                             bytes::printable(transport), settings_.directory()));
        else if (std::string path = missing_program(*entry); !path.empty())
            warn(fmt::format("{}: there is no program {} for service {}: mail waits for it", setting, path,
                             bytes::printable(transport)));
    }

    const Settings& settings_;
    std::vector<MasterEntry> entries_;
    const std::vector<std::string>& table_types_;
    Findings out_;
    std::set<std::string> said_, warned_;
    std::vector<std::string> without_program_;
};
}

Findings check(const Settings& settings, const std::vector<MasterEntry>& entries,
               const std::vector<std::string>& table_types) {
    return Checker(settings, entries, table_types).run();
}

Findings check_directory(const std::string& directory, const std::vector<std::string>& table_types) {
    Findings out;
    std::vector<std::string> notes;
    std::vector<std::string> problems = value_problems(directory);
    out.refusals = problems;
    Result<Settings> settings = Settings::load(directory, {}, &notes);
    if (!settings && problems.empty())
        out.refusals.push_back(settings.error().reason);
    Result<std::vector<MasterEntry>> entries = read_master_cf(directory + "/master.cf", &notes);
    if (!entries)
        out.refusals.push_back(entries.error().reason);
    out.warnings = std::move(notes);
    if (!settings || !entries)
        return out;
    Findings more = check(*settings, *entries, table_types);
    out.warnings.insert(out.warnings.end(), more.warnings.begin(), more.warnings.end());
    out.refusals.insert(out.refusals.end(), more.refusals.begin(), more.refusals.end());
    out.notes = std::move(more.notes);
    return out;
}
}
