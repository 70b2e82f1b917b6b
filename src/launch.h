/* The double fork, and the starter that waits to tell the truth: daemon(7) steps 5 to 11, 14 and 15. */
#pragma once
#include "log.h"
#include "upward.h"

/* Between starter and daemon, while both are one. -1 -1: there is none. */
struct launch_channel {
    int starter_fd, daemon_fd;
};

/* Opens it, before all other descriptors: as 3 the starter's end costs the daemon no call of its own. Errors of
 * socketpair(2). */
int launch_open(struct launch_channel *ret);

/* What the daemon does in a process of its own: @live with @arg, then @end, which never returns, with what that has
 * returned. */
struct launch_daemon {
    int (*live)(void *arg);
    void (*end)(int status);
    void *arg;
};

/* Detaches: @daemon lives, with u->channel_fd open to the starter, in a session of its own, 0-2 on /dev/null, in /. Its
 * memory is ours. The starter never returns: when the daemon has told how it went, it prints what there is to print and
 * ends with the exit status of that; nothing is left for it to put away, since all that was opened belongs to the daemon
 * now. Negative errors of vfork(2) and setsid(2), in the only process there is then; u->channel_fd is -1.
 * @c is consumed; @log shows each step; @name goes before the starter's words, and stays until both have ended. */
int launch_detach(const struct launch_channel *c, struct upward *u, struct log *log, const char *name,
                  struct launch_daemon daemon);
