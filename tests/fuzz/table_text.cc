// Tables that people write: texthash, regexp, pcre, cidr, inline, static, union and pipe maps; lines of sources; match
// lists. The first byte chooses; what follows up to a NUL is the key, then comes the table.
#include <algorithm>
#include "fuzz.h"
#include "base/bytes.h"
#include "table/match_list.h"
#include "table/source.h"
#include "table/table.h"

// regcomp(3) writes repetitions out: "(a)++++…" doubles with each sign, "a{0,30000}" takes gigabytes. Patterns are the
// administrator's own, and Postfix's fare no better: only those are tried whose repetitions stay small.
static bool small_repetitions(std::string_view text) {
    int pluses = 0, counts = 0, digits = 0, most_digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        pluses += text[i] == '+';
        counts += text[i] == '{' && i + 1 < text.size() && (bytes::is_digit(text[i + 1]) || text[i + 1] == ',');
        digits = bytes::is_digit(text[i]) ? digits + 1 : 0;
        most_digits = std::max(most_digits, digits);
    }
    return counts == 0 ? pluses <= 10 : counts == 1 && pluses <= 1 && most_digits <= 3;
}

void fuzz::one(std::string_view bytes) {
    fuzz::Choices choose(bytes);
    unsigned kind = choose.below(12);
    std::string key(choose.text());
    std::string_view text = choose.rest();
    table::SourceReader reader("source", text);
    while (auto line = reader.next())
        (void)table::split_key_value(line->text);
    std::string name;
    switch (kind) {
    case 0: name = "texthash:" + fuzz::write_file("table", text); break;
    case 1: name = "regexp:" + fuzz::write_file("table", text); break;
    case 2: name = "pcre:" + fuzz::write_file("table", text); break;
    case 3: name = "cidr:" + fuzz::write_file("table", text); break;
    case 4: name = "inline:" + std::string(text); break;
    case 5: name = "static:" + std::string(text); break;
    case 6: name = "unionmap:" + std::string(text); break;
    case 7: name = "pipemap:" + std::string(text); break;
    case 8: name = "randmap:" + std::string(text); break;
    case 9: name = "regexp:" + std::string(text); break;
    case 10: name = "pcre:" + std::string(text); break;
    default: name = "cidr:" + std::string(text); break;
    }
    // Only types without files or servers of their own within the others.
    for (std::string_view other :
         {"hash:", "btree:", "lmdb:", "cdb:", "socketmap:", "unix:", "proxy:", "environ:", "nis:", "texthash:/"})
        if (kind >= 4 && text.find(other) != text.npos)
            return;
    if (kind >= 4 && text.find(":/") != text.npos)
        return;
    if ((kind == 1 || kind == 9) && !small_repetitions(text))
        return;
    table::OpenOptions options;
    options.refuse_substitution = text.size() % 5 == 0;
    if (auto t = table::open(name, options)) {
        auto found = (*t)->find(key);
        if (found && *found)
            fuzz::require((*found)->size() <= 10 * (text.size() + key.size()) + 100,
                          "a value is bounded by table and key", std::to_string((*found)->size()));
        for (std::string_view k : {"a", "user@example.org", "192.0.2.1", "2001:db8::1"})
            (void)(*t)->find(k);
    }
    for (auto list_kind :
         {table::MatchList::Kind::strings, table::MatchList::Kind::domains, table::MatchList::Kind::hosts}) {
        if (text.find('/') != text.npos && list_kind != table::MatchList::Kind::hosts)
            continue;
        if (text.find(':') != text.npos && text.find('[') == text.npos)
            continue;
        if (text.starts_with('/') || text.find(" /") != text.npos || text.find(",/") != text.npos ||
            text.find("!/") != text.npos)
            continue;
        auto list = table::MatchList::open("mynetworks", text, list_kind);
        if (list_kind == table::MatchList::Kind::hosts)
            (void)list.match(key, "192.0.2.1");
        else
            (void)list.match(key);
    }
    (void)table::in_network(key, text);
}
