/* Starting a process of a unit: its table of descriptors. A copy of ours costs as much as there is in it, at the fork and
 * once more at the exec, which closes all of that: 400 us where a thousand services have five thousand. So with many of
 * them the child begins with our own table (CLONE_FILES), and the first thing it does is to ask for one that begins with
 * the lowest of these (CLOSE_RANGE_UNSHARE copies no others). What it needs is put among them before. */
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cleanup.h"
#include "clone3.h"
#include "spawn_inside.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2U
#endif

#define FEW 64 /* a copy of so many costs nothing to speak of */

void spawn_reserve(int low[static 2])
{
    for (size_t i = 0; i < 2; i++)
        low[i] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    for (size_t i = 0; i < 2 && (low[0] < 0 || low[1] < 0); i++)
        low[i] = close_fd(low[i]);
}

/* The stream that the reserved descriptor number @i is for. */
static struct stream_plan *stream_of(struct child *c, size_t i)
{
    return &c->streams[STDOUT_FILENO + i];
}

bool spawn_lower(struct child *c)
{
    const int *low = c->s->ctx.low_fds;
    bool high = stream_of(c, 0)->fd >= FEW || stream_of(c, 1)->fd >= FEW;

    /* A child that is not waited for would live on with our table, one with memory of its own is a rare one. */
    if (!high || low[0] <= 0 || c->waits || c->own_memory || c->n_fds > 0 || !CLONE3_SHARES)
        return false;
    for (size_t i = 0; i < 2; i++) {
        struct stream_plan *p = stream_of(c, i);

        if (p->fd >= 0 && dup3(p->fd, low[i], O_CLOEXEC) < 0)
            return false; /* the first one's place is as good as any */
        p->fd = p->fd >= 0 ? low[i] : -1;
    }
    return true;
}

void spawn_forget_lowered(const struct child *c)
{
    for (size_t i = 0; i < 2; i++)
        (void)dup3(STDIN_FILENO, c->s->ctx.low_fds[i], O_CLOEXEC);
}

/* Without CLOSE_RANGE_UNSHARE (before Linux 5.9, or a filter refuses it) it is a copy of all. */
static int step_own_table(const struct child *c)
{
    const int *low = c->s->ctx.low_fds;
    unsigned from = (unsigned)(low[0] > low[1] ? low[0] : low[1]) + 1;

    return syscall(__NR_close_range, from, ~0U, CLOSE_RANGE_UNSHARE) == 0 ? 0 : unshare(CLONE_FILES);
}

void spawn_steps_table(struct child *c)
{
    spawn_step(c, c->lowered, step_own_table, EXIT_FDS, "descriptors");
}
