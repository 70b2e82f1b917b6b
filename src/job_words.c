/* A job in words: for the log, for whoever waits above, for the control socket. */
#include <sys/wait.h>
#include <stdlib.h>
#include <string.h>
#include "job_step.h"
#include "parse.h"

const char *exec_list_name(enum exec_list list)
{
    static const char names[][16] = {[EXEC_CONDITION] = "ExecCondition=",
                                     [EXEC_START_PRE] = "ExecStartPre=",
                                     [EXEC_START] = "ExecStart=",
                                     [EXEC_START_POST] = "ExecStartPost=",
                                     [EXEC_RELOAD] = "ExecReload=",
                                     [EXEC_STOP] = "ExecStop=",
                                     [EXEC_STOP_POST] = "ExecStopPost="};

    return names[list];
}

bool job_is_ready(const struct job *job)
{
    return job->fsm.state == JOB_UP || job->fsm.state == JOB_RELOADING || job->fsm.state == JOB_EXITED;
}

bool job_is_healthy(const struct job *job)
{
    if (spec_health(job->c.spec)->health.kind == PROBE_NONE)
        return job_is_ready(job);
    return job_is_ready(job) && job_health_state(job) == HEALTH_HEALTHY;
}

enum health_state job_health_state(const struct job *job)
{
    return job->health ? job->health->state : HEALTH_UNKNOWN;
}

const char *job_health_reason(const struct job *job)
{
    return job->health ? job->health->reason : "";
}

const char *job_status_text(const struct job *job)
{
    return job->more ? job->more->status_text : NULL;
}

static int said_error(const struct job *job)
{
    return job->more ? job->more->said_error : 0;
}

int job_errno(const struct job *job)
{
    return job->error && job->error->error ? job->error->error : said_error(job);
}

char *job_tail(const struct job *job)
{
    return job->output ? output_tail(&job->output->streams[STREAM_STDERR]) : NULL;
}

char *job_last_lines(const struct job *job, unsigned n)
{
    return job->output ? ring_last(&job->output->ring, n, jobspec_identifier(job->c.spec)) : NULL;
}

static uint64_t dropped_lines(const struct job_output *o)
{
    return o ? output_dropped(&o->streams[STREAM_STDOUT]) + output_dropped(&o->streams[STREAM_STDERR]) : 0;
}

bool job_over(const struct job *job)
{
    return job->fsm.state != JOB_INACTIVE && fsm_over(&job->fsm);
}

/* A deadline on the clock of the wall. */
static uint64_t on_the_wall(uint64_t monotonic)
{
    return monotonic - now_usec() + realtime_usec();
}

void job_take_back(struct job *job)
{
    if (job->lent)
        free(job->lent->pids);
    free(job->lent);
    job->lent = NULL;
}

void job_status(struct job *job, struct job_status *ret)
{
    bool failed = job->fsm.state == JOB_FAILED;

    job_take_back(job);
    if ((job->ready || failed) && (job->lent = calloc(1, sizeof(*job->lent)))) {
        struct textbuf b = TEXTBUF(job->lent->readiness);

        if (failed)
            job_explain(job, &b);
        else
            ready_explain(job->ready, &b);
    }
    *ret = (struct job_status){
        .name = job->c.spec->name,
        .identifier = jobspec_identifier(job->c.spec),
        .state = job->fsm.state,
        .result = job->fsm.result,
        .main_pid = job->pid,
        .argv = jobspec_argv(job->c.spec),
        .since = job->since,
        .status_text = job_status_text(job),
        .exit_code = job->exit_code,
        .exit_status = job->exit_status,
        .exit_time = job->exit_time,
        .restarts = job->fsm.restarts,
        .next_start = job->fsm.state == JOB_RESTART ? on_the_wall(job->fsm.deadline) : 0,
        .ready = job_is_ready(job),
        .healthy = job_is_healthy(job),
        .readiness = job->lent && job->lent->readiness[0] ? job->lent->readiness : NULL,
        .health = spec_health(job->c.spec)->health.kind == PROBE_NONE ? NULL : health_name(job_health_state(job)),
        .health_reason = job_health_reason(job)[0] ? job_health_reason(job) : NULL,
        .memory = UINT64_MAX,
        .cpu_usec = UINT64_MAX,
        .dropped_lines = dropped_lines(job->output),
    };
}

