/* The state machine of a job. One table says what each event means in each state; each rule is a few lines without
 * a system call or a clock, so that the whole life of a job can be simulated. Here are the start and the time up; how a
 * life ends is in fsm_end.c, what the directives say of single questions (clean? again? when?) in fsm_rules.c. */
#include "fsm_rules.h"
#include "usec.h"

static const char state_names[][16] = {
#define X(id, name) [JOB_##id] = name,
    JOB_STATES(X)
#undef X
};

static const char result_names[][16] = {
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

/* systemd.service(5), RuntimeMaxSec=: while it is up EXTEND_TIMEOUT_USEC= puts its end off. */
static FSM_RULE(extend_runtime)
{
    uint64_t later = fsm_after(in->now, in->usec);

    if (f->runtime_end != USEC_INFINITY && later > f->runtime_end)
        f->runtime_end = later;
    f->deadline = fsm_up_deadline(f);
    return 0;
}

/* ---- while it is up ---- */

static FSM_RULE(ping)
{
    if (in->usec)
        f->watchdog_usec = in->usec;
    fsm_feed(f, in);
    return 0;
}

/* systemd.service(5), Type=notify-reload: RELOADING=1 and READY=1 answer the signal; else nobody answers it. */
static FSM_RULE(reload)
{
    if (!f->main && jobspec_commands(d, EXEC_RELOAD)->n == 0)
        return ACT_REFUSED; /* nobody to be signalled */
    f->reload_failed = false;
    f->talk = RELOAD_SILENT;
    f->reload_at = in->now;
    if (jobspec_commands(d, EXEC_RELOAD)->n)
        return ACT_RELOAD | fsm_command(f, JOB_RELOADING, EXEC_RELOAD, fsm_start_deadline(d, in));
    if (d->type != TYPE_NOTIFY_RELOAD)
        return ACT_RELOAD | ACT_RELOAD_SIGNAL | ACT_RELOADED;
    fsm_enter(f, JOB_RELOADING, fsm_start_deadline(d, in));
    return ACT_RELOAD | ACT_RELOAD_SIGNAL;
}

/* The child says RELOADING=1 by itself: it is up again when it says READY=1. */
static FSM_RULE(child_reloads)
{
    f->reload_failed = false;
    f->talk = RELOAD_BEGUN;
    fsm_enter(f, JOB_RELOADING, fsm_start_deadline(d, in));
    return ACT_RELOAD_SEEN;
}

static FSM_RULE(reloaded)
{
    unsigned actions = fsm_cancel(f) | ACT_RELOADED;

    return actions | fsm_settle(f, d, in);
}

/* One that was said before we asked is no answer (systemd.service(5), Type=notify-reload; MONOTONIC_USEC=). */
static FSM_RULE(reload_begun)
{
    if (in->usec && in->usec < f->reload_at)
        return 0;
    f->talk = RELOAD_BEGUN;
    return 0;
}

static FSM_RULE(reload_ready)
{
    if (f->talk != RELOAD_BEGUN)
        return 0;
    f->talk = RELOAD_READY;
    return f->control ? 0 : reloaded(f, d, in);
}

/* ExecReload= has ended, or all took too long: it stays up, whatever came of it. notify-reload gets its signal after
 * the commands, unless they have made it reload; and where it has begun, it ends with READY=1. */
static FSM_RULE(reload_ended)
{
    f->reload_failed = fsm_judge(f, d, in) != RESULT_SUCCESS;
    if (f->reload_failed || f->talk == RELOAD_READY)
        return reloaded(f, d, in);
    if (f->talk == RELOAD_SILENT && d->type == TYPE_NOTIFY_RELOAD)
        return ACT_RELOAD_SIGNAL;
    return f->talk == RELOAD_BEGUN ? 0 : reloaded(f, d, in);
}

/* ---- what ends it ---- */

static FSM_RULE(quit)
{
    fsm_blame(f, fsm_judge(f, d, in));
    return ACT_STOPPING | fsm_wind_down(f, d, in);
}

static FSM_RULE(stop_later)
{
    f->stop_asked = true;
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

static FSM_RULE(unhealthy)
{
    f->unhealthy = true;
    return quit(f, d, in);
}

/* Its main process has ended, and with ExitType=main the job: but for RemainAfterExit=, when all went well. A reload
 * that is under way comes to its own end. */
static FSM_RULE(ended)
{
    fsm_blame(f, fsm_judge(f, d, in));
    if (f->headless)
        return 0;
    return f->state == JOB_RELOADING && f->control && f->result == RESULT_SUCCESS && d->remain_after_exit
               ? 0
               : fsm_settle(f, d, in);
}

static FSM_RULE(emptied)
{
    if (f->main)
        return 0;
    f->headless = false;
    return fsm_settle(f, d, in);
}

/* systemd.service(5), OOMPolicy=: with kill the kernel ends all of it, but for what is in no cgroup. */
static FSM_RULE(out_of_memory)
{
    return jobspec_oom_policy(d) == OOM_CONTINUE ? 0 : quit(f, d, in);
}

/* systemd.service(5), WatchdogSec=: ExecStop= has nobody to talk to. */
static FSM_RULE(hang)
{
    fsm_blame(f, RESULT_WATCHDOG);
    if (f->up_since)
        fsm_forgive(f, d, in->now);
    return ACT_STOPPING | fsm_end_late(f, d, in, TIMEOUT_ABORT);
}

/* Of the two deadlines that a job which is up may have the one that is there. */
static FSM_RULE(up_late)
{
    if (in->now < f->runtime_end)
        return hang(f, d, in);
    return quit(f, d, in);
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

/* All rules. The table has their numbers: pointers in it would be written by the dynamic linker at each start. */
#define RULES(X)                                                                                          \
    X(stop) X(refuse) X(extend) X(ping) X(out_of_memory) X(unhealthy) X(ended) X(hang) X(child_stops)     \
    X(quit) X(emptied) X(stop_later) X(stop_now) X(reload) X(child_reloads) X(extend_runtime) X(up_late)  \
    X(reload_begun) X(reload_ready) X(reload_ended)                                                       \
    X(fsm_start_late) X(fsm_start) X(fsm_condition_ended) X(fsm_pre_ended) X(fsm_executed)                \
    X(fsm_ended_early) X(fsm_ready) X(fsm_start_post_ended) X(fsm_blamed) X(fsm_terminated)               \
    X(fsm_stop_late) X(fsm_kill) X(fsm_main_ended) X(fsm_empty) X(fsm_overdue) X(fsm_give_up)             \
    X(fsm_post_ended) X(fsm_begin)

enum rule {
    NO_RULE,
#define X(name) RULE_##name,
    RULES(X)
#undef X
};

static unsigned follow(enum rule rule, struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    switch (rule) {
    case NO_RULE:
        break;
#define X(name)                                                                                              \
    case RULE_##name:                                                                                        \
        return name(f, d, in);
        RULES(X)
#undef X
    }
    return 0;
}

#define ON(event, rule) [EV_##event] = RULE_##rule

/* What a job that starts and one that ends have in common, whatever they do just now. */
#define STARTS ON(STOP, stop), ON(RELOAD, refuse), ON(ALIVE, extend), ON(PING, ping), \
               ON(OOM, out_of_memory), ON(TIME, fsm_start_late)
#define IS_UP ON(STOP, stop), ON(UNHEALTHY, unhealthy)
#define RUNS IS_UP, ON(EXIT, ended), ON(PING, ping), ON(HANG, hang), ON(STOPPING, child_stops), ON(LOST, quit), \
             ON(OOM, out_of_memory), ON(EMPTY, emptied)
#define ENDS ON(STOP, stop_later), ON(RELOAD, refuse)
#define RESTS ON(START, fsm_start), ON(RELOAD, refuse)

/* clang-format off */
/* Whatever is not here means nothing. */
static const uint8_t rules[JOB_STATE_MAX][EV_MAX] = {
    [JOB_INACTIVE] = {RESTS, ON(STOP, stop_now)},
    [JOB_CONDITION] = {STARTS, ON(CONTROL, fsm_condition_ended)},
    [JOB_START_PRE] = {STARTS, ON(CONTROL, fsm_pre_ended)},
    [JOB_STARTING] = {STARTS, ON(EXEC, fsm_executed), ON(NOSTART, fsm_ended_early), ON(EXIT, fsm_ended_early),
                      ON(READY, fsm_ready), ON(NOTREADY, quit)},
    [JOB_START_POST] = {STARTS, ON(CONTROL, fsm_start_post_ended), ON(EXIT, fsm_blamed), ON(HANG, hang), ON(LOST, quit)},
    [JOB_UP] = {RUNS, ON(RELOAD, reload), ON(RELOADING, child_reloads), ON(ALIVE, extend_runtime),
                ON(TIME, up_late)},
    [JOB_EXITED] = {IS_UP, ON(RELOAD, reload)},
    [JOB_RELOADING] = {RUNS, ON(RELOAD, refuse), ON(RELOADING, reload_begun), ON(READY, reload_ready),
                       ON(CONTROL, reload_ended), ON(ALIVE, extend), ON(TIME, reload_ended)},
    [JOB_STOP] = {ENDS, ON(CONTROL, fsm_terminated), ON(EXIT, fsm_blamed), ON(ALIVE, extend),
                  ON(TIME, fsm_stop_late)},
    [JOB_STOP_WATCHDOG] = {ENDS, ON(NOSTART, fsm_terminated), ON(EXIT, fsm_terminated), ON(ALIVE, extend),
                           ON(TIME, fsm_kill)},
    [JOB_STOP_TERM] = {ENDS, ON(NOSTART, fsm_main_ended), ON(EXIT, fsm_main_ended), ON(EMPTY, fsm_empty),
                       ON(ALIVE, extend), ON(TIME, fsm_overdue)},
    [JOB_STOP_KILL] = {ENDS, ON(NOSTART, fsm_main_ended), ON(EXIT, fsm_main_ended), ON(EMPTY, fsm_empty),
                       ON(TIME, fsm_give_up)},
    [JOB_STOP_POST] = {ENDS, ON(CONTROL, fsm_post_ended), ON(EXIT, fsm_blamed), ON(ALIVE, extend),
                       ON(TIME, fsm_post_ended)},
    [JOB_FINAL_KILL] = {ENDS, ON(EXIT, fsm_blamed), ON(EMPTY, fsm_empty), ON(TIME, fsm_give_up)},
    [JOB_RESTART] = {RESTS, ON(STOP, stop_now), ON(TIME, fsm_begin)},
    [JOB_DONE] = {RESTS},
    [JOB_FAILED] = {RESTS},
};
/* clang-format on */

/* Is it to have a main process, as far as it has come? */
static bool may_have_main(const struct fsm *f)
{
    return f->state == JOB_STARTING || f->state == JOB_START_POST || f->state == JOB_UP || f->state == JOB_RELOADING;
}

/* What is known of the processes. False: the event comes too late to mean anything, as the deadline has moved, or the
 * process was given up. */
static bool note(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
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
            f->headless = in->event == EV_EXIT && d->exit_type == EXIT_TYPE_CGROUP && f->state != JOB_STARTING;
            f->exit_code = in->code;
            f->exit_status = in->status;
        }
    }
    if ((in->event == EV_MAIN && may_have_main(f)) || (in->event == EV_HEADLESS && f->state == JOB_STARTING)) {
        f->main = in->event == EV_MAIN;
        f->headless = !f->main;
    }
    if (in->event == EV_RESET)
        f->growth = f->restarts = 0;
    return known;
}

void fsm_init(struct fsm *f, const struct jobspec *d)
{
    *f = (struct fsm){.state = JOB_INACTIVE,
                      .deadline = USEC_INFINITY,
                      .fed_until = USEC_INFINITY,
                      .runtime_end = USEC_INFINITY,
                      .watchdog_usec = d->watchdog_usec};
}

bool fsm_over(const struct fsm *f)
{
    return f->state == JOB_DONE || f->state == JOB_FAILED;
}

unsigned fsm_step(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    unsigned actions = note(f, d, in) ? follow(rules[f->state][in->event], f, d, in) : 0;

    /* RestartMode=direct: where there is nothing to wait for, others do not see that it was down. */
    if (actions & ACT_AGAIN && d->restart_mode == RESTART_DIRECT && f->deadline <= in->now)
        actions |= fsm_begin(f, d, in);
    if (f->deadline < in->now) /* it has passed while something else was done: TIME is the next event */
        f->deadline = in->now;
    return actions;
}
