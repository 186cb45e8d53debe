// cidr: rules "network value", "!network value", "if network" … "endif" (cidr_table(5)), tried in order. A key that is
// no address matches nothing, not even "!" rules; and rules of one family of addresses say nothing of the other.
//
// When things fail: as types/rules.h has it.
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"
#include "table/source.h"
#include "table/types/network.h"
#include "table/types/type.h"

namespace table {
namespace {
struct Rule {
    enum class Kind : std::uint8_t { value, begin, end } kind = Kind::value;
    bool negated = false;
    int line = 0;
    std::size_t after = 0;
    Network network;
    std::string value;
};

class CidrTable : public Table {
public:
    explicit CidrTable(std::string table_name) : Table(std::move(table_name)) { pattern_ = true; }

    void parse(std::string_view shown, std::string_view text) {
        std::vector<std::size_t> open;
        SourceReader reader(fmt::format("cidr map {}", shown), text);
        auto warn = [&](int line, std::string_view what) {
            maillog::warning("cidr map {}, line {}: {}", shown, line, what);
        };
        while (std::optional<SourceLine> line = reader.next()) {
            Result<Rule> rule = read_rule(line->text, open.empty());
            if (!rule) {
                warn(line->number, rule.error().reason + ": skipping this rule");
                continue;
            }
            rule->line = line->number;
            if (rule->kind == Rule::Kind::begin)
                open.push_back(rules_.size());
            if (rule->kind == Rule::Kind::end) {
                rules_[open.back()].after = rules_.size();
                open.pop_back();
            }
            rules_.push_back(std::move(*rule));
        }
        for (std::size_t begin : open) {
            warn(rules_[begin].line, "IF has no matching ENDIF");
            rules_[begin].after = rules_.size();
        }
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        std::optional<Ip> ip = Ip::parse(key);
        if (!ip)
            return std::optional<std::string>();
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            const Rule& rule = rules_[i];
            if (rule.kind == Rule::Kind::end)
                continue;
            bool holds = rule.network.address.v6 == ip->v6 && rule.network.contains(*ip) != rule.negated;
            if (rule.kind == Rule::Kind::begin) {
                if (!holds)
                    i = rule.after - 1;
            } else if (holds) {
                return std::optional<std::string>(rule.value);
            }
        }
        return std::optional<std::string>();
    }

private:
    static bool keyword(std::string_view& text, std::string_view word) {
        if (!bytes::istarts_with(text, word) || (text.size() > word.size() && bytes::is_alnum(text[word.size()])))
            return false;
        text.remove_prefix(word.size());
        return true;
    }

    static Result<Rule> read_rule(std::string_view text, bool outside) {
        Rule rule;
        if (keyword(text, "endif")) {
            if (!bytes::trim(text).empty())
                return permanent("garbage after ENDIF");
            if (outside)
                return permanent("ENDIF without IF");
            rule.kind = Rule::Kind::end;
            return rule;
        }
        if (keyword(text, "if"))
            rule.kind = Rule::Kind::begin;
        text = bytes::trim(text);
        while (text.starts_with('!')) {
            rule.negated = !rule.negated;
            text = bytes::trim(text.substr(1));
        }
        std::size_t end = rule.kind == Rule::Kind::begin ? text.size() : text.find_first_of(" \t\r\n\v\f");
        std::string_view pattern = text.substr(0, end);
        if (pattern.empty())
            return permanent("no address pattern");
        if (rule.kind == Rule::Kind::value) {
            rule.value = end == std::string_view::npos ? "" : bytes::trim(text.substr(end));
            if (rule.value.empty()) {
                TRY(Network::parse(pattern));
                return permanent("no lookup result");
            }
        }
        TRY_ASSIGN(rule.network, Network::parse(pattern));
        return rule;
    }

    std::vector<Rule> rules_;
};
}

const Type cidr_type{"cidr", "", [](std::string_view name, const OpenOptions&) -> Result<std::unique_ptr<Table>> {
                         TRY_ASSIGN(std::string text, rule_text("cidr", name));
                         auto table = std::make_unique<CidrTable>(fmt::format("cidr:{}", name));
                         table->parse(name, text);
                         return table;
                     }};
}
