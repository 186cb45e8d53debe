// What cleanup tells the queue manager at public/qmgr over a connection that it keeps: messages that have just come to
// stand in incoming. There is no answer: a queue manager that starts looks through incoming anyway, and one that is
// about to end closes these connections before its successor looks. Others wake the queue manager by single bytes
// (qmgr/intake.h).
#pragma once
#include "ipc/attributes.h"

namespace ipc {
struct NewMail {
    static constexpr std::string_view protocol = "new_mail";
    std::vector<std::string> queue_ids;
    template <class S, class V> static void fields(S& s, V&& v) { v("queue_ids", s.queue_ids); }
};
}
