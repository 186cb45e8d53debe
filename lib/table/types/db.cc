// hash: and btree:, Berkeley DB 5.3 files NAME.db, interchangeable with Postfix's: keys and values end in a NUL byte
// when we write them; either form is found.
//
// A reader has the file open without locks: our writers replace the file, and lookups take up a replaced or changed
// file by themselves while it can be reached. One that cannot be opened again leaves the old one in use.
#include <db.h>
#include <fcntl.h>
#include <cerrno>
#include <fmt/format.h>
#include "log/log.h"
#include "table/types/replacement.h"
#include "table/types/type.h"

namespace table {
namespace {
struct CloseDb {
    void operator()(DB* db) const { db->close(db, 0); }
};
using DbPtr = std::unique_ptr<DB, CloseDb>;

DBT thing(std::string_view text) {
    DBT t{};
    t.data = const_cast<char*>(text.data());
    t.size = static_cast<u_int32_t>(text.size());
    return t;
}

std::string text_of(const DBT& t) {
    std::string_view text(static_cast<const char*>(t.data), t.size);
    if (text.ends_with('\0'))
        text.remove_suffix(1);
    return std::string(text);
}

Result<DbPtr> open_db(const std::string& path, DBTYPE type, u_int32_t flags, std::size_t cache, unsigned mode = 0644) {
    DB* raw = nullptr;
    if (int e = db_create(&raw, nullptr, 0))
        return temporary(fmt::format("create DB handle: {}", db_strerror(e)));
    DbPtr db(raw);
    db->set_errcall(raw, [](const DB_ENV*, const char*, const char*) {});  // what happens comes back as a value
    db->set_cachesize(raw, 0, static_cast<u_int32_t>(std::max<std::size_t>(cache, 32768)), 1);
    if (flags & DB_CREATE) {
        db->set_pagesize(raw, 4096);
        if (type == DB_HASH)
            db->set_h_nelem(raw, 4096);
    }
    if (int e = db->open(raw, nullptr, path.c_str(), nullptr, type, flags, static_cast<int>(mode))) {
        std::string why = e == EINVAL || e < 0 ? std::string("Unsupported file format") : errno_text(e);
        Failure failure = permanent(fmt::format("open database {}: {}", path, why));
        failure.value().sys_errno = e > 0 ? e : 0;
        return failure;
    }
    return db;
}

class DbTable : public Table {
public:
    DbTable(std::string table_name, std::string path, DBTYPE type, const OpenOptions& options)
        : Table(std::move(table_name)),
          path_(std::move(path)),
          type_(type),
          options_(options),
          with_nul_(options.try_with_nul),
          without_nul_(options.try_without_nul) {
        fold_ = options.fold;
        utf8_ = options.utf8 && process().utf8;
    }
    ~DbTable() override { close_cursor(); }

    Result<void> open() {
        if (options_.access == Access::read)
            return open_for_reading();
        std::size_t cache = process().db_create_cache;
        if (options_.access == Access::update) {
            TRY_ASSIGN(db_, open_db(path_, type_, DB_CREATE, process().db_read_cache, options_.create_mode));
            int fd = -1;
            db_->fd(db_.get(), &fd);
            if (!lock_file(fd, true, false))
                return temporary(fmt::format("open database {}: it is in use by another process", path_));
            remember_file(path_);
            return {};
        }
        bool copy = options_.access == Access::edit;
        Result<Replacement> made = Replacement::begin(path_, options_.create_mode, copy);
        if (!made)
            return tl::unexpected(std::move(made.error()));
        replacement_ = std::make_unique<Replacement>(std::move(*made));
        TRY_ASSIGN(db_,
                   open_db(replacement_->path(), copy ? DB_UNKNOWN : type_, copy ? 0 : DB_CREATE | DB_TRUNCATE, cache));
        return {};
    }

    Result<std::optional<Entry>> first() override {
        close_cursor();
        if (int e = db_->cursor(db_.get(), nullptr, &cursor_, 0))
            return failed("sequence", e);
        return step(DB_FIRST);
    }
    Result<std::optional<Entry>> next() override { return cursor_ ? step(DB_NEXT) : first(); }

    Result<void> commit() override {
        if (options_.access == Access::read)
            return {};
        if (int e = db_->sync(db_.get(), 0))
            return failed("update", e);
        if (!replacement_)
            return {};
        close_cursor();
        DB* db = db_.release();
        if (int e = db->close(db, 0))
            return failed("update", e);
        return replacement_->finish();
    }

