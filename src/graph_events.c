/* What follows from what has become of a unit: the end of its job, what starts and stops with it without having been
 * asked for, and the requests that come from all that. They are made when graph_run() has the word, never in the middle
 * of something else, so that nothing here ever runs inside itself. */
#include <stdlib.h>
#include <syslog.h>
#include "graph_inside.h"
#include "usec.h"

/* How often a unit is started and stopped for the sake of others, as systemd has it: so often in so long a time. */
#define AUTO_INTERVAL (10 * USEC_PER_SEC)
#define AUTO_BURST 16

static uint64_t graph_now(const struct graph *g)
{
    return g->ops.now ? g->ops.now(g->ctx) : 0;
}

void wish(struct graph *g, size_t unit, enum unit_job job, enum unit_job_mode mode)
{
    struct unit_node *u = &g->units[unit];

    u->wish = (uint8_t)job;
    u->wish_mode = (uint8_t)mode;
    u->wish_restarts = false;
    list_push(g, LIST_WISH, unit);
}

/* May it be started or stopped for the sake of others now? If not it will be looked at later. */
static bool auto_allowed(struct graph *g, size_t unit, uint64_t now)
{
    struct unit_node *u = &g->units[unit];

    if (now - u->auto_since >= AUTO_INTERVAL) {
        u->auto_since = now;
        u->auto_count = 0;
        u->auto_later = false;
    }
    if (u->auto_count < AUTO_BURST) {
        u->auto_count++;
        return true;
    }
    if (!u->auto_later)
        graph_say(g, LOG_WARNING, unit, "%s: started and stopped too often for the sake of others, now it waits",
                  u->name);
    u->auto_later = true;
    graph_due(g, unit, u->auto_since + AUTO_INTERVAL);
    return false;
}

void wish_dep(struct graph *g, size_t unit, enum unit_dep dep, enum unit_job_mode mode)
{
    size_t pos = 0, other;

    while (graph_dep(g, unit, dep, &pos, &other)) {
        if (!auto_allowed(g, other, graph_now(g))) /* two that fail at once could go on with each other for ever */
            continue;
        graph_say(g, LOG_INFO, other, "%s: started, %s=%s", graph_name(g, other), unit_dep_name(unit_dep_inverse(dep)),
                  graph_name(g, unit));
        wish(g, other, UNIT_JOB_START, mode);
    }
}

static bool is_starting(const struct unit_node *u)
{
    return is_up(u) || u->state == UNIT_ACTIVATING;
}

/* A unit has come up without a job: what a request would have pulled in comes now, unless it should have been there
 * before. */
static void start_late(struct graph *g, size_t unit)
{
    for (size_t i = 0; i < g->units[unit].n_edges; i++) {
        const struct edge *e = &g->units[unit].edges[i];
        unsigned effects = dep_effects((enum unit_dep)e->dep);

        if (effects & STARTS_LATE && !is_starting(&g->units[e->unit]) && !graph_linked(g, unit, DEP_AFTER, e->unit))
            wish(g, e->unit, UNIT_JOB_START, e->dep == DEP_WANTS ? UNIT_JOB_FAIL : UNIT_JOB_REPLACE);
        if (effects & (PULLS_STOP | PULLS_STOP_WEAKLY) && !is_down(&g->units[e->unit]))
            wish(g, e->unit, UNIT_JOB_STOP, UNIT_JOB_REPLACE);
    }
}

/* It has gone without a job. */
static void stop_late(struct graph *g, size_t unit)
{
    for (size_t i = 0; i < g->units[unit].n_edges; i++) {
        const struct edge *e = &g->units[unit].edges[i];

        if (dep_effects((enum unit_dep)e->dep) & STOPS_LATE && is_starting(&g->units[e->unit]))
            wish(g, e->unit, UNIT_JOB_STOP, UNIT_JOB_REPLACE);
    }
}

/* Only those for whom it may count: a change costs as much as the unit has dependencies. */
void audit_around(struct graph *g, size_t unit)
{
    list_push(g, LIST_AUDIT, unit);
    for (size_t i = 0; i < g->units[unit].n_edges; i++) {
        const struct edge *e = &g->units[unit].edges[i];
        const struct unit_node *other = &g->units[e->unit];

        if (dep_effects((enum unit_dep)e->dep) & LOOKS_AT &&
            (e->dep == DEP_BOUND_BY || e->dep == DEP_UPHOLDS || (other->rules && other->rules->stop_when_unneeded)))
            list_push(g, LIST_AUDIT, e->unit);
    }
}

/* Is there one that @unit has as @dep, has no job, and is up (or down)? */
static const char *idle_one(const struct graph *g, size_t unit, enum unit_dep dep, bool up)
{
    size_t pos = 0, other;

    while (graph_dep(g, unit, dep, &pos, &other)) {
        const struct unit_node *o = &g->units[other];

        if (o->job == UNIT_JOB_NONE && (up ? is_up(o) : is_down(o)))
            return o->name;
    }
    return NULL;
}

/* Is it of use to nobody who is up, or will be? */
static bool is_unneeded(const struct graph *g, size_t unit)
{
    const struct unit_node *u = &g->units[unit];

    if (!u->rules || !u->rules->stop_when_unneeded)
        return false;
    for (size_t i = 0; i < u->n_edges; i++) {
        const struct unit_node *other = &g->units[u->edges[i].unit];

        if (dep_effects((enum unit_dep)u->edges[i].dep) & NEEDED_BY &&
            (!is_down(other) || (other->job != UNIT_JOB_NONE && other->job != UNIT_JOB_STOP)))
            return false;
    }
    return true;
}

