// The report itself: JSON of RFC 8460 section 4.4, and for mail the message of section 5.3, signed. Pure: what it needs
// is given to it.
//
// When things fail: an Error where the signature cannot be made.
#pragma once
#include <cstdint>
#include <string>
#include <vector>
#include "base/error.h"
#include "entry.h"
#include "mailauth/dkim_sign.h"

namespace tlsrpt {
struct Submitter {
    std::string organization, contact;  // organization-name, contact-info
    std::string domain;                 // who submits: in the headers and the file's name; signs
    std::string sender, selector;       // From:, and where the key is
};

std::string report_json(const Entry& entry, const Submitter& from);
Result<std::string> gzip(std::string_view text);
// SENDER!DOMAIN!BEGIN!END.json.gz (section 5.1).
std::string file_name(const Entry& entry, const Submitter& from);

struct Mail {
    std::vector<std::string> header;  // fields, folded lines separated by LF; without Received and Date
    std::string body;                 // lines that end in LF
};
// date: what the Date field will say, as the signature covers it (base::rfc5322_date).
Result<Mail> report_mail(const Entry& entry, const Submitter& from, const std::string& to, std::string_view gzipped,
                         const mailauth::DkimKey& key, std::int64_t date);
}
