/* The hands of one job: everything that happens becomes an event for fsm_step(), here; what it answers is carried out
 * in one place, job_act(). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include "cleanup.h"
#include "job.h"
#include "job_step.h"
#include "job_run.h"
#include "reaper.h"

#define NOTHING ((struct fsm_input){.event = EV_MAX})

/* Does the state machine wait for the last process to go? */
static bool waits_for_empty(const struct job *job)
{
    enum job_state s = job->fsm.state;

    return s == JOB_STOP_TERM || s == JOB_STOP_KILL || s == JOB_STOP_WATCHDOG || s == JOB_FINAL_KILL;
}

/* Nobody is left who could tell: what the state machine waits for has happened. */
static struct fsm_input look_around(const struct job *job)
{
    bool seeks = job->fsm.state == JOB_STARTING && job->seek_usec;

    if (job->control || job->pid || !(seeks || waits_for_empty(job)) || !tree_is_empty(&job->tree))
        return NOTHING;
    if (job->fsm.main) /* the first process of a daemon that has left no other */
        return (struct fsm_input){.event = EV_EXIT, .code = job->exit_code, .status = job->exit_status};
    return (struct fsm_input){.event = EV_EMPTY};
}

static bool rests(enum job_state s)
{
    return s == JOB_INACTIVE || s == JOB_RESTART || s == JOB_DONE || s == JOB_FAILED;
}

/* What was made for a life goes with it (directories, credentials), before anybody hears of its end. Another one may have
 * begun in the same step. */
static void end_life(struct job *job, enum job_state before, uint64_t started)
{
    bool another = !rests(job->fsm.state) && !rests(before) && job->fsm.started != started;
    char why[256] = "";
    struct textbuf b = TEXTBUF(why);

    if (!another && (!rests(job->fsm.state) || job->fsm.state == before))
        return;
    if (spawn_over(job->c.spawn, another || job->fsm.state == JOB_RESTART, &b) < 0)
        log_stage(job->c.log, STAGE_STOPPED, LOG_WARNING, NULL, "%s", why);
}

unsigned job_step(struct job *job, struct fsm_input in)
{
    unsigned all = 0;

    while (in.event != EV_MAX) {
        enum job_state before = job->fsm.state;
        uint64_t started = job->fsm.started;
        bool begins = in.event == EV_EXEC;
        unsigned actions;

        in.now = now_usec();
        if (job->c.spec->restart_steps > 0 && getrandom(&in.random, sizeof(in.random), GRND_NONBLOCK) < 0)
            in.random = (uint32_t)in.now;
        all |= actions = fsm_step(&job->fsm, job->c.spec, &in);
        if (job->fsm.state != before)
            job->since = realtime_usec();
        if (actions & ACT_READY)
            job->was_up = job->up_once = true;
        loop_arm(job->c.loop, &job->timer, job->fsm.deadline);
        end_life(job, before, started);
        if (actions)
            job->c.ops->acting(job->c.ops_ctx, job, actions);
        in = job_act(job, actions);
        /* The first look may find it ready at once, so it comes when the state machine knows that the process runs. */
        if (begins && job->ready)
            ready_begin(job->ready);
        if (in.event == EV_MAX)
            in = look_around(job);
    }
    return all;
}

static int deadline(struct timer *t)
{
    struct job *job = CONTAINER_OF(t, struct job, timer);
    struct textbuf b = TEXTBUF(job->why);

    if (job->fsm.state == JOB_STARTING && job->ready)
        ready_explain(job->ready, &b);
    job_step(job, (struct fsm_input){.event = EV_TIME});
    return 0;
}

/* ---- what is waited for ---- */

