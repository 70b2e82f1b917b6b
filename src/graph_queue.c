/* The queue of jobs, at most one a unit. A job that has to wait counts the jobs that come before it; each that ends
 * counts down for its neighbours, so that nobody is ever looked for and the whole costs as much as there are
 * dependencies. */
#include <syslog.h>
#include "graph_inside.h"

/* A job that may begin now, or that has to look at its unit again. One that only looks comes before those that act:
 * "the starting of this unit will fail immediately" (Requisite=) means before it has begun. */
static void job_wake(struct graph *g, size_t unit)
{
    const struct unit_node *u = &g->units[unit];

    if (u->job == UNIT_JOB_NONE || u->running || u->blocked > 0)
        return;
    if (u->job == UNIT_JOB_VERIFY_ACTIVE)
        list_push_front(g, LIST_READY, unit);
    else
        list_push(g, LIST_READY, unit);
}

/* Which of two units that are ordered has its job later? SIZE_MAX: neither, they do not both have one.
 * systemd.unit(5), Before=: what stops comes first, and among those that stop the order is reversed. */
static size_t order_later(const struct graph *g, size_t before, size_t after)
{
    const struct unit_node *a = &g->units[before], *b = &g->units[after];

    if (a->job == UNIT_JOB_NONE || b->job == UNIT_JOB_NONE || a->unordered || b->unordered)
        return SIZE_MAX;
    return job_stops((enum unit_job)b->job) ? before : after;
}

void order_weigh(struct graph *g, size_t before, size_t after, int delta)
{
    size_t later = order_later(g, before, after);

    if (later == SIZE_MAX)
        return;
    g->units[later].blocked += (uint32_t)delta;
    if (g->units[later].blocked == 0)
        job_wake(g, later);
}

static void order_weigh_all(struct graph *g, size_t unit, int delta)
{
    const struct unit_node *u = &g->units[unit];

    for (size_t i = 0; i < u->n_edges; i++) {
        if (u->edges[i].dep == DEP_BEFORE)
            order_weigh(g, unit, u->edges[i].unit, delta);
        else if (u->edges[i].dep == DEP_AFTER)
            order_weigh(g, u->edges[i].unit, unit, delta);
    }
}

static void job_set_running(struct graph *g, struct unit_node *u, bool running)
{
    if (u->running != running)
        g->n_running += running ? 1 : (size_t)-1;
    u->running = running;
}

static void job_set_held(struct graph *g, struct unit_node *u, bool held)
{
    if (u->held != held)
        g->n_held += held ? 1 : (size_t)-1;
    u->held = held;
}

/* The job of @unit is @job from now on, in its turn. */
static void job_set(struct graph *g, size_t unit, enum unit_job job)
{
    struct unit_node *u = &g->units[unit];

    if (u->job != UNIT_JOB_NONE) {
        order_weigh_all(g, unit, -1);
        g->n_jobs--;
    }
    job_set_running(g, u, false);
    job_set_held(g, u, false);
    u->job = (uint8_t)job;
    u->again = UNIT_JOB_NONE;
    u->blocked = 0;
    if (job == UNIT_JOB_NONE) {
        u->unordered = u->irreversible = false;
        u->deadline = 0;
        return;
    }
    g->n_jobs++;
    order_weigh_all(g, unit, 1);
    job_wake(g, unit);
}

void job_look_again(struct graph *g, size_t unit)
{
    job_set_held(g, &g->units[unit], false);
    job_wake(g, unit);
}

size_t job_blocker(const struct graph *g, size_t unit)
{
    const struct unit_node *u = &g->units[unit];
    size_t found = unit;

    for (size_t i = 0; i < u->n_edges && found == unit; i++) {
        size_t other = u->edges[i].unit;

        if ((u->edges[i].dep == DEP_BEFORE && order_later(g, unit, other) == unit) ||
            (u->edges[i].dep == DEP_AFTER && order_later(g, other, unit) == unit))
            found = other;
    }
    return found;
}

/* It waits for nobody and nobody for it. */
static void job_set_unordered(struct graph *g, size_t unit)
{
    order_weigh_all(g, unit, -1);
    g->units[unit].blocked = 0;
    g->units[unit].unordered = true;
    job_wake(g, unit);
}

