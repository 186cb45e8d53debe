// What was said in a session, for a notice to the postmaster where it holds errors of a kind that notify_classes names:
//
//     protocol   the client broke the rules of SMTP       policy     access rules refused
//     resource   no space, no connection to cleanup       software   tables that do not answer, misspelt rules
//
// When things fail: a notice that cleanup does not take is lost, with a warning.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include "client.h"
#include "conf/settings.h"

namespace smtpd {
class Transcript {
public:
    Transcript(Service& service, const conf::Settings& settings) : service_(service), settings_(settings) {}
    void note(std::string_view who, std::string_view text);  // text: one line, or several with CRLF between them
    void classify(std::string_view refusal);
    void next_is_policy() { by_policy_ = true; }  // the next refusal is an access rule's
    // Why the session was cut short; a constant.
    void cut_short(std::string_view why) { ended_ = why; }
    void send(const Client& client);

private:
    Service& service_;
    const conf::Settings& settings_;
    std::string text_{};
    std::int64_t lines_ = 0;
    unsigned errors_ = 0;  // bits of Service::Notify
    bool by_policy_ = false;
    std::string_view ended_{};
};
}
