/* What the directives say about one question each. Nothing here writes a state. */
#include <signal.h>
#include "fsm_rules.h"
#include "usec.h"

/* A program that dies at once must not cost a whole CPU, whatever RestartSec= says: a life shorter than a second is
 * followed by a rest that is short for a person, but long compared to a fork. */
#define SHORT_LIFE USEC_PER_SEC
#define SHORT_LIFE_REST (10 * USEC_PER_MSEC)

uint64_t fsm_after(uint64_t now, uint64_t span)
{
    uint64_t sum;

    return __builtin_add_overflow(now, span, &sum) ? USEC_INFINITY : sum;
}

static enum job_result judge_command(const struct fsm_input *in)
{
    if (in->code == CLD_EXITED)
        return in->status == 0 ? RESULT_SUCCESS : RESULT_EXIT_CODE;
    return in->code == CLD_DUMPED ? RESULT_CORE_DUMP : RESULT_SIGNAL;
}

/* systemd.service(5), SuccessExitStatus=: besides what it holds 0 is clean, and but for oneshot four signals. */
static enum job_result judge_main(const struct jobspec *d, const struct fsm_input *in)
{
    if (exitset_has(&spec_exits(d)->success, in->code, in->status))
        return RESULT_SUCCESS;
    if (in->code == CLD_KILLED && d->type != TYPE_ONESHOT &&
        (in->status == SIGHUP || in->status == SIGINT || in->status == SIGTERM || in->status == SIGPIPE))
        return RESULT_SUCCESS;
    return judge_command(in);
}

/* "-" before the command line of the main process. */
static bool failure_is_ignored(const struct fsm *f, const struct jobspec *d)
{
    const struct command_list *list = &d->start;

    return f->command < list->n && list->v[f->command].ignore_failure;
}

enum job_result fsm_judge(const struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    static const enum job_result results[EV_MAX] = {
        [EV_NOTREADY] = RESULT_PROTOCOL, [EV_HANG] = RESULT_WATCHDOG,
        [EV_TIME] = RESULT_TIMEOUT,      [EV_OOM] = RESULT_OOM_KILL,
    };

    if (in->event == EV_CONTROL)
        return judge_command(in);
    if (in->event != EV_EXIT && in->event != EV_NOSTART)
        return results[in->event];
    if (failure_is_ignored(f, d))
        return RESULT_SUCCESS;
    if (in->event == EV_NOSTART)
        return in->code ? RESULT_EXIT_CODE : RESULT_RESOURCES;
    return judge_main(d, in);
}

/* systemd.service(5): 1 to 254 skip the rest, and that is no failure; 255 and signals are one. */
enum job_result fsm_judge_condition(const struct jobspec *d, const struct fsm_input *in)
{
    if (exitset_has(&spec_exits(d)->success, in->code, in->status))
        return RESULT_SUCCESS;
    if (in->code == CLD_EXITED && in->status > 0 && in->status < 255)
        return RESULT_EXEC_CONDITION;
    return judge_command(in);
}

bool fsm_is_up_by_exec(const struct jobspec *d)
{
    return (d->type == TYPE_SIMPLE || d->type == TYPE_EXEC || d->type == TYPE_IDLE) && d->ready.n == 0;
}

uint64_t fsm_timeout_abort(const struct jobspec *d)
{
    return d->timeout_abort_set ? d->timeout_abort : d->timeout_stop;
}

/* From 0 to @most. */
static uint64_t at_random(uint64_t most, const struct fsm_input *in)
{
    return most == USEC_INFINITY ? most : (uint64_t)((double)most * in->random / UINT32_MAX);
}

/* systemd.service(5): it "does not have any effect on Type=oneshot services". */
uint64_t fsm_runtime_end(const struct jobspec *d, const struct fsm_input *in)
{
    if (d->type == TYPE_ONESHOT || d->runtime_max == USEC_INFINITY)
        return USEC_INFINITY;
    return fsm_after(in->now, fsm_after(d->runtime_max, at_random(d->runtime_extra, in)));
}

/* systemd.unit(5), StartLimitIntervalSec=. The interval begins with its first start. A burst of 0 would mean a job that
 * can never be started; it is taken for no limit. */
bool fsm_count_start(struct fsm *f, const struct jobspec *d, uint64_t now)
{
    if (d->start_limit_interval == 0 || d->start_limit_burst <= 0)
        return true;
    if (f->starts.n == 0 || now - f->starts.begin >= d->start_limit_interval)
        f->starts = (struct start_count){.begin = now};
    if (f->starts.n >= (unsigned)d->start_limit_burst)
        return false;
    f->starts.n++;
    return true;
}

