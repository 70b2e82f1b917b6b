/* The state machine of a job. One table says what each event means in each state; each rule is a few lines without
 * a system call or a clock, so that the whole life of a job can be simulated. Here are the start and the time up; how a
 * life ends is in fsm_end.c, what the directives say of single questions (clean? again? when?) in fsm_rules.c. */
#include "fsm_rules.h"
#include "usec.h"

static const char *const state_names[] = {
#define X(id, name) [JOB_##id] = name,
    JOB_STATES(X)
#undef X
};

static const char *const result_names[] = {
#define X(id, name) [RESULT_##id] = name,
    JOB_RESULTS(X)
#undef X
};

const char *job_state_name(enum job_state s)
{
    return state_names[s];
}

const char *job_result_name(enum job_result r)
{
    return result_names[r];
}

/* systemd.service(5), TimeoutStartSec=: oneshot has none unless it is given. Each state has it anew, as there. */
static uint64_t start_deadline(const struct jobspec *d, const struct fsm_input *in)
{
    return d->type == TYPE_ONESHOT && !d->timeout_start_set ? USEC_INFINITY : fsm_after(in->now, d->timeout_start);
}

static uint64_t watchdog_deadline(const struct fsm *f, const struct fsm_input *in)
{
    return f->watchdog_usec ? fsm_after(in->now, f->watchdog_usec) : USEC_INFINITY;
}

static FSM_RULE(ignore)
{
    return 0;
}

static FSM_RULE(refuse)
{
    return ACT_REFUSED;
}

static FSM_RULE(extend)
{
    uint64_t later = fsm_after(in->now, in->usec);

    if (f->deadline != USEC_INFINITY && later > f->deadline)
        f->deadline = later;
    return 0;
}

/* ---- the start ---- */

static unsigned run(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    fsm_enter(f, JOB_STARTING, start_deadline(d, in));
    f->main = true;
    return ACT_RUN;
}

FSM_RULE(fsm_begin)
{
    unsigned actions = fsm_cancel(f);

    f->result = RESULT_SUCCESS;
    f->stop_asked = f->again_asked = f->reload_failed = f->unhealthy = f->left = false;
    f->exit_code = f->exit_status = 0;
    f->up_since = 0;
    f->watchdog_usec = d->watchdog_usec;
    if (!fsm_count_start(f, d, in->now)) {
        f->result = RESULT_START_LIMIT_HIT;
        return actions | fsm_end(f, JOB_FAILED);
    }
    f->started = in->now;
    if (d->exec[EXEC_START_PRE].n)
        return actions | fsm_command(f, JOB_START_PRE, EXEC_START_PRE, start_deadline(d, in));
    return actions | run(f, d, in);
}

/* Somebody has looked at it: the delays begin anew. */
static FSM_RULE(start)
{
    if (f->main)
        return ACT_REFUSED;
    f->growth = 0;
    return fsm_begin(f, d, in);
}

/* systemd.service(5), ExecStartPre=: what it has left behind is killed before the main process is run. */
static FSM_RULE(pre_ended)
{
    fsm_blame(f, fsm_judge(d, in));
    return f->result == RESULT_SUCCESS ? ACT_KILL | run(f, d, in) : fsm_terminate(f, d, in);
}

/* systemd.service(5), Type=oneshot: what has ended by now is up for no time, but it has been. */
static unsigned up(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    f->up_since = in->now;
    fsm_enter(f, JOB_UP, watchdog_deadline(f, in));
    return f->main ? ACT_READY : ACT_READY | fsm_wind_down(f, d, in);
}

static unsigned started(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    if (d->exec[EXEC_START_POST].n)
        return fsm_command(f, JOB_START_POST, EXEC_START_POST, start_deadline(d, in));
    return up(f, d, in);
}

static FSM_RULE(executed)
{
    bool at_once = (d->type == TYPE_SIMPLE || d->type == TYPE_EXEC) && d->ready.n == 0;

    return at_once ? started(f, d, in) : 0;
}

static FSM_RULE(ready)
{
    return d->type == TYPE_ONESHOT ? 0 : started(f, d, in);
}

static FSM_RULE(ended_early)
{
    fsm_blame(f, fsm_judge(d, in));
    if (d->type == TYPE_ONESHOT && f->result == RESULT_SUCCESS)
        return started(f, d, in);
    fsm_blame(f, RESULT_PROTOCOL); /* it has ended well, but was never ready */
    return fsm_terminate(f, d, in);
}

/* If the main process has ended meanwhile, badly, then this start has failed, too. */
static FSM_RULE(post_ended)
{
    fsm_blame(f, fsm_judge(d, in));
    return f->result == RESULT_SUCCESS ? up(f, d, in) : ACT_STOPPING | fsm_terminate(f, d, in);
}

/* ---- while it is up ---- */

static FSM_RULE(ping)
{
    if (in->usec)
        f->watchdog_usec = in->usec;
    if (f->state == JOB_UP)
        f->deadline = watchdog_deadline(f, in);
    return 0;
}

