/* Between the graph of the units and their jobs: what is to begin is begun here, what becomes of it is told to the graph
 * when the event is over. So no rule of the graph ever runs inside a step of a job. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include "cleanup.h"
#include "conditions.h"
#include "directive_honour.h"
#include "daemon_state.h"
#include "parse.h"
#include "strv.h"

struct unit_news {
    size_t unit;
    enum unit_state state;
    unsigned news;
};

/* ---- who is alive ---- */

static bool is_alive(enum unit_state s)
{
    return s != UNIT_INACTIVE && s != UNIT_FAILED;
}

static bool is_up(enum unit_state s)
{
    return s == UNIT_ACTIVE || s == UNIT_RELOADING;
}

/* A service counts from its first start on; one that was asked for keeps the instance alive. */
static void count(struct daemon *d, const struct unit *u, enum unit_state s, int by)
{
    size_t n = (size_t)by;

    if (!u->counted)
        return;
    d->n_up += is_up(s) ? n : 0;
    d->n_failed += s == UNIT_FAILED ? n : 0;
    d->n_alive += is_alive(s) ? n : 0;
    d->n_asked += u->asked && is_alive(s) ? n : 0;
}

void daemon_note(struct daemon *d, struct unit *u, enum unit_state state, unsigned news)
{
    struct unit_news *grown = d->news;

    if (d->n_news == d->news_size) {
        grown = reallocarray(d->news, d->news_size + 64, sizeof(*grown));
        if (!grown) /* the graph learns with the next change what it has missed */
            return;
        d->news = grown;
        d->news_size += 64;
    }
    grown[d->n_news++] = (struct unit_news){u->number, state, news};
    count(d, u, u->state, -1);
    u->state = news & UNIT_RESTARTS ? UNIT_ACTIVATING : state;
    if (!u->counted && u->kind == UNIT_IS_SERVICE) {
        u->counted = true;
        d->n_counted++;
    }
    count(d, u, u->state, 1);
}

/* @u is wanted for itself; of a target, what it groups. */
static void mark_asked(struct daemon *d, struct unit *u)
{
    static const enum unit_dep members[] = {DEP_REQUIRES, DEP_WANTS, DEP_BINDS_TO, DEP_UPHOLDS};
    size_t pos, other;

    if (u->asked)
        return;
    count(d, u, u->state, -1);
    u->asked = true;
    count(d, u, u->state, 1);
    for (size_t i = 0; u->kind == UNIT_IS_GROUP && i < ARRAY_SIZE(members); i++)
        for (pos = 0; graph_dep(d->graph, u->number, members[i], &pos, &other);)
            mark_asked(d, units_nth(d->units, other));
}

/* What OnFailure= and OnSuccess= start is to come to its end, too. */
static void mark_followers(struct daemon *d, const struct unit *u)
{
    enum unit_dep dep = u->state == UNIT_FAILED ? DEP_ON_FAILURE : DEP_ON_SUCCESS;
    size_t pos = 0, other;

    while (!is_alive(u->state) && graph_dep(d->graph, u->number, dep, &pos, &other)) {
        struct unit *follower = units_nth(d->units, other);

        mark_asked(d, follower);
        follower->monitored = u;
    }
}

int daemon_request(struct daemon *d, struct unit *u, enum unit_job job)
{
    bool starts = job == UNIT_JOB_START || job == UNIT_JOB_RESTART, before = u->pending;
    int r;

    u->pending = u->pending || starts;
    r = graph_request(d->graph, u->number, job, UNIT_JOB_REPLACE);
    if (r < 0)
        u->pending = before;
    d->changed = true;
    return r;
}

int daemon_want(struct daemon *d, struct unit *u)
{
    int r = daemon_request(d, u, UNIT_JOB_START);

    if (r >= 0)
        mark_asked(d, u);
    return r;
}

/* ---- what begins ---- */

