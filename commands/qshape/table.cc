#include "table.h"
#include <fmt/format.h>
#include <algorithm>
#include "base/bytes.h"

namespace qshape {
std::vector<std::int64_t> Shape::limits() const {
    std::vector<std::int64_t> list;
    std::int64_t limit = first_minutes;
    for (std::size_t i = 1; i < buckets; ++i) {
        list.push_back(limit);
        limit = linear ? limit + first_minutes : limit * 2;
    }
    return list;
}

Table::Table(const Shape& shape) : shape_(shape), limits_(shape.limits()), total_(shape.buckets + 1) {}

void Table::add(std::string_view domain, std::int64_t age_seconds) {
    auto bucket =
        static_cast<std::size_t>(std::upper_bound(limits_.begin(), limits_.end(), age_seconds / 60) - limits_.begin());
    Row& row = domains_[std::string(domain)];
    if (row.empty())
        row.resize(total_.size());
    for (Row* r : {&row, &total_}) {
        ++(*r)[0];
        ++(*r)[bucket + 1];
    }
}

// ".example.org" sums up its subdomains; a top level domain has no row of its own.
std::map<std::string, Table::Parent> Table::parents() const {
    std::map<std::string, Parent> found;
    for (const auto& [domain, row] : domains_) {
        for (auto dot = domain.find('.'); dot != domain.npos; dot = domain.find('.', dot + 1)) {
            std::string parent = domain.substr(dot);
            if (parent.find('.', 1) == parent.npos)
                break;
            Parent& p = found[parent];
            if (p.row.empty())
                p.row.resize(row.size());
            ++p.subdomains;
            for (std::size_t i = 0; i < row.size(); ++i)
                p.row[i] += row[i];
        }
    }
    std::erase_if(found, [&](const auto& item) { return item.second.subdomains < shape_.subdomains; });
    return found;
}

std::string Table::text(std::size_t most) const {
    std::vector<std::pair<std::string, Row>> rows(domains_.begin(), domains_.end());
    if (shape_.parents)
        for (auto& [name, parent] : parents())
            rows.emplace_back(name, parent.row);
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
        return a.second[0] != b.second[0] ? a.second[0] > b.second[0] : a.first < b.first;
    });
    if (most > 0 && rows.size() > most)
        rows.resize(most);

    std::vector<std::string> heads{"T"};
    for (auto limit : limits_)
        heads.push_back(std::to_string(limit));
    heads.push_back(limits_.empty() ? "+" : std::to_string(limits_.back()) + "+");
    std::vector<std::size_t> widths;
    std::size_t numbers = 0;
    for (std::size_t i = 0; i < heads.size(); ++i) {
        widths.push_back(std::max({std::size_t(2), heads[i].size(), std::to_string(total_[i]).size()}));
        numbers += widths.back() + 1;
    }
    const std::size_t width = std::max<std::size_t>(shape_.width, 80);
    const std::size_t name_width = std::max<std::size_t>(width > numbers ? width - numbers : 0, 18);

    std::string out;
    auto line = [&](std::string name, auto cell) {
        if (name.size() > name_width) {
            bool parent = name.front() == '.';
            name = (parent ? ".+" : "+") + name.substr(name.size() - (name_width - (parent ? 2 : 1)));
        }
        out += fmt::format("{:>{}}", name, name_width);
        for (std::size_t i = 0; i < widths.size(); ++i)
            out += fmt::format(" {:>{}}", cell(i), widths[i]);
        out += '\n';
    };
    line("", [&](std::size_t i) { return heads[i]; });
    line("TOTAL", [&](std::size_t i) { return std::to_string(total_[i]); });
    for (const auto& [name, row] : rows)
        line(name, [&, &cells = row](std::size_t i) { return std::to_string(cells[i]); });
    return out;
}

std::string domain_of(std::string_view address) {
    if (address.empty() || address == "MAILER-DAEMON")
        return "MAILER-DAEMON";
    auto at = address.rfind('@');
    return bytes::printable(bytes::lowered(at == address.npos ? address : address.substr(at + 1)));
}
}
