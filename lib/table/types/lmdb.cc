// lmdb: an LMDB file NAME.lmdb in the shape that lmdb_table(5) documents: one file, none of LMDB's own locking; every
// transaction runs under an fcntl lock on the whole file, shared to read and exclusive to write. Keys and values end in
// a NUL byte when we write them; either form is found. A full map is doubled and the transaction repeated.
#include <fcntl.h>
#include <lmdb.h>
#include <cerrno>
#include <deque>
#include <fmt/format.h>
#include "log/log.h"
#include "table/types/replacement.h"
#include "table/types/type.h"

namespace table {
namespace {
MDB_val thing(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
std::string text_of(const MDB_val& v) {
    std::string_view text(static_cast<const char*>(v.mv_data), v.mv_size);
    if (text.ends_with('\0'))
        text.remove_suffix(1);
    return std::string(text);
}

class LmdbTable : public Table {
public:
    LmdbTable(std::string table_name, std::string path, const OpenOptions& options)
        : Table(std::move(table_name)),
          path_(std::move(path)),
          options_(options),
          with_nul_(options.try_with_nul),
          without_nul_(options.try_without_nul) {
        fold_ = options.fold;
        utf8_ = options.utf8 && process().utf8;
    }
    ~LmdbTable() override { close(); }

    Result<void> open() {
        if (options_.access == Access::read)
            return open_path(path_, MDB_RDONLY);
        if (options_.access == Access::update)
            return open_path(path_, 0);
        Result<Replacement> made = Replacement::begin(path_, options_.create_mode, options_.access == Access::edit);
        if (!made)
            return tl::unexpected(std::move(made.error()));
        replacement_ = std::make_unique<Replacement>(std::move(*made));
        TRY(open_path(replacement_->path(), MDB_NOSYNC));
        if (replacement_->in_place() && options_.access == Access::create)
            return write([&](MDB_txn* txn) { return mdb_drop(txn, dbi_, 0); });
        return {};
    }

    Result<std::optional<Entry>> first() override {
        started_ = false;
        return next();
    }
    // Each step is a transaction of its own that goes on behind the last key, so that no reader stays open between
    // calls.
    Result<std::optional<Entry>> next() override {
        std::optional<Entry> found;
        TRY(read([&](MDB_txn* txn) {
            MDB_cursor* cursor = nullptr;
            if (int e = mdb_cursor_open(txn, dbi_, &cursor))
                return e;
            MDB_val k = thing(last_key_), v{};
            int e = mdb_cursor_get(cursor, &k, &v, started_ ? MDB_SET_RANGE : MDB_FIRST);
            if (e == 0 && started_ && std::string_view(static_cast<char*>(k.mv_data), k.mv_size) == last_key_)
                e = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
            if (e == 0) {
                last_key_.assign(static_cast<char*>(k.mv_data), k.mv_size);
                found = Entry{text_of(k), text_of(v)};
            }
            mdb_cursor_close(cursor);
            return e == MDB_NOTFOUND ? 0 : e;
        }));
        started_ = true;
        return found;
    }

    Result<void> commit() override {
        if (options_.access == Access::read)
            return {};
        TRY(flush());
        if (!replacement_)
            return {};
        if (int e = mdb_env_sync(env_, 1))
            return failed("update", e);
        close();
        return replacement_->finish();
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        if (options_.access == Access::read && watch_.changed())
            reopen();
        TRY(flush());
        std::string ended(key);
        ended.push_back('\0');
        std::optional<std::string> value;
        TRY(read([&](MDB_txn* txn) {
            for (bool nul : {true, false}) {
                if (!(nul ? with_nul_ : without_nul_))
                    continue;
                MDB_val k{key.size() + nul, ended.data()}, v{};
                if (k.mv_size == 0 || k.mv_size > 511)
                    continue;
                int e = mdb_get(txn, dbi_, &k, &v);
                if (e == MDB_NOTFOUND)
                    continue;
                if (e == 0)
                    value = text_of(v);
                return e;
            }
            return 0;
        }));
        return value;
    }

    Result<void> store(std::string_view key, std::string_view value) override {
        std::string k(key), v(value);
        if (options_.try_with_nul) {
            k.push_back('\0');
            v.push_back('\0');
        }
        if (k.size() > 511)
            return permanent(fmt::format("table {}: key longer than 511 bytes", name()));
        pending_.push_back({std::move(k), std::move(v)});
        if (pending_.size() >= (replacement_ ? 4096u : 1u))
            return flush();
        return {};
    }

    Result<bool> remove(std::string_view key) override {
        TRY(flush());
        bool found = false;
        std::string ended(key);
        ended.push_back('\0');
        TRY(write([&](MDB_txn* txn) {
            for (bool nul : {true, false}) {
                if (!(nul ? with_nul_ : without_nul_))
                    continue;
                MDB_val k{key.size() + nul, ended.data()};
                if (k.mv_size == 0 || k.mv_size > 511)
                    continue;
                int e = mdb_del(txn, dbi_, &k, nullptr);
                if (e && e != MDB_NOTFOUND)
                    return e;
                found |= e == 0;
            }
            return 0;
        }));
        return found;
    }

private:
    Result<void> open_path(const std::string& path, unsigned flags) {
        MDB_env* env = nullptr;
        if (int e = mdb_env_create(&env))
            return failed("open", e);
        mdb_env_set_mapsize(env, process().lmdb_map);
        int e = mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | flags, options_.create_mode);
        MDB_txn* txn = nullptr;
        MDB_dbi dbi = 0;
        int fd = -1;
        if (e == 0)
            e = mdb_env_get_fd(env, &fd);
        if (e == 0 && !lock_file(fd, !(flags & MDB_RDONLY)))
            e = errno;
        if (e == 0)
            e = mdb_txn_begin(env, nullptr, flags & MDB_RDONLY, &txn);
        if (e == MDB_MAP_RESIZED && mdb_env_set_mapsize(env, 0) == 0)
            e = mdb_txn_begin(env, nullptr, flags & MDB_RDONLY, &txn);
        if (e == 0)
            e = mdb_dbi_open(txn, nullptr, 0, &dbi);
        if (e == 0)
            e = mdb_txn_commit(txn);
        else if (txn)
            mdb_txn_abort(txn);
        if (fd >= 0)
            unlock_file(fd);
        if (e) {
            mdb_env_close(env);
            Failure failure =
                permanent(fmt::format("open database {}: {}", path_, e > 0 ? errno_text(e) : mdb_strerror(e)));
            failure.value().sys_errno = e > 0 ? e : 0;
            return failure;
        }
        close();
        env_ = env;
        dbi_ = dbi;
        fd_ = fd;
        struct stat info {};
        if (fstat(fd, &info) == 0)
            watch_.opened(path_, info);
        if (!replacement_)
            remember_file(path_);
        return {};
    }

    void reopen() {
        if (Result<void> again = open_path(path_, MDB_RDONLY); !again)
            maillog::warning("{}: cannot open the changed file: {}; using the old one", name(), again.error().reason);
    }

    void close() {
        if (env_)
            mdb_env_close(env_);
        env_ = nullptr;
    }

    template <class F> Result<void> read(F body) {
        TRY(lock_file(fd_, false));
        MDB_txn* txn = nullptr;
        int e = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
        if (e == MDB_MAP_RESIZED && mdb_env_set_mapsize(env_, 0) == 0)
            e = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
        if (e == 0) {
            e = body(txn);
            mdb_txn_abort(txn);
        }
        unlock_file(fd_);
        if (e)
            return failed("lookup", e);
        return {};
    }

    template <class F> Result<void> write(F body) {
        TRY(lock_file(fd_, true));
        int e = 0;
        for (int attempt = 0; attempt < 40; ++attempt) {  // 40 doublings are beyond any address space
            MDB_txn* txn = nullptr;
            e = mdb_txn_begin(env_, nullptr, 0, &txn);
            if (e == MDB_MAP_RESIZED && mdb_env_set_mapsize(env_, 0) == 0)
                continue;
            if (e == 0) {
                e = body(txn);
                if (e == 0)
                    e = mdb_txn_commit(txn);
                else
                    mdb_txn_abort(txn);
            }
            if (e != MDB_MAP_FULL)
                break;
            MDB_envinfo info{};
            mdb_env_info(env_, &info);
            if (mdb_env_set_mapsize(env_, info.me_mapsize * 2) != 0)
                break;
        }
        unlock_file(fd_);
        if (e)
            return failed("update", e);
        return {};
    }

    Result<void> flush() {
        if (pending_.empty())
            return {};
        std::deque<Entry> entries;
        entries.swap(pending_);
        std::vector<std::string> duplicates;
        TRY(write([&](MDB_txn* txn) {
            duplicates.clear();
            for (const Entry& entry : entries) {
                MDB_val k = thing(entry.key), v = thing(entry.value);
                int e = mdb_put(txn, dbi_, &k, &v, options_.duplicates == Duplicates::replace ? 0 : MDB_NOOVERWRITE);
                if (e == MDB_KEYEXIST)
                    duplicates.push_back(text_of(thing(entry.key)));
                else if (e)
                    return e;
            }
            return 0;
        }));
        if (options_.duplicates == Duplicates::warn)
            for (const std::string& key : duplicates)
                maillog::warning("{}: duplicate entry: \"{}\"", path_, key);
        return {};
    }

    Failure failed(std::string_view what, int e) {
        return temporary(fmt::format("table {}: {} error: {}", name(), what, e > 0 ? errno_text(e) : mdb_strerror(e)));
    }

    std::string path_;
    OpenOptions options_;
    bool with_nul_, without_nul_;
    FileWatch watch_;
    MDB_env* env_ = nullptr;
    MDB_dbi dbi_ = 0;
    int fd_ = -1;
    std::deque<Entry> pending_;
    std::string last_key_;
    bool started_ = false;
    std::unique_ptr<Replacement> replacement_;
};

Result<std::unique_ptr<Table>> open_lmdb(std::string_view name, const OpenOptions& options) {
    auto table = std::make_unique<LmdbTable>(fmt::format("lmdb:{}", name), fmt::format("{}.lmdb", name), options);
    TRY(table->open());
    return table;
}
}

const Type lmdb_type{"lmdb", ".lmdb", open_lmdb};
}