    Result<void> put_raw(std::string_view key, std::string_view value) override { return insert(key, value); }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        if (options_.access == Access::read && watch_.changed())
            reopen();
        std::string ended;
        if (with_nul_) {
            ended.reserve(key.size() + 1);
            ended.assign(key).push_back('\0');
            TRY_ASSIGN(std::optional<std::string> found, get(ended));
            if (found) {
                without_nul_ = false;
                return found;
            }
        }
        if (without_nul_) {
            TRY_ASSIGN(std::optional<std::string> found, get(key));
            if (found) {
                with_nul_ = false;
                return found;
            }
        }
        return std::optional<std::string>();
    }

    Result<void> store(std::string_view key, std::string_view value) override {
        std::string k(key), v(value);
        if (options_.try_with_nul) {
            k.push_back('\0');
            v.push_back('\0');
        }
        return insert(k, v);
    }

    Result<bool> remove(std::string_view key) override {
        bool found = false;
        for (bool nul : {true, false}) {
            if (!(nul ? with_nul_ : without_nul_))
                continue;
            std::string k(key);
            if (nul)
                k.push_back('\0');
            DBT dk = thing(k);
            int e = db_->del(db_.get(), nullptr, &dk, 0);
            if (e && e != DB_NOTFOUND)
                return failed("delete", e);
            found |= e == 0;
        }
        return found;
    }

private:
    Result<void> insert(std::string_view key, std::string_view value) {
        DBT dk = thing(key), dv = thing(value);
        int e = db_->put(db_.get(), nullptr, &dk, &dv, options_.duplicates == Duplicates::replace ? 0 : DB_NOOVERWRITE);
        if (e == DB_KEYEXIST) {
            if (options_.duplicates == Duplicates::warn)
                maillog::warning("{}: duplicate entry: \"{}\"", path_, text_of(dk));
            return {};
        }
        if (e)
            return failed("update", e);
        return {};
    }

    Result<void> open_for_reading() {
        Result<DbPtr> db = open_db(path_, DB_UNKNOWN, DB_RDONLY, process().db_read_cache);
        if (!db)
            return tl::unexpected(std::move(db.error()));
        struct stat info {};
        int fd = -1;
        (*db)->fd(db->get(), &fd);
        if (fstat(fd, &info) == 0)
            watch_.opened(path_, info);
        close_cursor();
        db_ = std::move(*db);
        remember_file(path_);
        return {};
    }

    void reopen() {
        Result<void> again = open_for_reading();
        if (!again)
            maillog::warning("{}: cannot open the changed file: {}; using the old one", name(), again.error().reason);
        with_nul_ = options_.try_with_nul;
        without_nul_ = options_.try_without_nul;
    }

    Result<std::optional<std::string>> get(std::string_view key) {
        DBT dk = thing(key), dv{};
        int e = db_->get(db_.get(), nullptr, &dk, &dv, 0);
        if (e == DB_NOTFOUND || e == DB_KEYEMPTY)
            return std::optional<std::string>();
        if (e)
            return failed("lookup", e);
        return std::optional<std::string>(text_of(dv));
    }

    Result<std::optional<Entry>> step(u_int32_t where) {
        DBT dk{}, dv{};
        int e = cursor_->get(cursor_, &dk, &dv, where);
        if (e == DB_NOTFOUND) {
            close_cursor();
            return std::optional<Entry>();
        }
        if (e)
            return failed("sequence", e);
        return std::optional<Entry>(Entry{text_of(dk), text_of(dv)});
    }

    void close_cursor() {
        if (cursor_)
            cursor_->close(cursor_);
        cursor_ = nullptr;
    }

    Failure failed(std::string_view what, int e) {
        return temporary(fmt::format("table {}: {} error: {}", name(), what, db_strerror(e)));
    }

    std::string path_;
    DBTYPE type_;
    OpenOptions options_;
    bool with_nul_, without_nul_;  // forms still tried: the first hit decides for the file
    FileWatch watch_;
    DbPtr db_;
    DBC* cursor_ = nullptr;
    std::unique_ptr<Replacement> replacement_;
};

template <DBTYPE type> Result<std::unique_ptr<Table>> open_type(std::string_view name, const OpenOptions& options) {
    auto table = std::make_unique<DbTable>(fmt::format("{}:{}", type == DB_HASH ? "hash" : "btree", name),
                                           fmt::format("{}.db", name), type, options);
    TRY(table->open());
    return table;
}
}

const Type hash_type{"hash", ".db", open_type<DB_HASH>};
const Type btree_type{"btree", ".db", open_type<DB_BTREE>};
}