void job_status_of_tree(struct job *job, struct job_status *ret)
{
    struct tree_usage usage;
    int n;

    job_status(job, ret);
    if (!job->lent)
        job->lent = calloc(1, sizeof(*job->lent));
    if (!job->opened || !job->lent)
        return;
    n = tree_pids(&job->tree, &job->lent->pids);
    ret->pids = job->lent->pids;
    ret->n_pids = n > 0 ? (size_t)n : 0;
    if (tree_usage(&job->tree, &usage) < 0)
        return;
    ret->memory = usage.memory;
    ret->cpu_usec = usage.cpu_usec;
}

void job_explain_exit(int code, int status, struct textbuf *b)
{
    char name[16];

    if (code == CLD_EXITED)
        textbuf_printf(b, "ended with %d", status);
    else
        textbuf_printf(b, "was killed by %s%s", signal_name(status, name), code == CLD_DUMPED ? " (core dumped)" : "");
}

static void explain_timeout(const struct job *job, struct textbuf *b)
{
    if (!job->was_up) {
        textbuf_printf(b, "was not ready within %g s (TimeoutStartSec=)", (double)job->c.spec->timeout_start / 1e6);
        if (job->why)
            textbuf_printf(b, ": %s", job->why);
        return;
    }
    if (job->why) {
        textbuf_puts(b, job->why);
        return;
    }
    if (job->exit_code)
        job_explain_exit(job->exit_code, job->exit_status, b);
    textbuf_puts(b, job->exit_code ? ", it did not stop in time (TimeoutStopSec=)" : "could not be killed");
}

static void explain_exit(const struct job *job, struct textbuf *b)
{
    job_explain_exit(job->exit_code, job->exit_status, b);
    if (job->was_up)
        return;
    if (job->fsm.result == RESULT_PROTOCOL && job->c.spec->ready.n == 0 && job->c.spec->type != TYPE_FORKING)
        textbuf_puts(b, " before it said READY=1");
    else
        textbuf_puts(b, " before it was up");
}

const char *job_why_ended(const struct job *job)
{
    enum job_result result = job->fsm.result;

    if (result == RESULT_TIMEOUT)
        return job->was_up && job->why ? job->why : "it took too long";
    if (result == RESULT_WATCHDOG)
        return "its watchdog was not fed, or it is unhealthy";
    if (result == RESULT_PROTOCOL)
        return "it will never be ready";
    if (result == RESULT_OOM_KILL)
        return "the kernel has killed one of its processes for want of memory";
    if (job_health_state(job) == HEALTH_UNHEALTHY)
        return "it is unhealthy";
    return job->why ? job->why : "to be started again";
}

/* The last life, whatever came after it. */
static void explain_life(const struct job *job, struct textbuf *b)
{
    if (job->error)
        textbuf_puts(b, job->error->what);
    else if (job->fsm.result == RESULT_SUCCESS && job->why)
        textbuf_puts(b, job->why);
    else if (job->fsm.result == RESULT_TIMEOUT)
        explain_timeout(job, b);
    else if (job->fsm.result == RESULT_WATCHDOG)
        textbuf_puts(b, job->why ? job->why : "said nothing for WatchdogSec=");
    else if (job->fsm.result == RESULT_PROTOCOL && job->why)
        textbuf_puts(b, job->why);
    else if (job->exit_code)
        explain_exit(job, b);
    else
        textbuf_puts(b, "a command before it failed");
    if (said_error(job))
        textbuf_printf(b, ": %s (ERRNO=)", strerror(said_error(job)));
}

void job_explain(const struct job *job, struct textbuf *b)
{
    explain_life(job, b);
    if (job->fsm.result == RESULT_START_LIMIT_HIT)
        textbuf_printf(b, "; started %d times in %g s (StartLimitBurst=)", job->c.spec->start_limit_burst,
                       (double)job->c.spec->start_limit_interval / 1e6);
}

int job_exit_status(const struct job *job)
{
    if (job->fsm.result == RESULT_SUCCESS && (job->stop_asked || job->exit_code == CLD_EXITED))
        return job->stop_asked ? 0 : job->exit_status;
    if (job->error)
        return (int)job->error->exit_status;
    if (job->fsm.result == RESULT_EXEC_CONDITION) /* it was not to be started, and that is no failure */
        return 0;
    if ((job->fsm.result == RESULT_PROTOCOL && job->why) || (job->fsm.result == RESULT_TIMEOUT && !job->up_once))
        return 1; /* how it ended is our doing */
    if (job->exit_code == CLD_EXITED)
        return job->exit_status ? job->exit_status : 1;
    return job->exit_code ? 128 + job->exit_status : 1;
}
