/* What the graph wants begun: a service's job is made, told what there is to know, and started; stopped, reloaded.
 * Whatever comes of it comes back as its news. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "conditions.h"
#include "daemon_state.h"
#include "directive_honour.h"
#include "strv.h"
#include "textbuf.h"

/* Does somebody here have to see its output? */
static bool reads_lines(const struct jobspec *d)
{
    for (size_t i = 0; i < d->ready.n; i++)
        if (d->ready.v[i].kind == PROBE_LOG)
            return true;
    return spec_log(d)->rate_interval > 0 && spec_log(d)->rate_burst > 0;
}

/* Who holds what: a daemon's child never the terminal; in the foreground, what --log does not claim stays there. */
enum output_route daemon_route(const struct daemon *d, const struct jobspec *spec)
{
    if (reads_lines(spec))
        return OUTPUT_PIPE;
    if (d->config->inherit)
        return OUTPUT_INHERIT;
    return log_kind(d->log) == LOG_TO_JOURNAL ? OUTPUT_STREAM : OUTPUT_PIPE;
}

/* A unit finds the same world whoever starts it; it is made for the first one. What was passed to us is for an only
 * one. */
static int make_worlds(struct daemon *d)
{
    struct spawn_context *world = &d->worlds[1];
    int r = d->unit_env ? 0 : spawn_unit_env(&d->unit_env, d->config->spawn->env);

    if (r < 0 || world->clean)
        return r;
    *world = *d->config->spawn;
    world->env = d->unit_env;
    world->own_env = d->config->spawn->env;
    world->clean = true;
    world->stay = false;
    d->worlds[0] = *world;
    d->worlds[0].listen_fds = 0;
    d->worlds[0].listen_names = NULL;
    return 0;
}

static int make_job(struct daemon *d, struct unit *u)
{
    struct job *job;
    int r = u->line ? 0 : make_worlds(d);

    if (r < 0)
        return r;
    job = calloc(1, sizeof(*job));
    if (!job)
        return -ENOMEM;
    r = job_init(job, &(struct job_context){.spec = &u->file.spec,
                                            .world = u->line ? d->config->spawn : &d->worlds[u == d->sole],
                                            .common = &d->common,
                                            .number = (unsigned)u->number,
                                            .route = daemon_route(d, &u->file.spec),
                                            .watched = u == d->sole && d->config->watchdog_usec > 0,
                                            .ops_ctx = u});
    if (r < 0) {
        free(job);
        return r;
    }
    job->fsm.starts = u->starts;
    u->job = job;
    return 0;
}

void daemon_drop_job(struct unit *u)
{
    const struct daemon *d = units_owner(u->all);

    if (!u->job)
        return;
    u->starts = u->job->fsm.starts;
    job_done(u->job);
    forest_forget_tree(d->forest, &u->job->tree);
    free(u->job);
    u->job = NULL;
}

/* Do its conditions hold? Else it is told why not. */
static bool may_start(struct daemon *d, struct unit *u)
{
    char why[512];
    struct textbuf b = TEXTBUF(why);

    switch (conditions_check(&u->file.spec, &b)) {
    case CONDITIONS_HOLD:
        unit_because(u, NULL);
        return true;
    case CONDITIONS_NOT_MET:
        textbuf_puts(&b, " does not hold");
        unit_because(u, why);
        log_unit(d->log, unit_subject(u), STAGE_START, LOG_INFO, NULL, "not started: %s", why);
        if (u->asked && !d->told_up)
            daemon_tell_starter(d, u, "not started: %s", why);
        daemon_note(d, u, UNIT_INACTIVE, UNIT_SKIPPED);
        break;
    case CONDITIONS_ASSERT_FAILED:
        daemon_unit_refused(d, u, "%s does not hold", why);
        daemon_note(d, u, UNIT_INACTIVE, UNIT_REFUSED);
        break;
    }
    return false;
}

