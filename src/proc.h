/* What /proc says of a process. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "identity.h"

/* A list of processes, and of what is to be remembered of them. All zero: empty. */
struct pids {
    pid_t *v;
    size_t n;
};

/* What a process is doing and has used. */
struct proc_stat {
    struct proc_identity id;
    char state;          /* proc(5): 'R', 'S', 'T', 'Z', ... */
    uint64_t cpu_ticks;  /* in user and kernel mode, its threads' too */
};

/* What a start asks of itself. */
struct proc_self {
    struct proc_identity id; /* without starttime and comm */
    uint64_t ignored;        /* 1 << signal - 1; without /proc all may be */
    bool has_standard;       /* descriptors 0, 1 and 2 are open; false: perhaps not */
    int fd;                  /* is open still, for whoever closes all descriptors anyway; -1: none is */
};

/* Never fails: without /proc it is what the kernel says otherwise, and no terminal. */
void proc_self(struct proc_self *ret);

/* Reads /proc/@pid/stat (0: the calling process) into @ret. -ESRCH if there is no such process; errors of
 * open(2) and read(2); -EBADMSG if it cannot be understood. */
int proc_identity(pid_t pid, struct proc_identity *ret);
int proc_stat(pid_t pid, struct proc_stat *ret);

/* The beginning of /proc/@pid/@file (0: self), as much as one read gives, into @buf, NUL-terminated. */
int proc_read_once(pid_t pid, const char *file, char *buf, size_t size);

/* The same of this process, and the file stays open, for whoever closes all descriptors anyway: *@ret_fd. -1: it would be one of
 * 0, 1 and 2, and was closed. */
int proc_read_open(const char *file, char *buf, size_t size, int *ret_fd);

/* Reads all of /proc/@pid/@file (0: self) into *@ret, NUL-terminated; *@ret_len may be NULL. The caller
 * frees. */
int proc_read(pid_t pid, const char *file, char **ret, size_t *ret_len);

/* The value of "@key:\t..." in the text of a /proc/PID/status. NULL if it is not there; else a pointer into
 * @status, the value ends at '\n'. */
const char *proc_status_field(const char *status, const char *key);

/* Appends @pid. -ENOMEM. */
int pids_push(struct pids *p, pid_t pid);
void pids_done(struct pids *p);

/* Sorts by number, and finds one of the first @n, which are sorted. */
void pids_sort(struct pids *p);
bool pids_find(const struct pids *p, size_t n, pid_t pid);

/* Appends all processes there are. -EXDEV: /proc is not that of our PID namespace; errors of opendir(3); -ENOMEM. */
int proc_all(struct pids *p);

/* Appends the children of this process, which has one thread, to @p; and whoever is below those of @p from the @from-th
 * on, parents before their children. -EXDEV: /proc is not that of our PID namespace; errors of open(2) and read(2);
 * -ENOMEM. */
int proc_children(struct pids *p);
int proc_below(struct pids *p, size_t from);

/* The child of this process from which @pid descends, itself if it is one; 0: none. Safe from PIDs that are used again
 * meanwhile: a parent is never younger than its child. */
pid_t proc_ancestor(pid_t pid);
