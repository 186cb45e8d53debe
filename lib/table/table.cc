// The registry of table types, opening by "type:name", and what all tables share: folding and UTF-8 rules of keys and
// values.
#include "table/table.h"
#include <unicode/uchar.h>
#include <unicode/ustring.h>
#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/fd.h"
#include "base/time.h"
#include "conf/network.h"
#include "conf/settings.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "table/types/type.h"

namespace table {
namespace {
constexpr std::array all_types = {&btree_type,     &cdb_type,     &cidr_type,     &environ_type,  &fail_type,
                                  &hash_type,      &inline_type,  &internal_type, &lmdb_type,     &nis_type,
                                  &pcre_type,      &pipemap_type, &proxy_type,    &randmap_type,  &regexp_type,
                                  &socketmap_type, &static_type,  &texthash_type, &unionmap_type, &unix_type};

const Type* find_type(std::string_view name) {
    for (const Type* type : all_types)
        if (type->name == name)
            return type;
    return nullptr;
}

std::vector<std::string>& file_list() {
    static std::vector<std::string> files;
    return files;
}

// A table that could not be opened: mail that needs it waits until the administrator has mended it.
class BrokenTable : public Table {
public:
    BrokenTable(std::string table_name, Error why) : Table(std::move(table_name)), why_(std::move(why)) {}

protected:
    Result<std::optional<std::string>> lookup(std::string_view) override {
        std::int64_t now = base::wall_now().seconds;
        if (now - warned_ >= 60) {  // who reads the log should find it, and should find other things too
            maillog::warning("{} is unavailable. {}", name(), why_.reason);
            warned_ = now;
        }
        return temporary(fmt::format("{} is unavailable. {}", name(), why_.reason));
    }

private:
    Error why_;
    std::int64_t warned_ = 0;
};
}

Process& process() {
    static Process values;
    return values;
}

void remember_file(const std::string& path) {
    auto& files = file_list();
    if (std::find(files.begin(), files.end(), path) == files.end())
        files.push_back(path);
}

const std::vector<std::string>& opened_files() { return file_list(); }

void configure(const conf::Settings& settings) {
    Process& p = process();
    p.utf8 = settings[param::smtputf8_enable];
    p.default_type = settings[param::default_database_type];
    p.db_create_cache = static_cast<std::size_t>(settings[param::berkeley_db_create_buffer_size]);
    p.db_read_cache = static_cast<std::size_t>(settings[param::berkeley_db_read_buffer_size]);
    p.open_error_is_fatal = settings[param::daemon_table_open_error_is_fatal];
    p.socketmap_query = static_cast<std::size_t>(settings[param::socketmap_max_query_size]);
    p.socketmap_reply = static_cast<std::size_t>(settings[param::socketmap_max_reply_size]);
    p.families = conf::families(settings[param::inet_protocols]).value_or(conf::Families{});
    p.lmdb_map = static_cast<std::size_t>(settings[param::lmdb_map_size]);
}

std::vector<std::string> types() {
    std::vector<std::string> names;
    for (const Type* type : all_types)
        names.emplace_back(type->name);
    return names;
}

bool known_type(std::string_view type) { return find_type(type) != nullptr; }

std::optional<std::string> file_suffix(std::string_view type) {
    const Type* found = find_type(type);
    if (!found || found->suffix.empty())
        return std::nullopt;
    return std::string(found->suffix);
}

std::string folded(std::string_view key, bool utf8) {
    if (!utf8 || bytes::is_ascii(key))
        return bytes::lowered(key);
    // Case folding works on UTF-16; a key that is not valid UTF-8 never gets here with utf8 set.
    std::u16string wide(key.size() + 1, u'\0'), fold;
    std::int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(wide.data(), static_cast<std::int32_t>(wide.size()), &length, key.data(),
                  static_cast<std::int32_t>(key.size()), &status);
    if (U_FAILURE(status))
        return bytes::lowered(key);
    fold.resize(static_cast<std::size_t>(length) * 3 + 1);  // at most three code units for one
    std::int32_t fold_length = u_strFoldCase(fold.data(), static_cast<std::int32_t>(fold.size()), wide.data(), length,
                                             U_FOLD_CASE_DEFAULT, &status);
    if (U_FAILURE(status))
        return bytes::lowered(key);
    std::string out(static_cast<std::size_t>(fold_length) * 3 + 1, '\0');
    std::int32_t out_length = 0;
    u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &out_length, fold.data(), fold_length, &status);
    if (U_FAILURE(status))
        return bytes::lowered(key);
    out.resize(static_cast<std::size_t>(out_length));
    return out;
}

