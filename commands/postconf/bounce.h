// postconf -b and -t: the texts of bounces. The bounce daemon owns them, so it prints them: daemon_directory/bounce -SV
// writes the templates, -SVn with their names replaced by values.
#pragma once
#include "options.h"

namespace postconf {
void show_bounce(const Options& options);
}
