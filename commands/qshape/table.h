// The table that qshape prints: domains by number of recipients, each with how old their mail is.
//
// When things fail: nothing fails.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qshape {
struct Shape {
    std::size_t buckets = 10;
    std::int64_t first_minutes = 5;
    bool linear = false, parents = false;
    std::size_t subdomains = 5, width = 80;

    std::vector<std::int64_t> limits() const;  // in minutes; one less than buckets
};

class Table {
public:
    explicit Table(const Shape& shape);
    void add(std::string_view domain, std::int64_t age_seconds);
    // At most `most` domains; 0: all.
    std::string text(std::size_t most) const;

private:
    using Row = std::vector<std::size_t>;  // total, then each bucket
    struct Parent {
        Row row;
        std::size_t subdomains = 0;
    };
    std::map<std::string, Parent> parents() const;
    Shape shape_;
    std::vector<std::int64_t> limits_;
    Row total_;
    std::map<std::string, Row> domains_{};
};
// What stands behind the last @ in lower case; "MAILER-DAEMON" for the null address.
std::string domain_of(std::string_view address);
}
