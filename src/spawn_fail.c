/* What one run notes down: why it cannot be, and the steps that its child takes. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "spawn_inside.h"

int spawn_fail(struct spawn_error *e, enum spawn_exit status, int error, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    e->exit_status = status;
    e->error = error;
    va_start(ap, fmt);
    vsnprintf(e->what, sizeof(e->what), fmt, ap);
    va_end(ap);
    n = strlen(e->what);
    if (error)
        snprintf(e->what + n, sizeof(e->what) - n, ": %s", strerror(error));
    return -1;
}

int spawn_no_memory(struct spawn_error *e)
{
    return spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
}

void spawn_step(struct child *c, bool applies, int (*apply)(const struct child *c), enum spawn_exit exit_status,
                const char *what)
{
    if (applies && c->n_steps < STEPS_MAX)
        c->steps[c->n_steps++] = (struct step){apply, exit_status, what};
}