bool fsm_wants_restart(const struct fsm *f, const struct jobspec *d)
{
    /* systemd.service(5), Restart=, "Exit causes and the effect of the Restart= settings". It names no protocol,
     * resources and oom-kill; they are neither clean nor an exit code, so they count as abnormal. A start that was
     * skipped is none. */
    enum { CLEAN = 1 << 0, CODE = 1 << 1, SIGNAL = 1 << 2, TIMEOUT = 1 << 3, WATCHDOG = 1 << 4, OTHER = 1 << 5 };
    static const unsigned causes[RESULT_MAX] = {
        [RESULT_SUCCESS] = CLEAN,    [RESULT_EXIT_CODE] = CODE,     [RESULT_SIGNAL] = SIGNAL,
        [RESULT_CORE_DUMP] = SIGNAL, [RESULT_TIMEOUT] = TIMEOUT,    [RESULT_WATCHDOG] = WATCHDOG,
        [RESULT_PROTOCOL] = OTHER,   [RESULT_START_LIMIT_HIT] = 0,  [RESULT_RESOURCES] = OTHER,
        [RESULT_OOM_KILL] = OTHER,   [RESULT_EXEC_CONDITION] = 0,
    };
    static const unsigned policies[] = {
        [RESTART_NO] = 0,
        [RESTART_ALWAYS] = CLEAN | CODE | SIGNAL | TIMEOUT | WATCHDOG | OTHER,
        [RESTART_ON_SUCCESS] = CLEAN,
        [RESTART_ON_FAILURE] = CODE | SIGNAL | TIMEOUT | WATCHDOG | OTHER,
        [RESTART_ON_ABNORMAL] = SIGNAL | TIMEOUT | WATCHDOG | OTHER,
        [RESTART_ON_ABORT] = SIGNAL,
        [RESTART_ON_WATCHDOG] = WATCHDOG,
    };

    if (f->stop_asked)
        return false;
    if (f->unhealthy)
        return true;
    if (exitset_has(&spec_exits(d)->restart_prevent, f->exit_code, f->exit_status))
        return false;
    if (exitset_has(&spec_exits(d)->restart_force, f->exit_code, f->exit_status))
        return true;
    if (d->type == TYPE_ONESHOT && f->result == RESULT_SUCCESS) /* "never be restarted on a clean exit status" */
        return false;
    return policies[d->restart] & causes[f->result];
}

/* systemd.service(5), RestartSteps=: it has an effect only with RestartMaxDelaySec= and a RestartSec= that is not 0. */
static bool delay_grows(const struct jobspec *d)
{
    return d->restart_steps > 0 && d->restart_usec > 0 && d->restart_max_delay != USEC_INFINITY &&
           d->restart_max_delay > d->restart_usec;
}

void fsm_forgive(struct fsm *f, const struct jobspec *d, uint64_t now)
{
    uint64_t longest = d->restart_max_delay != USEC_INFINITY ? d->restart_max_delay : d->restart_usec;

    if (now - f->up_since >= (d->restart_reset ? d->restart_reset : longest))
        f->growth = 0;
}

/* @x to the power of @n. */
static double power(double x, unsigned n)
{
    double product = 1;

    for (; n; n /= 2, x *= x)
        if (n % 2)
            product *= x;
    return product;
}

/* The @n-th root of @x >= 1, by halving until no number lies between: without libm, and rarely needed. */
static double root(double x, unsigned n)
{
    double low = 1, high = x;

    for (;;) {
        double middle = low + (high - low) / 2;

        if (middle <= low || middle >= high)
            return low;
        if (power(middle, n) <= x)
            low = middle;
        else
            high = middle;
    }
}

/* From RestartSec= to RestartMaxDelaySec= in RestartSteps= exponential steps, give or take a tenth, so that what has
 * died together is not started together for ever. */
static uint64_t growing_delay(const struct jobspec *d, unsigned growth, uint32_t random)
{
    double low = (double)d->restart_usec, high = (double)d->restart_max_delay, delay;
    unsigned steps = (unsigned)d->restart_steps;

    if (growth == 0)
        delay = low;
    else if (growth >= steps)
        delay = high;
    else
        delay = low * power(root(high / low, steps), growth);
    delay *= 0.9 + 0.2 * random / UINT32_MAX;
    return delay <= low ? d->restart_usec : delay >= high ? d->restart_max_delay : (uint64_t)delay;
}

uint64_t fsm_restart_delay(const struct fsm *f, const struct jobspec *d, const struct fsm_input *in)
{
    uint64_t delay = delay_grows(d) ? growing_delay(d, f->growth, in->random) : d->restart_usec;

    delay = fsm_after(delay, at_random(d->restart_extra, in));
    return delay < SHORT_LIFE_REST && in->now - f->started < SHORT_LIFE ? SHORT_LIFE_REST : delay;
}
