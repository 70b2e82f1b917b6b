/* The ears of one job: everything that happens becomes an event for job_step(), here and, where the child itself says
 * it, in job_hears.c. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "cleanup.h"
#include "job_step.h"
#include "reaper.h"
#include "spec_exec.h"

static int deadline(struct timer *t)
{
    struct job *job = CONTAINER_OF(t, struct job, timer);
    char why[256] = "";
    struct textbuf b = TEXTBUF(why);

    if (job->fsm.state == JOB_STARTING && job->ready) {
        ready_explain(job->ready, &b);
        job_because(job, why);
    }
    if (job->fsm.state == JOB_UP && job->fsm.deadline >= job->fsm.runtime_end)
        job_because(job, "it has run for as long as RuntimeMaxSec= allows");
    job_step(job, (struct fsm_input){.event = EV_TIME});
    return 0;
}

/* ---- what is waited for ---- */

static void health_changed(void *ctx, struct health *h)
{
    static const enum fsm_event events[] = {
        [HEALTH_RESTART] = EV_UNHEALTHY, [HEALTH_NONE] = EV_MAX, [HEALTH_WATCHDOG] = EV_HANG};
    struct job *job = ctx;
    char why[256] = "";
    struct textbuf b = TEXTBUF(why);

    job->c.common->ops->health(job->c.ops_ctx, job);
    if (h->state != HEALTH_UNHEALTHY)
        return;
    textbuf_printf(&b, "unhealthy: %s", h->reason);
    job_because(job, why);
    if (job->c.watched && spec_health(job->c.spec)->action == HEALTH_WATCHDOG)
        return; /* the manager's watchdog is fed no more: it is his to act */
    job_step(job, (struct fsm_input){.event = events[spec_health(job->c.spec)->action]});
}

static void got_line(void *ctx, enum log_stream stream, const char *line, size_t len)
{
    struct job *job = ctx;

    if (job->ready && ready_wants_lines(job->ready))
        ready_line(job->ready, line, len);
    job->c.common->ops->line(job->c.ops_ctx, job, line, len);
}

static bool wants_lines(void *ctx)
{
    struct job *job = ctx;

    return (job->ready && ready_wants_lines(job->ready)) || job->c.common->ops->listens(job->c.ops_ctx, job);
}

/* systemd.service(5), OOMPolicy=: a process of the job may have been killed for want of memory. */
static void look_for_oom(struct job *job)
{
    uint64_t n = tree_oom_kills(&job->tree);

    if (n <= job->oom_kills)
        return;
    job->oom_kills = n;
    job_step(job, (struct fsm_input){.event = EV_OOM});
}

static void tree_changed(void *ctx)
{
    look_for_oom(ctx);
    job_step(ctx, job_look_around(ctx));
}

static void all_ready(void *ctx)
{
    job_step(ctx, (struct fsm_input){.event = EV_READY});
}

static void not_ready(void *ctx, const char *why)
{
    job_because(ctx, why);
    job_step(ctx, (struct fsm_input){.event = EV_NOTREADY});
}

/* systemd.service(5), Type=dbus: up is who has the name, and no longer. */
static void name_changed(void *ctx, enum systemd_bus_news news, const char *why)
{
    struct job *job = ctx;
    char text[256];

    if (news == SYSTEMD_BUS_OWNED) {
        job->more->has_name = true;
        if (job->ready)
            ready_holds(job->ready, PROBE_DBUS);
        return;
    }
    if (news == SYSTEMD_BUS_FREE && !job->more->has_name)
        return;
    snprintf(text, sizeof(text), "%s%s", why ? "the D-Bus: " : "it has lost its name on the D-Bus", why ? why : "");
    if (job->fsm.state == JOB_STARTING)
        not_ready(job, text);
    else if (news == SYSTEMD_BUS_FREE && job->c.spec->type == TYPE_DBUS) {
        job_because(job, text);
        job_step(job, (struct fsm_input){.event = EV_LOST});
    }
}

static void found_main(struct job *job)
{
    job->more->seek_usec = 0;
    ready_holds(job->ready, PROBE_PIDFILE);
}

/* systemd.service(5), Type=forking: the daemon may write its PID file a little later than its parent ends.
 * GuessMainPID=no without one: then nobody knows, and it lives as long as any process of it. */
