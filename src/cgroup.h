/* Cgroups of version 2 (cgroups(7)): one of our own below the one in which we are. They are found where they are
 * mounted everywhere: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside those of version 1. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "proc.h"

/* The one in which we are, below which others can be made. */
struct cgroup_home {
    char *path;  /* as /proc/self/cgroup has it, "" at the root; NULL: there is none, and @error says why */
    bool alone;  /* version 1 is not mounted beside it */
    bool memory; /* the memory controller may be there */
    bool booted; /* by systemd, which divides it unless it has delegated it */
    int error;
    int fd;      /* of the file that has told it, as of proc_read_open() */
};

/* Looks where we are, once for all that are made; that is where a process forked from us is, too. The path is the caller's to
 * free, and the descriptor its to close. */
void cgroup_find(struct cgroup_home *ret);

/* One that was made. */
struct cgroup {
    int fd;        /* of its directory, locked as long as it is open */
    char *path;
    bool fresh;    /* nobody has ever been in it */
    bool other;    /* it has our PID behind its name, since another amphid holds the one of that name */
    bool memory;   /* the memory controller may be there */
};

/* Makes the cgroup amphid-@name (with our PID behind it if another amphid holds that one) below @home, if that is ours to
 * divide: no systemd is booted, or it has delegated it (systemd.resource-control(5), Delegate=). One that is
 * there is that of a dead predecessor: it is taken as it is with the processes that still live in it, else made anew.
 * What is in *@ret is the caller's: it closes the descriptor and frees the path. -EPERM (not ours), -ENOENT (none is
 * mounted), -ENOMEM, errors of mkdir(2) and open(2). */
int cgroup_make(const struct cgroup_home *home, const char *name, struct cgroup *ret);

/* Removes it and those below it. -EBUSY: a process is in it. */
int cgroup_remove(const char *path);

/* Puts the calling process into it: system calls only, for a child between fork and exec. */
int cgroup_enter(int fd);

/* Opens what tells whether it is populated: for EPOLLPRI, which is silent until that changes once it was read. Also where
 * the soft RLIMIT_NOFILE leaves none. -1: there is none. */
int cgroup_events(int fd);

/* Is it populated? Reading that also makes @events_fd ready to tell anew. What cannot be read is gone. */
bool cgroup_is_populated(int events_fd);

/* Appends the processes in it and in those below it. Errors of openat(2) and read(2), -ENOMEM. */
int cgroup_pids(int fd, struct pids *p);

/* SIGKILL to all in it at once, those who are being forked included (Linux 5.14); or lets none of them run until it is
 * thawed (Linux 5.2). -ENOENT: not here. */
int cgroup_kill(int fd);
int cgroup_freeze(int fd, bool frozen);

/* The number in @file, in the line that begins with @key (NULL: the first). -ENOENT; errors of openat(2). */
int cgroup_number(int fd, const char *file, const char *key, uint64_t *ret);