/* systemd.service(5), Type=notify-reload: RELOADING=1 and READY=1 answer the signal; else nobody answers it. */
static FSM_RULE(reload)
{
    f->reload_failed = false;
    f->talk = RELOAD_SILENT;
    if (d->exec[EXEC_RELOAD].n)
        return ACT_RELOAD | fsm_command(f, JOB_RELOADING, EXEC_RELOAD, start_deadline(d, in));
    if (d->type != TYPE_NOTIFY_RELOAD)
        return ACT_RELOAD | ACT_RELOAD_SIGNAL | ACT_RELOADED;
    fsm_enter(f, JOB_RELOADING, start_deadline(d, in));
    return ACT_RELOAD | ACT_RELOAD_SIGNAL;
}

/* The child says RELOADING=1 by itself: it is up again when it says READY=1. */
static FSM_RULE(child_reloads)
{
    f->reload_failed = false;
    f->talk = RELOAD_BEGUN;
    fsm_enter(f, JOB_RELOADING, start_deadline(d, in));
    return ACT_RELOAD_SEEN;
}

static unsigned reloaded(struct fsm *f, const struct fsm_input *in)
{
    fsm_enter(f, JOB_UP, watchdog_deadline(f, in));
    return fsm_cancel(f) | ACT_RELOADED;
}

static FSM_RULE(reload_begun)
{
    f->talk = RELOAD_BEGUN;
    return 0;
}

static FSM_RULE(reload_ready)
{
    if (f->talk != RELOAD_BEGUN)
        return 0;
    f->talk = RELOAD_READY;
    return f->control ? 0 : reloaded(f, in);
}

/* ExecReload= has ended, or all took too long: it stays up, whatever came of it. notify-reload gets its signal after
 * the commands, unless they have made it reload; and where it has begun, it ends with READY=1. */
static FSM_RULE(reload_ended)
{
    f->reload_failed = fsm_judge(d, in) != RESULT_SUCCESS;
    if (f->reload_failed || f->talk == RELOAD_READY)
        return reloaded(f, in);
    if (f->talk == RELOAD_SILENT && d->type == TYPE_NOTIFY_RELOAD)
        return ACT_RELOAD_SIGNAL;
    return f->talk == RELOAD_BEGUN ? 0 : reloaded(f, in);
}

/* ---- what ends it ---- */

static FSM_RULE(quit)
{
    fsm_blame(f, fsm_judge(d, in));
    return ACT_STOPPING | fsm_wind_down(f, d, in);
}

static FSM_RULE(stop_later)
{
    f->stop_asked = true;
    f->again_asked = false;
    return 0;
}

static FSM_RULE(stop)
{
    return stop_later(f, d, in) | quit(f, d, in);
}

/* Nothing runs: this is the end. */
static FSM_RULE(stop_now)
{
    f->result = RESULT_SUCCESS;
    return stop_later(f, d, in) | fsm_end(f, JOB_DONE);
}

static FSM_RULE(again_later)
{
    f->again_asked = true;
    f->stop_asked = false;
    return 0;
}

static FSM_RULE(again)
{
    return again_later(f, d, in) | quit(f, d, in);
}

static FSM_RULE(unhealthy)
{
    f->unhealthy = true;
    return quit(f, d, in);
}

static FSM_RULE(ended)
{
    fsm_blame(f, fsm_judge(d, in));
    return fsm_wind_down(f, d, in);
}

/* systemd.service(5), WatchdogSec=: ExecStop= has nobody to talk to. */
static FSM_RULE(hang)
{
    fsm_blame(f, RESULT_WATCHDOG);
    if (f->up_since)
        fsm_forgive(f, d, in->now);
    if (!f->main || d->kill_mode == KILL_NONE)
        return ACT_STOPPING | fsm_terminate(f, d, in);
    fsm_enter(f, JOB_STOP_WATCHDOG, fsm_after(in->now, d->timeout_stop)); /* TimeoutAbortSec='s default */
    return ACT_STOPPING | ACT_WATCHDOG;
}

/* sd_notify(3), STOPPING=1: it ends by itself, and has the time of a stop for it, unless nothing ever ends it. */
static FSM_RULE(child_stops)
{
    unsigned actions;

    if (d->kill_mode == KILL_NONE)
        return 0;
    actions = fsm_cancel(f);
    fsm_forgive(f, d, in->now);
    fsm_enter(f, JOB_STOP_TERM, fsm_after(in->now, d->timeout_stop));
    return actions | ACT_STOPPING;
}

/* ---- the table ---- */

typedef FSM_RULE((*fsm_rule));

