// The default of mynetworks: the networks of this host's own interfaces.
#pragma once
#include <string>
#include <string_view>

namespace conf {
// style: class, subnet or host (an unknown one counts as host, the narrowest). interfaces and protocols: the expanded
// values of inet_interfaces and inet_protocols. The result is a list as mynetworks has it: "127.0.0.0/8 [::1]/128".
// What cannot be asked gives the loopback addresses alone. Names in inet_interfaces are resolved, which may wait for
// DNS.
std::string local_networks(std::string_view style, std::string_view interfaces, std::string_view protocols);
}
