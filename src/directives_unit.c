/* [Unit]: systemd.unit(5), what a unit is and what it depends on. */
#include "directive_set.h"
#include "cleanup.h"

static const struct directive rows[] = {
    ROW("StartLimitIntervalSec", set_span, start_limit_interval, A_TIMESPAN),
    ROW("StartLimitBurst", set_int, start_limit_burst, "a number", .max = INT32_MAX),
};

const struct directive_table *directives_unit(void)
{
    static const struct directive_table table = {"Unit", rows, ARRAY_SIZE(rows)};

    return &table;
}
