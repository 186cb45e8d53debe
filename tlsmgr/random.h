// Randomness for the others: the library's generator, stirred with an outside source (tls_random_source) and with what
// an earlier process left in the exchange file.
//
// When things fail: a source or file that cannot be used is one warning (an egd: socket, one at each reseeding: it is
// tried again); the library seeds itself from the kernel in any case.
#pragma once
#include <string>
#include "base/fd.h"
#include "conf/settings.h"

namespace tlsmgr {
std::string random_octets(std::size_t n);

class RandomPool {
public:
    // As root or not, before the jail: opens the source and the exchange file (0600), reads both.
    explicit RandomPool(const conf::Settings& settings);
    void reseed();  // tls_random_bytes more from the source. May wait
    void save();    // writes the exchange file anew

private:
    Result<std::string> ask_egd();
    UniqueFd source_, exchange_;
    std::size_t bytes_;
    std::string egd_;  // the socket of tls_random_source = egd:…
};
}
