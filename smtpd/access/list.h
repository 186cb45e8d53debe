// Restriction lists (smtpd_client_restrictions and its like) in compiled form. Each word of a list is looked up, its
// tables opened and its argument checked once, at start; what is wrong or not built stays in the list as a step that
// answers 451 4.3.5.
//
// When things fail: compile() never does; what is wrong with a step was said in one warning.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "access/arguments.h"
#include "access/rules.h"
#include "table/maps.h"

namespace conf {
class Settings;
}

namespace smtpd {
struct RestrictionList;
struct Restriction {
    const Rule* rule = &broken_rule;
    std::string name{};      // as written
    std::string argument{};  // as written: the list's domain, the table
    int number = 0;          // sleep
    std::shared_ptr<const table::Maps> table{};
    std::shared_ptr<const DnsList> list{};
    std::shared_ptr<const std::vector<CertificateKey>> certificate_keys{};
    const RestrictionList* members = nullptr;  // of a restriction class; in Lists: it may name itself
};
struct RestrictionList {
    std::vector<Restriction> steps;
    bool empty() const { return steps.empty(); }
};

// Compiles lists and keeps what they share, as long as it lives: each table is opened once, each class compiled once.
class Lists {
public:
    void open(const conf::Settings& settings);
    // title: the parameter, for warnings. A bare "type:table" stands for the phase's check_…_access.
    RestrictionList compile(std::string_view title, std::string_view text, Phase phase);
    // The right-hand side of an access table that holds restrictions, compiled when first met. Tables are not allowed
    // in it.
    std::shared_ptr<const RestrictionList> from_table(std::string_view text, Phase phase);
    // Compiles the classes that no list has named: an access table may, when its tables can no longer be opened. Call
    // last, before the jail.
    void open_classes();
    // Is there a step that keeps strangers from relaying?
    static bool protects(const RestrictionList& list, int depth = 0);

private:
    RestrictionList compile(std::string_view title, std::string_view text, Phase phase, bool tables_allowed);
    // r has a name that is no rule's: a table, a class. The Error says what else it is.
    Result<void> other_step(Restriction& r, Phase phase, bool tables_allowed);
    // What follows the name of r's rule, into r.
    Result<void> take_argument(Restriction& r, std::string_view argument, bool tables_allowed);
    std::shared_ptr<const table::Maps> table(std::string_view name);
    const RestrictionList& restriction_class(const std::string& name, Phase phase);
    const conf::Settings* settings_ = nullptr;
    bool sasl_enabled_ = false;
    std::unordered_map<std::string, std::shared_ptr<const table::Maps>> tables_;
    std::vector<std::string> class_names_;
    std::unordered_map<std::string, RestrictionList> classes_;
    std::unordered_map<std::string, std::shared_ptr<const RestrictionList>> from_tables_;
};
}
