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
        .bounding = CAPABILITY_ALL,
    };

    return &defaults;
}

unsigned spec_exec_copies(const struct spec_exec *x, int stream)
{
    enum stdio_kind kind = x->stdio[stream].kind;

    if (stream == 2 && (kind == STDIO_DEFAULT || kind == STDIO_INHERIT))
        kind = x->stdio[1].kind;
    return (kind == STDIO_KMSG || kind == STDIO_KMSG_CONSOLE ? COPY_KMSG : 0) |
           (kind == STDIO_JOURNAL_CONSOLE || kind == STDIO_KMSG_CONSOLE ? COPY_CONSOLE : 0);
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
