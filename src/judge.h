/* What daemon(7) thinks of a running process: what there is to judge, and the judgement. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "proc.h"

/* What a descriptor is connected to. */
#define FD_KINDS(X)                                                                                                    \
    X(CLOSED, "closed")                                                                                                \
    X(NULLDEV, "/dev/null")                                                                                            \
    X(TERMINAL, "terminal")                                                                                            \
    X(DEVICE, "device")                                                                                                \
    X(FILE, "file")                                                                                                    \
    X(PIPE, "pipe")                                                                                                    \
    X(SOCKET, "socket")                                                                                                \
    X(KERNEL, "kernel object") /* epoll, signalfd, timerfd ... */

#define X(id, name) FD_##id,
enum fd_kind { FD_KINDS(X) FD_KIND_MAX };
#undef X

/* Everything there is to judge. Where a field "_r" is negative (an errno), what it guards could not be read.
 */
struct inspection {
    struct proc_identity id;
    struct proc_identity parent; /* pid 0: not to be seen */
    struct proc_identity leader; /* of the session; pid 0: has ended */
    char *command;               /* fit for a terminal */
    char *unit;                  /* of systemd, by its cgroup; NULL: none */

    int cwd_r;
    char *cwd;
    char *cwd_mount; /* the mount that the directory pins; NULL: the same as that of its root directory */

    int umask; /* -1: not to be read */

    bool signals_known;
    uint64_t blocked, ignored, caught; /* bit n-1: signal n */

    int fds_r;
    enum fd_kind std[3];
    char *std_target[3];
    unsigned others[FD_KIND_MAX]; /* how many descriptors above 2, by kind */
    uint64_t signalfd;            /* the signals that it reads through signalfds */
};

/* By which rules? daemon(7) asks a new-style daemon for none of the SysV steps. */
enum daemon_style { STYLE_SYSV, STYLE_UNIT, STYLE_SUPERVISED };

enum judgement_verdict { JUDGE_OK, JUDGE_BAD, JUDGE_UNKNOWN };

struct judgement {
    const char *fact;
    enum judgement_verdict verdict;
    char *value, *reason; /* NULL: out of memory */
};

#define JUDGEMENTS_MAX 12

/* Fills @ret[JUDGEMENTS_MAX] and returns how many there are; release them with judge_done(). */
size_t judge(const struct inspection *i, struct judgement *ret);
void judge_done(struct judgement *j, size_t n);

enum daemon_style judge_style(const struct inspection *i);
