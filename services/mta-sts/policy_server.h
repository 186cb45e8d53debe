// The service: answers from the cache, and brings the cache up to date behind the asker's back.
//
// A domain that is asked for and not known, or was last looked at some minutes ago, goes on the list of a few fibers
// that work it off: its TXT record first, and the policy when the record's id is new or the policy has grown old. A
// first try may take some seconds; a domain that needs more goes on a list of its own with fibers of its own, there and
// whenever it is asked for again, so that name servers and policy hosts that do not answer hold up nobody but each
// other. A domain without a record is remembered for a while as having none. Policies that mail still asks for are
// fetched anew before they end.
//
// When things fail: a fetch that failed is one line in the log; the cached policy stays until its max_age is over, and
// the next try comes with the next mail after some minutes. Without a cache file the service works from memory.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include "conf/settings.h"
#include "fetch.h"
#include "ipc/mta_sts.h"
#include "loop/loop.h"
#include "table/table.h"

namespace net {
class Stream;
}

namespace mta_sts {
class PolicyServer {
public:
    static constexpr std::size_t domains_limit = 100000, waiting_limit = 1000;
    static constexpr int quick_workers = 12, slow_workers = 4;  // together the threads of the pool
    std::chrono::milliseconds first_try{5000};                  // for the TXT record, and for the policy
    // As root, before the jail. The cache file is opened by the first that needs it: its predecessor may still have it
    // until then.
    static Result<std::unique_ptr<PolicyServer>> create(const conf::Settings& settings);
    void serve(net::Stream& stream);
    // For the life of the process, in a fiber: refreshes what grows old.
    void keep_house();

private:
    explicit PolicyServer(const conf::Settings& settings) : settings_(settings) {}
    ipc::StsReply answer(const std::string& domain);
    std::optional<Cached> cached(const std::string& domain);
    void save(const std::string& domain, const Cached& entry);
    void open_cache();
    struct Lane {
        int workers;
        std::deque<std::string> waiting{};
        int working = 0;
    };
    void look_up(const std::string& domain);  // soon, by one of the workers
    void put(Lane& lane, const std::string& domain);
    void work(Lane& lane);
    // False: there was not time enough.
    bool update(const std::string& domain, std::chrono::milliseconds limit);

    conf::Settings settings_;
    http::Web web_;
    std::unique_ptr<table::Table> file_;
    bool opened_ = false, handed_over_ = false;
    std::map<std::string, Cached> memory_;          // where there is no file
    std::map<std::string, std::string> failures_;   // why a domain that announces a policy has none, as TLSRPT names it
    std::map<std::string, loop::Deadline> looked_;  // when a domain was last looked at, or begun to
    Lane quick_{quick_workers}, slow_lane_{slow_workers};
    std::set<std::string> slow_;   // domains whose last try took too long
    loop::Deadline next_sweep_{};  // of looked_, when it is full
};
}
