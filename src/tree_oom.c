/* What the kernel tells of processes that it has killed for want of memory: memory.events of the job's cgroup, where
 * the memory controller is there. */
#include <fcntl.h>
#include <unistd.h>
#include "cgroup.h"
#include "cleanup.h"
#include "tree_inside.h"

static int changed(struct watch *w, uint32_t events)
{
    struct tree *t = CONTAINER_OF(w, struct tree, oom);
    char text[512];

    (void)events;
    (void)pread(w->fd, text, sizeof(text), 0); /* makes it ready to tell anew */
    t->fn(t->ctx);
    return 0;
}

void tree_watch_oom(struct tree *t)
{
    t->oom = (struct watch){.fd = openat(t->cgroup_fd, "memory.events", O_RDONLY | O_CLOEXEC), .fn = changed};
    if (t->oom.fd >= 0 && loop_add(t->loop, &t->oom, EPOLLPRI) < 0)
        t->oom.fd = close_fd(t->oom.fd);
}

uint64_t tree_oom_kills(const struct tree *t)
{
    uint64_t n = 0;

    if (t->cgroup && t->oom.fd >= 0)
        (void)cgroup_number(t->cgroup_fd, "memory.events", "oom_kill", &n);
    return n;
}

void tree_oom_together(const struct tree *t)
{
    cleanup_close int fd = t->cgroup ? openat(t->cgroup_fd, "memory.oom.group", O_WRONLY | O_CLOEXEC) : -1;

    if (fd >= 0)
        (void)!write(fd, "1", 1);
}
