// Tables in memory: inline: (entries in the name), texthash: (a source file read at open), internal: (empty, for a
// process's own use). All are exact, case folded as asked.
#include <map>
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"
#include "table/source.h"
#include "table/types/type.h"

namespace table {
namespace {
class MemoryTable : public Table {
public:
    MemoryTable(std::string table_name, const OpenOptions& options)
        : Table(std::move(table_name)), duplicates_(options.duplicates) {
        fold_ = options.fold;
        utf8_ = options.utf8 && process().utf8;
    }
    Result<std::optional<Entry>> first() override {
        position_ = entries_.begin();
        return next();
    }
    Result<std::optional<Entry>> next() override {
        if (position_ == entries_.end())
            return std::optional<Entry>();
        Entry entry{position_->first, position_->second};
        ++position_;
        return std::optional<Entry>(std::move(entry));
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        auto found = entries_.find(key);
        if (found == entries_.end())
            return std::optional<std::string>();
        return std::optional<std::string>(found->second);
    }
    Result<void> store(std::string_view key, std::string_view value) override {
        auto [place, fresh] = entries_.try_emplace(std::string(key), value);
        if (fresh)
            return {};
        if (duplicates_ == Duplicates::replace)
            place->second = value;
        else if (duplicates_ == Duplicates::warn)
            maillog::warning("{}: duplicate entry: \"{}\"", name(), key);
        return {};
    }
    Result<bool> remove(std::string_view key) override {
        auto found = entries_.find(key);
        if (found == entries_.end())
            return false;
        if (found == position_)
            ++position_;
        entries_.erase(found);
        return true;
    }

private:
    Duplicates duplicates_;
    std::map<std::string, std::string, std::less<>> entries_;
    std::map<std::string, std::string, std::less<>>::iterator position_ = entries_.end();
};

Result<std::unique_ptr<Table>> open_inline(std::string_view name, const OpenOptions& options) {
    constexpr std::string_view form = "name=value";
    TRY_ASSIGN(std::vector<std::string> members, braced_members("inline", name, form));
    auto table = std::make_unique<MemoryTable>(fmt::format("inline:{}", name), options);
    for (const std::string& member : members) {
        std::size_t equals = member.find('=');
        auto bad = [&](std::string_view what) {
            return permanent(fmt::format("{}: \"inline:{}\"; need \"inline:{{{}...}}\"", what, name, form));
        };
        if (equals == std::string::npos)
            return bad("missing '=' after attribute name");
        std::string_view key = bytes::trim(std::string_view(member).substr(0, equals));
        std::string_view value = bytes::trim(std::string_view(member).substr(equals + 1));
        if (key.empty())
            return bad("missing attribute name");
        TRY(table->put(key, value));
    }
    return table;
}

Result<std::unique_ptr<Table>> open_texthash(std::string_view name, const OpenOptions& options) {
    TRY_ASSIGN(std::string text, rule_text("texthash", name));
    auto table = std::make_unique<MemoryTable>(fmt::format("texthash:{}", name), options);
    SourceReader reader(name, text);
    while (std::optional<SourceLine> line = reader.next()) {
        Result<KeyValue> pair = split_key_value(line->text);
        if (!pair) {
            maillog::warning("{}, line {}: {}", name, line->number, pair.error().reason);
            continue;
        }
        TRY(table->put(pair->key, pair->value));
    }
    return table;
}

Result<std::unique_ptr<Table>> open_internal(std::string_view name, const OpenOptions& options) {
    return std::make_unique<MemoryTable>(fmt::format("internal:{}", name), options);
}
}

const Type inline_type{"inline", "", open_inline};
const Type texthash_type{"texthash", "", open_texthash};
const Type internal_type{"internal", "", open_internal};
}
