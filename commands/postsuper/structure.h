// postsuper -s, -S and -p: queue files where and named as they should be (a short id holds the inode's number), and
// nothing left of crashes.
//
// When things fail: a file that cannot be moved is a warning and stays.
#pragma once
#include <cstddef>
#include <string>
#include <vector>
#include "queue/directories.h"

namespace postsuper {
struct StructureOptions {
    bool fix = false;       // -s: places, and names where the id has an inode that is not the file's
    bool fix_long = false;  // -S: long ids too
    bool purge = false;     // -p
    bool long_ids = false;  // enable_long_queue_ids
};
// Returns how many files were renamed.
std::size_t repair(const queue::Directories& directories, const StructureOptions& options,
                   const std::vector<std::string>& queues);
}
