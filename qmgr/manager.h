// The queue manager's state and what it does with a message: take it into the active queue (active.cc), assign its
// recipients to transports (assign.cc), have them delivered (delivery.cc), and end with it (finish.cc). intake.h finds
// the messages.
//
// One process, one thread; each delivery is a fiber that waits for its agent, and what is shared changes only between
// waits. A message lives as long as recipients of it are in memory, in a file's unread part, or its end is being
// arranged.
//
// When things fail: a service that does not answer makes deferrals; a file that is damaged goes to corrupt/; nothing
// that a message or an agent does ends the process.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include "conf/settings.h"
#include "delivery/agent.h"
#include "ipc/bounce.h"
#include "ipc/client.h"
#include "ipc/delivery.h"
#include "transport_limits.h"
#include "message.h"
#include "queue/directories.h"
#include "resolver.h"
#include "scheduler.h"

namespace qmgr {
// What main.cf says, read once.
struct Config {
    explicit Config(const conf::Settings& settings);
    std::chrono::seconds minimal_backoff, maximal_backoff, queue_lifetime, bounce_lifetime, transport_retry,
        ipc_timeout, daemon_timeout, clog_warn;
    std::size_t messages, recipients, recipients_minimum;
    std::size_t old_messages() const { return messages - messages / 5; }  // of these, from deferred
    bool helpful, feedback_debug;
    std::string recipient_delimiter, double_bounce;
};

enum class Taken { taken, not_ready, gone, busy, failed };  // busy: another process still delivers it; failed: logged

class Manager {
public:
    Manager(const conf::Settings& settings, SessionLimits sessions);
    ~Manager();

    const Config& config() const { return config_; }
    const queue::Directories& directories() const { return directories_; }
    std::size_t active() const { return messages_.size(); }
    std::size_t active_old() const { return old_; }  // of these, those that came from deferred
    std::size_t recipients() const { return recipients_; }

    // Moves a complete file from this queue to active and starts with it. Waits for disk and for trivial-rewrite.
    Taken activate(const mail::QueueId& id, std::string_view from, bool flush);
    // What a destination holds of the active queue, in messages, and what it may hold now (share.cc).
    struct Place {
        std::string transport, destination;  // the key of the latter there
        friend bool operator==(const Place&, const Place&) = default;
    };
    struct Share {
        std::size_t held, most;
        bool full() const { return held >= most; }
    };
    Share share_of(const Place& place) const;
    // The destination of all of a message, where that one has its share already: the message had better wait where it
    // is. Waits as activate() does.
    std::optional<Place> crowded_place(const mail::QueueId& id, std::string_view from, bool flush);
    bool is_active(const mail::QueueId& id) const { return messages_.contains(id.text()); }
    // Forgets what it knows about dead transports and destinations (postqueue -f).
    void revive_all();
    void maintain();  // every second: destinations and transports whose time of being left alone is over
    // Called with an id and its due time when a message went back to deferred, and whenever a message left the active
    // queue.
    std::function<void(const mail::QueueId&, std::int64_t due)> on_deferred;
    std::function<void()> on_room;

private:
    struct Loaded;
    struct Service;  // a transport and the connections to its agents
    Loaded load(const mail::QueueId& id, std::string_view from, std::size_t recipients);
    void set_aside(const mail::QueueId& id, const Error& why);
    void log_taken(const Message& message) const;

    void assign(Message& message, std::vector<queue::Recipient> recipients);
    void place(Message& message, const Route& route, std::vector<queue::Recipient> recipients);
    std::string destination_key(const TransportLimits& limits, const Route& route) const;
    Service& service(const std::string& transport);
    void refill(Message& message);
    bool wants_refill(const Message& message, Time now) const;

    void dispatch(Service& service);
    void start(Service& service, std::unique_ptr<Entry> entry);
    void deliver(Service& service, Entry& entry);
    ipc::DeliveryRequest request_for(const Entry& entry) const;
    Result<ipc::DeliveryReply> converse(Service& service, const ipc::DeliveryRequest& request);
    Result<ipc::DeliveryReply> talk_once(Service& service, const ipc::DeliveryRequest& request, bool only_fresh,
                                         bool& was_fresh);
    void drop_done(ipc::DeliveryRequest& request) const;
    void site_feedback(Service& service, Destination& destination, const ipc::DeliveryReply& reply);
    void kill_transport(Service& service, std::string_view status, std::string_view reason);
    void kill_destination(Service& service, Destination& destination, const std::string& status,
                          const std::string& reason);
    void reroute(std::vector<std::unique_ptr<Entry>> entries, const std::string& status, const std::string& reason);
    void pace(Service& service, Destination& destination);
    void dispose_here(Message& message, std::vector<queue::Recipient> recipients, std::string_view status,
                      const std::string& text);
    void warn_if_clogging(Destination& destination, Time now);

    void settled(Message& message, std::size_t recipients);
    void finish(Message& message);
    bool send_report(const Message& message, ipc::Client& service, std::string_view kind);
    bool send_bounces(Message& message);
    void send_traces(Message& message);
    bool expire(Message& message);
    bool explain_rest(const Message& message);
    void warn_of_delay(Message& message);
    void insist(const mail::QueueId& id, const std::function<Result<void>()>& job);
    void put_off(Message& message);
    void remove(Message& message);
    void forget(Message& message);

    conf::Settings settings_;
    Config config_;
    SessionLimits sessions_;
    queue::Directories directories_;
    delivery::Agent self_;  // for what is disposed of here
    Resolver resolver_;
    ipc::Client bounce_, defer_, trace_;
    std::map<std::string, std::unique_ptr<Service>, std::less<>> services_{};
    std::unordered_map<std::string, std::unique_ptr<Message>> messages_{};
    struct Disposal {
        Message* message;
        std::string status, text;
        friend auto operator<=>(const Disposal&, const Disposal&) = default;
    };
    std::map<Disposal, std::unique_ptr<Entry>> disposals_{};  // whose fiber has not had its turn
    std::size_t recipients_ = 0, old_ = 0;
    double serial_ = 0;
};

struct Manager::Service {
    Service(const std::string& name, const TransportLimits& limits, std::chrono::seconds timeout)
        : transport(name, limits), client("private/" + name, timeout) {}
    Transport transport;
    ipc::Client client;
};
}
