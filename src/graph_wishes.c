/* Requests that follow from what has happened. They are made when graph_run() has the word, never in the middle of
 * something else, so that nothing here ever runs inside itself. */
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
