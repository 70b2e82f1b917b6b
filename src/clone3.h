/* clone3(2) in the manner of vfork(2): it has no wrapper, and Debian 11's and older systems' headers do not know all of
 * it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef CLONE_VM
#define CLONE_VM 0x100
#endif
#ifndef CLONE_VFORK
#define CLONE_VFORK 0x4000
#endif
#ifndef CLONE_CHILD_SETTID
#define CLONE_CHILD_SETTID 0x1000000
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

struct clone3_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/* Is CLONE_VM (with CLONE_VFORK, and no stack of its own) to be had here? */
#if defined(__x86_64__) || defined(__aarch64__)
#define CLONE3_SHARES true
#else
#define CLONE3_SHARES false
#endif

/* fork(2), with the child's own PID in its *@ret_self. What the C library keeps of a thread (its ID, the list of robust
 * mutexes) is not made anew, and none of its pages is written to. */
pid_t clone3_fork(pid_t *ret_self);

/* Calls @child with @arg, which never returns, in a new process. Returns its PID, or a negative errno of clone3(2). */
long clone3_run(const struct clone3_args *args, void (*child)(const void *arg), const void *arg);
