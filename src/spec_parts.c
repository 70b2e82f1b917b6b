/* The defaults of the small parts of a description. */
#include "spec_parts.h"
#include "usec.h"

const struct spec_limits *spec_limits_defaults(void)
{
    static const struct spec_limits defaults;

    return &defaults;
}

const struct spec_exits *spec_exits_defaults(void)
{
    static const struct spec_exits defaults;

    return &defaults;
}

const struct spec_health *spec_health_defaults(void)
{
    static const struct spec_health defaults = {
        .interval = 30 * USEC_PER_SEC, .timeout = 30 * USEC_PER_SEC, .retries = 3}; /* those of Docker's HEALTHCHECK */

    return &defaults;
}

const struct spec_log *spec_log_defaults(void)
{
    static const struct spec_log defaults = {.file_max_files = 5, .line_max = 48 * 1024}; /* journald.conf(5), LineMax= */

    return &defaults;
}

void spec_health_done(void *part)
{
    struct spec_health *health = part;

    probespec_done(&health->health);
}
