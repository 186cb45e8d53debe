#include "templates.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/qmgr.h"
#include "conf/settings.h"
#include "log/log.h"
#include "mail/address.h"

namespace bounce {
namespace {
constexpr std::string_view from_line = "Mail Delivery System <MAILER-DAEMON>";
constexpr std::string_view failure_text = R"(This is the mail system at host $myhostname.

Your message could not be delivered to the recipients listed below,
and no further attempts will be made. What you sent, or its header,
is attached.

If you need help, please forward this report to the postmaster. The
part with your own text may be left out.

)";
constexpr std::string_view delay_text = R"(This is the mail system at host $myhostname.

*** This is only a warning. There is no need to send your message again. ***

After $delay_warning_time_hours hour(s), your message has not reached the
recipients listed below. Attempts go on until it is
$maximal_queue_lifetime_days day(s) old.

If you need help, please forward this report to the postmaster.

)";
constexpr std::string_view success_text = R"(This is the mail system at host $myhostname.

As you asked to be told: your message has been delivered, or handed
on, for the recipients listed below. Where it was handed on to another
system, that system may still report a failure.

)";
constexpr std::string_view verify_text = R"(This is the mail system at host $myhostname.

This is the delivery status report that you asked for.

)";

struct Lines {
    std::string_view rest;
    int number = 0;
    bool next(std::string_view& line) {
        if (rest.empty())
            return false;
        std::size_t end = rest.find('\n');
        line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        ++number;
        return true;
    }
};

// Headers up to the empty line, then text.
Result<Template> read_template(std::string name, Lines& lines, std::string_view end_mark, std::string_view file,
                               const Template& base) {
    Template t = base;
    t.name = std::move(name);
    t.text.clear();
    auto bad = [&](std::string_view what) {
        return permanent(fmt::format("{}, line {}: {}", file, lines.number, what));
    };
    std::string_view line;
    bool headers = true;
    while (lines.next(line)) {
        if (line == end_mark)
            return t;
        if (!headers) {
            (t.text += line) += '\n';
            continue;
        }
        if (bytes::trim(line).empty()) {
            headers = false;
            continue;
        }
        auto [label, value] = bytes::cut(line, ':');
        if (!value || !bytes::is_ascii(line))
            return bad(fmt::format("{}: bad template header \"{}\"", t.name, bytes::printable(line)));
        std::string text(bytes::trim(*value));
        if (bytes::iequals(label, "Charset"))
            t.charset = text;
        else if (bytes::iequals(label, "From"))
            t.from = text;
        else if (bytes::iequals(label, "Subject"))
            t.subject = text;
        else if (bytes::iequals(label, "Postmaster-Subject"))
            t.postmaster_subject = text;
        else
            return bad(fmt::format("{}: unknown template header \"{}\"", t.name, label));
    }
    return bad(fmt::format("{}: missing end mark \"{}\"", t.name, end_mark));
}
}

Templates Templates::built_in() {
    Templates t;
    auto make = [](std::string name, std::string subject, std::string postmaster, std::string_view text) {
        return Template{std::move(name),       "us-ascii",       std::string(from_line), std::move(subject),
                        std::move(postmaster), std::string(text)};
    };
    t.templates_ = {
        make("failure_template", "Undelivered Mail Returned to Sender", "Postmaster Copy: Undelivered Mail",
             failure_text),
        make("delay_template", "Delayed Mail (still being retried)", "Postmaster Warning: Delayed Mail", delay_text),
        make("success_template", "Successful Mail Delivery Report", "", success_text),
        make("verify_template", "Mail Delivery Status Report", "", verify_text)};
    return t;
}

