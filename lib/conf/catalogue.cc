#include "conf/catalogue.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <unordered_map>

namespace conf {
namespace {
// operator[] of Settings is on hot paths: an open-addressed table from address to number, at most a quarter full.
class Catalogue {
public:
    Catalogue() : sorted_(declared_parameters) {
        std::sort(sorted_.begin(), sorted_.end(), [](auto* a, auto* b) { return a->name < b->name; });
        slots_.resize(std::bit_ceil(sorted_.size() * 4));
        by_name_.reserve(sorted_.size());
        for (std::uint32_t i = 0; i < sorted_.size(); ++i) {
            by_name_.emplace(sorted_[i]->name, i);
            std::size_t at = slot(sorted_[i]);
            while (slots_[at].first)
                at = (at + 1) & (slots_.size() - 1);
            slots_[at] = {sorted_[i], i};
            if (is_family(*sorted_[i]))
                families_.push_back(sorted_[i]);
        }
        // The longest ending goes first: _destination_recipient_limit before _recipient_limit.
        std::sort(families_.begin(), families_.end(), [](auto* a, auto* b) { return a->name.size() > b->name.size(); });
    }

    std::size_t index(const Parameter& p) const {
        for (std::size_t at = slot(&p); slots_[at].first; at = (at + 1) & (slots_.size() - 1))
            if (slots_[at].first == &p)
                return slots_[at].second;
        auto found = by_name_.find(p.name);
        return found == by_name_.end() ? sorted_.size() : found->second;
    }

    const std::vector<const Parameter*>& sorted() const { return sorted_; }
    const std::vector<const Parameter*>& families() const { return families_; }
    const Parameter* find(std::string_view name) const {
        auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : sorted_[found->second];
    }

private:
    std::size_t slot(const Parameter* p) const {
        return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(p) * 0x9E3779B97F4A7C15ull) >> 32) &
               (slots_.size() - 1);
    }
    std::vector<const Parameter*> sorted_, families_;
    std::vector<std::pair<const Parameter*, std::uint32_t>> slots_;
    std::unordered_map<std::string_view, std::uint32_t> by_name_;
};

const Catalogue& catalogue() {
    static const Catalogue instance;
    return instance;
}

constexpr std::string_view family_prefix = "transport_";

// Levenshtein distance with transpositions, given up beyond `most`.
std::size_t distance(std::string_view a, std::string_view b, std::size_t most) {
    if (a.size() > 127 || b.size() > 127)
        return most + 1;
    std::array<std::array<std::uint8_t, 128>, 3> rows{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        rows[0][j] = static_cast<std::uint8_t>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& above = rows[(i - 1) % 3];
        auto& row = rows[i % 3];
        auto& before = rows[(i + 1) % 3];  // row i - 2
        row[0] = static_cast<std::uint8_t>(i);
        std::size_t least = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::uint8_t best =
                std::min({static_cast<std::uint8_t>(above[j] + 1), static_cast<std::uint8_t>(row[j - 1] + 1),
                          static_cast<std::uint8_t>(above[j - 1] + (a[i - 1] != b[j - 1]))});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = std::min(best, static_cast<std::uint8_t>(before[j - 2] + 1));
            row[j] = best;
            least = std::min<std::size_t>(least, best);
        }
        if (least > most)
            return most + 1;
    }
    return rows[a.size() % 3][b.size()];
}
}

const std::vector<const Parameter*>& all_parameters() { return catalogue().sorted(); }
const Parameter* find_parameter(std::string_view name) { return catalogue().find(name); }
std::size_t parameter_index(const Parameter& p) { return catalogue().index(p); }

bool is_family(const Parameter& p) { return !p.programs.empty(); }

std::optional<std::pair<const Parameter*, std::string_view>> family_of(std::string_view name) {
    for (const Parameter* family : catalogue().families()) {
        std::string_view ending = family->name.substr(family_prefix.size() - 1);
        if (name.size() > ending.size() && name.ends_with(ending))
            return std::pair{family, name.substr(0, name.size() - ending.size())};
    }
    return std::nullopt;
}

std::string_view nearest_name(std::string_view name) {
    std::size_t most = name.size() < 6 ? 1 : name.size() < 12 ? 2 : 3;
    std::string_view best;
    for (const Parameter* p : all_parameters()) {
        if (p->removed || is_family(*p))
            continue;
        std::size_t d = distance(name, p->name, most);
        if (d <= most && d > 0) {
            best = p->name;
            if (d == 1)
                break;
            most = d - 1;
        }
    }
    return best;
}
}
