/* The hands of one job. Everything that happens becomes an event for fsm_step(), and what it answers is carried out in
 * one place, act(). Nothing else here knows states. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include "cleanup.h"
#include "job.h"
#include "parse.h"
#include "self.h"
#include "systemd.h"

/* To the whole group where it has one of its own, so that a shell's children hear it, too. Until it is reaped, the PID
 * and the group's number cannot be anybody else's. */
static void signal_job(const struct job *job, int sig)
{
    if (job->pid > 0)
        (void)kill(job->c.spawn->own_group ? -job->pid : job->pid, sig);
}

/* Where the group has no leader any more, what is left of it is still found by its number. */
static void kill_rest(const struct job *job)
{
    if (job->pid > 0 && (job->c.spawn->own_group || job->exit_code == 0))
        signal_job(job, SIGKILL);
}

static void act(struct job *job, unsigned actions)
{
    if (actions & ACT_RELOAD)
        (void)kill(job->pid, SIGHUP);
    if (actions & ACT_TERM)
        signal_job(job, job->c.spec->kill_signal);
    if (actions & ACT_KILL)
        kill_rest(job);
    if (actions & ACT_READY)
        output_forget_tail(&job->out[STREAM_STDERR]);
    if (actions & ACT_END) {
        notifysock_close(&job->notify);
        job->pid = 0;
    }
}

static unsigned step(struct job *job, struct fsm_input in)
{
    enum job_state before = job->fsm.state;
    unsigned actions;

    in.now = now_usec();
    actions = fsm_step(&job->fsm, job->c.spec, &in);
    if (job->fsm.state != before)
        job->since = realtime_usec();
    if (actions & ACT_READY)
        job->up_once = true;
    loop_arm(job->c.loop, &job->timer, job->fsm.deadline);
    if (actions)
        job->c.ops->acting(job->c.ops_ctx, job, actions);
    act(job, actions);
    return actions;
}

static int deadline(struct timer *t)
{
    struct job *job = CONTAINER_OF(t, struct job, timer);

    step(job, (struct fsm_input){.event = EV_TIME});
    return 0;
}

static void got_status(struct job *job, const struct notifymsg *m)
{
    free(job->status_text);
    job->status_text = m->status_len ? strndup(m->status, m->status_len) : NULL;
    job->c.ops->status(job->c.ops_ctx, job);
}

/* NotifyAccess=main: only the main process speaks for the job. */
static void got_notify(void *ctx, pid_t pid, const struct notifymsg *m)
{
    struct job *job = ctx;

    if (pid != job->pid)
        return;
    if (m->status)
        got_status(job, m);
    if (m->extend_timeout_usec)
        step(job, (struct fsm_input){.event = EV_ALIVE, .usec = m->extend_timeout_usec});
    if (job->fsm.state == JOB_STARTING && !m->ready)
        job->c.ops->alive(job->c.ops_ctx, job,
                          m->extend_timeout_usec ? m->extend_timeout_usec : job->c.spec->timeout_start);
    if (m->reloading)
        step(job, (struct fsm_input){.event = EV_RELOADING});
    if (m->ready)
        step(job, (struct fsm_input){.event = EV_READY});
}

void job_init(struct job *job, const struct job_context *c)
{
    *job = (struct job){.c = *c, .timer = {.fn = deadline}, .notify = {.watch = {.fd = -1}}};
    for (size_t i = 0; i < ARRAY_SIZE(job->out); i++)
        job->out[i].watch.fd = -1;
    fsm_init(&job->fsm, c->spec, now_usec());
    job->since = realtime_usec();
}

static int open_stream(struct job *job, enum log_stream stream, int *ret_fd)
{
    static const int priorities[2] = {[STREAM_STDOUT] = LOG_INFO, [STREAM_STDERR] = LOG_ERR};
    const struct jobspec *d = job->c.spec;

    if (job->c.route == OUTPUT_PIPE)
        return output_open(&job->out[stream], job->c.loop, job->c.log, d, stream, ret_fd);
    return *ret_fd = systemd_journal_stream(jobspec_identifier(d), d->syslog_facility | priorities[stream]);
}

/* Opens where the child's output goes; the child's ends are the caller's to close. */
static int open_output(struct job *job, int child_fds[2])
{
    int r;

    if (job->c.route == OUTPUT_INHERIT)
        return 0;
    r = open_stream(job, STREAM_STDOUT, &child_fds[0]);
    if (r < 0)
        return spawn_fail(&job->error, EXIT_STDOUT, -r, "standard output");
    r = open_stream(job, STREAM_STDERR, &child_fds[1]);
    return r < 0 ? spawn_fail(&job->error, EXIT_STDERR, -r, "standard error") : 0;
}

