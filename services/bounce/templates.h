// The texts of delivery reports: built in, or from bounce_template_file in the format of bounce(5):
//
//     failure_template = <<EOF
//     Charset: us-ascii
//     From: Mail Delivery System <MAILER-DAEMON>
//     Subject: …
//     Postmaster-Subject: …
//
//     text with $main_cf_parameters and $delay_warning_time_hours
//     EOF
//
// When things fail: parse() gives an Error that names file and line; the caller logs it and the built-in texts serve.
#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>
#include "base/error.h"

namespace conf {
class Settings;
}

namespace bounce {
enum class Kind : std::uint8_t { failure, delay, success, verify };

struct Template {
    std::string name;  // "failure_template"
    std::string charset = "us-ascii", from, subject, postmaster_subject;
    std::string text;  // not expanded; ends with a line end
};

class Templates {
public:
    static Templates built_in();
    // Those that text defines in the place of the built-in ones. file is for the Error.
    static Result<Templates> parse(std::string_view text, std::string_view file);
    static Result<Templates> load(const conf::Settings& settings);  // as bounce_template_file says
    const Template& operator[](Kind kind) const { return templates_[static_cast<std::size_t>(kind)]; }

    // In the format of the file (postconf -t), and only the texts, expanded (postconf -b).
    std::string dump() const;
    std::string dump_expanded(const conf::Settings& settings) const;

private:
    std::array<Template, 4> templates_;
};

// $names in a template's text, also NAME_seconds … NAME_weeks of delay_warning_time and maximal_queue_lifetime. A time
// that is less than one unit shows as 0, with a warning.
std::string expanded(const Template& from, const conf::Settings& settings);
}
