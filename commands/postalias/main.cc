// postalias(1): makes, queries, updates and lists alias databases from files in the format of aliases(5).
#include "alias_source.h"
#include "table/command.h"

int main(int argc, char** argv) {
    return table::run_command(
        {.name = "postalias",
         .options = "Nc:d:fijnopq:rsuvw",
         .usage = "postalias [-Nfijnoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file...",
         .separator = ":\t",
         .parse = postalias::parse_line,
         .finish = postalias::add_marks},
        argc, argv);
}
