/* [Service]: systemd.exec(5), directories, DynamicUser= and credentials. */
#include "directive.h"
#include "cleanup.h"

static const struct directive rows[] = {
    {.key = "X-none"},
};

const struct directive_table *directives_dirs(void)
{
    static const struct directive_table table = {"Service", rows, 0};

    return &table;
}