/* What should confine it and does not is said at every start. */
static void warn(const struct daemon *d, const struct unit *u)
{
    char text[1024];
    struct textbuf b = TEXTBUF(text);

    directive_put_unenforced(&b, &u->file.spec);
    if (b.len > 0)
        log_unit(d->log, unit_subject(u), STAGE_LOAD, LOG_WARNING, NULL, "not enforced, it runs without: %s", text);
}

/* A unit of files is one, whichever instance runs it. Where there can be no locks it is run without. */
static bool take_lock(struct daemon *d, struct unit *u)
{
    cleanup_free char *other = NULL;
    pid_t owner;
    int r;

    if (u->line || u->locked)
        return true;
    r = unit_lock(&d->unit_locks, d->config->rundir, unit_name(u), &owner);
    if (r != -EEXIST) {
        u->locked = r >= 0;
        if (r < 0)
            log_unit(d->log, unit_subject(u), STAGE_START, LOG_WARNING, NULL,
                     "%s/../.units: %s: whether another instance runs it is not known", d->config->rundir,
                     strerror(-r));
        return true;
    }
    (void)rundir_of_daemon(d->config->rundir, owner, &other);
    if (other)
        daemon_unit_refused(d, u, "already running in the instance %s as PID %d ('amphid stop %s' ends it)", other,
                            owner, unit_name(u));
    else
        daemon_unit_refused(d, u, "already running in another instance ('amphid list' shows them)");
    daemon_note(d, u, UNIT_INACTIVE, UNIT_REFUSED);
    return false;
}

static void start_service(struct daemon *d, struct unit *u)
{
    int r = 0;

    if (u->next) {
        daemon_drop_job(u);
        unit_take_next(u);
    }
    if (!take_lock(d, u) || !may_start(d, u))
        return;
    warn(d, u);
    if (!u->job)
        r = make_job(d, u);
    if (r < 0) {
        daemon_unit_failed(d, u, 1, -r, strerror(-r));
        return;
    }
    strv_free(u->env);
    u->env = take_ptr(u->next_env);
    u->job->c.more_env = u->env;
    u->job->stop_asked = false;
    job_start(u->job);
}

static void stop_service(struct daemon *d, struct unit *u)
{
    if (u->job && !job_over(u->job)) {
        u->job->comes_back = graph_job(d->graph, u->number, NULL) == UNIT_JOB_RESTART;
        job_stop(u->job);
    } else
        daemon_note(d, u, UNIT_INACTIVE, 0);
}

/* systemd.service(5), ExecReload=: without it a service has no reload, and its main process may not expect a SIGHUP. A
 * command line is asked by ReloadSignal=. */
bool daemon_can_reload(const struct unit *u)
{
    const struct jobspec *spec = &u->file.spec;

    return u->line || jobspec_commands(spec, EXEC_RELOAD)->n > 0 || spec->type == TYPE_NOTIFY_RELOAD;
}

static void reload_service(struct daemon *d, struct unit *u)
{
    if (!daemon_can_reload(u)) /* for another one's sake: nothing is to be done */
        graph_reloaded(d->graph, u->number, true);
    else if (!u->job || job_reload(u->job) < 0)
        graph_reloaded(d->graph, u->number, false);
}

void daemon_begin(void *ctx, size_t number, enum unit_job job)
{
    struct daemon *d = units_owner(ctx);
    struct unit *u = units_nth(d->units, number);
    bool runs = u->kind == UNIT_IS_SERVICE;

    d->changed = true;
    if (job == UNIT_JOB_RELOAD)
        reload_service(d, u);
    else if (!runs && (job == UNIT_JOB_STOP || u->kind == UNIT_IS_HOST || may_start(d, u)))
        daemon_note(d, u, job == UNIT_JOB_STOP ? UNIT_INACTIVE : UNIT_ACTIVE, 0);
    else if (!runs)
        return;
    else if (job == UNIT_JOB_STOP)
        stop_service(d, u);
    else
        start_service(d, u);
}
