/* What others may ask of the daemon: the calls of the control socket, and the same asked by a signal. */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "daemon_state.h"

/* The parent may have changed since: a daemon outlives whoever started it. */
void daemon_refresh_identity(struct daemon *d)
{
    struct proc_identity id = *log_identity(d->log);

    if (id.ppid == 1) /* init does not end before us */
        return;
    id.ppid = getppid();
    log_set_identity(d->log, &id);
}

static const char *instance_state(const struct daemon *d)
{
    if (!d->has_job)
        return d->stopping ? job_state_name(JOB_STOP_TERM) : job_state_name(JOB_UP);
    return job_state_name(d->job.fsm.state);
}

static void fill_status(struct daemon *d, struct instance_status *ret)
{
    daemon_set_status(d);
    *ret = (struct instance_status){
        .name = d->config->name,
        .pid = log_identity(d->log)->pid,
        .mode = mode_name(d->config->verdict->mode),
        .reason = d->config->verdict->reason,
        .state = instance_state(d),
        .status_text = d->status_text,
        .log = log_target(d->log),
        .since = d->since,
        .jobs = &d->job_status,
        .n_jobs = d->has_job ? 1 : 0,
    };
}

static void tell_status(void *ctx, struct instance_status *ret)
{
    struct daemon *d = ctx;

    if (d->has_job)
        job_status_of_tree(&d->job, &d->job_status);
    fill_status(d, ret);
}

static void tell_brief(void *ctx, struct instance_status *ret)
{
    struct daemon *d = ctx;

    if (d->has_job)
        job_status(&d->job, &d->job_status);
    fill_status(d, ret);
}

static bool knows(const struct daemon *d, const char *job)
{
    return !job || (d->has_job && STREQ(job, d->config->spec->name));
}

void daemon_stop(struct daemon *d, const char *who)
{
    if (d->stopping)
        return;
    d->stopping = true;
    daemon_refresh_identity(d);
    log_stage(d->log, STAGE_STOPPING, LOG_INFO, NULL, "%s", who);
    upward_stopping(d->upward, "stopping");
    if (d->has_job)
        job_stop(&d->job);
    else
        loop_exit(d->loop, 0);
}

static int call_stop(void *ctx, const char *job)
{
    struct daemon *d = ctx;

    if (!knows(d, job))
        return -ENOENT;
    daemon_stop(d, "asked on the control socket");
    return 0;
}

int daemon_reload(struct daemon *d, const char *who)
{
    int r;

    daemon_refresh_identity(d);
    log_stage(d->log, STAGE_RELOAD, LOG_INFO, NULL, "%s", who);
    if (d->has_job) {
        r = job_reload(&d->job);
        if (r < 0)
            log_stage(d->log, STAGE_RELOAD, LOG_WARNING, NULL, "not reloaded: the job is %s, not up",
                      job_state_name(d->job.fsm.state));
        return r;
    }
    upward_reloading(d->upward, "reloading");
    daemon_set_status(d);
    upward_reloaded(d->upward, d->status_text);
    return 0;
}

static int call_reload(void *ctx, const char *job)
{
    struct daemon *d = ctx;

    return knows(d, job) ? daemon_reload(d, "asked on the control socket") : -ENOENT;
}

static int call_restart(void *ctx, const char *job)
{
    struct daemon *d = ctx;

    if (!d->has_job || !knows(d, job))
        return -ENOENT;
    if (d->stopping)
        return -EAGAIN;
    daemon_refresh_identity(d);
    log_stage(d->log, STAGE_RESTART, LOG_INFO, NULL, "asked on the control socket");
    job_restart(&d->job);
    return 0;
}

static int call_start(void *ctx, const char *job)
{
    struct daemon *d = ctx;

    if (!d->has_job || !knows(d, job))
        return -ENOENT;
    if (d->job.fsm.state != JOB_RESTART)
        return -EALREADY;
    job_start(&d->job);
    return 0;
}

static int call_rotate(void *ctx)
{
    struct daemon *d = ctx;

    return log_rotate(d->log);
}

static int call_logs(void *ctx, const char *job, unsigned n, char **ret)
{
    struct daemon *d = ctx;

    if (!d->has_job || !knows(d, job))
        return -ENOENT;
    if (d->config->route != OUTPUT_PIPE)
        return -ENODATA;
    *ret = ring_last(&d->job.ring, n, jobspec_identifier(d->config->spec));
    if (!*ret)
        *ret = strdup("");
    return *ret ? 0 : -ENOMEM;
}

const struct control_ops *daemon_control(void)
{
    static const struct control_ops ops = {.status = tell_status,
                                           .brief = tell_brief,
                                           .stop = call_stop,
                                           .reload = call_reload,
                                           .restart = call_restart,
                                           .start = call_start,
                                           .rotate = call_rotate,
                                           .logs = call_logs};

    return &ops;
}
