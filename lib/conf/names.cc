#include "conf/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "conf/catalogue.h"
#include "conf/expand.h"

namespace conf {
namespace {
// Parameters that a table named without a path takes from main.cf: "ldap:staff" reads staff_server_host and so on.
struct TableType {
    std::string_view type;
    std::string_view endings;
};
constexpr std::array<TableType, 6> table_types{{
    {"ldap", "bind bind_dn bind_pw cache cache_expiry cache_size chase_referrals debuglevel dereference domain "
             "expansion_limit leaf_result_attribute "
             "query_filter recursion_limit result_attribute result_filter result_format sasl_authz_id sasl_mechs "
             "sasl_minssf sasl_realm scope search_base "
             "server_host server_port size_limit special_result_attribute start_tls terminal_result_attribute timeout "
             "tls_ca_cert_dir tls_ca_cert_file "
             "tls_cert tls_cipher_suite tls_key tls_random_file tls_require_cert version"},
    {"mysql", "additional_conditions charset dbname domain expansion_limit hosts idle_interval option_file "
              "option_group password query require_result_set "
              "result_format retry_interval select_field table tls_CAfile tls_CApath tls_cert_file tls_ciphers "
              "tls_key_file tls_verify_cert user where_field"},
    {"pgsql", "additional_conditions dbname domain encoding expansion_limit hosts idle_interval password query "
              "result_format retry_interval select_field "
              "select_function table user where_field"},
    {"sqlite",
     "additional_conditions dbpath domain expansion_limit query result_format select_field table where_field"},
    {"memcache", "backup data_size_limit domain expansion_limit key_format line_size_limit max_try memcache "
                 "result_format retry_pause timeout ttl update"},
    {"mongodb",
     "collection dbname domain expansion_limit options projection query_filter result_attribute result_format uri"},
}};

bool has_member(const Parameter& family, std::string_view program) {
    auto programs = bytes::split(family.programs, " ");
    return std::find(programs.begin(), programs.end(), program) != programs.end();
}
}

Names::Names(const Values& values, const std::vector<MasterEntry>& entries) : values_(values) {
    auto mention = [this](std::string_view name, bool) { mentioned_.emplace(name); };
    for (const Parameter* p : all_parameters()) {
        if (!p->removed && !is_family(*p))
            names_.emplace(p->name, NameClass::builtin);
        for_each_name(p->fallback, mention);
    }
    add_service_names(entries);
    Overrides everything;
    for (auto& [name, own] : values.all_assigned())
        everything.push_back({name, own.value});
    for (auto& entry : entries) {
        Result<ServiceOptions> options = options_of(entry);
        if (!options)
            continue;  // check() names it
        services_.push_back({entry.name + "/" + entry.type, std::move(options->overrides)});
        everything.insert(everything.end(), services_.back().overrides.begin(), services_.back().overrides.end());
    }
    for (auto& [name, value] : everything) {
        for_each_name(value, mention);
        for (auto& own : tables_of(value))
            mentioned_.insert(own);
        if (name == "smtpd_restriction_classes") {
            std::string classes = values.expand(value).value_or(value);
            for (std::string_view restriction : bytes::split(classes, ", \t\r\n"))
                mentioned_.emplace(restriction);
        }
    }
    for (auto& [name, own] : values.all_assigned())
        if (!names_.contains(name) && mentioned_.contains(name))
            names_.emplace(name, NameClass::user);
}

void Names::add_service_names(const std::vector<MasterEntry>& entries) {
    for (auto& entry : entries) {
        for (const Parameter* p : all_parameters()) {
            if (!has_member(*p, entry.command))
                continue;
            std::string name = entry.name + std::string(p->name.substr(std::string_view("transport").size()));
            names_.emplace(std::move(name), NameClass::service);
        }
    }
    // Members that the catalogue declares for their own defaults count as made by the service.
    for (auto& [name, kind] : names_)
        if (family_of(name) && find_parameter(name) && name.starts_with("local_destination_"))
            kind = NameClass::service;
}

std::set<std::string> Names::tables_of(std::string_view value) const {
    std::set<std::string> out;
    for (std::string_view word : bytes::split(value, ", \t\r\n{}")) {
        if (word.starts_with("proxy:"))
            word.remove_prefix(6);
        auto [type, table] = bytes::cut(word, ':');
        if (!table || table->empty() || table->front() == '/' || table->front() == '.')
            continue;
        for (auto& known : table_types)
            if (known.type == type)
                for (std::string_view ending : bytes::split(known.endings, " "))
                    out.insert(fmt::format("{}_{}", *table, ending));
    }
    return out;
}

std::optional<NameClass> Names::find(std::string_view name) const {
    auto found = names_.find(name);
    return found == names_.end() ? std::nullopt : std::optional(found->second);
}

void Names::warn_undefined(std::vector<std::string>& out, const std::string& path, std::string_view name,
                           std::string_view text, const Overrides& overrides, std::set<std::string>& seen) const {
    const Parameter* p = find_parameter(name);
    if (p && p->raw)
        return;  // its names are those of the moment of use
    for_each_name(text, [&](std::string_view used, bool conditional) {
        if (conditional || values_.raw(used))
            return;
        if (find_parameter(used))
            return;  // an old name, empty unless it is set
        for (auto& own : overrides)
            if (own.name == used)
                return;
        if (seen.emplace(used).second)
            out.push_back(fmt::format("{}: undefined parameter: {}", path, used));
    });
}

std::vector<std::string> Names::warnings(const std::string& main_path, const std::string& master_path) const {
    std::vector<std::string> out;
    auto unused = [&](const std::string& path, const std::string& name, const std::string& value) {
        if (const Parameter* p = find_parameter(name); p && !p->obsolete.empty()) {
            out.push_back(fmt::format("{}: support for parameter \"{}\" {}", path, name, p->obsolete));
            if (p->removed)
                return;
        }
        if (names_.contains(name) || mentioned_.contains(name) || name == "config_directory")
            return;
        std::string_view near = nearest_name(name);
        out.push_back(fmt::format("{}: unused parameter: {}={}{}", path, name, value,
                                  near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
    };
    std::vector<std::pair<int, std::string>> by_line;
    for (auto& [name, own] : values_.all_assigned())
        by_line.emplace_back(own.line, name);
    std::sort(by_line.begin(), by_line.end());
    std::set<std::string> seen;
    for (auto& [line, name] : by_line)
        warn_undefined(out, main_path, name, values_.assigned(name)->value, {}, seen);
    for (auto& [line, name] : by_line)
        unused(main_path, name, values_.assigned(name)->value);
    seen.clear();
    for (auto& service : services_) {
        for (auto& own : service.overrides) {
            warn_undefined(out, master_path, own.name, own.value, service.overrides, seen);
            unused(master_path, own.name, own.value);
        }
    }
    return out;
}
}
