// Changes main.cf and master.cf in place: the new text goes to a file beside, is synced, and takes the old one's place
// with its owner and mode. Comments and the order of what is not touched stay. For postconf and `postfix tls`.
//
// When things fail: an Error with the reason, and the file is as it was.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "base/fd.h"
#include "conf/settings.h"

namespace conf {
// What becomes of one logical line: kept, removed, commented out, or `text` in its place.
enum class EditAction { keep, set, remove, comment_out };
struct LineChange {
    EditAction action = EditAction::keep;
    std::string text;
};

// The text of a configuration file, by logical lines: those that begin with white space continue the one before.
class EditedText {
public:
    explicit EditedText(std::string_view text);
    // Each logical line, its pieces joined.
    const std::vector<std::string>& logical() const { return logical_; }
    // The whole text with changes[i] made to logical line i.
    std::string with(const std::vector<LineChange>& changes) const;

private:
    struct Line {
        std::string text;
        int logical;
        bool first;
    };  // logical -1: comment, empty, or nothing to continue
    std::vector<Line> lines_;
    std::vector<std::string> logical_;
};

// An edit lock and a whole new file: whoever reads sees the old text or the new, never half of one.
class Replacement {
public:
    static Result<Replacement> open(std::string path);
    Replacement(Replacement&&) = default;
    ~Replacement();  // without commit(): all is as it was
    const std::string& text() const { return text_; }
    Result<void> commit(std::string_view text);

private:
    explicit Replacement(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {}
    std::string path_, temporary_, text_;
    UniqueFd fd_;
};

// Sets, removes or comments out parameters in DIRECTORY/main.cf; new ones go to the end. Of a name that is given twice
// the last value holds. Returns warnings: names that the file has more than once.
Result<std::vector<std::string>> edit_main_cf(const std::string& directory, EditAction action,
                                              const Overrides& parameters);
}
