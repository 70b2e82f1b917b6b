/* The notify socket of one job: what its child is given as NOTIFY_SOCKET. The socket is the identity, and each message
 * carries the credentials of its sender. */
#pragma once
#include <sys/types.h>
#include "loop.h"
#include "notifymsg.h"

/* @pid is the sender. @m and what it points to hold until the function returns. */
typedef void (*notifysock_fn)(void *ctx, pid_t pid, const struct notifymsg *m);

struct notifysock {
    struct watch watch; /* fd -1: closed */
    struct loop *loop;
    char *path;
    notifysock_fn fn;
    void *ctx;
};

/* Binds @path (replacing an old one) so that only @uid (and root) can send, and watches it. Errors of socket(2),
 * bind(2), chown(2); -ENAMETOOLONG. */
int notifysock_open(struct notifysock *n, struct loop *loop, const char *path, uid_t uid, notifysock_fn fn, void *ctx);

/* Handles all that has arrived, without waiting. */
void notifysock_drain(struct notifysock *n);

/* Closes and removes the socket; fine if it is closed. */
void notifysock_close(struct notifysock *n);
