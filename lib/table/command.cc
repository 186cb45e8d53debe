#include "table/command.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/rights.h"
#include "conf/settings.h"
#include "log/log.h"
#include "mail/mime.h"
#include "table/source.h"

namespace table {
namespace {
enum class Verb : std::uint8_t { build, insert, query, erase, list };

struct Options {
    Verb verb = Verb::build;
    std::string key;
    bool json = false, files = false, keep_root = false, default_mode = false, bodies = false, headers = false,
         mime = false, force_utf8 = false;
    bool fold = true, utf8 = true, nul = false, no_nul = false;
    Duplicates duplicates = Duplicates::warn;
};

// Whose rights are taken while a table is made for a source file: its owner's, so that a user's file cannot make root
// write elsewhere.
conf::Identity owner_of(const struct stat& source, bool keep_root) {
    if (keep_root)
        return {};
    return {source.st_uid, source.st_gid, {source.st_gid}, "the source file's owner"};
}

// "a, b c" for -F: the files' bytes, a line end between them, in base64.
Result<std::string> file_contents(std::string_view names) {
    std::string all;
    bool first = true;
    for (std::string_view name : bytes::split(names, ", \t\r\n")) {
        Result<std::string> text = read_file(std::string(name));
        if (!text)
            return permanent(fmt::format("open {}: {}", name, errno_text(text.error().sys_errno)));
        all += (first ? "" : "\n") + *text;
        first = false;
    }
    return bytes::base64_encode(all);
}

// Keys of a message on standard input for -h and -b.
class MessageKeys : public mail::MimeEvents {
public:
    MessageKeys(const Options& options, std::vector<std::string>& keys) : options_(options), keys_(keys) {}
    void header(mail::HeaderClass, const mail::HeaderInfo&, std::string_view text) override {
        if (options_.headers)
            keys_.emplace_back(text);
    }
    void header_end() override {}
    void body(std::string_view text, bool) override {
        if (options_.bodies)
            keys_.emplace_back(text);
    }

private:
    const Options& options_;
    std::vector<std::string>& keys_;
};

class Command {
public:
    Command(const TableCommand& command, Options options, const conf::Settings& settings)
        : command_(command), options_(std::move(options)), settings_(settings) {}

    int run(const std::vector<std::string>& tables) {
        switch (options_.verb) {
        case Verb::build:
            for (const std::string& table : tables)
                build(table);
            return 0;
        case Verb::insert:
            for (const std::string& table : tables)
                insert(table);
            return 0;
        case Verb::list:
            for (const std::string& table : tables)
                list(table);
            return 0;
        case Verb::query: return options_.key == "-" ? query_all(tables) : query_one(tables);
        case Verb::erase: return erase(tables);
        }
        return 1;
    }

private:
    OpenOptions open_options(Access access) const {
        OpenOptions o;
        o.fold = options_.fold;
        o.utf8 = options_.utf8;
        o.access = access;
        o.duplicates = options_.duplicates;
        if (options_.nul && !options_.no_nul)
            o.try_without_nul = false;
        if (options_.no_nul && !options_.nul)
            o.try_with_nul = false;
        return o;
    }

    static std::unique_ptr<Table> open_or_die(const std::string& name, const OpenOptions& options) {
        Result<std::unique_ptr<Table>> table = table::open(name, options);
        if (!table)
            maillog::fatal("{}", table.error().reason);
        return std::move(*table);
    }

    static std::string with_type(const std::string& name) {
        return name.find(':') == std::string::npos ? default_type() + ":" + name : name;
    }
    static std::string default_type();

    void read_source(Table& table, std::string_view shown, std::string_view text) {
        SourceReader reader(shown, text);
        while (std::optional<SourceLine> line = reader.next()) {
            auto warn = [&](std::string_view what) { maillog::warning("{}, line {}: {}", shown, line->number, what); };
            if (options_.utf8 && !bytes::is_ascii(line->text) && !bytes::valid_utf8(line->text)) {
                warn(fmt::format("non-UTF-8 input \"{}\" -- ignoring this line", bytes::printable(line->text)));
                continue;
            }
            Result<SourceEntry> entry = command_.parse(line->text);
            if (!entry) {
                warn(entry.error().reason);
                continue;
            }
            if (command_.remark)
                if (std::string remark = command_.remark(line->text); !remark.empty())
                    warn(remark);
            if (options_.files) {
                Result<std::string> encoded = file_contents(entry->value);
                if (!encoded) {
                    warn(encoded.error().reason + ": skipping this entry");
                    continue;
                }
                entry->value = std::move(*encoded);
            }
            if (Result<void> put = table.put(entry->key, entry->value); !put)
                maillog::fatal("{}", put.error().reason);
        }
    }

