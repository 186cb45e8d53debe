#include "access/facts.h"
#include "conf/params/smtpd.h"
#include "mail/address.h"

namespace smtpd {
const std::string& Facts::sender() const {
    static const std::string none;
    return session_.mail ? session_.mail->envelope.sender : none;
}
const std::string& Facts::recipient() const {
    static const std::string none;
    return about_.recipient ? about_.recipient->address : none;
}
bool Facts::known(Of of) const {
    switch (of) {
    case Of::helo: return !session_.client.helo.empty();
    case Of::sender: return session_.mail != nullptr;
    case Of::recipient: return about_.recipient != nullptr;
    case Of::etrn: return phase_ == Phase::etrn;
    default: return true;
    }
}
std::string_view Facts::host(Of of) const {
    switch (of) {
    case Of::client: return session_.client.name;
    case Of::reverse_client: return session_.client.reverse_name;
    case Of::helo: return session_.client.helo;
    case Of::etrn: return about_.etrn_domain;
    default: return mail::split_address(address(of)).domain.value_or("");
    }
}
Subject Facts::subject(Of of) const {
    switch (of) {
    case Of::client:
    case Of::reverse_client: return {session_.client.shown, "Client host"};
    case Of::helo: return {session_.client.helo, "Helo command"};
    case Of::sender: return {sender(), "Sender address"};
    case Of::recipient: return {recipient(), "Recipient address"};
    case Of::etrn: return {std::string(about_.etrn_domain), "Etrn command"};
    default: return subject();
    }
}
Subject Facts::subject() const {
    switch (phase_) {
    case Phase::client: return subject(Of::client);
    case Phase::helo: return subject(Of::helo);
    case Phase::sender: return subject(Of::sender);
    case Phase::relay:
    case Phase::recipient: return subject(Of::recipient);
    case Phase::data: return {"DATA", "Data command"};
    case Phase::end_of_data: return {"END-OF-MESSAGE", "End-of-data"};
    default: return subject(Of::etrn);
    }
}

Actions& Facts::actions() {
    const bool whole_session =
        !settings()[param::smtpd_delay_reject] && (phase_ == Phase::client || phase_ == Phase::helo);
    return session_.mail && !whole_session ? session_.mail->actions : session_.access.actions;
}
}
