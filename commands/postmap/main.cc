// postmap(1): makes, queries, updates and lists lookup tables from "key white-space value" files.
#include "map_source.h"
#include "table/command.h"

int main(int argc, char** argv) {
    return table::run_command(
        {.name = "postmap",
         .options = "Nbc:d:fFhijmnopq:rsuUvw",
         .usage = "postmap [-bfFhijmnNoprsuUvw] [-c config_dir] [-d key] [-q key] [map_type:]file...",
         .separator = "\t",
         .parse = postmap::parse_line,
         .remark = postmap::remark},
        argc, argv);
}
