/* Directives that do not go together: one place for the command line and for unit files. */
#include "speccheck.h"
#include "usec.h"

const char *speccheck_doubt(const struct jobspec *d, size_t i)
{
    const struct {
        bool doubtful;
        const char *text;
    } rules[] = {
        {d->type == TYPE_ONESHOT && d->ready.n > 0,
         "Type=oneshot is ready when it has ended well; Ready= does not go with it"},
        {d->pid_file && d->type != TYPE_FORKING, "PIDFile= tells the main process only with Type=forking"},
        {d->bus_name && d->type != TYPE_DBUS && d->type_set, "BusName= is waited for only with Type=dbus"},
        {d->restart_max_delay != USEC_INFINITY && d->restart_max_delay < d->restart_usec,
         "RestartMaxDelaySec= is shorter than RestartSec="},
        {(d->restart_steps > 0) != (d->restart_max_delay != USEC_INFINITY),
         "RestartSteps= and RestartMaxDelaySec= go together"},
        {d->type == TYPE_ONESHOT && d->exit_type == EXIT_TYPE_CGROUP, "ExitType=cgroup does not go with Type=oneshot"},
    };

    for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++)
        if (rules[k].doubtful && i-- == 0)
            return rules[k].text;
    return NULL;
}
