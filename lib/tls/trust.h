// Whom we trust: CA certificates and revocation lists from files and directories, read at once (as root, before the
// jail).
//
// When things fail: an Error (4.7.0) that names file or directory and cause. One unusable file in a directory of CA
// certificates is passed over, as OpenSSL does; one in a directory of revocation lists is an Error: a list that nobody
// reads would go unnoticed.
#pragma once
#include <string>
#include <vector>
#include "tls/context.h"

namespace tls {
// CA certificates of a file and of a directory (names as c_rehash makes them), with the system's where asked for; empty
// names are none, and then the system's are not used either.
Result<StorePtr> load_trusted(const std::string& file, const std::string& path, bool system_too);

// Adds the revocation lists (PEM) of a file, or of all files in a directory, and turns their use on: from then on a
// certificate is trusted only if its issuer has a list here, in date, and is not on it. Returns what was read, the
// directory too, for the caller to watch; lists gets their text.
Result<std::vector<std::string>> load_revoked(X509_STORE* store, const std::string& name, std::string& lists);
}
