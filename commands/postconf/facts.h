// What this build can do: table types, lock methods, SASL plug-ins; and the texts of bounces.
#pragma once
#include "options.h"

namespace postconf {
void show_facts(const Options& options);
// postconf(5) as a roff page, from the declarations: what the build installs.
void show_manual();
}