static void health_changed(void *ctx, struct health *h)
{
    static const enum fsm_event events[] = {
        [HEALTH_RESTART] = EV_UNHEALTHY, [HEALTH_NONE] = EV_MAX, [HEALTH_WATCHDOG] = EV_HANG};
    struct job *job = ctx;
    struct textbuf b = TEXTBUF(job->why);

    job->c.ops->health(job->c.ops_ctx, job);
    if (h->state != HEALTH_UNHEALTHY)
        return;
    textbuf_printf(&b, "unhealthy: %s", h->reason);
    if (job->c.watched && job->c.spec->health_action == HEALTH_WATCHDOG)
        return; /* the manager's watchdog is fed no more: it is his to act */
    job_step(job, (struct fsm_input){.event = events[job->c.spec->health_action]});
}

static void got_line(void *ctx, enum log_stream stream, const char *line, size_t len)
{
    struct job *job = ctx;

    if (job->ready && ready_wants_lines(job->ready))
        ready_line(job->ready, line, len);
    job->c.ops->line(job->c.ops_ctx, job, line, len);
}

static void may_be_empty(void *ctx)
{
    job_step(ctx, look_around(ctx));
}

/* systemd.service(5), Type=forking: the daemon may write its PID file a little later than its parent ends. */
static int seek_main(struct timer *t)
{
    struct job *job = CONTAINER_OF(t, struct job, seek);
    pid_t pid = job_find_main(job);

    if (pid > 0 && job_set_main(job, pid) == 0) {
        job->seek_usec = 0;
        ready_holds(job->ready, PROBE_PIDFILE);
        return 0;
    }
    job->seek_usec = job->seek_usec < 128 * USEC_PER_MSEC ? job->seek_usec * 2 : job->seek_usec;
    loop_arm(job->c.loop, t, now_usec() + job->seek_usec);
    return 0;
}

/* ---- ends ---- */

static void main_ended(struct job *job, int code, int status)
{
    bool forks = job->c.spec->type == TYPE_FORKING && job->fsm.state == JOB_STARTING && !job->seek_usec;

    job->exit_code = code;
    job->exit_status = status;
    job->exit_pid = job->pid;
    job->exit_time = realtime_usec();
    loop_close(job->c.loop, &job->main_end);
    job->c.ops->ended(job->c.ops_ctx, job);
    job->pid = 0;
    if (forks && code == CLD_EXITED && status == 0) {
        job->seek_usec = USEC_PER_MSEC;
        loop_arm(job->c.loop, &job->seek, now_usec()); /* when it is reaped, and what it has left is ours */
        return;
    }
    job_step(job, (struct fsm_input){.event = EV_EXIT, .code = code, .status = status});
}

/* The main process is not our child, so only EXIT_STATUS= tells us how it has ended; but if it has become one since,
 * SIGCHLD does. */
static int foreign_main_ended(struct watch *w, uint32_t events)
{
    struct job *job = CONTAINER_OF(w, struct job, main_end);

    if (reaper_look(job->pid) != CHILD_NONE) {
        loop_close(job->c.loop, w);
        return 0;
    }
    job_drain(job);
    main_ended(job, CLD_EXITED, job->said_status);
    return 0;
}

/* What a child's end leads to, when it has been reaped: so that an empty tree is seen to be empty at once. */
static void take_end(struct job *job)
{
    const siginfo_t info = job->end;

    job->end.si_pid = 0;
    if (info.si_pid == 0)
        return;
    if (info.si_pid == job->pid)
        main_ended(job, info.si_code, info.si_status);
    else if (info.si_pid == job->control)
        job_command_ended(job, &info);
    else if (!job->ready || !ready_exited(job->ready, info.si_pid, info.si_code, info.si_status))
        (void)health_exited(&job->health, info.si_pid, info.si_code, info.si_status);
}

void job_reap(struct job *job, const siginfo_t *info)
{
    take_end(job);
    /* What was said before an end comes before it; and only a zombie's last message is known to be one of the job's. */
    if (info->si_pid == job->pid || info->si_pid == job->control)
        job_drain(job);
    else if (job->notify_access == NOTIFY_ALL)
        notifysock_drain(&job->notify);
    job->end = *info;
}

