#include "access/list.h"
#include <algorithm>
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "conf/settings.h"
#include "log/log.h"

namespace smtpd {
namespace {
// Known to 3.12, not built here: their tables or endpoints are one word.
constexpr std::string_view with_argument[] = {"check_policy_service", "check_sasl_access", "check_address_map"};
constexpr std::string_view without_argument[] = {"reject_unverified_sender", "reject_unverified_recipient"};
// Without SASL they mean nothing: nobody can have logged in.
constexpr std::string_view of_sasl[] = {"reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch",
                                        "reject_unauthenticated_sender_login_mismatch",
                                        "reject_known_sender_login_mismatch"};

template <std::size_t N> bool among(const std::string_view (&names)[N], std::string_view name) {
    return std::find(names, names + N, name) != names + N;
}

bool is_table(std::string_view word) {
    std::size_t colon = word.find(':');
    return colon != word.npos && colon > 0;
}
// Is what follows the rule's name an argument at all?
Result<void> argument_fits(const Restriction& r, std::string_view argument) {
    if (r.rule->argument == Argument::table && !is_table(argument))
        return permanent("restriction " + r.name + ": bad argument \"" + std::string(argument) +
                         "\": need maptype:mapname");
    if (argument.empty())
        return permanent(
            "restriction " + r.name +
            (r.rule->argument == Argument::seconds ? " must be followed by number" : " requires domain name argument"));
    return {};
}
}

void Lists::open(const conf::Settings& settings) {
    settings_ = &settings;
    sasl_enabled_ = settings[param::smtpd_sasl_auth_enable];
    for (std::string_view name : bytes::split(settings[param::smtpd_restriction_classes], ", \t\r\n"))
        class_names_.emplace_back(name);
}

std::shared_ptr<const table::Maps> Lists::table(std::string_view name) {
    std::string key(name);
    if (auto known = tables_.find(key); known != tables_.end())
        return known->second;
    return tables_[key] = std::make_shared<const table::Maps>(
               table::Maps::open("access", name.starts_with('{') ? name : std::string_view(key)));
}

const RestrictionList& Lists::restriction_class(const std::string& name, Phase phase) {
    // There before its members are: a class may name itself, and evaluation bounds the depth.
    auto [at, added] = classes_.try_emplace(name + '/' + std::string(table_rule(phase).name));
    RestrictionList& list = at->second;
    if (!added)
        return list;
    auto text = settings_->value(name);
    if (!text)
        maillog::warning("restriction class `{}' needs a definition", name);
    list = text ? compile(name, *text, phase, true) : RestrictionList{{Restriction{&broken_rule, name}}};
    return list;
}

void Lists::open_classes() {
    for (const std::string& name : class_names_) {
        const bool known = std::any_of(classes_.begin(), classes_.end(),
                                       [&](const auto& c) { return c.first.starts_with(name + '/'); });
        if (!known)
            (void)restriction_class(name, Phase::recipient);  // another phase finds the tables open
    }
}

RestrictionList Lists::compile(std::string_view title, std::string_view text, Phase phase) {
    return compile(title, text, phase, true);
}

std::shared_ptr<const RestrictionList> Lists::from_table(std::string_view text, Phase phase) {
    std::string key = std::string(table_rule(phase).name) + ' ' + std::string(text);
    if (auto known = from_tables_.find(key); known != from_tables_.end())
        return known->second;
    if (from_tables_.size() >= 1000)
        from_tables_.clear();
    return from_tables_[key] = std::make_shared<const RestrictionList>(compile("access table", text, phase, false));
}

Result<void> Lists::other_step(Restriction& r, Phase phase, bool tables_allowed) {
    if (is_table(r.name)) {
        if (!tables_allowed)
            return permanent("access table has entry with lookup table: " + r.name);
        r.rule = &table_rule(phase);
        r.argument = r.name;
        r.table = table(r.name);
    } else if (std::find(class_names_.begin(), class_names_.end(), r.name) != class_names_.end()) {
        r.rule = &members_rule;
        r.members = &restriction_class(r.name, phase);
    } else if (among(of_sasl, r.name) && !sasl_enabled_)
        r.rule = &nothing_rule;
    else if (among(of_sasl, r.name) || among(with_argument, r.name) || among(without_argument, r.name))
        return permanent("restriction \"" + r.name + "\" is not implemented yet");
    else
        return permanent("unknown smtpd restriction: \"" + r.name + "\"");
    return {};
}

Result<void> Lists::take_argument(Restriction& r, std::string_view argument, bool tables_allowed) {
    auto open = [&]() -> Result<void> {
        if (!tables_allowed)
            return permanent("access table has entry with lookup table: " + r.argument);
        r.table = table(r.argument);
        return {};
    };
    auto of_rule = [&r](Error why) {
        why.reason = r.name + ": " + why.reason;
        return tl::unexpected(std::move(why));
    };
    r.argument = argument;
    switch (r.rule->argument) {
    case Argument::none: return {};
    case Argument::table: return open();
    case Argument::seconds: {
        auto n = bytes::to_int(argument);
        if (!n || *n < 0 || *n > 3600)
            return permanent("restriction " + r.name + " must be followed by number");
        r.number = static_cast<int>(*n);
        return {};
    }
    case Argument::certificate_search: {
        auto search = CertificateSearch::parse(argument);
        if (!search)
            return of_rule(std::move(search.error()));
        r.argument = search->table;
        r.certificate_keys = std::make_shared<const std::vector<CertificateKey>>(std::move(search->keys));
        return open();
    }
    case Argument::dns_list: {
        auto list = DnsList::parse(argument);
        if (!list)
            return of_rule(std::move(list.error()));
        r.list = std::make_shared<const DnsList>(std::move(*list));
        return {};
    }
    }
    return {};
}

RestrictionList Lists::compile(std::string_view title, std::string_view text, Phase phase, bool tables_allowed) {
    RestrictionList out;
    std::vector<std::string_view> pieces = bytes::split_outside_braces(text, ", \t\r\n");
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        std::string_view name = pieces[i];
        if (name.size() > 1 && name.front() == '{' && name.back() == '}')
            name = bytes::trim(name.substr(1, name.size() - 2));
        Restriction r{find_rule(name), std::string(name)};
        Result<void> good{};
        if (!r.rule) {
            good = other_step(r, phase, tables_allowed);
            if (!good && among(with_argument, name))
                ++i;
        } else if (r.rule->argument != Argument::none) {
            std::string_view argument = i + 1 < pieces.size() ? pieces[i + 1] : std::string_view();
            good = argument_fits(r, argument);
            if (good) {
                ++i;
                good = take_argument(r, argument, tables_allowed);
            }
        }
        if (!good) {
            maillog::warning("{}: {}", title, good.error().reason);
            out.steps.push_back(Restriction{&broken_rule, std::string(name)});
            continue;
        }
        const bool only_warns = !out.steps.empty() && out.steps.back().rule->is(Rule::warn);
        if (r.rule->is(Rule::last) && i + 1 < pieces.size() && !only_warns)
            maillog::warning("{}: restriction `{}' after `{}' is ignored", title, pieces[i + 1], name);
        out.steps.push_back(std::move(r));
    }
    return out;
}

bool Lists::protects(const RestrictionList& list, int depth) {
    if (depth > 20)
        return false;
    bool warn_only = false;
    for (const Restriction& r : list.steps) {
        bool counts = !warn_only;
        warn_only = r.rule->is(Rule::warn);
        if (counts && (r.rule->is(Rule::guard) || (r.members && protects(*r.members, depth + 1))))
            return true;
    }
    return false;
}
}
