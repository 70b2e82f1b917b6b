/* Which instance of a user runs a unit: BASE/.units is a file whose bytes are locks (fcntl(2), F_SETLK), one a unit, at
 * the place that the hash of its name says. They are the daemon's, the kernel gives them back with it, and tells their
 * owner. */
#pragma once
#include <sys/types.h>

struct unit_locks {
    int fd; /* -1: nothing has been locked yet */
};

/* The unit @name is run by this process from now on, whose instance has the directory @rundir. -EEXIST: another process
 * runs it,
 * *@ret_owner (0: unknown); errors of open(2) and fcntl(2). */
int unit_lock(struct unit_locks *l, const char *rundir, const char *name, pid_t *ret_owner);

/* It is not run any more. Fine if it was not locked. */
void unit_unlock(struct unit_locks *l, const char *name);

/* None is; who was the last removes the file. */
void unit_unlock_all(struct unit_locks *l, const char *rundir);

/* The name of the instance beside @rundir whose daemon is @pid, into *@ret (the caller frees); NULL: not found.
 * -ENOMEM. */
int rundir_of_daemon(const char *rundir, pid_t pid, char **ret);
