/* What follows from what has become of a unit: the end of its job, and what starts and stops with it without having been
 * asked for. */
#include "graph_inside.h"

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