    void build(const std::string& name) {
        std::string full = with_type(name), type = full.substr(0, full.find(':')),
                    path = full.substr(full.find(':') + 1);
        struct stat info {};
        UniqueFd source(::open(
            path.c_str(), O_RDONLY | O_CLOEXEC));  // once: the file that is read is the one whose owner is asked for
        if (!source || fstat(source.get(), &info) != 0)
            maillog::fatal("open {}: {}", path, errno_text(errno));
        Result<std::string> text = read_file(source, path, std::size_t{1} << 32);
        if (!text)
            maillog::fatal("{}", text.error().reason);
        if (!known_type(type))
            maillog::fatal("unsupported dictionary type: {}", type);
        if (!file_suffix(type))
            maillog::fatal("unsupported map type for this operation: {}", type);
        conf::TakeIdentity rights(owner_of(info, options_.keep_root));
        OpenOptions o = open_options(Access::create);
        o.create_mode = options_.default_mode ? 0644 : 0600 | (info.st_mode & 044);
        std::unique_ptr<Table> table = open_or_die(full, o);
        read_source(*table, path, *text);
        finish(*table, true);
    }

    void insert(const std::string& name) {
        std::string full = with_type(name), type = full.substr(0, full.find(':')),
                    path = full.substr(full.find(':') + 1);
        struct stat info {};
        bool exists = file_suffix(type) && stat((path + *file_suffix(type)).c_str(), &info) == 0;
        if (exists)
            info.st_uid = 0;  // updating keeps the caller's rights
        std::string text;
        char buffer[65536];
        for (ssize_t n; (n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(n));
        std::unique_ptr<Table> table =
            open_or_die(full, open_options(exists || !file_suffix(type) ? Access::edit : Access::create));
        read_source(*table, "stdin", text);
        finish(*table, false);
    }

    void finish(Table& table, bool built) {
        if (built && command_.finish)
            if (Result<void> more = command_.finish(table, settings_); !more)
                maillog::fatal("{}", more.error().reason);
        if (Result<void> done = table.commit(); !done)
            maillog::fatal("{}", done.error().reason);
    }

    // With -F: what is in the files. A table of text names them; others have it in base64.
    // Absent: a file cannot be read, of which there was a warning.
    std::optional<std::string> contents(std::string_view table, std::string_view key, const std::string& value) {
        const bool names_files = table.starts_with("texthash:") || table.starts_with("inline:");
        Result<std::string> encoded = names_files ? file_contents(value) : Result<std::string>(value);
        if (!encoded) {
            maillog::warning("{}: key {}: {}: skipping this entry", table, key, encoded.error().reason);
            return std::nullopt;
        }
        std::optional<std::string> plain = bytes::base64_decode(*encoded);
        if (!plain)
            maillog::fatal("table value for key {} is not base64", key);
        return plain;
    }

    // False: with -F, what is in the file is not to be had.
    bool show(std::string_view table, std::string_view key, std::string value, bool with_key) {
        if (options_.files) {
            std::optional<std::string> plain = contents(table, key, value);
            if (!plain)
                return false;
            value = std::move(*plain);
        }
        if (options_.json) {
            nlohmann::json object;
            object[std::string(key)] = value;
            fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
        } else if (with_key) {
            fmt::print("{}{}{}\n", key, command_.separator, value);
        } else {
            fmt::print("{}\n", value);
        }
        return true;
    }

    // The first table that has the key shows it.
    bool look_up(const std::vector<std::string>& names, std::vector<std::unique_ptr<Table>>& tables,
                 std::string_view key, bool with_key) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (!tables[i])
                tables[i] = open_or_die(names[i], open_options(Access::read));
            Result<std::optional<std::string>> found = tables[i]->find(key);
            if (!found)
                maillog::fatal("{}", found.error().reason);
            if (!*found)
                continue;
            if ((*found)->empty()) {
                maillog::warning("table {}: key {}: empty string result is not allowed", tables[i]->name(), key);
                maillog::warning("table {} should return NO RESULT in case of NOT FOUND", tables[i]->name());
            }
            return show(names[i], key, std::move(**found), with_key);
        }
        return false;
    }

    int query_one(const std::vector<std::string>& names) {
        std::vector<std::unique_ptr<Table>> tables(names.size());
        return look_up(names, tables, options_.key, false) ? 0 : 1;
    }

    int query_all(const std::vector<std::string>& names) {
        std::vector<std::unique_ptr<Table>> tables(names.size());
        bool found = false, message = options_.headers || options_.bodies;
        std::vector<std::string> keys;
        MessageKeys events(options_, keys);
        // With both -h and -b, attachments are plain body lines, as in Postfix.
        mail::MimeParser parser({.parse = options_.mime && !(options_.headers && options_.bodies)}, events);
        auto ask = [&] {
            for (const std::string& key : keys)
                found |= look_up(names, tables, key, true);
            keys.clear();
        };
        char* line = nullptr;
        std::size_t size = 0;
        for (ssize_t n; (n = getline(&line, &size, stdin)) >= 0; ask()) {
            std::string_view text(line, static_cast<std::size_t>(n));
            if (text.ends_with('\n'))
                text.remove_suffix(1);
            if (message)
                parser.line(text);
            else if (!text.empty())
                keys.emplace_back(text);
        }
        if (message)
            parser.finish();
        ask();
        free(line);
        return found ? 0 : 1;
    }

