/* The control socket of an instance: a Varlink server (https://varlink.org) for io.amphid.Manager. */
#pragma once
#include <sys/types.h>
#include "status.h"

struct control;
struct loop;

/* What the daemon lends to the socket. @job is NULL for the whole instance. */
struct control_ops {
    void (*status)(void *ctx, struct instance_status *ret);
    int (*stop)(void *ctx, const char *job);   /* -ENOENT: no such job */
    int (*reload)(void *ctx, const char *job); /* -ENOENT; -EAGAIN: not up, so it cannot be reloaded now */
};

/* Binds @path (an old socket there is replaced) and serves it from @loop. @ops and @ctx stay the caller's and
 * must outlive the server. Anybody may connect and look; only root and the owner of the process may change
 * anything (SO_PEERCRED). Errors of socket(2), bind(2). */
int control_new(struct control **ret, struct loop *loop, const char *path, const struct control_ops *ops,
                void *ctx);

/* A job has ended for good: answers those who wait for it (Wait and Stop calls). */
void control_job_ended(struct control *c, const struct job_status *job);

/* The instance ends: answers everybody who still waits, closes all connections and removes the socket.
 * NULL is fine. Returns NULL. */
struct control *control_free(struct control *c);
