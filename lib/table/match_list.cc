#include "table/match_list.h"
#include <deque>
#include <vector>
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/fd.h"
#include "log/log.h"
#include "table/types/network.h"
#include "table/types/type.h"

namespace table {
namespace {
constexpr int include_depth_max = 10;  // "/file" within "/file"

struct Member {
    enum class Kind : std::uint8_t { text, network, table, broken } kind = Kind::text;
    bool negated = false;
    std::string text{};  // folded; broken: why
    Network network{};
    std::shared_ptr<Table> table{};
};

// A file of a list holds words, however they are spread over lines; a word that begins with # and what follows on its
// line is comment.
std::string without_comments(std::string_view text) {
    std::string out;
    bool comment = false;
    char before = '\n';
    for (char c : text) {
        if (c == '\n')
            comment = false;
        else if (c == '#' && (bytes::is_space(before) || before == ','))
            comment = true;
        if (!comment)
            out += c;
        before = c;
    }
    return out;
}
}

struct MatchList::Data {
    std::string title;
    Kind kind = Kind::strings;
    Parents parents = Parents::dotted;
    OpenOptions options;
    std::vector<Member> members;

    void read(std::string_view value, bool negated, int depth) {
        for (std::string_view item : bytes::split_outside_braces(value, ", \t\r\n")) {
            bool no = negated;
            while (item.starts_with('!')) {
                no = !no;
                item.remove_prefix(1);
            }
            if (item.size() >= 2 && item.front() == '{' && item.back() == '}')
                item = bytes::trim(item.substr(1, item.size() - 2));
            if (!item.empty())
                add(item, no, depth);
        }
    }

private:
    void broken(std::string why, bool negated) {
        maillog::warning("{}: {}", title, why);
        members.push_back({.kind = Member::Kind::broken, .negated = negated, .text = std::move(why)});
    }

    void add(std::string_view item, bool negated, int depth) {
        if (item.front() == '/')
            return include(std::string(item), negated, depth);
        std::size_t colon = item.find(':');
        if (item.front() != '[' && colon != std::string_view::npos &&
            (kind != Kind::hosts || known_type(item.substr(0, colon)) || !Network::parse(item)))
            return members.push_back(
                {.kind = Member::Kind::table, .negated = negated, .table = open_or_broken(item, options)});
        bool numeric =
            kind == Kind::hosts &&
            (item.front() == '[' || item.find_first_not_of("0123456789abcdefABCDEF.:/") == std::string_view::npos) &&
            (item.front() == '[' || item.find('/') != std::string_view::npos || Ip::parse(item) ||
             item.find_first_not_of("0123456789.") == std::string_view::npos);
        if (!numeric)
            return members.push_back(
                {.kind = Member::Kind::text, .negated = negated, .text = folded(item, options.utf8 && process().utf8)});
        Result<Network> network = Network::parse(item);
        if (!network)
            return broken(network.error().reason, negated);
        members.push_back({.kind = Member::Kind::network, .negated = negated, .network = *network});
    }

    void include(const std::string& path, bool negated, int depth) {
        if (depth >= include_depth_max)
            return broken(fmt::format("{}: files nested deeper than {}", path, include_depth_max), negated);
        Result<std::string> text = read_file(path);
        if (!text)
            return broken(
                fmt::format("open file {}: {}", path,
                            text.error().sys_errno ? errno_text(text.error().sys_errno) : text.error().reason),
                negated);
        remember_file(path);
        read(without_comments(*text), negated, depth + 1);
    }
};

namespace {
// name is text itself, or a domain below it as the list has it.
bool domain_matches(std::string_view name, std::string_view text, Parents parents) {
    if (name == text)
        return true;
    if (text.starts_with('.'))
        return name.size() > text.size() && name.ends_with(text);
    return parents == Parents::bare && name.size() > text.size() && name.ends_with(text) &&
           name[name.size() - text.size() - 1] == '.';
}

Result<bool> table_matches(Table& table, std::string_view key) {
    TRY_ASSIGN(std::optional<std::string> value, table.find(key));
    return value.has_value();
}

Result<bool> domain_in_table(Table& table, std::string_view name, Parents parents) {
    for (std::string_view rest = name;;) {
        TRY_ASSIGN(bool found, table_matches(table, rest));
        if (found)
            return true;
        std::size_t dot = rest.find('.', 1);
        if (parents == Parents::none || table.pattern() || dot == std::string_view::npos || dot + 1 == rest.size())
            return false;
        rest.remove_prefix(parents == Parents::bare ? dot + 1 : dot);
    }
}

Failure list_error(std::string_view title, std::string_view why) {
    return temporary(fmt::format("{}: {}", title, why));
}
}

MatchList MatchList::open(std::string_view title, std::string_view value, Kind kind, Parents parents,
                          const OpenOptions& options) {
    auto data = std::make_shared<Data>();
    data->title = title;
    data->kind = kind;
    data->parents = parents;
    data->options = options;
    data->read(value, false, 0);
    MatchList list;
    list.data_ = std::move(data);
    return list;
}

bool MatchList::empty() const { return !data_ || data_->members.empty(); }

Result<bool> MatchList::match(std::string_view text) const {
    if (data_ && data_->kind == Kind::hosts)
        return match(text, {});
    if (empty() || text.empty())
        return false;
    std::string name = folded(text, data_->options.utf8 && process().utf8 && bytes::valid_utf8(text));
    for (const Member& member : data_->members) {
        if (member.kind == Member::Kind::broken)
            return list_error(data_->title, member.text);
        Result<bool> found = false;
        bool domains = data_->kind == Kind::domains;
        if (member.kind == Member::Kind::table)
            found = domains ? domain_in_table(*member.table, name, data_->parents) : table_matches(*member.table, name);
        else
            found = domains ? domain_matches(name, member.text, data_->parents) : name == member.text;
        if (!found)
            return list_error(data_->title, found.error().reason);
        if (*found)
            return !member.negated;
    }
    return false;
}

Result<bool> MatchList::match(std::string_view name, std::string_view address) const {
    if (empty())
        return false;
    std::string host = folded(name, false);
    std::optional<Ip> ip = Ip::parse(address);
    for (const Member& member : data_->members) {
        Result<bool> found = false;
        switch (member.kind) {
        case Member::Kind::broken: return list_error(data_->title, member.text);
        case Member::Kind::network: found = ip && member.network.contains(*ip); break;
        case Member::Kind::text: found = !host.empty() && domain_matches(host, member.text, data_->parents); break;
        case Member::Kind::table:
            if (!host.empty())
                found = domain_in_table(*member.table, host, data_->parents);
            if (found && !*found && !address.empty())
                found = table_matches(*member.table, address);
            break;
        }
        if (!found)
            return list_error(data_->title, found.error().reason);
        if (*found)
            return !member.negated;
    }
    return false;
}

Result<bool> in_network(std::string_view address, std::string_view net) {
    TRY_ASSIGN(Network network, Network::parse(net));
    std::optional<Ip> ip = Ip::parse(address);
    return ip && network.contains(*ip);
}
}
