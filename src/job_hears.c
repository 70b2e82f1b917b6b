/* What the child says to us. Only STATUS=, a reload and a request for more time go further up, through the job's owner:
 * READY=1, MAINPID= or a watchdog's ping of a child must never reach the manager above, which would take them for ours.
 */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "job_notify.h"
#include "job_step.h"

static bool is_member(void *ctx, pid_t pid)
{
    const struct job *job = ctx;

    return tree_has(&job->tree, pid);
}

static void got_status(struct job *job, const struct notifymsg *m)
{
    free(job->more->status_text);
    job->more->status_text = notify_text(&m->status);
    job->c.common->ops->status(job->c.ops_ctx, job);
}

static void got_main_pid(struct job *job, const struct notify_policy *p, const struct notifysock_sender *from,
                         const struct notifymsg *m)
{
    const char *why = "";
    pid_t pid;
    int r = notify_main_process(p, from, m, &pid, NULL, &why);

    if (r >= 0)
        r = job_set_main(job, pid);
    if (r >= 0)
        job_step(job, (struct fsm_input){.event = EV_MAIN});
    if (r < 0)
        log_stage(job->c.common->log, STAGE_NOTIFY, LOG_WARNING, NULL, "MAINPID= is passed over: it %s",
                  *why ? why : strerror(-r));
}

static void got_fds(struct job *job, const struct notifysock_sender *from, const struct notifymsg *m)
{
    int r = 0;

    if (!job->more->store && job->c.spec->fd_store_max > 0)
        r = fdstore_new(&job->more->store, job->c.common->loop, (size_t)job->c.spec->fd_store_max);
    if (r >= 0)
        r = notify_store(job->more->store, from, m);
    if (r < 0)
        log_stage(job->c.common->log, STAGE_NOTIFY, LOG_WARNING, NULL, "FDSTORE=1: not all descriptors are kept: %s",
                  strerror(-r));
}

static void tell_alive(struct job *job, const struct notifymsg *m)
{
    uint64_t usec = m->extend_timeout_usec;

    if (usec)
        job_step(job, (struct fsm_input){.event = EV_ALIVE, .usec = usec});
    if (job->fsm.state == JOB_STARTING && !m->ready)
        job->c.common->ops->alive(job->c.ops_ctx, job, usec ? usec : job->c.spec->timeout_start);
}

void job_heard(void *ctx, const struct notifysock_sender *from, const struct notifymsg *m)
{
    struct job *job = ctx;
    const struct notify_policy policy = {.access = job->notify_access,
                                         .main_pid = job->pid,
                                         .control_pids = &job->control,
                                         .n_control = job->control > 0,
                                         .is_member = is_member,
                                         .ctx = job};

    if (!notify_allows(&policy, from->pid))
        return;
    if (m->notify_access.s)
        (void)notify_access_parse(m->notify_access.s, m->notify_access.len, &job->notify_access);
    if (m->main_pid || m->main_pidfd)
        got_main_pid(job, &policy, from, m);
    if (m->fdstore || m->fdstore_remove)
        got_fds(job, from, m);
    if (m->status.s)
        got_status(job, m);
    tell_alive(job, m);
    if (m->watchdog_usec || m->watchdog)
        job_step(job, (struct fsm_input){.event = EV_PING, .usec = m->watchdog_usec});
    if (m->watchdog_trigger)
        job_step(job, (struct fsm_input){.event = EV_HANG});
    if (m->stopping)
        job_step(job, (struct fsm_input){.event = EV_STOPPING});
    if (m->error)
        job->more->said_error = m->error;
    if (m->exit_status >= 0)
        job->more->said_status = m->exit_status;
    if (m->restart_reset)
        job_step(job, (struct fsm_input){.event = EV_RESET});
    if (m->reloading)
        job_step(job, (struct fsm_input){.event = EV_RELOADING, .usec = m->monotonic_usec});
    if (m->ready && job->ready)
        ready_holds(job->ready, PROBE_NOTIFY);
    else if (m->ready)
        job_step(job, (struct fsm_input){.event = EV_READY});
}
