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

/* ---- signals, watchdog ---- */

static bool child_ended(void *ctx, const siginfo_t *info)
{
    struct daemon *d = ctx;

    if (d->has_job) /* whom it does not know is an orphan that was left to us */
        job_reap(&d->job, info);
    return true;
}

/* The init of a container hands on what is meant for its only program; elsewhere SIGUSR1 asks for the log's file anew.
 */
static void got_other_signal(struct daemon *d, int sig)
{
    if (d->is_init && d->has_job && d->job.pid > 0)
        (void)kill(d->job.pid, sig);
    else if (sig == SIGUSR1)
        (void)log_reopen(d->log);
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
        daemon_refresh_identity(d);
        reaper_run(child_ended, d);
        if (d->has_job)
            job_settle(&d->job);
        break;
    case SIGTERM:
    case SIGINT:
        daemon_stop(d, who);
        break;
    case SIGHUP:
        (void)daemon_reload(d, who);
        break;
    case SIGPIPE:
        break;
    default:
        got_other_signal(d, (int)info.ssi_signo);
    }
    return 0;
}

/* SIGPIPE is heard so that it does nothing: writing to somebody who has gone is an error code, not an end. */
static int open_signals(struct daemon *d)
{
    static const int heard[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH};
    size_t n = d->is_init ? ARRAY_SIZE(heard) : ARRAY_SIZE(heard) - 3;
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < n; i++)
        sigaddset(&set, heard[i]);
    d->signals = (struct watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .fn = got_signal};
    if (d->signals.fd < 0)
        return -errno;
    /* daemon(7) step 3: nothing that the caller blocked stays blocked, only what is read here. */
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
        return -errno;
    return loop_add(d->loop, &d->signals, EPOLLIN);
}

/* sd_watchdog_enabled(3): at half the time. That this runs shows that the loop lives; a stopped or unhealthy child does
 * nothing for anybody. */
static int feed_watchdog(struct timer *t)
{
    struct daemon *d = CONTAINER_OF(t, struct daemon, watchdog);

    if (!d->has_job || (d->job.health.state != HEALTH_UNHEALTHY && !reaper_is_stopped(d->job.pid)))
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
    int r;

    if (asprintf(&d->notify_path, "%s/notify", d->config->rundir) < 0) {
        d->notify_path = NULL;
        return -ENOMEM;
    }
    r = job_init(&d->job, &(struct job_context){.spec = d->config->spec,
                                                .spawn = d->config->spawn,
                                                .loop = d->loop,
                                                .log = d->log,
                                                .route = d->config->route,
                                                .listen_fds = d->config->listen_fds,
                                                .watched = d->config->watchdog_usec > 0,
                                                .notify_path = d->notify_path,
                                                .ops = daemon_news(),
                                                .ops_ctx = d});
    if (r < 0)
        return r;
    d->has_job = true;
    job_start(&d->job);
    return job_over(&d->job) ? 0 : daemon_open_control(d);
}

static int start(struct daemon *d)
{
    int r = tree_adopt();

    if (r >= 0)
        r = open_signals(d);
    if (r < 0)
        return r;
    if (jobspec_argv(d->config->spec))
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
    log_attach(d->log, NULL);
    d->loop = loop_free(d->loop);
}

int daemon_run(const struct daemon_config *config)
{
    struct daemon d = {.config = config,
                       .is_init = getpid() == 1,
                       .log = config->log,
                       .upward = config->upward,
                       .signals = {.fd = -1},
                       .watchdog = {.fn = feed_watchdog},
                       .since = realtime_usec()};
    int r = loop_new(&d.loop);

    if (r >= 0) {
        log_attach(d.log, d.loop);
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
        finish(&d, r < 0 || (d.has_job && d.job.fsm.state == JOB_FAILED));
    return r < 0 ? 1 : r;
}
