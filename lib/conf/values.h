// Values: what each name stands for before it is expanded. Settings are made from it, and postconf shows it. From
// strong to weak: what was assigned (main.cf, then -o), what is computed on this host, the default of the declaration,
// the default of its family.
//
// When things fail: nothing here fails but expand(), see conf/expand.h.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include "base/error.h"
#include "conf/expand.h"
#include "conf/parameter.h"

namespace conf {
struct Assigned {
    std::string value;
    int line = 0;  // of main.cf; 0 for -o and for what a program supplies
};

class Values {
public:
    explicit Values(std::string directory);
    // Later assignments win.
    void assign(std::string_view name, std::string value, int line = 0);
    // Fills in what is computed: config_directory, myhostname, mydomain, mynetworks, process_id, process_name. Call it
    // after assign().
    void compute();

    const Assigned* assigned(std::string_view name) const;
    // The unexpanded value; absent where nothing defines the name. Valid until the next assign() or compute().
    std::optional<std::string_view> raw(std::string_view name) const;
    // The default, whatever is assigned.
    std::optional<std::string_view> fallback(std::string_view name) const;
    Result<std::string> expand(std::string_view text,
                               const std::function<void(std::string_view)>& undefined = {}) const;

    // The first line, without blanks around it, of a file that a value names. Read once: the copies that daemons make
    // later, in a jail and without root's rights, keep it.
    const Result<std::string>& first_line(const std::string& path);
    const std::map<std::string, Result<std::string>>& first_lines() const { return first_lines_; }
    void keep_first_line(const std::string& path, std::string line) {
        first_lines_.insert_or_assign(path, std::move(line));
    }

    const std::string& directory() const { return directory_; }
    const std::map<std::string, Assigned, std::less<>>& all_assigned() const { return assigned_; }

private:
    void compute_names();
    std::string directory_;
    std::map<std::string, Assigned, std::less<>> assigned_;
    std::map<std::string, std::string, std::less<>> computed_;
    std::map<std::string, Result<std::string>> first_lines_;
};
}