Result<std::optional<std::string>> Table::find(std::string_view key) {
    bool ascii = bytes::is_ascii(key);
    if (utf8_ && !ascii && !bytes::valid_utf8(key)) {
        maillog::warning("{}: non-UTF-8 key \"{}\": malformed UTF-8 or invalid codepoint", name(),
                         bytes::printable(key.substr(0, 100)));
        return std::optional<std::string>();
    }
    Result<std::optional<std::string>> found = fold_ ? lookup(folded(key, utf8_)) : lookup(key);
    if (found && *found && utf8_ && !bytes::is_ascii(**found) && !bytes::valid_utf8(**found)) {
        maillog::warning("{}: key \"{}\": non-UTF-8 value \"{}\": malformed UTF-8 or invalid codepoint", name(),
                         bytes::printable(key.substr(0, 100)),
                         bytes::printable(std::string_view(**found).substr(0, 100)));
        return temporary(fmt::format("table {}: a value is not UTF-8", name()));
    }
    return found;
}

Result<void> Table::put(std::string_view key, std::string_view value) {
    return fold_ ? store(folded(key, utf8_), value) : store(key, value);
}
Result<bool> Table::erase(std::string_view key) { return fold_ ? remove(folded(key, utf8_)) : remove(key); }
Result<void> Table::store(std::string_view, std::string_view) {
    return permanent(fmt::format("table {}: update operation is not supported", name()));
}
Result<bool> Table::remove(std::string_view) {
    return permanent(fmt::format("table {}: delete operation is not supported", name()));
}
Result<std::optional<Entry>> Table::first() {
    return permanent(fmt::format("table {}: sequence operation is not supported", name()));
}
Result<std::optional<Entry>> Table::next() { return first(); }

Result<std::unique_ptr<Table>> open(std::string_view type_and_name, const OpenOptions& options) {
    std::size_t colon = type_and_name.find(':');
    std::string_view type =
        colon == std::string_view::npos ? std::string_view(process().default_type) : type_and_name.substr(0, colon);
    std::string_view name = colon == std::string_view::npos ? type_and_name : type_and_name.substr(colon + 1);
    if (type.empty() || name.empty())
        return permanent(fmt::format("open dictionary: expecting \"type:name\" form instead of \"{}\"", type_and_name));
    if (options.replaced_by)
        if (std::unique_ptr<Table> other = options.replaced_by(type, name))
            return other;
    const Type* found = find_type(type);
    if (!found)
        return permanent(fmt::format("unsupported dictionary type: {}", type));
    return found->open(name, options);
}

std::unique_ptr<Table> broken(std::string_view name, Error why) {
    return std::make_unique<BrokenTable>(std::string(name), std::move(why));
}

std::unique_ptr<Table> open_or_broken(std::string_view type_and_name, const OpenOptions& options) {
    Result<std::unique_ptr<Table>> table = open(type_and_name, options);
    if (table)
        return std::move(*table);
    if (process().open_error_is_fatal)
        maillog::fatal("{}", table.error().reason);
    maillog::error("{}", table.error().reason);
    return broken(type_and_name, std::move(table.error()));
}

Result<std::vector<std::string>> braced_members(std::string_view type, std::string_view name, std::string_view form) {
    auto bad = [&] {
        return permanent(fmt::format("bad syntax: \"{}:{}\"; need \"{}:{{{}...}}\"", type, name, type, form));
    };
    if (name.size() < 2 || name.front() != '{' || name.back() != '}')
        return bad();
    std::vector<std::string> members;
    for (std::string_view member : bytes::split_outside_braces(name.substr(1, name.size() - 2), ", \t\r\n")) {
        if (member.front() == '{') {
            if (member.size() < 2 || member.back() != '}')
                return bad();
            member = bytes::trim(member.substr(1, member.size() - 2));
        }
        members.emplace_back(member);
    }
    if (members.empty())
        return bad();
    return members;
}

Result<std::string> rule_text(std::string_view type, std::string_view name) {
    if (name.starts_with('{')) {
        TRY_ASSIGN(std::vector<std::string> rules, braced_members(type, name, "{rule}"));
        std::string text;
        for (const std::string& rule : rules)
            text += rule + "\n";
        return text;
    }
    std::string path(name);
    Result<std::string> text = read_file(path, std::size_t{1} << 30);
    if (!text)
        return permanent(fmt::format(
            "open {}: {}", path, text.error().sys_errno ? errno_text(text.error().sys_errno) : text.error().reason));
    remember_file(path);
    return text;
}

void FileWatch::opened(const std::string& path, const struct stat& info) {
    path_ = path;
    info_ = info;
    looked_ = 0;
}

bool FileWatch::changed() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    std::int64_t now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (now_ms - looked_ < 50)
        return false;
    looked_ = now_ms;
    struct stat info {};
    if (stat(path_.c_str(), &info) != 0)
        return false;  // gone, or behind the jail: what is open stays good
    bool same = info.st_ino == info_.st_ino && info.st_dev == info_.st_dev && info.st_size == info_.st_size &&
                info.st_mtim.tv_sec == info_.st_mtim.tv_sec && info.st_mtim.tv_nsec == info_.st_mtim.tv_nsec;
    info_ = info;
    return !same;
}
}
