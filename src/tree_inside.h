/* The inside of trees: what tree*.c know of each other. */
#pragma once
#include "tree.h"

/* A tree is opened, or closed. */
void forest_plant(struct forest *f, struct tree *t);
void forest_fell(struct forest *f, struct tree *t);

/* Has there never been more than one tree? Then all that is left to us is its. NULL: so it is. */
bool forest_is_one(const struct forest *f);

/* Appends the cgroup's processes, and whoever descends from us without being in it: where a child could not be born there.
 * Errors of cgroup_pids() and proc_children(). */
int tree_list(const struct tree *t, struct pids *p);

/* Begins to wait for what memory.events tells, if there is one. */
void tree_watch_oom(struct tree *t);

/* The INVOCATION_ID that @pid was given with its environment, if it has not written over it, into @ret (else "").
 * Errors of proc_read(). */
int mark_in_environment(pid_t pid, char ret[33]);

/* What may be tree_mark_limit() of a mark in the limits of @pid; 0: nothing. */
rlim_t mark_in_limits(pid_t pid);
