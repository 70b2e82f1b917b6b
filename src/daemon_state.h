/* The inside of the daemon, shared by daemon.c, daemon_control.c and daemon_news.c. */
#pragma once
#include "control.h"
#include "daemon.h"

struct daemon {
    const struct daemon_config *config;
    struct log *log;
    struct loop *loop;
    struct control *control;
    struct upward *upward;
    struct watch signals;
    struct timer watchdog;
    struct job job;
    struct job_status job_status; /* what status() lends to the control socket */
    char status_text[512];
    char *notify_path;
    uint64_t since;
    bool has_job, stopping;
    bool is_init; /* PID 1 of a container */
    bool told_up; /* whoever waits above knows that it is up */
};

/* Writes d->status_text anew: "web up, PID 12". */
void daemon_set_status(struct daemon *d);

/* Opens the control socket, if it is not open yet: it gets its name when there is something to control (daemon(7),
 * "New-Style Daemons", 4). Errors of control_new(). */
int daemon_open_control(struct daemon *d);

/* The parent may have changed since: a daemon outlives whoever started it. */
void daemon_refresh_identity(struct daemon *d);

/* Asked for by @who, in words: the end of the instance, a reload (as job_reload()). */
void daemon_stop(struct daemon *d, const char *who);
int daemon_reload(struct daemon *d, const char *who);

/* What others may ask of the daemon. */
const struct control_ops *daemon_control(void);

/* What the job's news lead to; the context is the daemon. */
const struct job_ops *daemon_news(void);
