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
        o.site = argument.substr(1);
        if (o.site.empty()) return permanent("-q" + std::string(argument) + " requires an argument");
        o.mode = argument[0] == 'R' ? Mode::flush_site : Mode::deliver_one;
        return {};
    }
    if (argument.empty()) {
        o.mode = Mode::flush_queue;
        return {};
    }
    if (bytes::is_digit(argument[0])) {                      // -q30m: a queue run interval
        if (o.mode == Mode::submit) o.mode = Mode::ignored;
        return {};
    }
    return permanent("-q" + std::string(1, argument[0]) + " is not implemented");
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
    if (argument.starts_with('A')) o.alias_database = argument.substr(1);
    if (argument == "i") o.dot_is_data = true;
}

// "-q" with nothing behind it takes no argument, unlike "-qI…": getopt(3) cannot say so, nor that "-oi" is a word.
std::vector<std::string> prepared(int argc, char** argv, bool& flush) {
    std::vector<std::string> out{argv[0]};
    bool options = true;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (options && word == "-q") {
            flush = true;
            continue;
        }
        if (options && word == "-V") {                       // Postfix 2.2's VERP, where no envelope id follows
            if (i + 1 == argc) continue;
        }
        if (word == "--" || (options && (word.empty() || word[0] != '-'))) options = false;
        out.emplace_back(word);
        // The argument of an option is not an option.
        if (options && word.size() == 2 && std::string_view("ABCFLNORVXbefhoprq").find(word[1]) != std::string_view::npos && i + 1 < argc) out.emplace_back(argv[++i]);
    }
    return out;
}
}

Result<Options> parse_options(int argc, char** argv) {
    Options o;
    std::string_view program = argc > 0 ? argv[0] : "sendmail";
    if (const std::size_t slash = program.rfind('/'); slash != std::string_view::npos) program.remove_prefix(slash + 1);
    if (program == "mailq") o.mode = Mode::list_queue;
    if (program == "newaliases") o.mode = Mode::make_aliases;
    if (program == "smtpd") o.mode = Mode::smtp_server;

    bool flush = false;
    std::vector<std::string> words = prepared(argc, argv, flush);
    if (flush) o.mode = Mode::flush_queue;
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const int count = static_cast<int>(words.size());
    ::optind = 0;                                            // glibc: from the beginning, also a second time (tests)
    for (int letter; (letter = ::getopt(count, pointers.data(), getopt_letters)) != -1;) {
        const char* argument = ::optarg ? ::optarg : "";
        switch (letter) {
        case 'n': return permanent("-n option not supported");
        case 'B':
            if (bytes::iequals(argument, "8BITMIME")) o.encoding = "8bit";
            else if (bytes::iequals(argument, "7BIT")) o.encoding = "7bit";
            else return permanent("-B option needs 8BITMIME or 7BIT");
            break;
        case 'C': o.configuration = argument; break;
        case 'F': o.full_name = argument; break;
        case 'G': o.remote_rewriting = true; break;
        case 'I': o.mode = Mode::make_aliases; break;
        case 'N': notify_option(argument, o); break;
        case 'O':
            if (bytes::iequals(argument, "smtputf8") || bytes::iequals(argument, "smtputf8=yes")) o.smtputf8 = true;
            if (bytes::istarts_with(argument, "requiretls")) return permanent("-O requiretls: this version cannot demand TLS of later hops");
            break;
        case 'R':
            if (const auto bits = mail::parse_ret(argument)) o.ret = *bits;
            else o.warnings.emplace_back("bad -R option value -- ignored");
            break;
        case 'V': o.envelope_id = argument; break;
        case 'X':
            if (argument[0] == 'V') o.verp = argument + 1;
            break;
        case 'b': { TRY_ASSIGN(const Mode mode, b_mode(argument)); o.mode = mode; break; }
        case 'f':
        case 'r': o.sender = argument; break;
        case 'i': o.dot_is_data = true; break;
        case 'o': o_option(argument, o); break;
        case 'q': TRY(q_option(argument, o)); break;
        case 't': o.recipients_from_header = true; break;
        case 'v': ++o.verbose; break;
        case 'A': case 'L': case 'U': case 'c': case 'e': case 'h': case 'm': case 'p': case 'x': break;   // accepted, without effect
        default: return permanent("usage: sendmail [options]");
        }
    }
    for (int i = ::optind; i < count; ++i) o.recipients.emplace_back(words[static_cast<std::size_t>(i)]);
    return o;
}
}
