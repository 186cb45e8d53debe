#include "edit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "conf/edit.h"
#include "conf/master_cf.h"
#include "layout.h"
#include "log/log.h"
#include "show.h"

namespace postconf {
using conf::EditAction;

namespace {
template <class T> T or_die(Result<T> result) {
    if (!result)
        maillog::fatal("{}", result.error().reason);
    return std::move(*result);
}

EditAction edit_action(Action action) {
    return action == Action::edit          ? EditAction::set
           : action == Action::remove      ? EditAction::remove
           : action == Action::comment_out ? EditAction::comment_out
                                           : EditAction::keep;
}

// fatal() ends the program without destructors: the file beside goes first.
[[noreturn]] void abandon(conf::Replacement file, const std::string& reason) {
    { conf::Replacement gone(std::move(file)); }
    maillog::fatal("{}", reason);
}

void refuse_odd_input(const std::string& argument) {
    if (argument.find('\n') != std::string::npos)
        maillog::fatal("-e, -X, or -# accepts no multi-line input");
    if (bytes::trim(argument).starts_with('#'))
        maillog::fatal("-e, -X, or -# accepts no comment input");
}
}

void edit_parameters(const Options& o) {
    conf::Overrides wanted;
    for (auto& argument : o.arguments) {
        refuse_odd_input(argument);
        if (o.action == Action::edit) {
            wanted.push_back(or_die(conf::parse_assignment(argument)));
        } else {
            if (argument.find('=') != std::string::npos)
                maillog::fatal("-X or -# requires names without value");
            std::string name(bytes::trim(argument));
            if (name.empty())
                maillog::fatal("-X or -# requires non-blank names");
            wanted.push_back({name, ""});
        }
    }
    for (auto& warning : or_die(conf::edit_main_cf(o.directory, edit_action(o.action), wanted)))
        maillog::warning("{}", warning);
}

namespace {
struct Request {
    Pattern pattern;
    std::string value;
    bool matched = false;
};

std::vector<Request> parse_requests(const Options& o) {
    bool services = o.mode == Mode::master_services;
    std::vector<Request> out;
    for (auto& argument : o.arguments) {
        refuse_odd_input(argument);
        std::string_view left = argument, value;
        if (o.action == Action::edit) {
            auto [name, rest] = bytes::cut(argument, '=');
            if (!rest)
                maillog::fatal("missing '=' after attribute name: \"{}\"", argument);
            left = bytes::trim(name);
            value = bytes::trim(*rest);
        } else if (argument.find('=') != std::string::npos)
            maillog::fatal("-X or -# requires names without value");
        auto parts = std::count(left.begin(), left.end(), '/') + 1;
        if (services && parts != 2)
            maillog::fatal("-Me, -MX or -M# requires service_name/type");
        if (o.mode == Mode::master_fields && parts != 3)
            maillog::fatal("-Fe requires service_name/type/field_name");
        if (o.mode == Mode::master_parameters && parts != 3)
            maillog::fatal("-Pe or -PX requires service_name/type/parameter");
        Request request{parse_pattern(left, services ? 2 : 3), std::string(value), false};
        if (o.mode == Mode::master_fields &&
            std::none_of(fields().begin(), fields().end(), [&](auto& f) { return f.name == request.pattern.item; }))
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

bool is_override(const std::vector<std::string>& args, std::size_t i) {
    return args[i].starts_with("-o") && (args[i].size() > 2 || i + 1 < args.size());
}

conf::MasterEntry with_parameter(conf::MasterEntry e, const Request& request, bool remove) {
    std::vector<std::string> args;
    std::string text = fmt::format("{}={}", request.pattern.item, request.value);
    if (std::any_of(text.begin(), text.end(), bytes::is_space))
        text = "{ " + request.pattern.item + " = " + request.value + " }";
    bool done = remove, options = true;
    for (std::size_t i = 0; i < e.args.size(); ++i) {
        if (options && !e.args[i].starts_with('-')) {
            options = false;
            if (!done) {
                args.push_back("-o");
                args.push_back(text);
                done = true;
            }
        }
        if (!options || !is_override(e.args, i)) {
            args.push_back(e.args[i]);
            continue;
        }
        std::string value = e.args[i].size() > 2 ? e.args[i].substr(2) : e.args[++i];
        std::string_view inner = value;
        if (inner.size() >= 2 && inner.front() == '{' && inner.back() == '}')
            inner = inner.substr(1, inner.size() - 2);
        bool same = bytes::trim(bytes::cut(inner, '=').first) == request.pattern.item;
        if (same && (remove || done))
            continue;
        args.push_back("-o");
        args.push_back(same ? text : value);
        done = done || same;
    }
    if (!done) {
        args.push_back("-o");
        args.push_back(text);
    }
    e.args = std::move(args);
    return e;
}
}

void edit_master(const Options& o) {
    std::vector<Request> requests = parse_requests(o);
    std::string path = o.directory + "/master.cf";
    conf::Replacement file = or_die(conf::Replacement::open(path));
    conf::EditedText old(file.text());
    std::vector<conf::LineChange> changes;
    int number = 0;
    for (auto& text : old.logical()) {
        conf::LineChange change;
        Result<conf::MasterEntry> entry = conf::parse_master_line(text, path, ++number);
        // An entry that cannot be read stays as it is, unless it is what the request is about.
        for (auto& request : requests) {
            if (!entry || !request.pattern.matches(*entry))
                continue;
            request.matched = true;
            change.action = edit_action(o.action);
            if (o.action == Action::comment_out || (o.mode == Mode::master_services && o.action == Action::remove))
                continue;
            if (o.mode == Mode::master_services) {
                Result<conf::MasterEntry> fresh =
                    conf::parse_master_line(request.value, fmt::format("\"{}\"", request.value), 1);
                if (!fresh)
                    abandon(std::move(file), fresh.error().reason);
                *entry = std::move(*fresh);
            } else if (o.mode == Mode::master_fields) {
                Result<conf::MasterEntry> fresh = with_field(*entry, request, path);
                if (!fresh)
                    abandon(std::move(file), fresh.error().reason);
                *entry = std::move(*fresh);
            } else
                *entry = with_parameter(std::move(*entry), request, o.action == Action::remove);
            change = {EditAction::set, entry_text(*entry, true)};
        }
        changes.push_back(std::move(change));
    }
    std::string out = old.with(changes);
    for (auto& request : requests) {
        if (request.matched)
            continue;
        if (o.mode == Mode::master_services && o.action == Action::edit) {
            Result<conf::MasterEntry> fresh =
                conf::parse_master_line(request.value, fmt::format("\"{}\"", request.value), 1);
            if (!fresh)
                abandon(std::move(file), fresh.error().reason);
            out += entry_text(*fresh, true);
        } else if (o.mode != Mode::master_services)
            abandon(std::move(file),
                    fmt::format("unmatched service: \"{}/{}\"", request.pattern.service, request.pattern.type));
    }
    if (auto done = file.commit(out); !done)
        abandon(std::move(file), done.error().reason);
}
}