void audit(struct graph *g, size_t unit, uint64_t now)
{
    const struct unit_node *u = &g->units[unit];
    enum unit_job job = UNIT_JOB_STOP;
    const char *bound = NULL, *upheld = NULL;

    if (u->job != UNIT_JOB_NONE || u->lists & 1U << LIST_WISH)
        return;
    if (is_up(u))
        bound = idle_one(g, unit, DEP_BINDS_TO, false);
    else if (is_down(u) && u->loaded)
        upheld = idle_one(g, unit, DEP_UPHELD_BY, true);
    if (upheld)
        job = UNIT_JOB_START;
    else if (!bound && (!is_up(u) || !is_unneeded(g, unit)))
        return;
    if (!auto_allowed(g, unit, now))
        return;
    if (upheld)
        graph_say(g, LOG_INFO, unit, "%s: started again, %s upholds it", u->name, upheld);
    else if (bound)
        graph_say(g, LOG_INFO, unit, "%s: stopped, it is bound to %s, which is not active", u->name, bound);
    else
        graph_say(g, LOG_INFO, unit, "%s: stopped, nobody needs it any more", u->name);
    wish(g, unit, job, UNIT_JOB_REPLACE);
}

/* The result of a start (or of looking whether it is active) that has left the unit down. */
static enum unit_job_result start_result(const struct unit_node *u, unsigned news)
{
    if (u->state == UNIT_FAILED || news & UNIT_REFUSED || u->job == UNIT_JOB_VERIFY_ACTIVE)
        return UNIT_JOB_FAILED;
    return news & UNIT_SKIPPED ? UNIT_JOB_SKIPPED : UNIT_JOB_DONE;
}

/* What the new state means for the job. Returns whether the job is what has led to it. */
static bool job_hears(struct graph *g, size_t unit, unsigned news)
{
    const struct unit_node *u = &g->units[unit];
    bool expected = true;

    switch ((enum unit_job)u->job) {
    case UNIT_JOB_NONE:
        return false;
    case UNIT_JOB_START:
    case UNIT_JOB_VERIFY_ACTIVE:
        if (is_up(u))
            job_finish(g, unit, UNIT_JOB_DONE, true);
        else if (u->running && u->state != UNIT_ACTIVATING) {
            expected = false;
            if (is_down(u))
                job_finish(g, unit, start_result(u, news), true);
        }
        break;
    case UNIT_JOB_RELOAD:
        if (u->running && u->state != UNIT_ACTIVE && u->state != UNIT_RELOADING) {
            expected = false;
            if (is_down(u))
                job_finish(g, unit, UNIT_JOB_FAILED, true);
        }
        break;
    case UNIT_JOB_STOP:
    case UNIT_JOB_RESTART:
        if (is_down(u))
            job_finish(g, unit, UNIT_JOB_DONE, true);
        else if (u->running && u->state != UNIT_DEACTIVATING) {
            expected = false;
            job_finish(g, unit, UNIT_JOB_FAILED, true);
        }
        break;
    }
    return expected;
}

/* What the way from @before to the state that the unit has now means for others. */
static void others_hear(struct graph *g, size_t unit, enum unit_state before, bool expected, unsigned news)
{
    const struct unit_node *u = &g->units[unit];
    const struct graph_rules *rules = u->rules;
    const struct unit_node was = {.state = (uint8_t)before};
    enum unit_state state = (enum unit_state)u->state;

    if (!expected && is_down(&was) && is_starting(u))
        start_late(g, unit);
    else if (!expected && is_starting(&was) && !is_starting(u))
        stop_late(g, unit);
    if (state == before)
        return;
    if (state == UNIT_FAILED)
        wish_dep(g, unit, DEP_ON_FAILURE, rules ? rules->on_failure_mode : UNIT_JOB_REPLACE);
    else if (state == UNIT_INACTIVE && before != UNIT_FAILED)
        wish_dep(g, unit, DEP_ON_SUCCESS, rules ? rules->on_success_mode : UNIT_JOB_FAIL);
}

void graph_changed(struct graph *g, size_t unit, enum unit_state state, unsigned news)
{
    struct unit_node *u = &g->units[unit];
    enum unit_state before = (enum unit_state)u->state;
    bool again = u->restarting && state == UNIT_ACTIVATING, expected;

    u->state = (uint8_t)state;
    u->restarting = false;
    expected = job_hears(g, unit, news);
    if (again) {
        wish(g, unit, UNIT_JOB_RESTART, UNIT_JOB_REPLACE);
        u->wish_restarts = true;
    } else if (!(news & (UNIT_SKIPPED | UNIT_REFUSED)))
        others_hear(g, unit, before, expected, news);
    if (news & UNIT_RESTARTS) { /* nobody has to bring it back */
        u->restarting = true;
        u->state = UNIT_ACTIVATING;
    }
    job_look_again(g, unit);
    jobs_fall(g);
    audit_around(g, unit);
}

void graph_reloaded(struct graph *g, size_t unit, bool ok)
{
    const struct unit_node *u = &g->units[unit];

    if (u->job == UNIT_JOB_RELOAD && u->running)
        job_finish(g, unit, ok ? UNIT_JOB_DONE : UNIT_JOB_FAILED, true);
    jobs_fall(g);
}

int graph_request(struct graph *g, size_t unit, enum unit_job job, enum unit_job_mode mode)
{
    int r = transaction_run(g, unit, job, mode, false);

    jobs_fall(g);
    return r;
}
