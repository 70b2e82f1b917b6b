/* What has to be done now: jobs that can begin, requests that follow from what has happened, units that may have to be
 * started or stopped for the sake of others, and what is due. One after the other, until there is nothing left. */
#include <syslog.h>
#include "graph_inside.h"

/* What is due, by the clock. */
static void look_at_clock(struct graph *g, uint64_t now)
{
    uint32_t last = g->last[LIST_TIMED];
    size_t unit = NOBODY;

    if (now < g->due)
        return;
    g->due = UINT64_MAX;
    while (unit != last && list_pop(g, LIST_TIMED, &unit)) {
        struct unit_node *u = &g->units[unit];

        if (u->deadline != 0 && now >= u->deadline) {
            graph_say(g, LOG_WARNING, unit, "%s: its %s job takes too long, it is not waited for any more", u->name,
                      unit_job_name((enum unit_job)u->job));
            job_finish(g, unit, UNIT_JOB_TIMEOUT, true);
        } else if (u->deadline != 0) {
            graph_due(g, unit, u->deadline);
        }
        if (u->auto_later)
            list_push(g, LIST_AUDIT, unit);
    }
}

/* A circle in which all wait for each other can only come from dependencies that were read when the jobs were there
 * already. It must not hold them for ever. Returns whether there was one. */
static bool break_circle(struct graph *g)
{
    size_t unit = 0;

    if (g->n_jobs == 0 || g->n_running > 0 || g->n_held > 0)
        return false;
    while (g->units[unit].job == UNIT_JOB_NONE)
        unit++;
    for (size_t i = 0; i < g->n_units; i++) /* from wherever it hangs into the circle */
        unit = job_blocker(g, unit);
    graph_say(g, LOG_ERR, unit, "%s: its %s job waits for itself, it is given up", graph_name(g, unit),
              unit_job_name((enum unit_job)g->units[unit].job));
    job_finish(g, unit, UNIT_JOB_CANCELED, true);
    return true;
}

/* One thing that is not a job. False: there was nothing. */
static bool follow_up(struct graph *g, uint64_t now)
{
    size_t unit;

    if (list_pop(g, LIST_WISH, &unit)) {
        const struct unit_node *u = &g->units[unit];

        (void)transaction_run(g, unit, (enum unit_job)u->wish, (enum unit_job_mode)u->wish_mode, u->wish_restarts);
        return true;
    }
    if (list_pop(g, LIST_AUDIT, &unit)) {
        audit(g, unit, now);
        return true;
    }
    return break_circle(g);
}

uint64_t graph_run(struct graph *g)
{
    uint64_t now = g->ops.now ? g->ops.now(g->ctx) : 0;
    size_t unit;

    if (g->in_run)
        return UINT64_MAX;
    g->in_run = true;
    look_at_clock(g, now);
    do {
        jobs_fall(g);
        while (list_pop(g, LIST_READY, &unit)) {
            const struct unit_node *u = &g->units[unit];

            if (u->job != UNIT_JOB_NONE && !u->running && u->blocked == 0)
                job_begin(g, unit);
            jobs_fall(g);
        }
    } while (follow_up(g, now));
    g->in_run = false;
    return g->due;
}

enum unit_job graph_job(const struct graph *g, size_t unit, bool *ret_running)
{
    if (ret_running)
        *ret_running = g->units[unit].running;
    return (enum unit_job)g->units[unit].job;
}

size_t graph_pending(const struct graph *g)
{
    return g->n_jobs;
}
