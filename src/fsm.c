/* The state machine of a job. One table says what each event means in each state; each rule is a few lines without
 * a system call or a clock, so that the whole life of a job can be simulated. */
#include <signal.h>
#include <stdbool.h>
#include "fsm.h"
#include "jobspec.h"
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

static uint64_t after(uint64_t now, uint64_t span)
{
    uint64_t sum;

    return __builtin_add_overflow(now, span, &sum) ? USEC_INFINITY : sum;
}

/* The first thing that goes wrong names the result. */
static void blame(struct fsm *f, enum job_result result)
{
    if (f->result == RESULT_SUCCESS)
        f->result = result;
}

static unsigned ignore(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    return 0;
}

static unsigned refuse(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    return ACT_REFUSED;
}

static unsigned up(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    f->state = JOB_UP;
    f->deadline = USEC_INFINITY;
    return ACT_READY;
}

static unsigned executed(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    return d->type == TYPE_SIMPLE || d->type == TYPE_EXEC ? up(f, d, in) : 0;
}

/* READY=1 counts only where Type=notify waits for it. */
static unsigned child_ready(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    return d->type == TYPE_NOTIFY ? up(f, d, in) : 0;
}

static unsigned not_started(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    blame(f, RESULT_EXIT_CODE);
    f->state = JOB_FAILED;
    f->deadline = USEC_INFINITY;
    return ACT_END;
}

static unsigned reload(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    return ACT_RELOAD | ACT_RELOADED;
}

/* The child says RELOADING=1 by itself: it is up again when it says READY=1. */
static unsigned child_reloads(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    f->state = JOB_RELOADING;
    f->deadline = after(in->now, d->timeout_start);
    return ACT_RELOAD_SEEN;
}

static unsigned reloaded(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    f->state = JOB_UP;
    f->deadline = USEC_INFINITY;
    return ACT_RELOADED;
}

static unsigned terminate(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    f->state = JOB_STOP_TERM;
    f->deadline = after(in->now, d->timeout_stop);
    return ACT_STOPPING | ACT_TERM;
}

static unsigned start_timeout(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    blame(f, RESULT_TIMEOUT);
    return terminate(f, d, in);
}

static unsigned kill_all(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    blame(f, RESULT_TIMEOUT);
    f->state = JOB_STOP_KILL;
    f->deadline = after(in->now, d->timeout_stop);
    return ACT_KILL;
}

/* Not even SIGKILL has ended it (a process in uninterruptible sleep): say so instead of waiting for ever. */
static unsigned give_up(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    f->state = JOB_FAILED;
    f->deadline = USEC_INFINITY;
    return ACT_END;
}

static unsigned extend(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    uint64_t later = after(in->now, in->usec);

    if (f->deadline != USEC_INFINITY && later > f->deadline)
        f->deadline = later;
    return 0;
}

/* systemd.service(5), SuccessExitStatus=: 0, and for daemons SIGHUP, SIGINT, SIGTERM and SIGPIPE, are clean. */
static enum job_result judge_exit(const struct jobspec *d, const struct fsm_input *in)
{
    if (in->code == CLD_EXITED)
        return in->status == 0 ? RESULT_SUCCESS : RESULT_EXIT_CODE;
    if (in->code == CLD_DUMPED)
        return RESULT_CORE_DUMP;
    if (d->type != TYPE_ONESHOT &&
        (in->status == SIGHUP || in->status == SIGINT || in->status == SIGTERM || in->status == SIGPIPE))
        return RESULT_SUCCESS;
    return RESULT_SIGNAL;
}

static unsigned ended(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    unsigned actions = ACT_KILL | ACT_END; /* what the main process leaves behind goes with it */

    blame(f, judge_exit(d, in));
    if (f->state == JOB_STARTING && d->type == TYPE_NOTIFY)
        blame(f, RESULT_PROTOCOL); /* it has ended well, but never said READY=1 */
    if (f->state == JOB_STARTING && d->type == TYPE_ONESHOT && f->result == RESULT_SUCCESS)
        actions |= ACT_READY;
    f->state = f->result == RESULT_SUCCESS ? JOB_DONE : JOB_FAILED;
    f->deadline = USEC_INFINITY;
    return actions;
}

typedef unsigned (*fsm_rule)(struct fsm *f, const struct jobspec *d, const struct fsm_input *in);

/* clang-format off */
static const fsm_rule rules[JOB_STATE_MAX][EV_MAX] = {
    /*                  EXEC      NOSTART      READY        RELOADING      RELOAD  STOP       EXIT    ALIVE   TIME */
    [JOB_STARTING]  = {executed, not_started, child_ready, ignore,        refuse, terminate, ended,  extend, start_timeout},
    [JOB_UP]        = {ignore,   ignore,      ignore,      child_reloads, reload, terminate, ended,  ignore, ignore},
    [JOB_RELOADING] = {ignore,   ignore,      reloaded,    ignore,        refuse, terminate, ended,  extend, reloaded},
    [JOB_STOP_TERM] = {ignore,   ignore,      ignore,      ignore,        refuse, ignore,    ended,  extend, kill_all},
    [JOB_STOP_KILL] = {ignore,   ignore,      ignore,      ignore,        refuse, ignore,    ended,  ignore, give_up},
    [JOB_DONE]      = {ignore,   ignore,      ignore,      ignore,        refuse, ignore,    ignore, ignore, ignore},
    [JOB_FAILED]    = {ignore,   ignore,      ignore,      ignore,        refuse, ignore,    ignore, ignore, ignore},
};
/* clang-format on */

void fsm_init(struct fsm *f, const struct jobspec *d, uint64_t now)
{
    bool endless = d->type == TYPE_ONESHOT && !d->timeout_start_set; /* systemd.service(5), TimeoutStartSec= */

    *f = (struct fsm){
        .state = JOB_STARTING,
        .result = RESULT_SUCCESS,
        .deadline = endless ? USEC_INFINITY : after(now, d->timeout_start),
    };
}

unsigned fsm_step(struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    return rules[f->state][in->event](f, d, in);
}
