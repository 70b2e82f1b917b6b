/* Cgroups of version 2 (cgroups(7)): one of our own below the one in which we are. They are found where they are
 * mounted everywhere: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside those of version 1. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "proc.h"

/* Makes the cgroup amphid-@name (with our PID behind it if another amphid holds that one), if the one in which we are
 * is ours to divide: no systemd is booted, or it has delegated it (systemd.resource-control(5), Delegate=). One that is
 * there is that of a dead predecessor: it is taken as it is with the processes that still live in it, else made anew.
 * Returns a descriptor of its directory, locked as long as it is open, and in *@ret_path its path (the caller frees);
 * or -EPERM (not ours), -ENOENT (none is mounted), -ENOMEM, errors of mkdir(2) and open(2). */
int cgroup_make(const char *name, char **ret_path);

/* Removes it and those below it. -EBUSY: a process is in it. */
int cgroup_remove(const char *path);

/* Puts the calling process into it: system calls only, for a child between fork and exec. */
int cgroup_enter(int fd);

/* Opens what tells of it whether it is populated, for EPOLLPRI, and reads that: which also makes it ready to tell anew.
 * */
int cgroup_open_events(int fd);
bool cgroup_is_populated(int events_fd);

/* Appends the processes in it and in those below it. Errors of openat(2) and read(2), -ENOMEM. */
int cgroup_pids(int fd, struct pids *p);

/* SIGKILL to all in it at once, those who are being forked included (Linux 5.14); or lets none of them run until it is
 * thawed (Linux 5.2). -ENOENT: not here. */
int cgroup_kill(int fd);
int cgroup_freeze(int fd, bool frozen);

/* The number in @file, in the line that begins with @key (NULL: the first). -ENOENT; errors of openat(2). */
int cgroup_number(int fd, const char *file, const char *key, uint64_t *ret);
