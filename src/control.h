/* The control socket of an instance: a Varlink server (https://varlink.org) for io.amphid.Manager. */
#pragma once
#include <sys/types.h>
#include "status.h"

struct control;
struct loop;

/* What the daemon lends to the socket. @job is NULL for the whole instance. */
struct control_ops {
    void (*status)(void *ctx, struct instance_status *ret);
    /* The job that is meant by @job, by its own name (borrowed); @load: or a unit of that name, which is then one. NULL
     * and why in *@ret_why (NULL: there is none). NULL here: names are as they are. */
    const char *(*find)(void *ctx, const char *job, bool load, const char **ret_why);
    int (*reload_units)(void *ctx);            /* reads the files of all units anew; NULL: there are none */
    int (*stop)(void *ctx, const char *job);   /* -ENOENT: no such job; -EPERM: not by hand */
    int (*reload)(void *ctx, const char *job); /* -ENOENT; -EAGAIN: not up, so it cannot be reloaded now; -ENOTSUP: it has
                                                  no reload; 0: it is done;
                                                  1: control_job_reloaded() tells when */
    int (*restart)(void *ctx, const char *job); /* -ENOENT; it is told with control_job_changed() when it is up again */
    int (*start)(void *ctx, const char *job);   /* -ENOENT; -EALREADY: it runs */
    int (*rotate)(void *ctx);                   /* reopens or rotates the log's file; -ENOTSUP: it goes to none */
    /* The last @n lines of output that passed through us, as a text (the caller frees), "TIME IDENTIFIER[PID]: LINE\n";
     * -ENODATA: they do not pass through us (the journal has them). */
    int (*logs)(void *ctx, const char *job, unsigned n, char **ret);
    /* status() without what has to be read from the kernel: pids, memory, cpu_usec. NULL: status() is quick enough. */
    void (*brief)(void *ctx, struct instance_status *ret);
};

/* Binds @path (an old socket there is replaced) and serves it from @loop. @ops and @ctx stay the caller's and
 * must outlive the server. Anybody may connect and look; only root and the owner of the process may change
 * anything (SO_PEERCRED). Errors of socket(2), bind(2). */
int control_new(struct control **ret, struct loop *loop, const char *path, const struct control_ops *ops,
                void *ctx);

/* A job has ended for good: answers those who wait for it (Wait and Stop calls). */
void control_job_ended(struct control *c, const struct job_status *job);

/* The state, the readiness or the health of a job has changed: answers those who wait for that (Wait, Restart). */
void control_job_changed(struct control *c, const struct job_status *job);

/* A start or restart of the job @name is over without one: it was not needed (@why NULL), or refused. */
void control_job_not_started(struct control *c, const char *name, const char *why);

/* A stop of the job @name is over. */
void control_job_stopped(struct control *c, const char *name);

/* A reload that was asked for has ended, @ok or not. */
void control_job_reloaded(struct control *c, const struct job_status *job, bool ok);

/* One more line of output: told to those who follow (Logs with "more"). */
void control_job_line(struct control *c, const struct job_status *job, const char *line, size_t len);

/* Does anybody follow the job's output? */
bool control_job_is_followed(const struct control *c, const char *job);

/* The instance ends: removes the socket and serves nobody any more. What is lent (loop, ops) is not used behind this;
 * those who wait do so until control_free(). NULL is fine. */
void control_close(struct control *c);

/* Answers those who wait for the end of the instance, and closes all connections: whoever gets an answer is to find
 * nothing of the instance any more, so this comes last. NULL is fine. Returns NULL. */
struct control *control_free(struct control *c);
