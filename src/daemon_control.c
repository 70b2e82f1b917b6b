/* What others may ask of the daemon: the calls of the control socket, and the same asked by a signal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "daemon_state.h"
#include "spec_unit.h"
#include "textbuf.h"

int daemon_open_control(struct daemon *d)
{
    cleanup_free char *path = NULL;

    if (d->control)
        return 0;
    path = JOIN(d->config->rundir, "/control");
    if (!path)
        return -ENOMEM;
    return control_new(&d->control, d->loop, path, daemon_control(), d);
}

/* ---- how it is ---- */

static const char *instance_state(const struct daemon *d)
{
    if (d->sole && d->sole->job && (!job_over(d->sole->job) || d->n_alive == 0 || d->stopping || d->ending))
        return job_state_name(d->sole->job->fsm.state);
    if (d->stopping || d->ending)
        return job_state_name(JOB_STOP_TERM);
    return job_state_name(d->told_up ? JOB_UP : JOB_STARTING);
}

/* Can anything be done with it? Not with what is only a name, or the machine's. */
static bool is_ours(const struct unit *u)
{
    return (u->kind == UNIT_IS_SERVICE || u->kind == UNIT_IS_GROUP) && !u->same;
}

/* Is there anything to tell of it? Of files that cannot be used, why. */
static bool is_shown(const struct unit *u)
{
    return is_ours(u) || (u->kind <= UNIT_IS_MISSING && u->why && !u->same);
}

static void fill_status(struct daemon *d, bool tree, struct instance_status *ret)
{
    size_t n = 0;

    daemon_set_status(d);
    free(d->jobs);
    d->jobs = calloc(units_count(d->units) + 1, sizeof(*d->jobs));
    if (d->jobs && d->sole)
        daemon_unit_status(d->sole, tree, &d->jobs[n++]);
    for (size_t i = 0; d->jobs && i < units_count(d->units); i++)
        if (is_shown(units_nth(d->units, i)) && units_nth(d->units, i) != d->sole)
            daemon_unit_status(units_nth(d->units, i), tree, &d->jobs[n++]);
    *ret = (struct instance_status){
        .name = d->config->name,
        .pid = log_identity(d->log)->pid,
        .mode = mode_name(d->config->verdict->mode),
        .reason = d->config->verdict->reason,
        .state = instance_state(d),
        .status_text = d->status_text,
        .log = log_target(d->log),
        .since = d->since,
        .jobs = d->jobs,
        .n_jobs = n,
        .has_main = d->sole,
        .only_main = d->sole && d->n_asked <= 1,
    };
}

static void tell_status(void *ctx, struct instance_status *ret)
{
    fill_status(ctx, true, ret);
}

static void tell_brief(void *ctx, struct instance_status *ret)
{
    fill_status(ctx, false, ret);
}

/* ---- what is asked for ---- */

/* The unit that a call means: of that name, or the only one; NULL: none. */
static struct unit *called(struct daemon *d, const char *name)
{
    struct unit *u = name ? units_find(d->units, name) : d->sole;

    return u && is_ours(u) ? u : NULL;
}

/* Asks for it by hand. */
static int request(struct daemon *d, struct unit *u, enum unit_job job)
{
    const struct spec_unit *s = spec_unit(&u->file.spec);
    int r;

    if ((job != UNIT_JOB_STOP && s->refuse_manual_start) || (job != UNIT_JOB_START && s->refuse_manual_stop))
        return -EPERM;
    daemon_refresh_identity(d);
    r = job == UNIT_JOB_START ? daemon_want(d, u) : daemon_request(d, u, job);
    if (r == -ENOENT) /* the unit is there, what it needs is not */
        return -ELIBBAD;
    return r == -EBUSY ? -EDEADLK : r;
}

static const char *call_find(void *ctx, const char *name, bool load, const char **ret_why)
{
    struct daemon *d = ctx;
    struct unit *u = called(d, name);
    int r;

    if (!u && load) { /* its file may be younger than the daemon */
        units_look_anew(d->units);
        r = units_load(d->units, name, false, &u);
        units_forget_files(d->units);
        if (r < 0) {
            u = units_find(d->units, name);
            *ret_why = u && u->why ? u->why : units_explain(r);
            return NULL;
        }
    }
    if (u && load && u->error < 0) { /* it runs, but its file has gone */
        *ret_why = u->why ? u->why : units_explain(u->error);
        return NULL;
    }
    return u ? unit_name(u) : NULL;
}

