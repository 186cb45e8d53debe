// See delivery/agent.h.
#include "delivery/agent.h"

#include "base/bytes.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "delivery/services.h"
#include "log/log.h"
#include "table/address_lookup.h"

namespace delivery {
static constexpr auto idle_limit = std::chrono::seconds(3600);

Agent::Services::Services(const conf::Settings& s, std::string_view status_filter)
    : settings(s),
      directories(s),
      bounce("private/" + s[param::bounce_service_name], s),
      defer("private/" + s[param::defer_service_name], s),
      trace("private/" + s[param::trace_service_name], s),
      flush("public/" + s[param::flush_service_name], s),
      flush_domains(table::MatchList::open(param::fast_flush_domains.name, s[param::fast_flush_domains],
                                           table::MatchList::Kind::domains,
                                           table::parents_of(s, param::fast_flush_domains.name))),
      filter(table::Maps::open("delivery_status_filter", status_filter, table::any_bytes())),
      soft_bounce(s[param::soft_bounce]),
      external_addresses(s[param::info_log_address_format] != "internal"),
      delay_digits(static_cast<int>(s[param::delay_logging_resolution_limit])) {}

Agent::Agent(const conf::Settings& settings, std::string_view status_filter)
    : services_(std::make_unique<Services>(settings, status_filter)) {}
bool Agent::may_ask(std::string_view program) { return program == "qmgr" || program == "local"; }

Agent::~Agent() = default;
const conf::Settings& Agent::settings() const { return services_->settings; }

// True where a request begins to come. A connection without one ends soon after leaving(): qmgr asks anew elsewhere.
static bool next_request(net::Stream& peer, bool (*leaving)()) {
    constexpr auto look_again = std::chrono::seconds(5);
    for (loop::Deadline end = loop::in(idle_limit); peer.peek().empty();) {
        if (peer.at_end() || leaving() || loop::Clock::now() >= end)
            return false;
        (void)peer.wait_readable(loop::in(look_again));
    }
    return true;
}

void Agent::serve(net::Stream& peer, const Handler& deliver, bool (*leaving)()) const {
    while (next_request(peer, leaving)) {
        auto request = ipc::receive<ipc::DeliveryRequest>(peer, loop::in(idle_limit));
        if (!request) {
            bool gone = peer.at_end() || peer.failure() != net::Stream::Failure::none;
            if (!gone)
                maillog::warning("delivery request: {}", request.error().reason);
            return;
        }
        ipc::DeliveryReply reply = handle(std::move(*request), deliver, &peer);
        reply.last = leaving();
        if (!ipc::send(peer, reply, loop::in(idle_limit)) || !peer.flush(loop::in(idle_limit))) {
            // One that has been replaced finds what was done in the queue file.
            if (peer.failure() != net::Stream::Failure::lost)
                maillog::warning("the queue manager did not take the answer to a delivery request");
            return;
        }
        if (reply.last)
            return;
    }
}

static Result<queue::QueueFile> open_file(const queue::Directories& directories, const ipc::DeliveryRequest& request) {
    if (request.queue_name != queue::active)
        return temporary("bad queue name: only what is in the active queue is delivered");
    TRY_ASSIGN(mail::QueueId id, mail::QueueId::parse(request.queue_id));
    TRY_ASSIGN(queue::QueueFile file, queue::QueueFile::open(directories, queue::active, id, queue::Access::deliver));
    TRY_ASSIGN(bool locked, file.try_lock_shared());
    if (!locked)
        return temporary("queue file is locked");
    if (request.data_offset <= 0 || request.data_size < 0 || request.data_offset > file.bytes())
        return temporary("request does not fit the queue file");
    return file;
}

ipc::DeliveryReply Agent::handle(ipc::DeliveryRequest request, const Handler& deliver, net::Stream* peer) const {
    base::WallTime received = base::wall_now();
    auto file = open_file(services_->directories, request);
    if (!file) {
        maillog::warning("{}: cannot deliver: {}",
                         bytes::printable(request.queue_id.substr(0, mail::QueueId::length_max)), file.error().reason);
        return {.deferred = true, .site_status = {}, .site_reason = {}};
    }
    // A request that waited while its qmgr ended: the next one may have asked another agent for the same. Asked under
    // the lock, which keeps a new qmgr from the message (Manager::load): a qmgr that lives now has no successor that
    // could have got past it.
    if (peer && (peer->peek(), peer->at_end()))
        return {.deferred = true, .site_status = {}, .site_reason = {}};
    Job job(*this, std::move(request), std::move(*file), received);
    deliver(job);
    return job.finish();
}
}
