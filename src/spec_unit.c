/* The defaults of this part of a description, and its end. */
#include <stdlib.h>
#include "spec_unit.h"
#include "strv.h"
#include "usec.h"

const struct spec_unit *spec_unit_defaults(void)
{
    static const struct spec_unit defaults = {
        .default_dependencies = true,
        .on_failure_mode = UNIT_JOB_REPLACE,
        .on_success_mode = UNIT_JOB_FAIL,
        .job_timeout = USEC_INFINITY,
        .job_running_timeout = USEC_INFINITY,
        .failure_exit = -1,
        .success_exit = -1,
    };

    return &defaults;
}

const struct spec_deps *spec_deps_defaults(void)
{
    static const struct spec_deps defaults;

    return &defaults;
}

void spec_deps_done(void *part)
{
    struct spec_deps *d = part;

    for (size_t i = 0; i < DEP_MAX; i++)
        strv_free(d->deps[i]);
}

void spec_unit_done(void *part)
{
    struct spec_unit *u = part;

    strv_free(u->documentation);
    free(u->source_path);
    strv_free(u->joins_namespace_of);
    strv_free(u->requires_mounts_for);
    strv_free(u->wants_mounts_for);
    free(u->reboot_argument);
    free(u->job_timeout_reboot_argument);
    for (size_t i = 0; i < u->conditions.n; i++)
        free(u->conditions.v[i].value);
    free(u->conditions.v);
    strv_free(u->wanted_by);
    strv_free(u->required_by);
    strv_free(u->upheld_by);
    strv_free(u->also);
    strv_free(u->alias);
    free(u->default_instance);
}
