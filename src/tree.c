/* All processes of a job. Whoever descends from us belongs to it: as the reaper of all orphans we are their parent
 * sooner or later, whatever they have double-forked. A cgroup adds those that a dead predecessor has left, and ends all
 * at once. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "cgroup.h"
#include "cleanup.h"
#include "proc.h"
#include "reaper.h"
#include "tree_inside.h"

#define SIGNAL_PASSES 3                  /* who forks faster than that has heard it through its parents */
#define SWEEP_USEC (100 * USEC_PER_MSEC) /* the loop waits so long at most; when the dead are reaped it goes on */

int tree_adopt(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int emptied(struct watch *w, uint32_t events)
{
    struct tree *t = CONTAINER_OF(w, struct tree, empty);

    (void)events;
    if (!cgroup_is_populated(w->fd))
        t->fn(t->ctx);
    return 0;
}

int tree_open(struct tree *t, const struct cgroup_home *home, struct forest *forest, struct loop *loop, const char *name,
              void (*fn)(void *ctx), void *ctx)
{
    struct cgroup made;
    int r;

    *t = (struct tree){.empty = {.fd = -1, .fn = emptied},
                       .oom = {.fd = -1},
                       .cgroup_fd = -1,
                       .loop = loop,
                       .forest = forest,
                       .n_children = t->n_children, /* whom KillMode= has spared */
                       .fn = fn,
                       .ctx = ctx};
    if (forest)
        forest_plant(forest, t);
    r = cgroup_make(home, name, &made);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    t->cgroup_fd = made.fd;
    t->cgroup = made.path;
    t->fresh = made.fresh;
    t->found_again = !made.other;
    if (made.memory)
        tree_watch_oom(t);
    return 0;
}

void tree_watch(struct tree *t)
{
    if (t->cgroup && !t->watched)
        t->watched = loop_add(t->loop, &t->empty, EPOLLPRI) >= 0;
}

void tree_close(struct tree *t)
{
    if (t->forest)
        forest_fell(t->forest, t);
    t->forest = NULL;
    pids_done(&t->past);
    if (!t->cgroup)
        return;
    loop_close(t->loop, &t->empty);
    loop_close(t->loop, &t->oom);
    (void)cgroup_remove(t->cgroup); /* what KillMode= has left in it stays there */
    t->cgroup_fd = close_fd(t->cgroup_fd);
    free(t->cgroup);
    t->cgroup = NULL;
}

/* Beside other trees: are all of its processes in the cgroup, so that our children need not be looked through? */
static bool is_fenced(const struct tree *t)
{
    return t->cgroup && !forest_is_one(t->forest);
}

static bool owns(const struct tree *t, pid_t child)
{
    return forest_is_one(t->forest) || forest_find(t->forest, child) == t;
}

/* Our children that live and are of @t; not those among the first @known of @p, sorted. */
static int list_children(const struct tree *t, struct pids *p, size_t known)
{
    struct pids children = {0};
    int r = is_fenced(t) ? 0 : proc_children(&children);

    for (size_t i = 0; r >= 0 && i < children.n; i++)
        if (!pids_find(p, known, children.v[i]) && reaper_look(children.v[i]) != CHILD_ENDED && owns(t, children.v[i]))
            r = pids_push(p, children.v[i]);
    pids_done(&children);
    return r;
}

/* Is one of our children of @t? */
static bool has_children(const struct tree *t)
{
    struct pids p = {0};
    bool any;

    if (forest_is_one(t->forest))
        return reaper_has_children();
    if (t->n_children > 0 || t->cgroup)
        return t->n_children > 0;
    any = list_children(t, &p, 0) < 0 || p.n > 0;
    pids_done(&p);
    return any;
}

bool tree_is_populated(struct tree *t)
{
    if (!t->cgroup)
        return false;
    if (t->empty.fd < 0)
        t->empty.fd = cgroup_events(t->cgroup_fd);
    return cgroup_is_populated(t->empty.fd); /* without a descriptor for that our children have to do */
}

bool tree_is_empty(struct tree *t)
{
    if (!t->deserted)
        t->deserted = !tree_is_populated(t) && !has_children(t);
    return t->deserted;
}

int tree_list(const struct tree *t, struct pids *p)
{
    size_t inside;
    int r = t->cgroup ? cgroup_pids(t->cgroup_fd, p) : 0;

    pids_sort(p);
    inside = p->n;
    if (r >= 0)
        r = list_children(t, p, inside);
    if (r >= 0)
        r = proc_below(p, inside);
    return t->cgroup && r == -EXDEV ? 0 : r;
}

static bool cgroup_has(const struct tree *t, pid_t pid)
{
    struct pids p = {0};
    bool found;

    if (!t->cgroup || cgroup_pids(t->cgroup_fd, &p) < 0)
        return false;
    pids_sort(&p);
    found = pids_find(&p, p.n, pid);
    pids_done(&p);
    return found;
}

bool tree_has(const struct tree *t, pid_t pid)
{
    pid_t child = reaper_look(pid) != CHILD_NONE ? pid : proc_ancestor(pid);

    return (child > 0 && owns(t, child)) || cgroup_has(t, pid);
}

/* ---- signals ---- */

/* systemd.kill(5), KillSignal=: "always send SIGCONT", so that the stopped hear it. */
static bool needs_cont(int sig)
{
    return sig != SIGKILL && sig != SIGSTOP && sig != SIGCONT;
}

/* Until it is reaped a child's PID is its own. Of any other process first a hold is taken, then it is looked whether
 * that is one of ours: so a PID that was used again since it was listed is no danger. Before Linux 5.3 there is nothing
 * to hold. */
static int send(const struct tree *t, pid_t pid, int sig)
{
    cleanup_close int fd = -1;

    if (reaper_look(pid) == CHILD_NONE) {
        fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0 && errno != ENOSYS)
            return -errno;
        if (!tree_has(t, pid))
            return -ESRCH;
    }
    if ((fd < 0 ? kill(pid, sig) : (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0)) < 0)
        return -errno;
    if (needs_cont(sig))
        (void)(fd < 0 ? kill(pid, SIGCONT) : (int)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0));
    return 0;
}

