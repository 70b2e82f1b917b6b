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
#include "strv.h"
#include "systemd.h"

/* ---- signals, watchdog ---- */

/* Whose it was; NULL: an orphan that was left to us, and nobody's any more. */
static struct unit *find_owner(struct daemon *d, pid_t pid)
{
    struct tree *t = forest_find(d->forest, pid);

    return t ? CONTAINER_OF(t, struct job, tree)->c.ops_ctx : d->sole;
}

static bool child_ended(void *ctx, const siginfo_t *info)
{
    struct daemon *d = ctx;
    struct unit *u = find_owner(d, info->si_pid);

    (void)forest_forget(d->forest, info->si_pid);
    if (!u || !u->job)
        return true;
    job_reap(u->job, info);
    if (!u->touched) {
        u->touched = true;
        u->next_touched = d->touched;
        d->touched = u;
    }
    return true;
}

static void children_ended(struct daemon *d)
{
    daemon_refresh_identity(d);
    reaper_run(child_ended, d);
    while (d->touched) {
        struct unit *u = d->touched;

        d->touched = u->next_touched;
        u->touched = false;
        if (u->job)
            job_settle(u->job);
    }
}

/* The init of a container hands on what is meant for its only program; elsewhere SIGUSR1 asks for the log's file anew.
 */
static void got_other_signal(struct daemon *d, int sig)
{
    if (d->is_init && d->sole && d->sole->job && d->sole->job->pid > 0)
        (void)kill(d->sole->job->pid, sig);
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
        children_ended(d);
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

/* sd_watchdog_enabled(3): at half the time. That this runs shows that the loop lives; an only child that is stopped or
 * unhealthy does nothing for anybody. */
static int feed_watchdog(struct timer *t)
{
    struct daemon *d = CONTAINER_OF(t, struct daemon, watchdog);
    const struct job *job = d->sole ? d->sole->job : NULL;

    if (!job || (job_health_state(job) != HEALTH_UNHEALTHY && !reaper_is_stopped(job->pid)))
        upward_watchdog(d->upward);
    loop_arm(d->loop, t, now_usec() + d->config->watchdog_usec / 2);
    return 0;
}

static int graph_due(struct timer *t)
{
    CONTAINER_OF(t, struct daemon, due)->changed = true;
    return 0;
}

static void before_sleep(void *ctx)
{
    struct daemon *d = ctx;

    daemon_settle(d);
    if (!loop_is_over(d->loop)) /* else there is more to tell, and log_free() writes it all */
        log_flush(d->log);
}

/* ---- life ---- */

/* Nothing that was wanted can be begun, as the graph has said. */
static int refused(struct daemon *d, int error)
{
    const char *why = d->config->first[0]->why;
    char text[256];

    if (d->config->resident)
        return 0;
    d->failed = true;
    d->exit_status = 1;
    snprintf(text, sizeof(text), "nothing was started: %s", why ? why : strerror(-error));
    upward_failed(d->upward, 1, 0, text, NULL);
    return error;
}

/* All that is wanted, and then what begins of it: so its order is known before anything does. */
static int want_all(struct daemon *d)
{
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < d->config->n_first; i++) {
        struct unit *u = d->config->first[i];

        if (u->awaited) /* it is enabled by two names */
            continue;
        u->awaited = true;
        d->n_awaited++;
        r = daemon_want(d, u);
        if (r >= 0) {
            n++;
            continue;
        }
        u->awaited = false;
        d->n_awaited--;
        d->n_missed++;
    }
    return n == 0 && r < 0 ? refused(d, r) : 0;
}

static int start(struct daemon *d)
{
    int r = tree_adopt();

    if (r >= 0)
        r = forest_new(&d->forest);
    d->common = (struct job_common){d->config->cgroup, d->forest, d->loop, d->log, d->config->rundir, daemon_news()};
    if (r >= 0)
        r = open_signals(d);
    if (r >= 0)
        r = want_all(d);
    if (r < 0)
        return r;
    daemon_settle(d);
    if (d->n_alive > 0 || d->config->resident)
        r = daemon_open_control(d);
    if (r < 0 || d->config->n_first > 0)
        return r;
    daemon_set_status(d);
    log_stage(d->log, STAGE_READY, LOG_INFO, NULL, "%s", d->status_text);
    upward_ready(d->upward, d->status_text);
    d->told_up = true;
    return 0;
}

static void finish(struct daemon *d, bool failed)
{
    const char *result = job_result_name(RESULT_SUCCESS);

    for (size_t i = 0; i < units_count(d->units); i++)
        daemon_drop_job(units_nth(d->units, i));
    control_close(d->control);
    if (!failed) /* then STAGE_FAILED was the last word */
        log_stage(d->log, STAGE_STOPPED, LOG_INFO, FIELDS({"RESULT", result}), "result: %s", result);
    unit_unlock_all(&d->unit_locks, d->config->rundir);
    d->forest = forest_free(d->forest);
    free(d->news);
    free(d->jobs);
    strv_free(d->unit_env);
    log_attach(d->log, NULL);
    d->loop = loop_free(d->loop);
}

int daemon_run(const struct daemon_config *config, struct control **ret_control)
{
    struct daemon d = {.config = config,
                       .is_init = log_identity(config->log)->pid == 1,
                       .log = config->log,
                       .upward = config->upward,
                       .signals = {.fd = -1},
                       .unit_locks = {.fd = -1},
                       .watchdog = {.fn = feed_watchdog},
                       .due = {.fn = graph_due},
                       .units = config->units,
                       .graph = units_graph(config->units),
                       .sole = config->n_first == 1 && !config->resident ? config->first[0] : NULL,
                       .since = realtime_usec()};
    int r = loop_new(&d.loop);

    units_set_owner(d.units, &d);
    if (r >= 0) {
        log_attach(d.log, d.loop);
        loop_before_sleep(d.loop, before_sleep, &d);
        r = start(&d);
    }
    if (r >= 0 && config->watchdog_usec)
        loop_arm(d.loop, &d.watchdog, now_usec() + config->watchdog_usec / 2);
    if (r >= 0)
        r = loop_run(d.loop);
    if (r < 0 && !d.failed) {
        char text[64];

        snprintf(text, sizeof(text), "cannot go on: %s", strerror(-r));
        log_stage(d.log, STAGE_FAILED, LOG_ERR, FIELDS({"RESULT", "resources"}), "%s", text);
        upward_failed(d.upward, 1, -r, text, NULL);
    }
    if (d.loop)
        finish(&d, r < 0 || (d.sole && d.failed));
    *ret_control = d.control;
    return r < 0 ? 1 : r;
}
