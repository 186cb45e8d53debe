#include "random.h"
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include "base/time.h"
#include "conf/params/tls.h"
#include "log/log.h"
#include "net/socket.h"
#include "net/stream.h"

namespace tlsmgr {
namespace {
constexpr std::size_t exchange_size = 1024;
constexpr std::chrono::seconds egd_time(5);

void stir(std::string& octets) {
    if (!octets.empty())
        RAND_seed(octets.data(), static_cast<int>(octets.size()));
    base::WallTime now = base::wall_now();
    RAND_add(&now, sizeof now, 0);
    OPENSSL_cleanse(octets.data(), octets.size());
}

std::string read_octets(int fd, std::size_t n) {
    std::string octets(n, '\0');
    ssize_t got = read(fd, octets.data(), n);
    octets.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return octets;
}
}

std::string random_octets(std::size_t n) {
    std::string octets(n, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(n)) != 1)
        maillog::fatal("the TLS library has no randomness");
    return octets;
}

RandomPool::RandomPool(const conf::Settings& settings)
    : bytes_(static_cast<std::size_t>(std::min<std::int64_t>(settings[param::tls_random_bytes], 255))) {
    std::string source = settings[param::tls_random_source];
    if (source.starts_with("egd:"))
        egd_ = source.substr(4);
    else if (!source.empty()) {
        if (source.starts_with("dev:"))
            source.erase(0, 4);
        source_ = UniqueFd(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
        if (!source_)
            maillog::warning("cannot open tls_random_source {}: {}", source, errno_text(errno));
    }
    reseed();
    const std::string& exchange = settings[param::tls_random_exchange_name];
    if (exchange.empty())
        return;
    exchange_ = UniqueFd(::open(exchange.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!exchange_)
        maillog::warning("cannot open tls_random_exchange_name {}: {}", exchange, errno_text(errno));
    else {
        std::string old = read_octets(exchange_.get(), exchange_size);
        stir(old);
    }
}

// The daemon's protocol: 1, count → count, octets. A connection that fails is made anew the next time.
Result<std::string> RandomPool::ask_egd() {
    auto deadline = loop::in(egd_time);
    if (!source_) {
        TRY_ASSIGN(source_, net::connect_unix(egd_, deadline));
    }
    net::Stream stream(std::move(source_));
    const char request[2] = {1, static_cast<char>(bytes_)};
    char count = 0;
    TRY(stream.write({request, sizeof request}));
    TRY(stream.flush(deadline));
    TRY(stream.read_exact(&count, 1, deadline));
    std::string octets(static_cast<unsigned char>(count), '\0');
    TRY(stream.read_exact(octets.data(), octets.size(), deadline));
    source_ = stream.release();
    return octets;
}

void RandomPool::reseed() {
    if (!egd_.empty()) {
        auto octets = ask_egd();
        if (octets)
            stir(*octets);
        else
            maillog::warning("cannot use tls_random_source egd:{}: {}", egd_, octets.error().reason);
        return;
    }
    if (!source_)
        return;
    std::string octets = read_octets(source_.get(), bytes_);
    if (octets.empty())
        lseek(source_.get(), 0, SEEK_SET);  // a plain file is read in circles
    stir(octets);
}

void RandomPool::save() {
    if (!exchange_)
        return;
    std::string octets = random_octets(exchange_size);
    if (pwrite(exchange_.get(), octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size()))
        maillog::warning("cannot write the random exchange file: {}", errno_text(errno));
    OPENSSL_cleanse(octets.data(), octets.size());
}
}