/* @begins: JobRunningTimeoutSec= counts when it begins, JobTimeoutSec= when it is queued. */
static void job_time(struct graph *g, size_t unit, bool begins)
{
    struct unit_node *u = &g->units[unit];
    uint64_t usec = !u->rules ? 0 : begins ? u->rules->job_running_timeout : u->rules->job_timeout, deadline;

    if (usec == 0 || usec == UINT64_MAX || !g->ops.now)
        return;
    deadline = g->ops.now(g->ctx) + usec;
    if (u->deadline == 0 || deadline < u->deadline)
        u->deadline = deadline;
    graph_due(g, unit, u->deadline);
}

/* How far a request may be late for the job that is there already: a start that runs is as good as a new one, a reload
 * may have read its files before they were changed. */
enum unit_job jobs_merge(enum unit_job a, enum unit_job b, enum unit_state state)
{
    bool up = state == UNIT_ACTIVE || state == UNIT_RELOADING;

    if (a == b || b == UNIT_JOB_NONE)
        return a;
    if (a == UNIT_JOB_NONE)
        return b;
    if (a == UNIT_JOB_RESTART || b == UNIT_JOB_RESTART)
        return UNIT_JOB_RESTART;
    if (a == UNIT_JOB_VERIFY_ACTIVE || b == UNIT_JOB_VERIFY_ACTIVE)
        return a == UNIT_JOB_VERIFY_ACTIVE ? b : a;
    return up ? UNIT_JOB_RELOAD : UNIT_JOB_START; /* a start and a reload */
}

void job_install(struct graph *g, size_t unit, enum unit_job job, bool unordered, bool irreversible)
{
    struct unit_node *u = &g->units[unit];
    enum unit_job old = (enum unit_job)u->job, merged;

    if (old != UNIT_JOB_NONE && jobs_contradict(old, job)) {
        job_finish(g, unit, UNIT_JOB_CANCELED, false);
        old = UNIT_JOB_NONE;
    }
    u->irreversible |= irreversible;
    if (unordered && !u->unordered)
        job_set_unordered(g, unit);
    merged = jobs_merge(old, job, (enum unit_state)u->state);
    if (u->running && job == UNIT_JOB_RELOAD && old != UNIT_JOB_RESTART)
        u->again = UNIT_JOB_RELOAD;
    else if (merged != old)
        job_set(g, unit, merged);
    if (old == UNIT_JOB_NONE)
        job_time(g, unit, false);
}

/* What the end of @job with @result means for the jobs of others. */
static unsigned fall(const struct unit_node *u, enum unit_job job, enum unit_job_result result)
{
    unsigned effects = 0;

    if (result != UNIT_JOB_DONE && result != UNIT_JOB_SKIPPED)
        effects = job == UNIT_JOB_STOP                                     ? FAILS_STOP
                  : job == UNIT_JOB_START || job == UNIT_JOB_VERIFY_ACTIVE ? FAILS_START
                                                                           : 0;
    else if ((job == UNIT_JOB_START || job == UNIT_JOB_RELOAD) && !is_up(u))
        effects = FAILS_INACTIVE;
    return effects;
}

void job_finish(struct graph *g, size_t unit, enum unit_job_result result, bool spreads)
{
    struct unit_node *u = &g->units[unit];
    enum unit_job job = (enum unit_job)u->job, again = (enum unit_job)u->again;

    if (job == UNIT_JOB_RESTART && result == UNIT_JOB_DONE) { /* the first half of it */
        job_set(g, unit, UNIT_JOB_START);
        return;
    }
    job_set(g, unit, UNIT_JOB_NONE);
    if (again != UNIT_JOB_NONE && result == UNIT_JOB_DONE)
        job_set(g, unit, again);
    if (spreads)
        u->fallen |= (uint16_t)fall(u, job, result);
    if (u->fallen)
        list_push(g, LIST_FALLEN, unit);
    if (result == UNIT_JOB_DEPENDENCY || result == UNIT_JOB_TIMEOUT) /* the other failures are the unit's own */
        wish_dep(g, unit, DEP_ON_FAILURE, u->rules ? u->rules->on_failure_mode : UNIT_JOB_REPLACE);
    audit_around(g, unit);
    g->ops.over(g->ctx, unit, job, result);
}

