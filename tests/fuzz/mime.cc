// MIME structure of a message (lib/mail/mime.h), with and without conversion to quoted-printable; lines cut into pieces
// at any place mean the same.
#include <vector>
#include "fuzz.h"
#include "base/bytes.h"
#include "mail/mime.h"

namespace {
struct Seen : mail::MimeEvents {
    void header(mail::HeaderClass klass, const mail::HeaderInfo& info, std::string_view text) override {
        fuzz::require(!ended, "no header comes behind the end");
        longest = std::max(longest, text.size());
        all += "H" + std::to_string(static_cast<int>(klass)) + std::string(info.name) + " " + std::string(text) + "\n";
    }
    void header_end() override {
        fuzz::require(++header_ends == 1, "the header ends once");
        all += "--\n";
    }
    void body(std::string_view text, bool whole) override {
        fuzz::require(header_ends == 1, "the body comes behind the header");
        all += text;
        if (whole)
            all += "\n";
        eight_bit = eight_bit || !bytes::is_ascii(text);
        if (whole)
            longest_line = std::max(longest_line, (open = 0, text.size()));
        else
            open += text.size();
    }
    void body_end() override {
        fuzz::require(!ended, "the body ends once");
        ended = true;
    }
    std::string all;
    std::size_t longest = 0, longest_line = 0, open = 0;
    int header_ends = 0;
    bool ended = false, eight_bit = false;
};

struct Piece {
    std::string_view text;
    bool whole;
};

Seen parse(const std::vector<std::string_view>& lines, const mail::MimeOptions& options, std::size_t piece,
           std::uint32_t* problems) {
    Seen seen;
    mail::MimeParser parser(options, seen);
    for (std::string_view line : lines) {
        while (piece != 0 && line.size() > piece) {
            parser.line(line.substr(0, piece), false);
            line.remove_prefix(piece);
        }
        parser.line(line, true);
    }
    parser.finish();
    fuzz::require(seen.header_ends == 1 && seen.ended, "header and body end");
    if (*problems = parser.problems(); *problems)
        (void)mail::describe_mime_problem(*problems);
    return seen;
}
}

void fuzz::one(std::string_view bytes) {
    fuzz::Choices choose(bytes);
    unsigned bits = choose.byte();
    mail::MimeOptions options;
    options.parse = !(bits & 1);
    options.nested_headers = !(bits & 2);
    options.report_8bit_header = options.report_8bit_body = options.report_encoding_domain = bits & 4;
    options.downgrade = bits & 8;
    if (bits & 16)
        options.nesting_limit = 3;
    if (bits & 32)
        options.header_size_limit = 200;
    if (bits & 64)
        options.boundary_length_limit = 8;
    std::size_t piece = 256 + 4 * choose.byte();
    std::vector<std::string_view> lines;
    for (std::string_view rest = choose.rest(); !rest.empty();) {
        std::size_t end = std::min(rest.find('\n'), rest.size());
        lines.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    std::uint32_t problems = 0;
    Seen whole = parse(lines, options, 0, &problems);
    fuzz::require(whole.longest <= options.header_size_limit + 2, "a header field stays within header_size_limit",
                  std::to_string(whole.longest));
    if (options.downgrade) {
        std::uint32_t ignored = 0;
        Seen other = parse(lines, options, 0, &ignored);
        fuzz::same(whole.all, other.all, "parsing has one result");
    }
    // What a line is shows in its first piece: the name of a header, a boundary.
    std::uint32_t cut_problems = 0;
    options.boundary_length_limit = std::min<std::size_t>(options.boundary_length_limit, 200);
    options.header_size_limit = 1000000;
    for (std::string_view line : lines)
        if (line.size() > piece && mail::header_name_length(line) + 2 > piece)
            return;
    fuzz::same(parse(lines, options, 0, &problems).all, parse(lines, options, piece, &cut_problems).all,
               "a line in pieces means the same");
}
