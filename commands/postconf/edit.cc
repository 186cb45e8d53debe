#include "edit.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/bytes.h"
#include "base/fd.h"
#include "conf/master_cf.h"
#include "layout.h"
#include "log/log.h"
#include "show.h"

namespace postconf {
namespace {
// A file as its lines, each knowing the logical line it belongs to.
struct Line {
    std::string text;                            // without its line end
    int logical = -1;                            // number of the logical line; -1: comment, empty, or nothing to continue
    bool first = false;                          // the logical line begins here
};

std::vector<Line> read_lines(std::string_view text) {
    std::vector<Line> out;
    int logical = -1;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        if (end == text.npos) end = text.size();
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        std::string_view content = bytes::trim(line);
        if (content.empty() || content.front() == '#') { out.push_back({std::string(line), -1, false}); continue; }
        bool first = !bytes::is_space(line.front());
        if (first) ++logical;
        out.push_back({std::string(line), logical, first});
    }
    return out;
}

// The text of each logical line, its pieces joined.
std::vector<std::string> logical_texts(const std::vector<Line>& lines) {
    std::vector<std::string> out;
    for (auto& line : lines) {
        if (line.logical < 0) continue;
        if (line.first) out.emplace_back();
        out.back() += line.text;
    }
    return out;
}

// An edit lock and a whole new file: whoever reads sees the old text or the new, never half of one.
class Replacement {
public:
    explicit Replacement(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {
        // Two postconf at once take turns on the temporary file, which each may find removed by the other.
        for (int attempt = 0; attempt < 100; ++attempt) {
            fd_ = UniqueFd(open(temporary_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
            if (!fd_) maillog::fatal("open {}: {}", temporary_, errno_text(errno));
            if (flock(fd_.get(), LOCK_EX) != 0) maillog::fatal("lock {}: {}", temporary_, errno_text(errno));
            struct stat held{}, named{};
            if (fstat(fd_.get(), &held) == 0 && stat(temporary_.c_str(), &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev) break;
        }
        Result<std::string> text = read_file(path_);
        if (!text) abandon(text.error().reason);
        text_ = std::move(*text);
    }
    const std::string& text() const { return text_; }
    [[noreturn]] void abandon(const std::string& reason) {
        unlink(temporary_.c_str());
        maillog::fatal("{}", reason);
    }
    void commit(const std::string& text) {
        struct stat st{};
        if (stat(path_.c_str(), &st) != 0) abandon(fmt::format("stat {}: {}", path_, errno_text(errno)));
        if (ftruncate(fd_.get(), 0) != 0) abandon(fmt::format("truncate {}: {}", temporary_, errno_text(errno)));
        if (auto written = write_all(fd_.get(), text); !written) abandon(fmt::format("write {}: {}", temporary_, written.error().reason));
        if (fchown(fd_.get(), st.st_uid, st.st_gid) != 0 && geteuid() == 0) abandon(fmt::format("chown {}: {}", temporary_, errno_text(errno)));
        if (fchmod(fd_.get(), st.st_mode & 07777) != 0) abandon(fmt::format("chmod {}: {}", temporary_, errno_text(errno)));
        if (fsync(fd_.get()) != 0) abandon(fmt::format("sync {}: {}", temporary_, errno_text(errno)));
        if (rename(temporary_.c_str(), path_.c_str()) != 0) abandon(fmt::format("rename {} to {}: {}", temporary_, path_, errno_text(errno)));
        std::string directory = path_.substr(0, path_.rfind('/'));
        if (UniqueFd d(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); d) (void)fsync(d.get());
    }

private:
    std::string path_, temporary_, text_;
    UniqueFd fd_;
};

void refuse_odd_input(const std::string& argument) {
    if (argument.find('\n') != std::string::npos) maillog::fatal("-e, -X, or -# accepts no multi-line input");
    if (bytes::trim(argument).starts_with('#')) maillog::fatal("-e, -X, or -# accepts no comment input");
}

// What becomes of one logical line: kept, removed, commented out, or new text in its place.
struct Change { Action action = Action::show; std::string text; };

std::string rewrite(const std::vector<Line>& lines, const std::function<const Change*(int)>& change_of) {
    std::string out;
    for (auto& line : lines) {
        const Change* change = line.logical < 0 ? nullptr : change_of(line.logical);
        if (!change || change->action == Action::show) { out += line.text + "\n"; continue; }
        if (change->action == Action::comment_out) out += "#" + line.text + "\n";
        else if (change->action == Action::edit && line.first) out += change->text;
    }
    return out;
}
}

void edit_parameters(const Options& o) {
    std::map<std::string, std::string> wanted;
    std::vector<std::string> order;
    for (auto& argument : o.arguments) {
        refuse_odd_input(argument);
        std::string name, value;
        if (o.action == Action::edit) {
            Result<conf::Assignment> assignment = conf::parse_assignment(argument);
            if (!assignment) maillog::fatal("{}", assignment.error().reason);
            name = assignment->name;
            value = assignment->value;
        } else {
            if (argument.find('=') != std::string::npos) maillog::fatal("-X or -# requires names without value");
            name = std::string(bytes::trim(argument));
            if (name.empty()) maillog::fatal("-X or -# requires non-blank names");
        }
        if (!wanted.contains(name)) order.push_back(name);
        wanted[name] = value;
    }
    std::string path = o.directory + "/main.cf";
    Replacement file(path);
    std::vector<Line> lines = read_lines(file.text());
    std::vector<Change> changes;
    std::map<std::string, int> found;
    for (auto& text : logical_texts(lines)) {
        std::string name(bytes::trim(bytes::cut(text, '=').first));
        Change change;
        if (auto entry = wanted.find(name); entry != wanted.end()) {
            if (++found[name] == 2) maillog::warning("{}: multiple entries for \"{}\"", path, name);
            change = {o.action, setting_line(name, entry->second, false)};
            // As given: white space inside the value may matter to whoever wrote it.
            if (!entry->second.empty()) change.text = name + " = " + entry->second + "\n";
        }
        changes.push_back(std::move(change));
    }
    std::string out = rewrite(lines, [&](int i) { return &changes[static_cast<std::size_t>(i)]; });
    if (o.action == Action::edit)
        for (auto& name : order)
            if (!found.contains(name)) out += wanted[name].empty() ? name + " =\n" : name + " = " + wanted[name] + "\n";
    file.commit(out);
}

namespace {
struct Request { Pattern pattern; std::string value; bool matched = false; };

std::vector<Request> parse_requests(const Options& o) {
    bool services = o.mode == Mode::master_services;
    std::vector<Request> out;
    for (auto& argument : o.arguments) {
        refuse_odd_input(argument);
        std::string_view left = argument, value;
        if (o.action == Action::edit) {
            auto [name, rest] = bytes::cut(argument, '=');
            if (!rest) maillog::fatal("missing '=' after attribute name: \"{}\"", argument);
            left = bytes::trim(name);
            value = bytes::trim(*rest);
        } else if (argument.find('=') != std::string::npos) maillog::fatal("-X or -# requires names without value");
        auto parts = std::count(left.begin(), left.end(), '/') + 1;
        if (services && parts != 2) maillog::fatal("-Me, -MX or -M# requires service_name/type");
        if (o.mode == Mode::master_fields && parts != 3) maillog::fatal("-Fe requires service_name/type/field_name");
        if (o.mode == Mode::master_parameters && parts != 3) maillog::fatal("-Pe or -PX requires service_name/type/parameter");
        Request request{parse_pattern(left, services ? 2 : 3), std::string(value), false};
        if (o.mode == Mode::master_fields && std::none_of(fields().begin(), fields().end(), [&](auto& f) { return f.name == request.pattern.item; }))
            maillog::fatal("invalid master.cf field name: \"{}\"", request.pattern.item);
        out.push_back(std::move(request));
    }
    return out;
}

// The new entry, or the reason why not.
Result<conf::MasterEntry> with_field(const conf::MasterEntry& e, const Request& request, const std::string& path) {
    std::string line;
    for (auto& field : fields()) {
        line += field.name == request.pattern.item ? request.value : field.read(e);
        line += ' ';
    }
    return conf::parse_master_line(line, path, e.line);
}

bool is_override(const std::vector<std::string>& args, std::size_t i) { return args[i].starts_with("-o") && (args[i].size() > 2 || i + 1 < args.size()); }

conf::MasterEntry with_parameter(conf::MasterEntry e, const Request& request, bool remove) {
    std::vector<std::string> args;
    std::string text = fmt::format("{}={}", request.pattern.item, request.value);
    if (std::any_of(text.begin(), text.end(), bytes::is_space)) text = "{ " + request.pattern.item + " = " + request.value + " }";
    bool done = remove, options = true;
    for (std::size_t i = 0; i < e.args.size(); ++i) {
        if (options && !e.args[i].starts_with('-')) {
            options = false;
            if (!done) { args.push_back("-o"); args.push_back(text); done = true; }
        }
        if (!options || !is_override(e.args, i)) { args.push_back(e.args[i]); continue; }
        std::string value = e.args[i].size() > 2 ? e.args[i].substr(2) : e.args[++i];
        std::string_view inner = value;
        if (inner.size() >= 2 && inner.front() == '{' && inner.back() == '}') inner = inner.substr(1, inner.size() - 2);
        bool same = bytes::trim(bytes::cut(inner, '=').first) == request.pattern.item;
        if (same && (remove || done)) continue;
        args.push_back("-o");
        args.push_back(same ? text : value);
        done = done || same;
    }
    if (!done) { args.push_back("-o"); args.push_back(text); }
    e.args = std::move(args);
    return e;
}
}

void edit_master(const Options& o) {
    std::vector<Request> requests = parse_requests(o);
    std::string path = o.directory + "/master.cf";
    Replacement file(path);
    std::vector<Line> lines = read_lines(file.text());
    std::vector<Change> changes;
    int number = 0;
    for (auto& text : logical_texts(lines)) {
        Change change;
        Result<conf::MasterEntry> entry = conf::parse_master_line(text, path, ++number);
        // An entry that cannot be read stays as it is, unless it is what the request is about.
        for (auto& request : requests) {
            if (!entry || !request.pattern.matches(*entry)) continue;
            request.matched = true;
            change.action = o.action;
            if (o.action == Action::comment_out || (o.mode == Mode::master_services && o.action == Action::remove)) continue;
            if (o.mode == Mode::master_services) {
                Result<conf::MasterEntry> fresh = conf::parse_master_line(request.value, fmt::format("\"{}\"", request.value), 1);
                if (!fresh) file.abandon(fresh.error().reason);
                *entry = std::move(*fresh);
            } else if (o.mode == Mode::master_fields) {
                Result<conf::MasterEntry> fresh = with_field(*entry, request, path);
                if (!fresh) file.abandon(fresh.error().reason);
                *entry = std::move(*fresh);
            } else *entry = with_parameter(std::move(*entry), request, o.action == Action::remove);
            change = {Action::edit, entry_text(*entry, true)};
        }
        changes.push_back(std::move(change));
    }
    std::string out = rewrite(lines, [&](int i) { return &changes[static_cast<std::size_t>(i)]; });
    for (auto& request : requests) {
        if (request.matched) continue;
        if (o.mode == Mode::master_services && o.action == Action::edit) {
            Result<conf::MasterEntry> fresh = conf::parse_master_line(request.value, fmt::format("\"{}\"", request.value), 1);
            if (!fresh) file.abandon(fresh.error().reason);
            out += entry_text(*fresh, true);
        } else if (o.mode != Mode::master_services)
            file.abandon(fmt::format("unmatched service: \"{}/{}\"", request.pattern.service, request.pattern.type));
    }
    file.commit(out);
}
}