Result<Templates> Templates::parse(std::string_view text, std::string_view file) {
    Templates all = built_in();
    Lines lines{text};
    std::string_view line;
    while (lines.next(line)) {
        std::string_view bare = bytes::trim(line);
        if (bare.empty() || bare[0] == '#')
            continue;
        auto [name, value] = bytes::cut(bare, '=');
        name = bytes::trim(name);
        if (!value)
            return permanent(
                fmt::format("{}, line {}: missing '=' after attribute name: \"{}\"", file, lines.number, name));
        std::string_view mark = bytes::trim(*value);
        if (!mark.starts_with("<<") || bytes::trim(mark.substr(2)).empty())
            return permanent(fmt::format("{}, line {}: expected \"{} = <<END\"", file, lines.number, name));
        mark = bytes::trim(mark.substr(2));
        Template* found = nullptr;
        for (Template& t : all.templates_)
            if (t.name == name)
                found = &t;
        Template other;
        other.name = name;
        TRY_ASSIGN(Template read, read_template(std::string(name), lines, mark, file, found ? *found : other));
        if (found)
            *found = std::move(read);
        else
            maillog::warning("{}: unknown template \"{}\" -- ignored", file, name);
    }
    return all;
}

Result<Templates> Templates::load(const conf::Settings& settings) {
    const std::string& file = settings[param::bounce_template_file];
    if (file.empty())
        return built_in();
    TRY_ASSIGN(std::string text, read_file(file, 1 << 20));
    return parse(text, file);
}

// EOF, or what is no line of the text.
static std::string end_mark(const std::string& text) {
    std::string mark = "EOF";
    while (("\n" + text).find("\n" + mark + "\n") != std::string::npos)
        mark += '_';
    return mark;
}

std::string Templates::dump() const {
    std::string out;
    for (const Template& t : templates_) {
        const std::string mark = end_mark(t.text);
        out += fmt::format("{}{} = <<{}\nCharset: {}\nFrom: {}\nSubject: {}\n", out.empty() ? "" : "\n", t.name, mark,
                           t.charset, t.from, t.subject);
        if (!t.postmaster_subject.empty())
            out += fmt::format("Postmaster-Subject: {}\n", t.postmaster_subject);
        out += "\n" + t.text + mark + "\n";
    }
    return out;
}

std::string Templates::dump_expanded(const conf::Settings& settings) const {
    std::string out;
    for (const Template& t : templates_) {
        std::string name = t.name.substr(0, t.name.find('_'));
        const std::string text = expanded(t, settings), mark = end_mark(text);
        out += fmt::format("expanded_{}_text = <<{}\n{}{}\n\n", name, mark, text, mark);
    }
    return out;
}

std::string expanded(const Template& from, const conf::Settings& settings) {
    struct Unit {
        std::string_view name;
        std::int64_t seconds;
    };
    constexpr std::array<Unit, 5> units{
        {{"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}, {"weeks", 604800}}};
    std::map<std::string, std::string> extra;
    auto add = [&](std::string_view name, std::int64_t seconds) {
        for (const Unit& unit : units) {
            std::string full = fmt::format("{}_{}", name, unit.name);
            std::int64_t shown = seconds / unit.seconds;
            if (shown == 0 && seconds > 0 && from.text.find(full) != std::string::npos)
                maillog::warning("{}: \"{}\" is 0: use a smaller unit, see bounce(5)", from.name, full);
            extra[full] = std::to_string(shown);
        }
    };
    add("delay_warning_time", settings[param::delay_warning_time].count());
    add("maximal_queue_lifetime", settings[param::maximal_queue_lifetime].count());
    for (const conf::Text* name : {&param::myhostname, &param::mydomain})
        if (settings[param::smtputf8_enable])
            if (std::optional<std::string> utf8 = mail::to_utf8_domain(settings[*name]))
                extra[std::string(name->name)] = *utf8;
    // As documented, $$ is a dollar sign: the text between is expanded piece by piece.
    std::string out;
    std::string_view rest = from.text;
    for (std::size_t at; (at = rest.find("$$")) != std::string_view::npos; rest.remove_prefix(at + 2))
        out += settings.expand(rest.substr(0, at), extra) + "$";
    return out + settings.expand(rest, extra);
}
}