static int open_notify(struct job *job)
{
    uid_t uid = job->c.spawn->drop ? job->c.spawn->uid : self_uid();
    int r;

    if (job->c.spec->type != TYPE_NOTIFY)
        return 0;
    r = notifysock_open(&job->notify, job->c.loop, job->c.notify_path, uid, got_notify, job);
    return r < 0 ? spawn_fail(&job->error, EXIT_FDS, -r, "the notify socket %s", job->c.notify_path) : 0;
}

void job_start(struct job *job)
{
    int fds[2] = {-1, -1};
    int r;

    loop_arm(job->c.loop, &job->timer, job->fsm.deadline);
    r = open_notify(job);
    if (r >= 0)
        r = open_output(job, fds);
    if (r >= 0)
        r = spawn_run(job->c.spawn, fds[0], fds[1], &job->pid, &job->error);
    close_fd(fds[0]);
    close_fd(fds[1]);
    job->out[STREAM_STDOUT].pid = job->out[STREAM_STDERR].pid = job->pid;
    if (r >= 0)
        job->c.ops->started(job->c.ops_ctx, job);
    step(job, (struct fsm_input){.event = r < 0 ? EV_NOSTART : EV_EXEC});
}

void job_stop(struct job *job)
{
    job->stop_asked = true;
    step(job, (struct fsm_input){.event = EV_STOP});
}

int job_reload(struct job *job)
{
    return step(job, (struct fsm_input){.event = EV_RELOAD}) & ACT_REFUSED ? -EAGAIN : 0;
}

void job_ended(struct job *job, const siginfo_t *info)
{
    /* What it said before it died comes first. */
    notifysock_drain(&job->notify);
    for (size_t i = 0; i < ARRAY_SIZE(job->out); i++)
        output_close(&job->out[i]);
    job->exit_code = info->si_code;
    job->exit_status = info->si_status;
    step(job, (struct fsm_input){.event = EV_EXIT, .code = info->si_code, .status = info->si_status});
}

void job_done(struct job *job)
{
    loop_arm(job->c.loop, &job->timer, USEC_INFINITY);
    signal_job(job, SIGKILL);
    for (size_t i = 0; i < ARRAY_SIZE(job->out); i++) {
        output_close(&job->out[i]);
        output_forget_tail(&job->out[i]);
    }
    notifysock_close(&job->notify);
    free(job->status_text);
    job->status_text = NULL;
}

void job_status(const struct job *job, struct job_status *ret)
{
    *ret = (struct job_status){
        .name = job->c.spec->name,
        .state = job->fsm.state,
        .result = job->fsm.result,
        .main_pid = job->pid,
        .argv = job->c.spec->argv,
        .since = job->since,
        .status_text = job->status_text,
        .exit_code = job->exit_code,
        .exit_status = job->exit_status,
    };
}

bool job_over(const struct job *job)
{
    return job->fsm.state == JOB_DONE || job->fsm.state == JOB_FAILED;
}

void job_explain_exit(const struct job *job, struct textbuf *b)
{
    char name[16];

    if (job->exit_code == CLD_EXITED)
        textbuf_printf(b, "ended with %d", job->exit_status);
    else
        textbuf_printf(b, "was killed by %s%s", signal_name(job->exit_status, name),
                       job->exit_code == CLD_DUMPED ? " (core dumped)" : "");
}

void job_explain(const struct job *job, struct textbuf *b)
{
    if (job->error.what[0])
        textbuf_puts(b, job->error.what);
    else if (job->fsm.result == RESULT_TIMEOUT && !job->up_once)
        textbuf_printf(b, "was not ready within %g s (TimeoutStartSec=)", (double)job->c.spec->timeout_start / 1e6);
    else if (job->exit_code) {
        job_explain_exit(job, b);
        if (!job->up_once)
            textbuf_puts(b, job->fsm.result == RESULT_PROTOCOL ? " before it said READY=1" : " before it was up");
        else if (job->fsm.result == RESULT_TIMEOUT)
            textbuf_puts(b, ", it did not stop in time (TimeoutStopSec=)");
    } else
        textbuf_puts(b, "could not be killed");
}

int job_exit_status(const struct job *job)
{
    if (job->fsm.result == RESULT_SUCCESS && (job->stop_asked || job->exit_code == CLD_EXITED))
        return 0;
    if (job->error.what[0])
        return (int)job->error.exit_status;
    if (job->fsm.result == RESULT_TIMEOUT && !job->up_once)
        return 1;
    if (job->exit_code == CLD_EXITED)
        return job->exit_status ? job->exit_status : 1;
    return job->exit_code ? 128 + job->exit_status : 1;
}
