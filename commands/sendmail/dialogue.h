// sendmail -bs: SMTP on standard input and output, each message through postdrop, for any user and any kind of input. (Root and
// $mail_owner on a socket, as inetd has it, get smtpd itself with its access rules: only they may talk to cleanup.)
//
// When things fail: replies say so; the end of input ends the session, an unfinished message is dropped.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "conf/settings.h"
#include "mail/dsn.h"

namespace sendmail {
class Dialogue {
public:
    explicit Dialogue(const conf::Settings& settings) : settings_(settings) {}
    // Until QUIT or the end of input.
    void run();
    // One command; the reply without line end (several lines joined by \n). For run() and tests.
    std::string command(std::string_view line);
    bool wants_data() const { return data_; }

private:
    struct Recipient { std::string address; mail::DsnNotify notify; };
    // False at the end of input. A line too long to be kept comes in pieces: all but the last leave line_ends_ false.
    bool read_line(std::string& line);
    void take_data();
    std::string mail(std::string_view arguments);
    std::string rcpt(std::string_view arguments);
    void reset();
    const conf::Settings& settings_;
    std::string input_{}, sender_{}, encoding_{}, envelope_id_{};
    std::vector<Recipient> recipients_{};
    std::size_t at_ = 0;                                     // of input_: what is before was read
    mail::DsnReturn ret_ = 0;
    bool line_ends_ = true, hello_ = false, has_sender_ = false, data_ = false, quit_ = false;
};
}