static int call_stop(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    struct unit *u = name ? called(d, name) : NULL;

    if (name && !u)
        return -ENOENT;
    if (!u || (u == d->sole && d->n_asked <= 1)) {
        daemon_stop(d, "asked on the control socket");
        return 0;
    }
    log_later(d->log, unit_subject(u), STAGE_STOPPING, LOG_INFO, "asked on the control socket");
    return request(d, u, UNIT_JOB_STOP);
}

static int reload_unit(struct daemon *d, struct unit *u, const char *who)
{
    log_unit(d->log, unit_subject(u), STAGE_RELOAD, LOG_INFO, NULL, "%s", who);
    if (!daemon_can_reload(u)) {
        log_unit(d->log, unit_subject(u), STAGE_RELOAD, LOG_WARNING, NULL, "not reloaded: it has no ExecReload=");
        return -ENOTSUP;
    }
    if (!u->job || !job_is_ready(u->job)) {
        log_unit(d->log, unit_subject(u), STAGE_RELOAD, LOG_WARNING, NULL, "not reloaded: the job is %s, not up",
                 job_state_name(u->job ? u->job->fsm.state : JOB_INACTIVE));
        return -EAGAIN;
    }
    return daemon_request(d, u, UNIT_JOB_RELOAD) < 0 ? -EAGAIN : 1;
}

/* The files of all units are read anew. */
static int reload_files(struct daemon *d, const char *who)
{
    struct units_news news;
    int r;

    log_stage(d->log, STAGE_RELOAD, LOG_INFO, NULL, "%s", who);
    upward_reloading(d->upward, "reloading");
    r = units_reload(d->units, &news);
    units_forget_files(d->units);
    if (r < 0)
        log_stage(d->log, STAGE_RELOAD, LOG_ERR, NULL, "the units could not be read anew: %s", strerror(-r));
    else
        log_stage(d->log, STAGE_RELOAD, LOG_INFO, NULL, "units read anew: %zu changed, %zu gone", news.changed,
                  news.removed);
    d->changed = true;
    daemon_set_status(d);
    upward_reloaded(d->upward, d->status_text);
    return r;
}

int daemon_reload(struct daemon *d, const char *who)
{
    daemon_refresh_identity(d);
    return d->sole ? reload_unit(d, d->sole, who) : reload_files(d, who);
}

static int call_reload_units(void *ctx)
{
    struct daemon *d = ctx;

    daemon_refresh_identity(d);
    return reload_files(d, "asked on the control socket to read the units anew");
}

static int call_reload(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    struct unit *u;

    if (!name)
        return daemon_reload(d, "asked on the control socket");
    u = called(d, name);
    return u ? reload_unit(d, u, "asked on the control socket") : -ENOENT;
}

static int call_restart(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    struct unit *u = called(d, name);

    if (!u)
        return -ENOENT;
    if (d->stopping)
        return -EAGAIN;
    log_later(d->log, unit_subject(u), STAGE_RESTART, LOG_INFO, "asked on the control socket");
    return request(d, u, UNIT_JOB_RESTART);
}

static int call_start(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    struct unit *u = called(d, name);

    if (!u)
        return -ENOENT;
    if (d->stopping)
        return -EAGAIN;
    if (u->job && u->job->fsm.state == JOB_RESTART) { /* what would be in a while is now */
        job_start(u->job);
        return 0;
    }
    if (u->job && !job_over(u->job) && u->state != UNIT_DEACTIVATING)
        return -EALREADY;
    return request(d, u, UNIT_JOB_START);
}

static int call_rotate(void *ctx)
{
    struct daemon *d = ctx;

    return log_rotate(d->log);
}

static int call_logs(void *ctx, const char *name, unsigned n, char **ret)
{
    struct daemon *d = ctx;
    struct unit *u = called(d, name);

    if (!u || u->kind != UNIT_IS_SERVICE)
        return -ENOENT;
    if (daemon_route(d, &u->file.spec) != OUTPUT_PIPE)
        return -ENODATA;
    *ret = u->job ? job_last_lines(u->job, n) : NULL;
    if (!*ret)
        *ret = strdup("");
    return *ret ? 0 : -ENOMEM;
}

const struct control_ops *daemon_control(void)
{
    static const struct control_ops ops = {.status = tell_status,
                                           .find = call_find,
                                           .reload_units = call_reload_units,
                                           .brief = tell_brief,
                                           .stop = call_stop,
                                           .reload = call_reload,
                                           .restart = call_restart,
                                           .start = call_start,
                                           .rotate = call_rotate,
                                           .logs = call_logs};

    return &ops;
}
