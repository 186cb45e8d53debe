#include "map_source.h"
#include "table/source.h"

namespace postmap {
Result<table::SourceEntry> parse_line(std::string_view line) {
    TRY_ASSIGN(table::KeyValue pair, table::split_key_value(line));
    return table::SourceEntry{std::string(pair.key), std::string(pair.value)};
}

std::string remark(std::string_view line) {
    Result<table::KeyValue> pair = table::split_key_value(line);
    return pair && pair->key.ends_with(':') ? "record is in \"key: value\" format; is this an alias file?" : "";
}
}
