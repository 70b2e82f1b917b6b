/* The notify socket of one job: what its child is given as NOTIFY_SOCKET. The socket is the identity, and each message
 * carries the credentials of its sender. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include "loop.h"
#include "notifymsg.h"

/* Who has sent a message, and the descriptors that came with it. Those whom the function wants to keep it takes out
 * (-1 in their place); the rest is closed when it returns: for BARRIER=1 just that is the answer. */
struct notifysock_sender {
    pid_t pid;
    uid_t uid;
    int *fds;
    size_t n_fds;
    bool fds_lost; /* some could not be taken (EMFILE); then none is here: half a set would pass for a whole one */
};

/* @from and @m and what they point to hold until the function returns. It may close the socket. */
typedef void (*notifysock_fn)(void *ctx, const struct notifysock_sender *from, const struct notifymsg *m);

struct notifysock {
    struct watch watch; /* fd -1: closed */
    struct loop *loop;
    char *path;
    notifysock_fn fn;
    void *ctx;
};

/* Binds @path (replacing an old one) so that only @uid (and root) can send, and watches it; if @uid is root's,
 * everybody can. Errors of socket(2), bind(2), chown(2); -ENAMETOOLONG. */
int notifysock_open(struct notifysock *n, struct loop *loop, const char *path, uid_t uid, notifysock_fn fn, void *ctx);

/* Handles all that has arrived, without waiting. */
void notifysock_drain(struct notifysock *n);

/* Closes and removes the socket; fine if it is closed. */
void notifysock_close(struct notifysock *n);