static int seek_main(struct timer *t)
{
    struct job *job = CONTAINER_OF(t, struct job_more, later)->job;
    const struct jobspec *d = job->c.spec;
    pid_t pid = d->pid_file || d->guess_main_pid ? job_find_main(job) : 0;

    if (pid > 0 && job_set_main(job, pid) == 0) {
        found_main(job);
        return 0;
    }
    if (!d->pid_file && !d->guess_main_pid && !tree_is_empty(&job->tree)) {
        job_step(job, (struct fsm_input){.event = EV_HEADLESS});
        found_main(job);
        return 0;
    }
    job->more->seek_usec = job->more->seek_usec < 128 * USEC_PER_MSEC ? job->more->seek_usec * 2 : job->more->seek_usec;
    loop_arm(job->c.common->loop, t, now_usec() + job->more->seek_usec);
    return 0;
}

/* ---- Type=idle ---- */

void job_go(struct job *job)
{
    if (!job->idle)
        return;
    job->idle = false;
    loop_arm(job->c.common->loop, &job->more->later, USEC_INFINITY);
    if (job_open(job) < 0 || job_run_main(job) < 0) {
        job->exit_code = CLD_EXITED;
        job->exit_status = job->error ? (int)job->error->exit_status : EXIT_MEMORY;
        job_step(job, (struct fsm_input){.event = EV_EXIT, .code = CLD_EXITED, .status = job->exit_status});
        return;
    }
    job->c.common->ops->started(job->c.ops_ctx, job);
}

static int waited_long_enough(struct timer *t)
{
    job_go(CONTAINER_OF(t, struct job_more, later)->job);
    return 0;
}

/* ---- ends ---- */

static void main_ended(struct job *job, int code, int status)
{
    bool forks = job->c.spec->type == TYPE_FORKING && job->fsm.state == JOB_STARTING && !job->more->seek_usec;

    job->exit_code = code;
    job->exit_status = status;
    job->exit_pid = job->pid;
    job->exit_time = realtime_usec();
    if (job->more)
        loop_close(job->c.common->loop, &job->more->main_end);
    job->c.common->ops->ended(job->c.ops_ctx, job);
    job->pid = 0;
    if (code == CLD_KILLED && status == SIGKILL) /* which of the two is heard of first is chance */
        look_for_oom(job);
    if (forks && code == CLD_EXITED && status == 0) {
        job->more->seek_usec = USEC_PER_MSEC;
        job->more->later.fn = seek_main;
        /* When it is reaped, and what it has left is ours. */
        loop_arm(job->c.common->loop, &job->more->later, now_usec());
        return;
    }
    job_step(job, (struct fsm_input){.event = EV_EXIT, .code = code, .status = status});
}

/* The main process is not our child, so only EXIT_STATUS= tells us how it has ended; but if it has become one since,
 * SIGCHLD does. */
static int foreign_main_ended(struct watch *w, uint32_t events)
{
    struct job *job = CONTAINER_OF(w, struct job_more, main_end)->job;

    if (reaper_look(job->pid) != CHILD_NONE) {
        loop_close(job->c.common->loop, w);
        return 0;
    }
    job_drain(job);
    main_ended(job, CLD_EXITED, job->more->said_status);
    return 0;
}

/* What a child's end leads to, when it has been reaped: so that an empty tree is seen to be empty at once. */
static void take_end(struct job *job)
{
    const struct child_end end = job->end;

    job->end.pid = 0;
    if (end.pid == 0)
        return;
    if (end.pid == job->pid)
        main_ended(job, end.code, end.status);
    else if (end.pid == job->control)
        job_step(job, job_command_ended(job, &end));
    else if ((!job->ready || !ready_exited(job->ready, end.pid, end.code, end.status)) && job->health)
        (void)health_exited(job->health, end.pid, end.code, end.status);
}

void job_reap(struct job *job, const siginfo_t *info)
{
    take_end(job);
    /* What was said before an end comes before it; and only a zombie's last message is known to be one of the job's. */
    if (info->si_pid == job->pid || info->si_pid == job->control)
        job_drain(job);
    else if (job->more && job->notify_access == NOTIFY_ALL)
        notifysock_drain(&job->more->notify);
    job->end = (struct child_end){info->si_pid, info->si_code, info->si_status};
}

void job_settle(struct job *job)
{
    take_end(job);
    if (!job->opened)
        return;
    job_step(job, job_look_around(job));
    if (job->fsm.state == JOB_STOP_KILL || job->fsm.state == JOB_FINAL_KILL)
        job_kill_rest(job);
}