    int erase(const std::vector<std::string>& names) {
        std::vector<std::string> keys;
        if (options_.key != "-")
            keys.push_back(options_.key);
        char* line = nullptr;
        std::size_t size = 0;
        for (ssize_t n; options_.key == "-" && (n = getline(&line, &size, stdin)) >= 0;) {
            std::string_view text(line, static_cast<std::size_t>(n));
            if (text.ends_with('\n'))
                text.remove_suffix(1);
            if (!text.empty())
                keys.emplace_back(text);
        }
        free(line);
        bool found = false;
        for (const std::string& name : names) {
            std::string full = with_type(name), type = full.substr(0, full.find(':'));
            if (known_type(type) && !file_suffix(type))
                maillog::fatal("table {}: delete operation is not supported", full);
            std::unique_ptr<Table> table = open_or_die(full, open_options(Access::edit));
            bool here = false;
            for (const std::string& key : keys) {
                Result<bool> gone = table->erase(key);
                if (!gone)
                    maillog::fatal("{}", gone.error().reason);
                here |= *gone;
            }
            if (here)
                finish(*table, false);
            found |= here;
        }
        return found ? 0 : 1;
    }

    void list(const std::string& name) {
        std::unique_ptr<Table> table = open_or_die(with_type(name), open_options(Access::read));
        Result<std::optional<Entry>> entry = table->first();
        for (; entry && *entry; entry = table->next())
            show(with_type(name), (*entry)->key, std::move((*entry)->value), true);
        if (!entry)
            maillog::fatal("{}", entry.error().reason);
    }

    const TableCommand& command_;
    Options options_;
    const conf::Settings& settings_;
};

std::string configured_default_type;
std::string Command::default_type() { return configured_default_type; }

[[noreturn]] void usage(const TableCommand& command) { maillog::fatal("usage: {}", command.usage); }
}

int run_command(const TableCommand& command, int argc, char** argv) {
    maillog::to_stderr(std::string(command.name));
    Options o;
    const char* from_environment = getenv("MAIL_CONFIG");
    std::string directory = from_environment ? from_environment : "/etc/postfix";
    int verbs = 0, verbose = getenv("MAIL_VERBOSE") ? 1 : 0;
    auto verb = [&](Verb v, const char* key) {
        if (verbs++)
            maillog::fatal("specify only one of -s -q or -d");
        o.verb = v;
        if (key)
            o.key = key;
    };
    bool update = false, unfold_utf8 = false;
    for (int c; (c = getopt(argc, argv, command.options.data())) > 0;) {
        switch (c) {
        case 'b': o.bodies = true; break;
        case 'c': directory = optarg; break;
        case 'd': verb(Verb::erase, optarg); break;
        case 'f': o.fold = false; break;
        case 'F': o.files = true; break;
        case 'h': o.headers = true; break;
        case 'i': update = true; break;
        case 'j': o.json = true; break;
        case 'm': o.mime = true; break;
        case 'n': o.no_nul = true; break;
        case 'N': o.nul = true; break;
        case 'o': o.keep_root = true; break;
        case 'p': o.default_mode = true; break;
        case 'q': verb(Verb::query, optarg); break;
        case 'r': o.duplicates = Duplicates::replace; break;
        case 's': verb(Verb::list, nullptr); break;
        case 'u': unfold_utf8 = true; break;
        case 'U': o.force_utf8 = true; break;
        case 'v': ++verbose; break;
        case 'w': o.duplicates = Duplicates::ignore; break;
        default: usage(command);
        }
    }
    maillog::set_verbose(verbose);
    if (o.verb == Verb::build && update)
        o.verb = Verb::insert;
    if ((o.bodies || o.headers || o.mime) && !(o.verb == Verb::query && o.key == "-"))
        maillog::fatal("specify -b -h or -m only with \"-q -\"");
    if (o.mime && !o.bodies && !o.headers)
        maillog::fatal("specify -m only with -b or -h");
    if (o.json && o.verb != Verb::query && o.verb != Verb::list)
        maillog::fatal("specify -j only with -q or -s");
    if (optind >= argc)
        usage(command);

    std::vector<std::string> warnings;
    Result<conf::Settings> settings = conf::Settings::load(directory, {}, &warnings);
    for (const std::string& warning : warnings)
        maillog::warning("{}", warning);
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    configure(*settings);
    configured_default_type = (*settings)[param::default_database_type];
    o.utf8 = (*settings)[param::smtputf8_enable] && !unfold_utf8 && (o.force_utf8 || !(o.bodies || o.headers));
    // An interrupted command leaves the old table: the new one has its place only when it is complete.
    Command run(command, o, *settings);
    int status = run.run({argv + optind, argv + argc});
    if (fflush(stdout) != 0 || ferror(stdout))
        maillog::fatal("write error: {}", errno_text(errno));
    return status;
}
}
