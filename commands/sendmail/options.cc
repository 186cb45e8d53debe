#include "options.h"
#include <unistd.h>
#include "base/bytes.h"

namespace sendmail {
namespace {
// Options that take an argument, others that may stand together, and those that are one word with what follows them.
constexpr const char* getopt_letters = "+A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx";

Result<Mode> b_mode(std::string_view argument) {
    const char letter = argument.empty() ? '\0' : argument[0];
    switch (letter) {
    case 'm': return Mode::submit;
    case 'v': return Mode::verify;
    case 'p': return Mode::list_queue;
    case 'i': return Mode::make_aliases;
    case 's': return Mode::smtp_server;
    case 'd':
    case 'l': return Mode::start_daemon;
    case 'D': return Mode::start_foreground;
    case 'h':
    case 'H': return Mode::ignored;
    default: return permanent("unsupported: -b" + std::string(1, letter));
    }
}

Result<void> q_option(std::string_view argument, Options& o) {
    if (argument.starts_with('R') || argument.starts_with('I')) {
        const bool site = argument[0] == 'R';
        const std::string name = std::string("-q") + argument[0];
        if (argument.size() == 1)
            return permanent("specify: " + name + (site ? "sitename" : "queueid"));
        (site ? o.site : o.queue_id) = argument.substr(1);
        return {};
    }
    if (bytes::is_digit(argument[0]))
        o.queue_interval = true;
    else
        return permanent("-q" + std::string(1, argument[0]) + " is not implemented");
    return {};
}

const char* mode_name(Mode mode) {
    switch (mode) {
    case Mode::list_queue: return "display queue mode";
    case Mode::make_aliases: return "alias initialization mode";
    case Mode::smtp_server: return "stand-alone mode";
    case Mode::start_daemon:
    case Mode::start_foreground: return "daemon mode";
    case Mode::flush_queue: return "flush queue mode";
    case Mode::flush_site: return "flush site";
    case Mode::deliver_one: return "flush queue_id";
    case Mode::submit:
    case Mode::verify:
    case Mode::ignored: break;
    }
    return nullptr;
}

// What the options come to together: a queue run interval makes the command one that does nothing, unless it starts the
// mail system.
Result<void> settle_mode(Options& o) {
    const bool daemon = o.mode == Mode::start_daemon || o.mode == Mode::start_foreground;
    if (o.queue_interval && !daemon) {
        o.mode = Mode::ignored;
        return {};
    }
    if (o.mode != Mode::submit) {
        for (const char* option : {o.site.empty() ? nullptr : "-qR", o.queue_id.empty() ? nullptr : "-qI"})
            if (option)
                return permanent(std::string(option) + " can be used only in delivery mode");
    } else if (!o.site.empty()) {
        o.mode = Mode::flush_site;
    } else if (!o.queue_id.empty()) {
        o.mode = Mode::deliver_one;
    }
    const bool reads_mail =
        o.mode == Mode::submit || o.mode == Mode::verify || o.mode == Mode::flush_site || o.mode == Mode::deliver_one;
    if (o.recipients_from_header && !reads_mail)
        return permanent("-t can be used only in delivery mode");
    if (o.recipients_from_header && o.mode == Mode::verify)
        return permanent("-t option cannot be used with -bv");
    if (const char* name = mode_name(o.mode); name && !o.recipients.empty())
        return permanent(std::string(name) + " requires no recipient");
    return {};
}

void notify_option(const char* argument, Options& o) {
    if (const auto bits = mail::parse_notify(argument)) {
        o.notify = *bits;
        return;
    }
    o.warnings.push_back("unknown DSN NOTIFY command value \"" + std::string(argument) + "\" in \"" + argument + "\"");
    o.warnings.push_back("bad -N option value -- ignored");
}

void o_option(std::string_view argument, Options& o) {
    if (argument.starts_with('A'))
        o.alias_database = argument.substr(1);
    if (argument == "i")
        o.dot_is_data = true;
}

// "-q" with nothing behind it takes no argument, unlike "-qI…": getopt(3) cannot say so, nor that "-oi" is a word. It
// becomes "-qF".
std::vector<std::string> prepared(int argc, char** argv) {
    std::vector<std::string> out{argv[0]};
    bool options = true;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (options && word == "-q") {
            out.emplace_back("-qF");
            continue;
        }
        if (options && word == "-V") {  // Postfix 2.2's VERP, where no envelope id follows
            if (i + 1 == argc)
                continue;
        }
        if (word == "--" || (options && (word.empty() || word[0] != '-')))
            options = false;
        out.emplace_back(word);
        // The argument of an option is not an option.
        if (options && word.size() == 2 &&
            std::string_view("ABCFLNORVXbefhoprq").find(word[1]) != std::string_view::npos && i + 1 < argc)
            out.emplace_back(argv[++i]);
    }
    return out;
}
}