void job_settle(struct job *job)
{
    take_end(job);
    if (!job->opened)
        return;
    job_step(job, look_around(job));
    if (job->fsm.state == JOB_STOP_KILL || job->fsm.state == JOB_FINAL_KILL)
        job_kill_rest(job);
}

/* ---- life ---- */

/* Ready= and what Type= implies. */
static int make_gates(struct job *job)
{
    const struct jobspec *d = job->c.spec;
    enum probe_kind implied = d->type == TYPE_NOTIFY || d->type == TYPE_NOTIFY_RELOAD ? PROBE_NOTIFY
                              : d->type == TYPE_FORKING                               ? PROBE_PIDFILE
                                                                                      : PROBE_NONE;

    for (size_t i = 0; i < d->ready.n; i++)
        if (d->ready.v[i].kind == implied)
            implied = PROBE_NONE;
    if (d->ready.n == 0 && implied == PROBE_NONE)
        return 0;
    job->gates = calloc(d->ready.n + 1, sizeof(*job->gates));
    if (!job->gates)
        return -ENOMEM;
    for (; job->n_gates < d->ready.n; job->n_gates++)
        job->gates[job->n_gates] = d->ready.v[job->n_gates];
    if (implied != PROBE_NONE)
        job->gates[job->n_gates++] =
            (struct probespec){.kind = implied, .text = (char *)(uintptr_t)probe_kind_name(implied)};
    return 0;
}

int job_init(struct job *job, const struct job_context *c)
{
    *job = (struct job){.c = *c,
                        .timer = {.fn = deadline},
                        .seek = {.fn = seek_main},
                        .tree = {.cgroup_fd = -1, .fn = may_be_empty},
                        .main_end = {.fd = -1, .fn = foreign_main_ended},
                        .notify = {.watch = {.fd = -1}, .fn = job_heard},
                        .notify_access = c->spec->notify_access,
                        .tap = {got_line, job},
                        .probes = {c->loop, job_run_probe, job},
                        .out_fds = {-1, -1}};
    job->output = (struct output_config){c->loop, c->log, c->spec, &job->ring, &job->tap};
    for (size_t i = 0; i < ARRAY_SIZE(job->out); i++)
        job->out[i].watch.fd = -1;
    fsm_init(&job->fsm, c->spec);
    health_init(&job->health, c->spec, &job->probes, health_changed, job);
    job->since = realtime_usec();
    return make_gates(job);
}

void job_start(struct job *job)
{
    job_step(job, (struct fsm_input){.event = EV_START});
}

void job_stop(struct job *job)
{
    job->stop_asked = true;
    job_step(job, (struct fsm_input){.event = EV_STOP});
}

void job_restart(struct job *job)
{
    job->stop_asked = false;
    job_step(job, (struct fsm_input){.event = EV_AGAIN});
}

int job_reload(struct job *job)
{
    unsigned actions = job_step(job, (struct fsm_input){.event = EV_RELOAD});

    return actions & ACT_REFUSED ? -EAGAIN : actions & ACT_RELOADED ? 0 : 1;
}

void job_done(struct job *job)
{
    loop_arm(job->c.loop, &job->timer, USEC_INFINITY);
    loop_arm(job->c.loop, &job->seek, USEC_INFINITY);
    loop_close(job->c.loop, &job->main_end);
    if (job->pid > 0 && job->c.spec->kill_mode != KILL_NONE)
        (void)job_act(job, ACT_KILL);
    job->ready = ready_free(job->ready);
    health_end(&job->health);
    job_close(job);
    for (size_t i = 0; i < ARRAY_SIZE(job->out); i++)
        output_forget_tail(&job->out[i]);
    ring_done(&job->ring);
    job->store = fdstore_free(job->store);
    free(job->gates);
    free(job->pids);
    free(job->status_text);
    job->gates = NULL;
    job->pids = NULL;
    job->status_text = NULL;
}