/* clang-format off */
static const fsm_rule rules[JOB_STATE_MAX][EV_MAX] = {
    /*  START   EXEC      NOSTART         CONTROL         READY         NOTREADY  RELOADING      RELOAD
        STOP        AGAIN        EXIT            EMPTY      ALIVE   PING    HANG    UNHEALTHY  STOPPING     TIME */
    [JOB_INACTIVE] = {
        start,  ignore,   ignore,         ignore,         ignore,       ignore,   ignore,        refuse,
        stop_now,   start,       ignore,         ignore,    ignore, ignore, ignore, ignore,    ignore,      ignore},
    [JOB_START_PRE] = {
        ignore, ignore,   ignore,         pre_ended,      ignore,       ignore,   ignore,        refuse,
        stop,       again,       ignore,         ignore,    extend, ping,   ignore, ignore,    ignore,      quit},
    [JOB_STARTING] = {
        ignore, executed, ended_early,    ignore,         ready,        quit,     ignore,        refuse,
        stop,       again,       ended_early,    ignore,    extend, ping,   ignore, ignore,    ignore,      quit},
    [JOB_START_POST] = {
        ignore, ignore,   ignore,         post_ended,     ignore,       ignore,   ignore,        refuse,
        stop,       again,       fsm_blamed,     ignore,    extend, ping,   hang,   ignore,    ignore,      quit},
    [JOB_UP] = {
        ignore, ignore,   ignore,         ignore,         ignore,       ignore,   child_reloads, reload,
        stop,       again,       ended,          ignore,    ignore, ping,   hang,   unhealthy, child_stops, hang},
    [JOB_RELOADING] = {
        ignore, ignore,   ignore,         reload_ended,   reload_ready, ignore,   reload_begun,  refuse,
        stop,       again,       ended,          ignore,    extend, ping,   hang,   unhealthy, child_stops, reload_ended},
    [JOB_STOP] = {
        ignore, ignore,   ignore,         fsm_terminated, ignore,       ignore,   ignore,        refuse,
        stop_later, again_later, fsm_blamed,     ignore,    extend, ignore, ignore, ignore,    ignore,      fsm_terminated},
    [JOB_STOP_WATCHDOG] = {
        ignore, ignore,   fsm_terminated, ignore,         ignore,       ignore,   ignore,        refuse,
        stop_later, again_later, fsm_terminated, ignore,    extend, ignore, ignore, ignore,    ignore,      fsm_overdue},
    [JOB_STOP_TERM] = {
        ignore, ignore,   fsm_main_ended, ignore,         ignore,       ignore,   ignore,        refuse,
        stop_later, again_later, fsm_main_ended, fsm_empty, extend, ignore, ignore, ignore,    ignore,      fsm_overdue},
    [JOB_STOP_KILL] = {
        ignore, ignore,   fsm_main_ended, ignore,         ignore,       ignore,   ignore,        refuse,
        stop_later, again_later, fsm_main_ended, fsm_empty, ignore, ignore, ignore, ignore,    ignore,      fsm_give_up},
    [JOB_STOP_POST] = {
        ignore, ignore,   ignore,         fsm_post_ended, ignore,       ignore,   ignore,        refuse,
        stop_later, again_later, fsm_blamed,     ignore,    extend, ignore, ignore, ignore,    ignore,      fsm_post_ended},
    [JOB_FINAL_KILL] = {
        ignore, ignore,   ignore,         ignore,         ignore,       ignore,   ignore,        refuse,
        stop_later, again_later, fsm_blamed,     fsm_empty, ignore, ignore, ignore, ignore,    ignore,      fsm_give_up},
    [JOB_RESTART] = {
        start,  ignore,   ignore,         ignore,         ignore,       ignore,   ignore,        refuse,
        stop_now,   start,       ignore,         ignore,    ignore, ignore, ignore, ignore,    ignore,      fsm_begin},
    [JOB_DONE] = {
        start,  ignore,   ignore,         ignore,         ignore,       ignore,   ignore,        refuse,
        ignore,     start,       ignore,         ignore,    ignore, ignore, ignore, ignore,    ignore,      ignore},
    [JOB_FAILED] = {
        start,  ignore,   ignore,         ignore,         ignore,       ignore,   ignore,        refuse,
        ignore,     start,       ignore,         ignore,    ignore, ignore, ignore, ignore,    ignore,      ignore},
};
/* clang-format on */

/* What is known of the processes. False: the event comes too late to mean anything, as the deadline has moved, or the
 * process was given up. */
static bool note(struct fsm *f, const struct fsm_input *in)
{
    bool known = true;

    if (in->event == EV_TIME)
        known = in->now >= f->deadline;
    if (in->event == EV_CONTROL) {
        known = f->control;
        f->control = false;
    }
    if (in->event == EV_EXIT || in->event == EV_NOSTART) {
        known = f->main;
        f->main = false;
        if (known) {
            f->exit_code = in->code;
            f->exit_status = in->status;
        }
    }
    return known;
}

void fsm_init(struct fsm *f, const struct jobspec *d)
{
    *f = (struct fsm){.state = JOB_INACTIVE, .deadline = USEC_INFINITY, .watchdog_usec = d->watchdog_usec};
}

bool fsm_over(const struct fsm *f)
{
    return f->state == JOB_DONE || f->state == JOB_FAILED;
}

unsigned fsm_step(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    unsigned actions = note(f, in) ? rules[f->state][in->event](f, d, in) : 0;

    if (f->deadline < in->now) /* it has passed while something else was done: TIME is the next event */
        f->deadline = in->now;
    return actions;
}
