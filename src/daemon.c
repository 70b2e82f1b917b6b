/* The resident part. It hears signals, calls on the control socket and news of the job, logs each stage once and tells
 * upward. It decides nothing about the job: that is fsm_step()'s. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "cleanup.h"
#include "daemon_state.h"
#include "parse.h"
#include "reaper.h"
#include "self.h"
#include "systemd.h"

/* The parent may have changed since: a daemon outlives whoever started it. */
static void refresh_identity(struct daemon *d)
{
    struct proc_identity id = *log_identity(d->log);

    if (id.ppid == 1) /* init does not end before us */
        return;
    id.ppid = getppid();
    log_set_identity(d->log, &id);
}

/* ---- control socket ---- */

static const char *instance_state(const struct daemon *d)
{
    if (!d->has_job)
        return d->stopping ? job_state_name(JOB_STOP_TERM) : job_state_name(JOB_UP);
    return job_state_name(d->job.fsm.state);
}

static void tell_status(void *ctx, struct instance_status *ret)
{
    struct daemon *d = ctx;

    daemon_set_status(d);
    if (d->has_job)
        job_status(&d->job, &d->job_status);
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

static bool knows(const struct daemon *d, const char *job)
{
    return !job || (d->has_job && STREQ(job, d->config->spec->name));
}

static void stop(struct daemon *d, const char *who)
{
    if (d->stopping)
        return;
    d->stopping = true;
    refresh_identity(d);
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
    stop(d, "asked on the control socket");
    return 0;
}

static int reload(struct daemon *d, const char *who)
{
    int r;

    refresh_identity(d);
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

    return knows(d, job) ? reload(d, "asked on the control socket") : -ENOENT;
}


/* ---- signals, watchdog ---- */

static bool child_ended(void *ctx, const siginfo_t *info)
{
    struct daemon *d = ctx;

    /* Anything else is an orphan that init left to us. */
    if (d->has_job && info->si_pid == d->job.pid)
        job_ended(&d->job, info);
    return !d->has_job || !job_over(&d->job);
}

static int got_signal(struct watch *w, uint32_t events)
{
    struct daemon *d = CONTAINER_OF(w, struct daemon, signals);
    struct signalfd_siginfo info;
    char name[16], who[64];

    if (read(w->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    snprintf(who, sizeof(who), "%s from PID %u", signal_name((int)info.ssi_signo, name), info.ssi_pid);
    switch (info.ssi_signo) {
    case SIGCHLD:
        refresh_identity(d);
        reaper_run(child_ended, d);
        break;
    case SIGHUP:
        (void)reload(d, who);
        break;
    case SIGPIPE:
        break;
    default:
        stop(d, who);
    }
    return 0;
}

/* SIGPIPE is heard so that it does nothing: writing to somebody who has gone is an error code, not an end. */
static int open_signals(struct daemon *d)
{
    static const int heard[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(heard); i++)
        sigaddset(&set, heard[i]);
    d->signals = (struct watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .fn = got_signal};
    if (d->signals.fd < 0)
        return -errno;
    /* daemon(7) step 3: nothing that the caller blocked stays blocked, only what is read here. */
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
        return -errno;
    return loop_add(d->loop, &d->signals, EPOLLIN);
}

/* sd_watchdog_enabled(3): at half the time. That this runs shows that the loop lives; a dead child has ended it, a stopped
 * one does nothing either. */
static int feed_watchdog(struct timer *t)
{
    struct daemon *d = CONTAINER_OF(t, struct daemon, watchdog);

    if (!d->has_job || !reaper_is_stopped(d->job.pid))
        upward_watchdog(d->upward);
    loop_arm(d->loop, t, now_usec() + d->config->watchdog_usec / 2);
    return 0;
}

static void flush_log(void *ctx)
{
    log_flush(ctx);
}

/* ---- life ---- */

static int start_job(struct daemon *d)
{
    if (asprintf(&d->notify_path, "%s/notify", d->config->rundir) < 0) {
        d->notify_path = NULL;
        return -ENOMEM;
    }
    job_init(&d->job, &(struct job_context){.spec = d->config->spec,
                                            .spawn = d->config->spawn,
                                            .loop = d->loop,
                                            .log = d->log,
                                            .route = d->config->route,
                                            .notify_path = d->notify_path,
                                            .ops = daemon_news(),
                                            .ops_ctx = d});
    d->has_job = true;
    job_start(&d->job);
    return job_over(&d->job) ? 0 : daemon_open_control(d);
}

static int start(struct daemon *d)
{
    int r = open_signals(d);

    if (r < 0)
        return r;
    if (d->config->spec->argv)
        return start_job(d);
    r = daemon_open_control(d);
    if (r < 0)
        return r;
    daemon_set_status(d);
    log_stage(d->log, STAGE_READY, LOG_INFO, NULL, "%s", d->status_text);
    upward_ready(d->upward, d->status_text);
    return 0;
}

static void finish(struct daemon *d, bool failed)
{
    const char *result = job_result_name(RESULT_SUCCESS);

    if (d->has_job)
        job_done(&d->job);
    d->control = control_free(d->control);
    if (!failed) /* then STAGE_FAILED was the last word */
        log_stage(d->log, STAGE_STOPPED, LOG_INFO, FIELDS({"RESULT", result}), "result: %s", result);
    free(d->notify_path);
    d->loop = loop_free(d->loop);
}

int daemon_run(const struct daemon_config *config)
{
    static const struct control_ops ops = {tell_status, call_stop, call_reload};
    struct daemon d = {.config = config,
                       .control_ops = &ops,
                       .log = config->log,
                       .upward = config->upward,
                       .signals = {.fd = -1},
                       .watchdog = {.fn = feed_watchdog},
                       .since = realtime_usec()};
    int r = loop_new(&d.loop);

    if (r >= 0) {
        loop_before_sleep(d.loop, flush_log, d.log);
        r = start(&d);
    }
    if (r >= 0 && config->watchdog_usec)
        loop_arm(d.loop, &d.watchdog, now_usec() + config->watchdog_usec / 2);
    if (r >= 0)
        r = loop_run(d.loop);
    if (r < 0) {
        char text[64];

        snprintf(text, sizeof(text), "cannot go on: %s", strerror(-r));
        log_stage(d.log, STAGE_FAILED, LOG_ERR, FIELDS({"RESULT", "resources"}), "%s", text);
        upward_failed(d.upward, 1, -r, text, NULL);
    }
    if (d.loop)
        finish(&d, r < 0 || (d.has_job && d.job.fsm.result != RESULT_SUCCESS));
    return r < 0 ? 1 : r;
}
