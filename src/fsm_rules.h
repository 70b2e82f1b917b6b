/* What fsm.c is made of: the questions that directives answer (fsm_rules.c) and the end of a life (fsm_end.c). */
#pragma once
#include "fsm.h"

/* A rule: what an event means in a state. Returns actions. */
#define FSM_RULE(name) unsigned name(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)

/* @now + @span, USEC_INFINITY if that is beyond all times. */
uint64_t fsm_after(uint64_t now, uint64_t span);

/* The result that the event stands for. */
enum job_result fsm_judge(const struct fsm *f, const struct jobspec *d, const struct fsm_input *in);

/* systemd.service(5), ExecCondition=: and what its end means. */
enum job_result fsm_judge_condition(const struct jobspec *d, const struct fsm_input *in);

/* Does the start end when the main process runs? */
bool fsm_is_up_by_exec(const struct jobspec *d);

/* systemd.service(5), TimeoutAbortSec=. */
uint64_t fsm_timeout_abort(const struct jobspec *d);

/* When RuntimeMaxSec= is over, if the job is up now. */
uint64_t fsm_runtime_end(const struct jobspec *d, const struct fsm_input *in);

/* Counts one more start; false: StartLimitBurst= is reached, it is none. */
bool fsm_count_start(struct fsm *f, const struct jobspec *d, uint64_t now);

/* Restart=: is it started again, as this life has ended? */
bool fsm_wants_restart(const struct fsm *f, const struct jobspec *d);

/* It leaves UP: what was before is forgiven if it has been up for RestartResetSec=. */
void fsm_forgive(struct fsm *f, const struct jobspec *d, uint64_t now);

/* How long to wait before the next restart. */
uint64_t fsm_restart_delay(const struct fsm *f, const struct jobspec *d, const struct fsm_input *in);

/* The first thing that goes wrong names the result. */
static inline void fsm_blame(struct fsm *f, enum job_result result)
{
    if (f->result == RESULT_SUCCESS)
        f->result = result;
}

static inline void fsm_enter(struct fsm *f, enum job_state state, uint64_t deadline)
{
    f->state = state;
    f->deadline = deadline;
}

/* A command that still runs, and is not waited for any more, never meets the next one. */
static inline unsigned fsm_cancel(struct fsm *f)
{
    unsigned actions = f->control ? ACT_CANCEL : 0;

    f->control = false;
    return actions;
}

static inline unsigned fsm_command(struct fsm *f, enum job_state state, enum exec_list list, uint64_t deadline)
{
    unsigned actions = fsm_cancel(f);

    fsm_enter(f, state, deadline);
    f->list = list;
    f->control = true;
    return actions | ACT_CONTROL;
}

/* A new life, within the start limit. Nothing of the last one is left. */
FSM_RULE(fsm_begin);

/* The deadlines of a step of the start, and of a job that is up; the latter's watchdog has just been fed. */
uint64_t fsm_start_deadline(const struct jobspec *d, const struct fsm_input *in);
uint64_t fsm_up_deadline(const struct fsm *f);
void fsm_feed(struct fsm *f, const struct fsm_input *in);

/* The rules of the start. */
FSM_RULE(fsm_start);            /* somebody asks for it */
FSM_RULE(fsm_condition_ended);  /* ExecCondition= */
FSM_RULE(fsm_pre_ended);        /* ExecStartPre= */
FSM_RULE(fsm_executed);         /* the main process runs its program */
FSM_RULE(fsm_ready);
FSM_RULE(fsm_started);          /* it is ready, whoever says so */
FSM_RULE(fsm_ended_early);      /* the main process has ended before */
FSM_RULE(fsm_start_post_ended); /* ExecStartPost= */
FSM_RULE(fsm_start_late);       /* TimeoutStartSec= is over */
FSM_RULE(fsm_settle);           /* the start, or a reload, is over: up, exited, or what else it is */

/* The end of a life begins: ExecStop= if it was up, and fsm_terminate(). */
FSM_RULE(fsm_wind_down);

/* KillSignal= to what KillMode= lets us signal, if that is anything. */
FSM_RULE(fsm_terminate);

/* It has taken too long, and it is to end as TimeoutStartFailureMode= or TimeoutStopFailureMode= has it:
 * WatchdogSignal= or FinalKillSignal= at once, where there is somebody to get it. */
unsigned fsm_end_late(struct fsm *f, const struct jobspec *d, const struct fsm_input *in, enum timeout_failure mode);

/* It is over for good. */
unsigned fsm_end(struct fsm *f, enum job_state state);

/* The rules of the states from STOP to FINAL_KILL. */
FSM_RULE(fsm_blamed);      /* one more thing has gone wrong, or nothing has */
FSM_RULE(fsm_terminated);  /* the same, and the processes are the next */
FSM_RULE(fsm_stop_late);   /* ExecStop= should have ended by now */
FSM_RULE(fsm_overdue);     /* KillSignal= should have ended them by now */
FSM_RULE(fsm_kill);        /* so should WatchdogSignal= */
FSM_RULE(fsm_give_up);     /* they should have been killed by now */
FSM_RULE(fsm_main_ended);  /* one of them has ended */
FSM_RULE(fsm_empty);       /* all of them */
FSM_RULE(fsm_post_ended);  /* ExecStopPost= has ended, or should have */
