/* The start of a life, from ExecCondition= to the moment when the job is up. */
#include "fsm_rules.h"
#include "usec.h"

/* systemd.service(5), TimeoutStartSec=: oneshot has none unless it is given. Each state has it anew, as there. */
uint64_t fsm_start_deadline(const struct jobspec *d, const struct fsm_input *in)
{
    return d->type == TYPE_ONESHOT && !d->timeout_start_set ? USEC_INFINITY : fsm_after(in->now, d->timeout_start);
}

/* What may happen to a job that is up and does nothing: its watchdog, RuntimeMaxSec=. */
uint64_t fsm_up_deadline(const struct fsm *f)
{
    return f->fed_until < f->runtime_end ? f->fed_until : f->runtime_end;
}

void fsm_feed(struct fsm *f, const struct fsm_input *in)
{
    f->fed_until = f->watchdog_usec ? fsm_after(in->now, f->watchdog_usec) : USEC_INFINITY;
    if (f->state == JOB_UP)
        f->deadline = fsm_up_deadline(f);
}

/* systemd.service(5), ExecStart=: Type=oneshot may have none, or several, one after the other. */
static unsigned run(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    if (f->command >= d->start.n)
        return fsm_started(f, d, in);
    fsm_enter(f, JOB_STARTING, fsm_start_deadline(d, in));
    f->main = true;
    return ACT_RUN;
}

static unsigned prepare(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    if (jobspec_commands(d, EXEC_START_PRE)->n)
        return fsm_command(f, JOB_START_PRE, EXEC_START_PRE, fsm_start_deadline(d, in));
    return run(f, d, in);
}

FSM_RULE(fsm_begin)
{
    unsigned actions = fsm_cancel(f);

    f->result = RESULT_SUCCESS;
    f->stop_asked = f->reload_failed = f->unhealthy = f->left = f->headless = false;
    f->exit_code = f->exit_status = 0;
    f->command = 0;
    f->up_since = 0;
    f->watchdog_usec = d->watchdog_usec;
    if (!fsm_count_start(f, d, in->now)) {
        f->result = RESULT_START_LIMIT_HIT;
        return actions | fsm_end(f, JOB_FAILED);
    }
    f->started = in->now;
    if (jobspec_commands(d, EXEC_CONDITION)->n)
        return actions | fsm_command(f, JOB_CONDITION, EXEC_CONDITION, fsm_start_deadline(d, in));
    return actions | prepare(f, d, in);
}

/* Somebody has looked at it: the delays begin anew. */
FSM_RULE(fsm_start)
{
    if (f->main)
        return ACT_REFUSED;
    f->growth = 0;
    return fsm_begin(f, d, in);
}

FSM_RULE(fsm_condition_ended)
{
    fsm_blame(f, fsm_judge_condition(d, in));
    return f->result == RESULT_SUCCESS ? prepare(f, d, in) : fsm_terminate(f, d, in);
}

/* systemd.service(5), ExecStartPre=: what it has left behind is killed before the main process is run. */
FSM_RULE(fsm_pre_ended)
{
    fsm_blame(f, fsm_judge(f, d, in));
    return f->result == RESULT_SUCCESS ? ACT_KILL | run(f, d, in) : fsm_terminate(f, d, in);
}

/* The start, or a reload, is over, and so may be the main process: systemd.service(5), Type=oneshot, RemainAfterExit=,
 * ExitType=. */
FSM_RULE(fsm_settle)
{
    if (f->main || f->headless) {
        fsm_enter(f, JOB_UP, USEC_INFINITY);
        fsm_feed(f, in);
        return 0;
    }
    if (f->result != RESULT_SUCCESS || !d->remain_after_exit)
        return fsm_wind_down(f, d, in);
    fsm_enter(f, JOB_EXITED, USEC_INFINITY);
    return 0;
}

/* What has ended by now is up for no time, but it has been. */
static unsigned up(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    f->up_since = in->now;
    f->runtime_end = fsm_runtime_end(d, in);
    return ACT_READY | fsm_settle(f, d, in);
}

FSM_RULE(fsm_started)
{
    if (jobspec_commands(d, EXEC_START_POST)->n)
        return fsm_command(f, JOB_START_POST, EXEC_START_POST, fsm_start_deadline(d, in));
    return up(f, d, in);
}

FSM_RULE(fsm_executed)
{
    return fsm_is_up_by_exec(d) ? fsm_started(f, d, in) : 0;
}

FSM_RULE(fsm_ready)
{
    return d->type == TYPE_ONESHOT ? 0 : fsm_started(f, d, in);
}

/* The end of the main process before it was ready. With oneshot it is what was waited for; what would have been up
 * by its exec, whose failure does not matter ("-"), has been. */
FSM_RULE(fsm_ended_early)
{
    fsm_blame(f, fsm_judge(f, d, in));
    if (d->type == TYPE_ONESHOT && f->result == RESULT_SUCCESS) {
        f->command++;
        return run(f, d, in);
    }
    if (in->event == EV_NOSTART && f->result == RESULT_SUCCESS && fsm_is_up_by_exec(d))
        return fsm_started(f, d, in);
    fsm_blame(f, RESULT_PROTOCOL); /* it has ended well, but was never ready */
    return fsm_terminate(f, d, in);
}

/* If the main process has ended meanwhile, badly, then this start has failed, too. */
FSM_RULE(fsm_start_post_ended)
{
    fsm_blame(f, fsm_judge(f, d, in));
    return f->result == RESULT_SUCCESS ? up(f, d, in) : ACT_STOPPING | fsm_terminate(f, d, in);
}

FSM_RULE(fsm_start_late)
{
    fsm_blame(f, RESULT_TIMEOUT);
    return ACT_STOPPING | fsm_end_late(f, d, in, d->timeout_start_failure);
}
