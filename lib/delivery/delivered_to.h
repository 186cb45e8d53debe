// The addresses that a message has been delivered to already, as its Delivered-To: lines say: how local and pipe notice
// that mail goes round in circles.
//
// When things fail: a queue file that cannot be read has none; the delivery that follows meets the same error and
// reports it.
#pragma once
#include <set>
#include <string>
#include "delivery/job.h"

namespace delivery {
// In internal form, case folded (mail::fold_case); at most 1000.
std::set<std::string> delivered_addresses(const Job& job);
}
