/* The end of a life, from the last step to the first: wind_down (ExecStop=) -> terminate -> the processes are gone ->
 * post (ExecStopPost=) -> finish. A life that has failed early enters where the steps begin to make sense. */
#include "fsm_rules.h"
#include "usec.h"

/* systemd.kill(5): these two leave no process behind, so the last of them is waited for. */
static bool kills_all(const struct jobspec *d)
{
    return d->kill_mode == KILL_CONTROL_GROUP || d->kill_mode == KILL_MIXED;
}

static uint64_t stop_deadline(const struct jobspec *d, const struct fsm_input *in)
{
    return fsm_after(in->now, d->timeout_stop);
}

unsigned fsm_end(struct fsm *f, enum job_state state)
{
    fsm_enter(f, state, USEC_INFINITY);
    return fsm_cancel(f) | ACT_END;
}

static unsigned restart(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    uint64_t delay = fsm_restart_delay(f, d, in);

    f->restarts++;
    f->growth++;
    fsm_enter(f, JOB_RESTART, fsm_after(in->now, delay));
    return fsm_cancel(f) | ACT_AGAIN;
}

/* Nothing is started beside a process that could not be ended. There are never two main processes; and of the others
 * systemd.kill(5), SendSIGKILL=, says that a service "will not restart if processes from prior services exist". */
static unsigned finish(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    bool restarts = fsm_wants_restart(f, d);

    if (!f->main && !f->left && restarts)
        return restart(f, d, in);
    if (restarts)
        fsm_blame(f, RESULT_TIMEOUT);
    return fsm_end(f, f->result == RESULT_SUCCESS || f->result == RESULT_EXEC_CONDITION ? JOB_DONE : JOB_FAILED);
}

static unsigned post(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    if (jobspec_commands(d, EXEC_STOP_POST)->n)
        return fsm_command(f, JOB_STOP_POST, EXEC_STOP_POST, stop_deadline(d, in));
    return finish(f, d, in);
}

/* What ExecStopPost= has left behind goes, too. */
FSM_RULE(fsm_post_ended)
{
    unsigned actions = fsm_cancel(f);

    fsm_blame(f, fsm_judge(f, d, in));
    if (!kills_all(d) || !d->send_sigkill)
        return actions | finish(f, d, in);
    fsm_enter(f, JOB_FINAL_KILL, stop_deadline(d, in));
    return actions | ACT_KILL;
}

static unsigned gone(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    return f->state == JOB_FINAL_KILL ? finish(f, d, in) : post(f, d, in);
}

FSM_RULE(fsm_empty)
{
    if (f->main)
        return 0;
    f->control = f->left = false;
    return gone(f, d, in);
}

/* Not even FinalKillSignal= has ended it (a process in uninterruptible sleep): say so instead of waiting for ever. */
FSM_RULE(fsm_give_up)
{
    fsm_blame(f, RESULT_TIMEOUT);
    f->left = true;
    return gone(f, d, in);
}

FSM_RULE(fsm_kill)
{
    fsm_blame(f, RESULT_TIMEOUT);
    if (!d->send_sigkill)
        return fsm_give_up(f, d, in);
    fsm_enter(f, JOB_STOP_KILL, stop_deadline(d, in));
    return ACT_KILL;
}

FSM_RULE(fsm_overdue)
{
    fsm_blame(f, RESULT_TIMEOUT);
    if (d->timeout_stop_failure != TIMEOUT_ABORT || !f->main)
        return fsm_kill(f, d, in);
    return fsm_end_late(f, d, in, TIMEOUT_ABORT);
}

/* systemd.kill(5), KillMode=mixed: when the main process is gone the rest gets its SIGKILL. */
static unsigned kill_mixed(const struct fsm *f, const struct jobspec *d)
{
    return d->kill_mode == KILL_MIXED && !f->main && d->send_sigkill ? ACT_KILL : 0;
}

FSM_RULE(fsm_main_ended)
{
    fsm_blame(f, fsm_judge(f, d, in));
    if (!kills_all(d))
        return post(f, d, in);
    return f->state == JOB_STOP_TERM ? kill_mixed(f, d) : 0;
}

FSM_RULE(fsm_terminate)
{
    unsigned actions = d->kill_mode == KILL_CONTROL_GROUP ? 0 : fsm_cancel(f); /* which signals the command, too */

    if (d->kill_mode == KILL_NONE || (d->kill_mode == KILL_PROCESS && !f->main))
        return actions | post(f, d, in);
    fsm_enter(f, JOB_STOP_TERM, stop_deadline(d, in));
    if (d->kill_mode == KILL_MIXED && !f->main)
        return actions | kill_mixed(f, d);
    return actions | ACT_TERM;
}

unsigned fsm_end_late(struct fsm *f, const struct jobspec *d, const struct fsm_input *in, enum timeout_failure mode)
{
    if (d->kill_mode == KILL_NONE || (mode == TIMEOUT_ABORT && !f->main) || (d->kill_mode == KILL_PROCESS && !f->main))
        return fsm_terminate(f, d, in);
    if (mode == TIMEOUT_KILL && d->send_sigkill)
        return fsm_kill(f, d, in);
    if (mode != TIMEOUT_ABORT)
        return fsm_terminate(f, d, in);
    fsm_enter(f, JOB_STOP_WATCHDOG, fsm_after(in->now, fsm_timeout_abort(d)));
    return ACT_WATCHDOG;
}

FSM_RULE(fsm_stop_late)
{
    fsm_blame(f, RESULT_TIMEOUT);
    return fsm_end_late(f, d, in, d->timeout_stop_failure);
}

FSM_RULE(fsm_terminated)
{
    fsm_blame(f, fsm_judge(f, d, in));
    return fsm_terminate(f, d, in);
}

/* systemd.service(5), ExecStop=: "only executed when the service started successfully first". */
FSM_RULE(fsm_wind_down)
{
    if (f->up_since)
        fsm_forgive(f, d, in->now);
    if (f->up_since && jobspec_commands(d, EXEC_STOP)->n)
        return fsm_command(f, JOB_STOP, EXEC_STOP, stop_deadline(d, in));
    return fsm_terminate(f, d, in);
}

FSM_RULE(fsm_blamed)
{
    fsm_blame(f, fsm_judge(f, d, in));
    return 0;
}
