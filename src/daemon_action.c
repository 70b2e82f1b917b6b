/* systemd.unit(5), FailureAction= and its like: where systemd would end its manager, the instance ends. The machine is
 * not ours to stop; whoever asks for that was told when the unit was read (speccheck.c). */
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>
#include "daemon_state.h"
#include "spec_unit.h"

static void act(struct daemon *d, const struct unit *u, const char *what, enum unit_action action, int status)
{
    if ((action != UNIT_ACTION_EXIT && action != UNIT_ACTION_EXIT_FORCE) || d->action.what || d->stopping)
        return;
    d->action.what = what;
    d->action.of = u;
    d->action.force = action == UNIT_ACTION_EXIT_FORCE;
    d->exit_status = status;
    d->failed = true; /* no other end changes the status any more */
    d->changed = true;
}

void daemon_unit_over(struct daemon *d, const struct unit *u, bool failed, int status)
{
    const struct spec_unit *s = spec_unit(&u->file.spec);
    int wanted = failed ? s->failure_exit : s->success_exit, limit = s->failure_exit >= 0 ? s->failure_exit : status;

    if (failed && u->job && u->job->fsm.result == RESULT_START_LIMIT_HIT)
        act(d, u, "StartLimitAction=", s->start_limit_action, limit);
    act(d, u, failed ? "FailureAction=" : "SuccessAction=", failed ? s->failure_action : s->success_action,
        wanted >= 0 ? wanted : status);
}

void daemon_job_late(struct daemon *d, const struct unit *u)
{
    act(d, u, "JobTimeoutAction=", spec_unit(&u->file.spec)->job_timeout_action, 1);
}

void daemon_refresh_identity(struct daemon *d)
{
    struct proc_identity id = *log_identity(d->log);

    if (id.ppid == 1) /* init does not end before us */
        return;
    id.ppid = getppid();
    log_set_identity(d->log, &id);
}

void daemon_stop(struct daemon *d, const char *who)
{
    if (d->stopping)
        return;
    d->stopping = true;
    daemon_refresh_identity(d);
    log_later(d->log, NULL, STAGE_STOPPING, LOG_INFO, who);
    upward_stopping(d->upward, "stopping");
    daemon_stop_units(d);
}

void daemon_take_action(struct daemon *d)
{
    char who[UNIT_NAME_SIZE + 64];

    if (!d->action.what || d->stopping)
        return;
    snprintf(who, sizeof(who), "%sexit%s of %s", d->action.what, d->action.force ? "-force" : "",
             unit_name(d->action.of));
    if (!d->action.force) {
        daemon_stop(d, who);
        return;
    }
    d->stopping = d->ending = true; /* no unit is asked for anything any more */
    log_stage(d->log, STAGE_STOPPING, LOG_WARNING, NULL, "%s", who);
    upward_stopping(d->upward, "stopping");
    loop_exit(d->loop, d->exit_status); /* behind it all that is left is killed */
}