/* Does somebody here have to see its output? */
static bool reads_lines(const struct jobspec *d)
{
    for (size_t i = 0; i < d->ready.n; i++)
        if (d->ready.v[i].kind == PROBE_LOG)
            return true;
    return d->log_rate_interval > 0 && d->log_rate_burst > 0;
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

/* The place of @what of the unit in the instance's directory: "notify", "notify.1", ... */
static int make_path(const struct daemon *d, const struct unit *u, const char *what, char **ret)
{
    int r = u->number ? asprintf(ret, "%s/%s.%zu", d->config->rundir, what, u->number)
                      : asprintf(ret, "%s/%s", d->config->rundir, what);

    if (r >= 0)
        return 0;
    *ret = NULL;
    return -ENOMEM;
}

static int make_job(struct daemon *d, struct unit *u)
{
    struct job *job;
    int r;

    if ((!u->notify_path && make_path(d, u, "notify", &u->notify_path) < 0) ||
        (!u->main_path && make_path(d, u, "main", &u->main_path) < 0))
        return -ENOMEM;
    job = calloc(1, sizeof(*job));
    if (!job)
        return -ENOMEM;
    r = job_init(job, &(struct job_context){.spec = &u->file.spec,
                                            .world = u->line ? d->config->spawn : &d->worlds[u == d->sole],
                                            .loop = d->loop,
                                            .log = d->log,
                                            .forest = d->forest,
                                            .route = daemon_route(d, &u->file.spec),
                                            .watched = u == d->sole && d->config->watchdog_usec > 0,
                                            .notify_path = u->notify_path,
                                            .pid_path = u->main_path,
                                            .ops = daemon_news(),
                                            .ops_ctx = u});
    if (r < 0) {
        free(job);
        return r;
    }
    u->job = job;
    return 0;
}

void daemon_drop_job(struct unit *u)
{
    const struct daemon *d = units_owner(u->all);

    if (!u->job)
        return;
    job_done(u->job);
    forest_forget_tree(d->forest, &u->job->tree);
    free(u->job);
    u->job = NULL;
}

static int put_variable(char ***env, const char *key, const char *value)
{
    cleanup_free char *assignment = NULL;

    if (asprintf(&assignment, "%s=%s", key, value) < 0) {
        assignment = NULL;
        return -ENOMEM;
    }
    return env_put(env, assignment);
}

/* systemd.exec(5): what a unit that OnFailure= or OnSuccess= has started is told of the one that did so. */
static int monitor_environment(struct unit *u)
{
    const struct unit *of = u->monitored;
    const struct job *job = of ? of->job : NULL;
    char number[16], name[16];
    const char *status = number;
    int r;

    u->env = strv_free(u->env);
    u->monitored = NULL;
    if (!job)
        return 0;
    r = put_variable(&u->env, "MONITOR_SERVICE_RESULT", job_result_name(job->fsm.result));
    if (r >= 0 && job->exit_code) {
        snprintf(number, sizeof(number), "%d", job->exit_status);
        if (job->exit_code != CLD_EXITED)
            status = signal_name(job->exit_status, name) + strlen("SIG");
        r = put_variable(&u->env, "MONITOR_EXIT_CODE", exit_code_name(job->exit_code));
        if (r >= 0)
            r = put_variable(&u->env, "MONITOR_EXIT_STATUS", status);
    }
    if (r >= 0 && job->tree.mark[0])
        r = put_variable(&u->env, "MONITOR_INVOCATION_ID", job->tree.mark);
    return r < 0 ? r : put_variable(&u->env, "MONITOR_UNIT", unit_name(of));
}

/* Do its conditions hold? Else it is told why not. */
static bool may_start(struct daemon *d, struct unit *u)
{
    char why[512];
    struct textbuf b = TEXTBUF(why);

    switch (conditions_check(&u->file.spec, &b)) {
    case CONDITIONS_HOLD:
        return true;
    case CONDITIONS_NOT_MET:
        log_unit(d->log, unit_subject(u), STAGE_START, LOG_INFO, NULL, "not started: %s does not hold", why);
        if (u->asked && !d->told_up)
            daemon_tell_starter(d, u, "not started: %s does not hold", why);
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

static void start_service(struct daemon *d, struct unit *u)
{
    int r = 0;

    if (u->next) {
        daemon_drop_job(u);
        unit_take_next(u);
    }
    if (!may_start(d, u))
        return;
    warn(d, u);
    if (!u->job)
        r = make_job(d, u);
    if (r >= 0)
        r = monitor_environment(u);
    if (r < 0) {
        daemon_unit_failed(d, u, 1, -r, strerror(-r));
        return;
    }
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

static void reload_service(struct daemon *d, struct unit *u)
{
    if (!u->job || job_reload(u->job) < 0)
        graph_reloaded(d->graph, u->number, false);
}

static void begin(void *ctx, size_t number, enum unit_job job)
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

/* ---- what has become of it ---- */

/* What whoever waits above us is told when all that was wanted is decided. */
static void tell_up(struct daemon *d)
{
    if (d->told_up || d->n_awaited > 0 || d->stopping)
        return;
    daemon_set_status(d);
    if (d->sole && d->n_missed > 0)
        return; /* its end was told */
    if (d->n_missed > 0 && !d->config->resident) {
        upward_partly(d->upward, d->exit_status ? d->exit_status : 1, d->n_asked > 0, d->status_text);
    } else {
        if (!d->sole)
            log_stage(d->log, STAGE_READY, LOG_INFO, NULL, "%s", d->status_text);
        upward_ready(d->upward, d->status_text);
    }
    d->told_up = true;
}

static void decide(struct daemon *d, struct unit *u, bool up)
{
    if (!u->awaited)
        return;
    u->awaited = false;
    d->n_awaited--;
    d->n_missed += up ? 0 : 1;
}

static void over(void *ctx, size_t number, enum unit_job job, enum unit_job_result result)
{
    struct daemon *d = units_owner(ctx);
    struct unit *u = units_nth(d->units, number);
    bool up = result == UNIT_JOB_DONE || result == UNIT_JOB_SKIPPED;

    d->changed = true;
    if (job == UNIT_JOB_STOP)
        control_job_stopped(d->control, unit_name(u));
    if (job == UNIT_JOB_STOP || job == UNIT_JOB_RELOAD || result == UNIT_JOB_CANCELED)
        return;
    u->pending = false;
    if (result == UNIT_JOB_DEPENDENCY || result == UNIT_JOB_TIMEOUT)
        daemon_unit_refused(d, u, "%s", result == UNIT_JOB_TIMEOUT ? "its start took too long (JobTimeoutSec=)"
                                                                   : "a unit that it needs did not come up");
    else if (result == UNIT_JOB_SKIPPED)
        control_job_not_started(d->control, unit_name(u), NULL);
    else
        daemon_tell_changed(d, u);
    if (result == UNIT_JOB_FAILED && u->job && !job_over(u->job))
        return; /* Restart= goes on: it is decided when that ends */
    decide(d, u, up);
}

static void say(void *ctx, int level, size_t number, const char *text)
{
    struct daemon *d = units_owner(ctx);

    log_unit(d->log, unit_subject(units_nth(ctx, number)), STAGE_LOAD, level, NULL, "%s", text);
    if (d && !d->told_up && level <= LOG_WARNING)
        daemon_tell_starter(d, NULL, "%s", text);
}

static uint64_t now(void *ctx)
{
    (void)ctx;
    return now_usec();
}

const struct graph_ops *daemon_graph(void)
{
    static const struct graph_ops ops = {begin, over, say, now};

    return &ops;
}

/* ---- when an event is over ---- */

/* What is decided by a change of state alone: it came up after all, or will not. */
static void look_at(struct daemon *d, struct unit *u)
{
    mark_followers(d, u);
    if (!u->awaited || graph_job(d->graph, u->number, NULL) != UNIT_JOB_NONE)
        return;
    if (is_up(u->state))
        decide(d, u, true);
    else if (!is_alive(u->state))
        decide(d, u, u->state == UNIT_INACTIVE);
}

static void tell_graph(struct daemon *d)
{
    for (size_t i = 0; i < d->n_news; i++) { /* there may be more at the end than there were at the beginning */
        const struct unit_news n = d->news[i];

        graph_changed(d->graph, n.unit, n.state, n.news);
        look_at(d, units_nth(d->units, n.unit));
    }
    d->n_news = 0;
}

void daemon_stop_units(struct daemon *d)
{
    for (size_t i = 0; i < units_count(d->units); i++) {
        struct unit *u = units_nth(d->units, i);

        if (u->kind != UNIT_IS_HOST && !u->same &&
            (is_alive(u->state) || graph_job(d->graph, u->number, NULL) != UNIT_JOB_NONE))
            (void)graph_request(d->graph, u->number, UNIT_JOB_STOP, UNIT_JOB_REPLACE);
    }
    d->changed = true;
}

static void look_for_end(struct daemon *d)
{
    if (graph_pending(d->graph) > 0 || (!d->stopping && (d->config->resident || d->n_asked > 0)))
        return;
    if (d->n_alive == 0) {
        loop_exit(d->loop, d->exit_status);
    } else if (!d->ending) {
        d->ending = true; /* what was pulled in by units that are over has nothing to do any more */
        daemon_stop_units(d);
    }
}

void daemon_settle(struct daemon *d)
{
    while (d->changed || d->n_news > 0) {
        d->changed = false;
        tell_graph(d);
        loop_arm(d->loop, &d->due, graph_run(d->graph));
        if (d->n_news > 0 || d->changed)
            continue;
        tell_up(d);
        look_for_end(d);
    }
}
