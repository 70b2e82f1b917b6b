/* clone3(2) in the manner of vfork(2): it has no wrapper, and Debian 11's and older systems' headers do not know all of
 * it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef CLONE_VM
#define CLONE_VM 0x100
#endif
#ifndef CLONE_FILES
#define CLONE_FILES 0x400
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

#if defined(__has_feature) /* clang */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* And without CLONE_VFORK, on a stack of its own? It was not seen to work elsewhere, and AddressSanitizer keeps its own books of
 * what is on a stack. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define CLONE3_BESIDE true
#else
#define CLONE3_BESIDE false
#endif

/* Goes on in a new process, in @child with @arg, which never returns. Where it can be, that process shares our memory (as
 * with vfork(2), but neither waits for the other) and its stack begins at @stack, a multiple of 16; else it is one of
 * fork(2). Its PID is in *@ret_self before @child runs. Returns the PID, or a negative errno of clone3(2).
 *
 * While both live, either has to leave alone what is the other one's: the one that waits for the end of the other calls
 * nothing but the system. What the C library keeps of a thread (its ID, errno) they share. */
pid_t clone3_beside(pid_t *ret_self, void *stack, void (*child)(void *arg), void *arg);

/* Calls @child with @arg, which never returns, in a new process. Returns its PID, or a negative errno of clone3(2). */
long clone3_run(const struct clone3_args *args, void (*child)(const void *arg), const void *arg);