/* ---- life ---- */

/* systemd.service(5), NotifyAccess=: with Type=notify none is as good as main. */
static enum notify_access first_access(const struct jobspec *d)
{
    bool needed = d->type == TYPE_NOTIFY || d->type == TYPE_NOTIFY_RELOAD || d->watchdog_usec;

    return needed && d->notify_access == NOTIFY_NONE ? NOTIFY_MAIN : d->notify_access;
}

/* Do lines of it pass through us? Not those of a stream that goes elsewhere (StandardOutput=). */
static bool has_pipes(const struct job *job)
{
    const struct stdio *stdio = spec_exec(job->c.spec)->stdio;
    bool any = false;

    for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
        any |= stdio[i].kind == STDIO_DEFAULT || stdio[i].kind == STDIO_INHERIT || stdio[i].kind == STDIO_JOURNAL ||
               stdio[i].kind == STDIO_KMSG || stdio[i].kind == STDIO_JOURNAL_CONSOLE ||
               stdio[i].kind == STDIO_KMSG_CONSOLE;
    return job->c.route == OUTPUT_PIPE && any;
}

static int make_output(struct job *job)
{
    static const struct output_tap tap = {got_line, wants_lines};
    struct job_output *o;

    if (!has_pipes(job))
        return 0;
    job->output = o = calloc(1, sizeof(*o));
    if (!o)
        return -ENOMEM;
    o->config = (struct output_config){job->c.common->loop, job->c.common->log, job->c.spec, &o->ring, &tap, job};
    for (size_t i = 0; i < ARRAY_SIZE(o->streams); i++)
        o->streams[i].watch.fd = o->fds[i] = -1;
    return 0;
}

static int make_health(struct job *job)
{
    if (spec_health(job->c.spec)->health.kind == PROBE_NONE)
        return 0;
    job->health = calloc(1, sizeof(*job->health));
    if (!job->health)
        return -ENOMEM;
    health_init(job->health, spec_health(job->c.spec), &job->more->probes, health_changed, job);
    return 0;
}

static const struct job_handlers handlers = {.main_gone = foreign_main_ended,
                                             .heard = job_heard,
                                             .ready = {all_ready, not_ready},
                                             .name_changed = name_changed,
                                             .idle_over = waited_long_enough};

int job_init(struct job *job, const struct job_context *c)
{
    int r;

    *job = (struct job){.c = *c,
                        .timer = {.fn = deadline},
                        .tree = {.cgroup_fd = -1, .fn = tree_changed},
                        .notify_access = first_access(c->spec)};
    fsm_init(&job->fsm, c->spec);
    job->since = realtime_usec();
    r = job_make_more(job, &handlers);
    if (r >= 0)
        r = make_output(job);
    if (r >= 0)
        r = make_health(job);
    if (r < 0)
        job_done(job);
    return r;
}

void job_start(struct job *job)
{
    job->comes_back = false;
    job_step(job, (struct fsm_input){.event = EV_START});
}

void job_stop(struct job *job)
{
    job->stop_asked = true;
    job_step(job, (struct fsm_input){.event = EV_STOP});
}

int job_reload(struct job *job)
{
    unsigned actions = job_step(job, (struct fsm_input){.event = EV_RELOAD});

    return actions & ACT_REFUSED ? -EAGAIN : actions & ACT_RELOADED ? 0 : 1;
}

void job_done(struct job *job)
{
    loop_arm(job->c.common->loop, &job->timer, USEC_INFINITY);
    if (job->pid > 0 && job->c.spec->kill_mode != KILL_NONE)
        (void)job_act(job, ACT_KILL);
    if (job->more)
        loop_close(job->c.common->loop, &job->more->main_end);
    job->ready = ready_free(job->ready);
    if (job->health)
        health_end(job->health);
    job_close(job);
    for (size_t i = 0; job->output && i < ARRAY_SIZE(job->output->streams); i++)
        output_done(&job->output->streams[i]);
    if (job->output)
        ring_done(&job->output->ring);
    job_forget_spawn(job);
    free(job->output);
    free(job->health);
    job->more = job_free_more(job->more);
    job_take_back(job);
    free(job->why);
    free(job->error);
    job->output = NULL;
    job->health = NULL;
    job->why = NULL;
    job->error = NULL;
}
