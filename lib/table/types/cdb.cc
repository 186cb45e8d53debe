// cdb: a constant database NAME.cdb, whose keys have no NUL at the end when we write them; either form is found. A
// lookup is a read from a mapped file. No update in place: only postmap makes one.
#include <cdb.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <fmt/format.h>
#include "log/log.h"
#include "table/types/replacement.h"
#include "table/types/type.h"

namespace table {
namespace {
class CdbReader : public Table {
public:
    CdbReader(std::string table_name, std::string path, const OpenOptions& options)
        : Table(std::move(table_name)), path_(std::move(path)), options_(options) {
        fold_ = options.fold;
        utf8_ = options.utf8 && process().utf8;
    }
    ~CdbReader() override { close(); }

    Result<void> open() {
        UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd)
            return system_error("open database " + path_, errno);
        struct stat info {};
        if (fstat(fd.get(), &info) != 0)
            return system_error("open database " + path_, errno);
        struct cdb fresh {};
        if (cdb_init(&fresh, fd.get()) != 0)
            return permanent(fmt::format("open database {}: Unsupported file format", path_));
        close();
        cdb_ = fresh;
        fd_ = std::move(fd);
        watch_.opened(path_, info);
        remember_file(path_);
        return {};
    }

    Result<std::optional<Entry>> first() override {
        cdb_seqinit(&position_, &cdb_);
        return next();
    }
    Result<std::optional<Entry>> next() override {
        const unsigned before = position_;
        int found = cdb_seqnext(&position_, &cdb_);
        if (found < 0 || (found > 0 && position_ <= before))
            return failed();  // lengths that lead back would have no end
        if (found == 0)
            return std::optional<Entry>();
        return std::optional<Entry>(
            Entry{bytes_at(cdb_keylen(&cdb_), cdb_keypos(&cdb_)), bytes_at(cdb_datalen(&cdb_), cdb_datapos(&cdb_))});
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        if (watch_.changed())
            if (Result<void> again = open(); !again)
                maillog::warning("{}: cannot open the changed file: {}; using the old one", name(),
                                 again.error().reason);
        std::string ended(key);
        ended.push_back('\0');
        for (bool nul : {false, true}) {
            if (!(nul ? options_.try_with_nul : options_.try_without_nul))
                continue;
            int found = cdb_find(&cdb_, ended.data(), static_cast<unsigned>(key.size() + nul));
            if (found < 0)
                return failed();
            if (found > 0)
                return std::optional<std::string>(bytes_at(cdb_datalen(&cdb_), cdb_datapos(&cdb_)));
        }
        return std::optional<std::string>();
    }

private:
    std::string bytes_at(unsigned length, unsigned position) {
        const void* data = cdb_get(&cdb_, length, position);
        std::string text(data ? static_cast<const char*>(data) : "", data ? length : 0);
        if (!text.empty() && text.back() == '\0')
            text.pop_back();
        return text;
    }
    void close() {
        if (fd_)
            cdb_free(&cdb_);
        fd_.reset();
    }
    Failure failed() { return temporary(fmt::format("table {}: lookup error: damaged file", name())); }

    std::string path_;
    OpenOptions options_;
    struct cdb cdb_ {};
    unsigned position_ = 0;
    UniqueFd fd_;
    FileWatch watch_;
};

class CdbMaker : public Table {
public:
    CdbMaker(std::string table_name, std::string path, const OpenOptions& options)
        : Table(std::move(table_name)), path_(std::move(path)), options_(options) {
        fold_ = options.fold;
        utf8_ = options.utf8 && process().utf8;
    }
    ~CdbMaker() override {
        if (fd_)
            cdb_make_finish(&make_);  // frees what it holds; the file goes with replacement_
    }

    Result<void> open() {
        Result<Replacement> made = Replacement::begin(path_, options_.create_mode, false);
        if (!made)
            return tl::unexpected(std::move(made.error()));
        replacement_ = std::make_unique<Replacement>(std::move(*made));
        fd_ = UniqueFd(
            ::open(replacement_->path().c_str(), O_RDWR | O_CLOEXEC | (replacement_->in_place() ? O_TRUNC : 0)));
        if (!fd_)
            return system_error("create database " + path_, errno);
        if (cdb_make_start(&make_, fd_.get()) != 0)
            return failed();
        return {};
    }

    Result<void> commit() override {
        if (cdb_make_finish(&make_) != 0)
            return failed();
        fd_.reset();
        return replacement_->finish();
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view) override { return std::optional<std::string>(); }
    Result<void> store(std::string_view key, std::string_view value) override {
        std::string k(key), v(value);
        if (!options_.try_without_nul) {
            k.push_back('\0');
            v.push_back('\0');
        }
        int e =
            cdb_make_put(&make_, k.data(), static_cast<unsigned>(k.size()), v.data(), static_cast<unsigned>(v.size()),
                         options_.duplicates == Duplicates::replace ? CDB_PUT_REPLACE : CDB_PUT_INSERT);
        if (e < 0)
            return failed();
        if (e > 0 && options_.duplicates == Duplicates::warn)
            maillog::warning("{}: duplicate entry: \"{}\"", path_, key);
        return {};
    }

private:
    Failure failed() { return system_error("write database " + path_, errno); }
    std::string path_;
    OpenOptions options_;
    struct cdb_make make_ {};
    UniqueFd fd_;
    std::unique_ptr<Replacement> replacement_;
};

Result<std::unique_ptr<Table>> open_cdb(std::string_view name, const OpenOptions& options) {
    std::string shown = fmt::format("cdb:{}", name), path = fmt::format("{}.cdb", name);
    if (options.access == Access::create) {
        auto table = std::make_unique<CdbMaker>(shown, path, options);
        TRY(table->open());
        return table;
    }
    if (options.access != Access::read)
        return permanent(fmt::format("open database {}: a cdb file cannot be updated", path));
    auto table = std::make_unique<CdbReader>(shown, path, options);
    TRY(table->open());
    return table;
}
}

const Type cdb_type{"cdb", ".cdb", open_cdb};
}
