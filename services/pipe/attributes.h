// What a pipe service's entry in master.cf says: flags=, user=, argv= and the rest.
//
// When things fail: an Error that names the attribute; the service does not start.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "delivery/rights.h"

namespace pipe_agent {
struct Attributes {
    bool blank_line = false, delivered_to = false, from_line = false, original_to = false,
         return_path = false;     // B D F O R
    bool final_delivery = false;  // X: "delivered", not "relayed", in success reports
    bool fold_domain = false, quote = false, fold_user = false, quote_dot = false, quote_from = false;  // h q u . >
    std::string user, chroot, directory, end_of_line = "\n", null_sender = "MAILER-DAEMON";
    std::int64_t size_limit = 0;
    std::vector<std::string> arguments;
    delivery::Rights rights;  // of user, set by find_rights()
};
Result<Attributes> parse_attributes(const std::vector<std::string>& words);
Result<void> find_rights(Attributes& attributes, const std::string& mail_owner);
}