void jobs_fall(struct graph *g)
{
    size_t unit;

    while (list_pop(g, LIST_FALLEN, &unit)) {
        unsigned effects = g->units[unit].fallen;

        g->units[unit].fallen = 0;
        for (size_t i = 0; i < g->units[unit].n_edges; i++) {
            const struct edge *e = &g->units[unit].edges[i];
            enum unit_job job = (enum unit_job)g->units[e->unit].job;

            if (dep_effects((enum unit_dep)e->dep) & effects &&
                (job == UNIT_JOB_START || job == UNIT_JOB_VERIFY_ACTIVE))
                job_finish(g, e->unit, UNIT_JOB_DEPENDENCY, true);
        }
    }
}

/* systemd.unit(5), BindsTo=: with After= the other unit has to be up, whatever the reason why it is not. */
static bool is_bound_to_nothing(struct graph *g, size_t unit)
{
    size_t pos = 0, other;

    while (graph_dep(g, unit, DEP_BINDS_TO, &pos, &other))
        if (!is_up(&g->units[other]) && graph_linked(g, unit, DEP_AFTER, other)) {
            graph_say(g, LOG_WARNING, unit, "%s is bound to %s, which is not active", graph_name(g, unit),
                      graph_name(g, other));
            return true;
        }
    return false;
}

enum verdict { BEGIN, WATCH, HOLD, FINISH };

/* What there is to do for a job on a unit in this state. WATCH: it is under way without us. */
static enum verdict judge(enum unit_job job, enum unit_state state)
{
    static const uint8_t verdicts[][UNIT_FAILED + 1] = {
        /* inactive, activating, active, reloading, deactivating, failed */
        [UNIT_JOB_START] = {BEGIN, WATCH, FINISH, FINISH, HOLD, BEGIN},
        [UNIT_JOB_VERIFY_ACTIVE] = {FINISH, WATCH, FINISH, FINISH, FINISH, FINISH},
        [UNIT_JOB_STOP] = {FINISH, BEGIN, BEGIN, BEGIN, BEGIN, FINISH},
        [UNIT_JOB_RELOAD] = {FINISH, HOLD, BEGIN, HOLD, FINISH, FINISH},
        [UNIT_JOB_RESTART] = {FINISH, BEGIN, BEGIN, BEGIN, BEGIN, FINISH},
    };

    return (enum verdict)verdicts[job][state];
}

/* The result of a job that has nothing to do. */
static enum unit_job_result result_at_once(struct graph *g, size_t unit)
{
    const struct unit_node *u = &g->units[unit];

    if ((u->job != UNIT_JOB_VERIFY_ACTIVE && u->job != UNIT_JOB_RELOAD) || is_up(u))
        return UNIT_JOB_DONE;
    graph_say(g, LOG_WARNING, unit, "%s is not active%s", u->name,
              u->job == UNIT_JOB_RELOAD ? ": there is nothing to reload" : ", as another unit requires");
    return UNIT_JOB_FAILED;
}

void job_begin(struct graph *g, size_t unit)
{
    struct unit_node *u = &g->units[unit];
    enum unit_job job = (enum unit_job)u->job;
    enum verdict verdict = judge(job, (enum unit_state)u->state);

    job_set_held(g, u, verdict == HOLD);
    if (verdict == HOLD)
        return;
    if (verdict == FINISH)
        job_finish(g, unit, result_at_once(g, unit), true);
    else if (verdict == BEGIN && job == UNIT_JOB_START && is_bound_to_nothing(g, unit))
        job_finish(g, unit, UNIT_JOB_DEPENDENCY, true);
    else {
        job_set_running(g, u, true);
        job_time(g, unit, true);
        if (verdict == BEGIN)
            g->ops.begin(g->ctx, unit, job == UNIT_JOB_RESTART ? UNIT_JOB_STOP : job);
    }
}
