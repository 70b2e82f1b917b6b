/* All processes that a job has started, double-forked and setsid'ed ones included: in a cgroup of their own where we
 * may make one (cgroups(7), version 2), else as the descendants of a subreaper. A signal goes through a pidfd, so it
 * never hits a PID that was used again. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "loop.h"
#include "proc.h"

struct cgroup_home;

/* All trees of an instance, and whose each of our children is. */
struct forest;

struct tree {
    int cgroup_fd;      /* of the job's own cgroup, -1: none */
    bool fresh;         /* nobody has been in that before */
    bool watched;       /* @empty is in the loop */
    bool deserted;      /* it was empty, and nobody has come since */
    bool found_again;   /* by its name, when we are killed: it is not one that has our PID in its name */
    char *cgroup;       /* its path, NULL: none */
    struct watch empty; /* cgroup.events, fd -1: nobody has asked yet */
    struct watch oom;   /* memory.events, fd -1: there is no such thing */
    struct loop *loop;
    void (*fn)(void *ctx); /* the cgroup may have become empty */
    void *ctx;
    struct forest *forest; /* NULL: there is no other tree, all that descends from us is its */
    struct tree *next;     /* the forest's */
    unsigned n_children;   /* those that were noted and are not reaped */
    char mark[33];         /* the INVOCATION_ID that its processes have; "": none */
    struct pids past;      /* without a cgroup: children that have ended, whose sessions may go on */
};

/* What a tree uses just now. */
struct tree_usage {
    unsigned processes;
    uint64_t memory;   /* bytes */
    uint64_t cpu_usec; /* of all time where there is a cgroup, else of the living */
};

/* Makes this process, which has one thread, the reaper of all orphans below it (prctl(2), PR_SET_CHILD_SUBREAPER), once
 * for all jobs. */
int tree_adopt(void);

/* The caller's is the order: a forest is freed when all of its trees are closed. -ENOMEM. */
int forest_new(struct forest **ret);
struct forest *forest_free(struct forest *f);

/* Whose is our child @pid, one that was forked by us or left to us? Also of a zombie. NULL: nobody knows. */
struct tree *forest_find(const struct forest *f, pid_t pid);

/* The child @pid is about to be reaped: it is no more. Returns whose it was, NULL: it was not noted. */
struct tree *forest_forget(struct forest *f, pid_t pid);

/* The memory of @t, which is closed, is about to be freed: children that it could not end are nobody's. */
void forest_forget_tree(struct forest *f, struct tree *t);

/* RLIMIT_LOCKS of the processes with the INVOCATION_ID @mark: what they inherit whatever else they change. */
rlim_t tree_mark_limit(const char *mark);

/* Notes that our child @pid is of @t: of each that was forked. -ENOMEM. */
int tree_add(struct tree *t, pid_t pid);

/* Opens the tree @t, all zero or closed, of the job @name in @forest (NULL: it is the only one): makes a cgroup below
 * @home where it is ours to make (no systemd booted, or it has delegated ours: Delegate=); without, descendants are
 * looked for. Never fails for lack of a cgroup. If it is not empty then, these are what a predecessor has left that was
 * killed. @fn is called, from the loop, when processes were killed for want of memory, and as tree_watch() says.
 * -ENOMEM. */
int tree_open(struct tree *t, const struct cgroup_home *home, struct forest *forest, struct loop *loop, const char *name,
              void (*fn)(void *ctx), void *ctx);

/* It was not empty just now: the function of tree_open() is called when the cgroup may have become so. Before that
 * nobody is waiting for it, and the ends of our children are told by SIGCHLD anyway. */
void tree_watch(struct tree *t);

/* Before anything is started: kills what a predecessor that was killed has left in the cgroup, and waits until it is
 * gone, a second at most. Was there anything? */
bool tree_end_leftovers(struct tree *t);

/* Removes the cgroup, unless a process is in it; fine if it was never opened. */
void tree_close(struct tree *t);

/* Is no process of the job left (a zombie is one until it is reaped)? Once that is so, it is until tree_add(). */
bool tree_is_empty(struct tree *t);

/* Is anybody alive in its cgroup? false: there is none. */
bool tree_is_populated(struct tree *t);

/* Sends @sig to all, but for @except (0: nobody); SIGCONT behind it where it would wait otherwise (systemd.kill(5)).
 * Returns how many it was sent to, or a negative errno. */
int tree_signal(const struct tree *t, int sig, pid_t except);

/* Sends SIGKILL to all until none is left that could fork another: cgroup.kill, or stop all and then kill all. Nothing
 * is reaped here, and without a cgroup whoever's parent was just ending may have been missed: call it again for as long
 * as the tree is not empty when one of it has been reaped. */
int tree_kill(const struct tree *t);

/* The PIDs, the oldest first, into *@ret (the caller frees); returns how many, or a negative errno. */
int tree_pids(const struct tree *t, pid_t **ret);

/* Is @pid one of them? */
bool tree_has(const struct tree *t, pid_t pid);

/* How many of its processes the kernel has killed for want of memory, where a cgroup of it tells: systemd.service(5),
 * OOMPolicy=. The function of tree_open() is called when that changes. And with "kill" all of them go with one. */
uint64_t tree_oom_kills(const struct tree *t);
void tree_oom_together(const struct tree *t);

int tree_usage(const struct tree *t, struct tree_usage *ret);
