#include "progress.h"
#include <unistd.h>

namespace postsuper {
std::FILE* terminal() { return ::isatty(STDERR_FILENO) ? stderr : nullptr; }
}
