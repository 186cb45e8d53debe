// Logging in at our door (RFC 4954): what a SASL back end offers and answers. smtpd knows this interface alone;
// smtpd_sasl_type chooses what is behind it. Challenges and responses are base64 as they travel: nothing here decodes
// them, and no password is seen, kept or logged.
//
// When things fail: a login that cannot be judged is Kind::unavailable, never a refusal; the next one tries again.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "table/match_list.h"

namespace sasl {
// What a mechanism is, and what a client of ours may be asked to use.
enum Property : unsigned {
    plaintext = 1,   // the password goes over the wire
    active = 2,      // falls to an active attack
    dictionary = 4,  // falls to guessing by whoever listens
    anonymous = 8,   // nobody is named
    forward_secrecy = 16,
    mutual_auth = 32,
    hidden = 64,  // not offered: for the back end's own use
};
struct Mechanism {
    std::string name;  // as the back end writes it
    unsigned properties = 0;
};

// smtpd_sasl_security_options: mechanisms that have one of `without`, or lack one of `with`, are not offered.
struct SecurityOptions {
    unsigned without = hidden, with = 0;
    bool allow(const Mechanism& m) const { return !(m.properties & without) && (m.properties & with) == with; }
};
// "noanonymous, noplaintext …"; an Error names a word that is none of them.
Result<SecurityOptions> parse_security_options(std::string_view text);

// Who logs in, as the back end hears it.
struct Connection {
    std::string local_address, local_port, remote_address, remote_port;
    bool encrypted = false, certificate_verified = false;
};

struct Outcome {
    enum class Kind { challenge, success, failed, unavailable };
    Kind kind = Kind::unavailable;
    std::string text;  // challenge: base64; failed, unavailable: why, for client and log
    std::string user;  // success: who it is; failed: who it was said to be, where the back end tells
};

// One AUTH command. Its calls may wait.
class Login {
public:
    virtual ~Login() = default;
    // initial: the response that came with the command (base64, or "=" for an empty one).
    virtual Outcome begin(std::string_view mechanism, std::optional<std::string_view> initial) = 0;
    virtual Outcome respond(std::string_view base64) = 0;
};

class Server {
public:
    virtual ~Server() = default;
    // What the back end has; may wait for it. An Error: it cannot be asked.
    virtual Result<std::vector<Mechanism>> mechanisms() = 0;
    virtual std::unique_ptr<Login> login(const Connection& connection) = 0;
};

// The names of those that the options and the filter (smtpd_sasl_mechanism_filter) let through, in the order given.
Result<std::vector<std::string>> offered(const std::vector<Mechanism>& mechanisms, const SecurityOptions& options,
                                         const table::MatchList& filter);

// A back end of this type ("dovecot"); path: smtpd_sasl_path; service: smtpd_sasl_service.
Result<std::unique_ptr<Server>> open_server(std::string_view type, const std::string& path, const std::string& service);
}
