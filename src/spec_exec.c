/* The defaults of this part of a description, and its end. */
#include <limits.h>
#include <stdlib.h>
#include "capability.h"
#include "cleanup.h"
#include "ioprio.h"
#include "spec_exec.h"
#include "strv.h"

const struct spec_exec *spec_exec_defaults(void)
{
    static const struct spec_exec defaults = {
        .io_class = IOPRIO_CLASS_BE, /* the kernel's own, ioprio_set(2) */
        .io_priority = 4,
        .timer_slack = UINT64_MAX,
        .personality = ULONG_MAX,
        .ignore_sigpipe = true,
        .bounding = CAPABILITY_ALL,
    };

    return &defaults;
}

void spec_exec_done(void *part)
{
    struct spec_exec *x = part;

    for (size_t i = 0; i < ARRAY_SIZE(x->stdio); i++)
        free(x->stdio[i].target);
    free(x->stdin_data);
    free(x->tty_path);
    strv_free(x->search_path);
    strv_free(x->pass_environment);
    strv_free(x->unset_environment);
    free(x->cpus);
    free(x->numa_nodes);
    free(x->apparmor_profile);
}
