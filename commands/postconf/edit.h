// Changes main.cf and master.cf in place: the new text goes to a file beside, is synced, and takes the old one's place
// with its owner and mode. Comments and the order of what is not touched stay.
//
// When things fail: the program ends with the reason and the file is as it was.
#pragma once
#include "options.h"

namespace postconf {
void edit_parameters(const Options& options);
void edit_master(const Options& options);
}
