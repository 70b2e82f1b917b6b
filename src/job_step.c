/* The one way that all events of a job go: fsm_step() answers, job_act() carries it out. */
#include <string.h>
#include <sys/random.h>
#include <syslog.h>
#include "cleanup.h"
#include "job_step.h"
#include "textbuf.h"

/* Does the state machine wait for the last process to go? */
static bool waits_for_empty(const struct job *job)
{
    enum job_state s = job->fsm.state;

    return s == JOB_STOP_TERM || s == JOB_STOP_KILL || s == JOB_STOP_WATCHDOG || s == JOB_FINAL_KILL ||
           (s == JOB_UP && job->fsm.headless);
}

struct fsm_input job_look_around(struct job *job)
{
    bool seeks = job->fsm.state == JOB_STARTING && job->more && job->more->seek_usec;

    if (job->control || job->pid || job->idle || !(seeks || waits_for_empty(job)))
        return NOTHING;
    if (!tree_is_empty(&job->tree)) {
        tree_watch(&job->tree);
        return NOTHING;
    }
    if (job->fsm.main) /* the first process of a daemon that has left no other */
        return (struct fsm_input){.event = EV_EXIT, .code = job->exit_code, .status = job->exit_status};
    return (struct fsm_input){.event = EV_EMPTY};
}

static bool rests(enum job_state s)
{
    return s == JOB_INACTIVE || s == JOB_RESTART || s == JOB_DONE || s == JOB_FAILED;
}

/* What was made for a life goes with it (directories, credentials), before anybody hears of its end. Another one may
 * have begun in the same step. */
static void end_life(struct job *job, enum job_state before, uint64_t started)
{
    bool another = !rests(job->fsm.state) && !rests(before) && job->fsm.started != started;
    char why[256] = "";
    struct textbuf b = TEXTBUF(why);

    if (!job->spawn || (!another && (!rests(job->fsm.state) || job->fsm.state == before)))
        return;
    if (spawn_over(job->spawn, another || job->comes_back || job->fsm.state == JOB_RESTART, &b) < 0)
        log_stage(job->c.common->log, STAGE_STOPPED, LOG_WARNING, NULL, "%s", why);
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
        if ((job->c.spec->restart_steps > 0 || job->c.spec->restart_extra > 0 || job->c.spec->runtime_extra > 0) &&
            getrandom(&in.random, sizeof(in.random), GRND_NONBLOCK) < 0)
            in.random = (uint32_t)in.now;
        all |= actions = fsm_step(&job->fsm, job->c.spec, &in);
        if (job->fsm.state != before)
            job->since = realtime_usec();
        if (actions & ACT_READY)
            job->was_up = job->up_once = true;
        loop_arm(job->c.common->loop, &job->timer, job->fsm.deadline);
        end_life(job, before, started);
        if (actions)
            job->c.common->ops->acting(job->c.ops_ctx, job, actions);
        in = job_act(job, actions);
        /* The first look may find it ready at once, so it comes when the state machine knows that the process runs. */
        if (begins && job->ready)
            ready_begin(job->ready);
        if (in.event == EV_MAX)
            in = job_look_around(job);
    }
    return all;
}
