/* [Unit]: systemd.unit(5), Condition*= and Assert*=. */
#include "directive.h"
#include "cleanup.h"

static const struct directive rows[] = {
    {.key = "X-none"},
};

const struct directive_table *directives_condition(void)
{
    static const struct directive_table table = {"Unit", rows, 0};

    return &table;
}
