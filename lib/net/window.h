// tcp_windowsize: the size in bytes of the buffers that TCP sockets get before they connect or listen, for all that net
// makes from now on in this process. 0: the system's.
#pragma once

namespace net {
void set_window_size(int bytes);
}