Result<Options> parse_options(int argc, char** argv) {
    Options o;
    std::string_view program = argc > 0 ? argv[0] : "sendmail";
    if (const std::size_t slash = program.rfind('/'); slash != std::string_view::npos)
        program.remove_prefix(slash + 1);
    if (program == "mailq")
        o.mode = Mode::list_queue;
    if (program == "newaliases")
        o.mode = Mode::make_aliases;
    if (program == "smtpd")
        o.mode = Mode::smtp_server;

    std::vector<std::string> words = prepared(argc, argv);
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const int count = static_cast<int>(words.size());
    ::optind = 0;  // glibc: from the beginning, also a second time (tests)
    for (int letter; (letter = ::getopt(count, pointers.data(), getopt_letters)) != -1;) {
        const char* argument = ::optarg ? ::optarg : "";
        switch (letter) {
        case 'n': return permanent("-n option not supported");
        case 'B':
            if (bytes::iequals(argument, "8BITMIME"))
                o.encoding = "8bit";
            else if (bytes::iequals(argument, "7BIT"))
                o.encoding = "7bit";
            else
                return permanent("-B option needs 8BITMIME or 7BIT");
            break;
        case 'C': o.configuration = argument; break;
        case 'F': o.full_name = argument; break;
        case 'G': o.remote_rewriting = true; break;
        case 'I': o.mode = Mode::make_aliases; break;
        case 'N': notify_option(argument, o); break;
        case 'O':
            if (bytes::iequals(argument, "smtputf8") || bytes::iequals(argument, "smtputf8=yes"))
                o.smtputf8 = true;
            if (bytes::iequals(argument, "requiretls") || bytes::iequals(argument, "requiretls=yes"))
                o.require_tls = true;
            break;
        case 'R':
            if (const auto bits = mail::parse_ret(argument))
                o.ret = *bits;
            else
                o.warnings.emplace_back("bad -R option value -- ignored");
            break;
        case 'V': o.envelope_id = argument; break;
        case 'X':
            if (argument[0] == 'V')
                o.verp = argument + 1;
            break;
        case 'b': {
            TRY_ASSIGN(const Mode mode, b_mode(argument));
            o.mode = mode;
            break;
        }
        case 'f':
        case 'r': o.sender = argument; break;
        case 'i': o.dot_is_data = true; break;
        case 'o': o_option(argument, o); break;
        case 'q':
            if (std::string_view(argument) != "F")
                TRY(q_option(argument, o));
            else if (o.mode == Mode::start_daemon || o.mode == Mode::start_foreground)
                o.warnings.emplace_back("ignoring -q option in daemon mode");
            else
                o.mode = Mode::flush_queue;
            break;
        case 't': o.recipients_from_header = true; break;
        case 'v': ++o.verbose; break;
        case 'A':
        case 'L':
        case 'U':
        case 'c':
        case 'e':
        case 'h':
        case 'm':
        case 'p':
        case 'x': break;  // accepted, without effect
        default: return permanent("usage: sendmail [options]");
        }
    }
    for (int i = ::optind; i < count; ++i)
        o.recipients.emplace_back(words[static_cast<std::size_t>(i)]);
    TRY(settle_mode(o));
    return o;
}
}