/* To the child's group at once, which no fork escapes, if it is ours as a whole: made by a child of ours, whose PID is
 * nobody else's until it is reaped. */
static void send_group(pid_t pid, int sig, pid_t *last)
{
    pid_t group = getpgid(pid);

    if (group > 1 && group != *last && reaper_look(group) != CHILD_NONE)
        (void)kill(-group, sig);
    *last = group;
}

/* To all of @now that are not in @seen, which they then are; the youngest first, for they have had the least time to
 * fork. Returns whether there were any. */
static bool send_new(const struct tree *t, int sig, pid_t except, struct pids *now, struct pids *seen)
{
    size_t before = seen->n;
    pid_t group = 0;
    bool any = false;

    pids_sort(seen);
    pids_sort(now);
    for (size_t i = now->n; i-- > 0;) {
        pid_t pid = now->v[i];

        if (pid == except || (i + 1 < now->n && pid == now->v[i + 1]) || pids_find(seen, before, pid))
            continue;
        any = true;
        if (!needs_cont(sig) && reaper_look(pid) != CHILD_NONE)
            send_group(pid, sig, &group);
        /* One that has just got another parent is found again by the next pass. */
        if (send(t, pid, sig) != -ESRCH && pids_push(seen, pid) < 0)
            return false;
    }
    return any;
}

/* One pass through all, or through our children alone. Were there any new ones? */
static int pass(const struct tree *t, bool all, int sig, pid_t except, struct pids *seen)
{
    struct pids now = {0};
    int r = all ? tree_list(t, &now) : list_children(t, &now, 0);

    if (r >= 0)
        r = send_new(t, sig, except, &now, seen);
    pids_done(&now);
    return r;
}

/* Hundreds who fork leave us no share of the CPUs, unless we go before them, where we may (nice levels count within a
 * session only, sched(7), "The autogroup feature"). Into *@ret_policy and *@ret_old what it was. */
static bool go_first(int *ret_policy, struct sched_param *ret_old)
{
    const struct sched_param first = {.sched_priority = 1};

    *ret_policy = sched_getscheduler(0);
    return sched_getparam(0, ret_old) == 0 && sched_setscheduler(0, SCHED_FIFO, &first) == 0;
}

/* Until a pass finds nobody who has not got it: whoever was being forked gets it, too. @chase: the children first,
 * which is quick; whoever loses its parent becomes one. Most signals find nobody beside @except, so only a second pass
 * is worth going first. Returns how many it was sent to. */
static int sweep(const struct tree *t, int sig, pid_t except, bool chase)
{
    uint64_t deadline = now_usec() + SWEEP_USEC;
    struct sched_param old = {0};
    struct pids seen = {0};
    bool raised = false;
    int r = 1, policy = 0;

    for (unsigned i = 0; r > 0 && (chase || i < SIGNAL_PASSES) && now_usec() < deadline; i++) {
        if (!raised && (chase || i > 0))
            raised = go_first(&policy, &old);
        r = chase ? pass(t, false, sig, except, &seen) : 0;
        if (r == 0)
            r = pass(t, true, sig, except, &seen);
    }
    if (raised)
        (void)sched_setscheduler(0, policy, &old);
    if (r >= 0)
        r = (int)seen.n;
    pids_done(&seen);
    return r;
}

int tree_signal(const struct tree *t, int sig, pid_t except)
{
    return sweep(t, sig, except, false);
}

/* Does any child of ours live outside of the cgroup? */
static bool has_outsiders(const struct tree *t)
{
    struct pids p = {0};
    size_t inside;
    bool any = cgroup_pids(t->cgroup_fd, &p) < 0;

    pids_sort(&p);
    inside = p.n;
    any = any || list_children(t, &p, inside) < 0 || p.n > inside;
    pids_done(&p);
    return any;
}

int tree_kill(const struct tree *t)
{
    bool frozen = false;
    int r;

    if (t->cgroup && cgroup_kill(t->cgroup_fd) >= 0) {
        if (!has_outsiders(t))
            return 0;
    } else if (t->cgroup)
        frozen = cgroup_freeze(t->cgroup_fd, true) >= 0;
    /* Whoever is stopped does not fork: when all are, SIGKILL finds all. */
    r = sweep(t, SIGSTOP, 0, true);
    if (r >= 0)
        r = sweep(t, SIGKILL, 0, true);
    if (frozen)
        (void)cgroup_freeze(t->cgroup_fd, false);
    return r < 0 ? r : 0;
}

bool tree_end_leftovers(struct tree *t)
{
    uint64_t deadline = now_usec() + USEC_PER_SEC;
    bool any = t->cgroup && !t->fresh && tree_is_populated(t);

    for (bool left = any; left && now_usec() < deadline; left = tree_is_populated(t)) {
        struct pollfd changed = {.fd = t->empty.fd, .events = POLLPRI};
        struct pids p = {0};
        bool killed = cgroup_kill(t->cgroup_fd) >= 0;

        for (size_t i = 0; !killed && cgroup_pids(t->cgroup_fd, &p) >= 0 && i < p.n; i++)
            (void)send(t, p.v[i], SIGKILL);
        pids_done(&p);
        (void)poll(&changed, 1, 100);
    }
    return any;
}
