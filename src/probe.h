/* One look at one thing (probespec.h): is it as it should be? It never blocks, and ends in its own time. */
#pragma once
#include <stdbool.h>
#include "http.h"
#include "loop.h"
#include "probespec.h"

struct probe;

/* What a probe borrows from its job. */
struct probe_context {
    struct loop *loop;
    /* Starts @argv as the job's user, in its directory, its output to the log: its PID, or -1 with errno (exec:).
     * Whoever reaps it calls probe_exited(), before its PID can be somebody else's. */
    pid_t (*spawn)(void *ctx, char *const *argv);
    void *ctx;
};

/* @ok, or @why it is not so, in words ("Connection refused", "HTTP status 503"): held by the probe until it is started
 * again. The last thing a look does: here the probe may be started again, or freed with all around it. */
typedef void (*probe_fn)(void *ctx, struct probe *p, bool ok, const char *why);

struct probe {
    const struct probespec *spec;
    const struct probe_context *c;
    probe_fn fn;
    void *fn_ctx;
    struct watch watch; /* tcp, unix, http */
    struct timer limit;
    uint64_t limit_usec;
    pid_t pid;        /* exec; 0: none runs */
    pid_t killed;     /* exec: one that was too late, until it is reaped; 0: none */
    unsigned attempt; /* how many of the addresses, or types of socket, have been tried */
    bool running, sent;
    char head[HTTP_STATUS_MAX]; /* the beginning of an HTTP answer */
    unsigned n_head;
    char why[128];
};

void probe_init(struct probe *p, const struct probespec *spec, const struct probe_context *c, probe_fn fn, void *ctx);

/* Looks once: fn is called, perhaps before this returns, at the latest in @limit_usec (USEC_INFINITY: no limit). For
 * tcp, unix, http, file, exec. A look that is under way is cancelled. */
void probe_start(struct probe *p, uint64_t limit_usec);

/* Ends a look without calling fn; a command that runs is killed. */
void probe_cancel(struct probe *p);

/* The child @pid has ended (waitid(2)'s code and status): true if it was this probe's. */
bool probe_exited(struct probe *p, pid_t pid, int code, int status);
