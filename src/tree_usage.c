/* The processes of a job, the oldest first, and what they use. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "cgroup.h"
#include "cleanup.h"
#include "proc.h"
#include "tree_inside.h"

struct member {
    uint64_t born;
    pid_t pid;
};

static int by_age(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    if (x->born != y->born)
        return x->born < y->born ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

int tree_pids(const struct tree *t, pid_t **ret)
{
    cleanup_free struct member *members = NULL;
    struct pids p = {0};
    int n = 0, r = tree_list(t, &p);

    if (r >= 0)
        members = calloc(p.n + 1, sizeof(*members));
    if (r >= 0 && !members)
        r = -ENOMEM;
    for (size_t i = 0; r >= 0 && i < p.n; i++) {
        struct proc_stat stat;

        if (proc_stat(p.v[i], &stat) >= 0 && stat.state != 'Z') /* who does not wait for its children has zombies */
            members[n++] = (struct member){stat.id.starttime, stat.id.pid};
    }
    if (r >= 0) {
        qsort(members, (size_t)n, sizeof(*members), by_age);
        for (int i = 0; i < n; i++)
            if (i == 0 || members[i].pid != p.v[r - 1]) /* one may have been seen below two parents */
                p.v[r++] = members[i].pid;
        *ret = take_ptr(p.v);
    }
    pids_done(&p);
    return r;
}

/* Of each what is its own, and once the largest part that is shared: libraries, a common memory. All that is exact
 * (smaps_rollup) takes the kernel milliseconds for each process. */
static void add_memory(pid_t pid, uint64_t *own, uint64_t *shared)
{
    unsigned long long size, resident, common;
    char text[128];

    if (proc_read_once(pid, "statm", text, sizeof(text)) < 0 ||
        sscanf(text, "%llu %llu %llu", &size, &resident, &common) != 3 || common > resident)
        return;
    *own += resident - common;
    if (*shared < common)
        *shared = common;
}

int tree_usage(const struct tree *t, struct tree_usage *ret)
{
    uint64_t own = 0, shared = 0, ticks = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct pids p = {0};
    unsigned n = 0;
    int r = tree_list(t, &p);

    for (size_t i = 0; r >= 0 && i < p.n; i++) {
        struct proc_stat stat;

        if (proc_stat(p.v[i], &stat) < 0 || stat.state == 'Z')
            continue;
        n++;
        ticks += stat.cpu_ticks;
        add_memory(p.v[i], &own, &shared);
    }
    if (r >= 0)
        *ret = (struct tree_usage){.processes = n,
                                   .memory = (own + shared) * page,
                                   .cpu_usec = ticks * USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK)};
    pids_done(&p);
    if (r >= 0 && t->cgroup) {
        (void)cgroup_number(t->cgroup_fd, "memory.current", NULL, &ret->memory);
        (void)cgroup_number(t->cgroup_fd, "cpu.stat", "usage_usec", &ret->cpu_usec);
    }
    return r;
}
