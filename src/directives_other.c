/* What is known and not done here. */
#include "directive.h"
#include "cleanup.h"

static const struct directive rows[] = {
    {.key = "X-none"},
};

const struct directive_table *directives_other(void)
{
    static const struct directive_table table = {"Service", rows, 0};

    return &table;
}
