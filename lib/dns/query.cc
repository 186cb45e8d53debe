#include <fmt/format.h>
#include <algorithm>
#include <random>
#include "base/bytes.h"
#include "dns/channel.h"
#include "dns/dns.h"
#include "dns/dnssec.h"
#include "dns/host.h"
#include "dns/message.h"
#include "log/log.h"

namespace dns {
namespace {
std::unique_ptr<const System> system_read;
std::function<bool(const Record&)> keep_record;
thread_local Channel* in_fibers =
    nullptr;  // plain pointers: a daemon that exits owes them no destructor after its loop's
thread_local Channel* blocking = nullptr;

std::mt19937& random_bits() {
    thread_local std::mt19937 engine{std::random_device{}()};
    return engine;
}

Channel& channel() {
    Channel*& mine = loop::current() ? in_fibers : blocking;
    event_base* base = loop::current() ? loop::loop()->base() : nullptr;
    if (mine && mine->base() != base)
        mine = nullptr;  // of a loop that is gone, and its events with it
    if (!mine)
        mine = new Channel(base, host_system());
    return *mine;
}

const char* phrase(Status status) {
    switch (status) {
    case Status::found: return "";
    case Status::no_data: return "Host found but no data record of requested type";
    case Status::no_name: return "Host not found";
    case Status::temporary: return "Host not found, try again";
    case Status::invalid: return "Malformed or unexpected name server reply";
    case Status::null_mx: return "Domain does not accept mail (nullMX)";
    case Status::filtered: return "DNS reply filter drops all results";
    }
    return "";
}

Answer failed(std::string_view name, Type type, Status status, bool authenticated = false) {
    Answer a;
    a.status = status;
    a.authenticated = authenticated;
    a.reason = fmt::format("Name service error for name={} type={}: {}", bytes::printable(name.substr(0, 255)),
                           name_of(type), phrase(status));
    return a;
}

// RFC 2782: by priority; among equals a draw in which weight is the number of lots.
void order_services(std::vector<Record>& records) {
    std::shuffle(records.begin(), records.end(), random_bits());
    std::stable_sort(records.begin(), records.end(),
                     [](const Record& a, const Record& b) { return a.preference < b.preference; });
    for (auto from = records.begin(); from != records.end(); ++from) {
        auto to = std::find_if(from, records.end(), [&](const Record& r) { return r.preference != from->preference; });
        unsigned long sum = 0;
        for (auto r = from; r != to; ++r)
            sum += r->weight;
        unsigned long lot = std::uniform_int_distribution<unsigned long>(0, sum)(random_bits());
        for (auto r = from; r != to; ++r) {
            if (lot <= r->weight) {
                std::rotate(from, r, r + 1);
                break;
            }
            lot -= r->weight;
        }
    }
}

// Walks the CNAMEs of one reply from name on; what is of the right type at their end goes into answer.
void collect(const std::vector<Record>& records, Type type, std::string& name, Answer& answer, int& hops) {
    for (bool moved = type != Type::cname; moved && hops < cname_limit;) {
        moved = false;
        for (const Record& r : records) {
            if (r.type != Type::cname || !bytes::iequals(r.owner, name) || bytes::iequals(r.value, name))
                continue;
            answer.ttl = std::min(answer.ttl, r.ttl);
            name = r.value;
            moved = true;
            ++hops;
            break;
        }
    }
    for (const Record& r : records)
        if (r.type == type && bytes::iequals(r.owner, name))
            answer.records.push_back(r);
}

Answer finish(std::string_view asked, Type type, Answer answer) {
    if (type == Type::mx && answer.records.size() == 1 && answer.records[0].value.empty()) {
        if (answer.records[0].preference == 0)
            return failed(asked, type, Status::null_mx, answer.authenticated);
    }
    if (type == Type::mx || type == Type::srv)
        std::erase_if(answer.records, [](const Record& r) { return r.value.empty(); });
    if (answer.records.empty())
        return failed(asked, type, Status::invalid);
    if (keep_record) {
        std::erase_if(answer.records, [](const Record& r) { return !keep_record(r); });
        if (answer.records.empty())
            return failed(asked, type, Status::filtered);
    }
    for (const Record& r : answer.records)
        answer.ttl = std::min(answer.ttl, r.ttl);
    if (type == Type::mx) {
        std::shuffle(answer.records.begin(), answer.records.end(), random_bits());
        std::stable_sort(answer.records.begin(), answer.records.end(),
                         [](const Record& a, const Record& b) { return a.preference < b.preference; });
    }
    if (type == Type::srv)
        order_services(answer.records);
    answer.status = Status::found;
    return answer;
}

Answer query_exactly(std::string_view asked, Type type, const Options& options) {
    std::string name(asked);
    if (name.size() > 1 && name.back() == '.')
        name.pop_back();
    Answer answer;
    answer.ttl = ~std::uint32_t{0};
    answer.authenticated = true;
    for (int hops = 0; hops < cname_limit;) {
        auto raw = message::question(name, type, options.dnssec);
        if (!raw)
            return failed(asked, type, Status::no_name);  // a name that no zone can hold, e.g. a label of 70 letters
        auto bytes_back = channel().ask(*raw, options.deadline);
        auto reply = bytes_back ? message::parse(*bytes_back) : tl::unexpected(bytes_back.error());
        if (!reply)
            return failed(asked, type, bytes_back ? Status::invalid : Status::temporary);
        if (!reply->malformed.empty())
            maillog::warning("{}", reply->malformed);
        answer.authenticated &= reply->authenticated;
        std::string before = name;
        collect(reply->answers, type, name, answer, hops);
        answer.canonical = name;
        if (!answer.records.empty())
            return finish(asked, type, std::move(answer));
        if (reply->rcode == 3)
            return failed(asked, type, Status::no_name, answer.authenticated);
        if (reply->rcode != 0)
            return failed(asked, type, Status::temporary);
        if (bytes::iequals(before, name))
            return failed(asked, type, reply->malformed.empty() ? Status::no_data : Status::invalid,
                          answer.authenticated);
    }
    return failed(asked, type, Status::invalid);
}
}

const System& host_system() {
    if (!system_read)
        open();
    return *system_read;
}

void open() { system_read = std::make_unique<const System>(read_system()); }

void close() {
    delete std::exchange(in_fibers, nullptr);
    delete std::exchange(blocking, nullptr);
}

void set_reply_filter(std::function<bool(const Record&)> keep) { keep_record = std::move(keep); }

namespace {
Answer query_searching(std::string_view name, Type type, const Options& options) {
    if (name.empty() || name.size() > 255)
        return failed(name, type, Status::no_name);
    bool dotted = name.find('.') != name.npos;
    Answer answer = dotted || !(options.own_domain || options.search) ? query_exactly(name, type, options)
                                                                      : failed(name, type, Status::no_name);
    if (name.back() == '.')
        return answer;
    std::size_t tried = 0, most = options.search ? host_system().search.size() : options.own_domain && !dotted ? 1 : 0;
    for (const std::string& domain : host_system().search) {
        if (tried++ == most || (answer.status != Status::no_name && answer.status != Status::no_data))
            break;
        Answer with = query_exactly(fmt::format("{}.{}", name, domain), type, options);
        if (with.status != Status::no_name)
            answer = std::move(with);
    }
    return answer;
}
}

Answer query(std::string_view name, Type type, const Options& options) {
    Answer answer = query_searching(name, type, options);
    if (options.dnssec)
        watch_validation(answer);
    return answer;
}
}
