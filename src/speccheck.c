/* Directives that do not go together: one place for the command line and for unit files. */
#include "cleanup.h"
#include "spec_unit.h"
#include "speccheck.h"
#include "usec.h"

/* Would it do something to the machine, which is not ours? */
static bool is_too_much(enum unit_action action)
{
    return action != UNIT_ACTION_NONE && action != UNIT_ACTION_EXIT && action != UNIT_ACTION_EXIT_FORCE;
}

const char *speccheck_doubt(const struct jobspec *d, bool file, size_t i)
{
    const struct spec_unit *u = spec_unit(d);
    const struct {
        bool doubtful;
        const char *text;
    } rules[] = {
        {d->type == TYPE_ONESHOT && d->ready.n > 0,
         "Type=oneshot is ready when it has ended well; Ready= does not go with it"},
        {!file && d->pid_file && d->type != TYPE_FORKING, "PIDFile= goes with Type=forking"}, /* in files it is usual */
        {d->restart_max_delay != USEC_INFINITY && d->restart_max_delay < d->restart_usec,
         "RestartMaxDelaySec= is shorter than RestartSec="},
        {(d->restart_steps > 0) != (d->restart_max_delay != USEC_INFINITY),
         "RestartSteps= and RestartMaxDelaySec= go together"},
        {d->type == TYPE_ONESHOT && d->exit_type == EXIT_TYPE_CGROUP, "ExitType=cgroup does not go with Type=oneshot"},
        {is_too_much(u->failure_action), "FailureAction= does nothing: the machine is not ours to stop"},
        {is_too_much(u->success_action), "SuccessAction= does nothing: the machine is not ours to stop"},
        {is_too_much(u->start_limit_action), "StartLimitAction= does nothing: the machine is not ours to stop"},
        {is_too_much(u->job_timeout_action), "JobTimeoutAction= does nothing: the machine is not ours to stop"},
    };

    for (size_t k = 0; k < ARRAY_SIZE(rules); k++)
        if (rules[k].doubtful && i-- == 0)
            return rules[k].text;
    return NULL;
}
