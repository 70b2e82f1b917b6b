/* From a request to jobs: systemd.unit(5) says what each kind of dependency pulls in, systemctl(1) what a job mode
 * does. First all is gathered, each job with those for whose sake it is there; then what is impossible or contradicts
 * is dropped together with what cannot be without it, and if that is what was asked for, the request fails. Nothing
 * calls itself: dependencies may be as deep as there are units. */
#include <errno.h>
#include <stdlib.h>
#include <syslog.h>
#include "graph_tjobs.h"

/* What could not be loaded, and those who cannot be without it. */
static void drop_missing(struct transaction *t)
{
    for (size_t i = 0; i < t->n_jobs; i++)
        if (t->jobs[i].missing && !t->jobs[i].gone) {
            graph_say(t->graph, LOG_WARNING, t->jobs[i].unit, "%s: there is no such unit that could be loaded",
                      graph_name(t->graph, t->jobs[i].unit));
            transaction_drop(t, i);
        }
}

/* Would it change anything? */
static bool is_redundant(const struct unit_node *u, enum unit_job job)
{
    if (u->job != UNIT_JOB_NONE && jobs_contradict((enum unit_job)u->job, job))
        return false;
    switch (job) {
    case UNIT_JOB_START:
    case UNIT_JOB_VERIFY_ACTIVE:
        return is_up(u);
    case UNIT_JOB_STOP:
        return is_down(u);
    case UNIT_JOB_RELOAD:
        return u->state == UNIT_RELOADING;
    case UNIT_JOB_RESTART:
    case UNIT_JOB_NONE:
        break;
    }
    return false;
}

/* Drops the jobs of units that all change nothing; what was asked for stays, to have an end. */
static void drop_redundant(struct transaction *t)
{
    for (size_t i = 0; i < t->n_jobs; i++) {
        size_t unit = t->jobs[i].unit;
        bool redundant = unit != t->jobs[0].unit;

        FOREACH_LIVE(t, k, unit)
        redundant = redundant && is_redundant(&t->graph->units[unit], (enum unit_job)t->jobs[k - 1].job);
        t->jobs[i].gone |= redundant;
    }
}

/* The name of one who wants job @i. */
static const char *whose(const struct transaction *t, uint32_t i)
{
    uint32_t l = t->jobs[i].first_subject;

    while (l && t->jobs[t->links[l - 1].subject].gone)
        l = t->links[l - 1].next_subject;
    return l ? graph_name(t->graph, t->jobs[t->links[l - 1].subject].unit) : "the request";
}

/* systemd.unit(5), Conflicts=: the side that is not required goes; if neither is, the unit that conflicts is started
 * and the one that it conflicts with is stopped. */
static int decide(struct transaction *t, uint32_t stop, uint32_t other)
{
    const struct tjob *s = &t->jobs[stop], *o = &t->jobs[other];
    bool conflicts = false;
    uint32_t goes;

    for (uint32_t l = s->first_subject; l; l = t->links[l - 1].next_subject)
        conflicts |= t->links[l - 1].conflicts && !t->jobs[t->links[l - 1].subject].gone;
    if (s->matters && o->matters) {
        graph_say(t->graph, LOG_ERR, s->unit, "%s would have both a %s job (by %s) and a stop job (by %s)",
                  graph_name(t->graph, s->unit), unit_job_name((enum unit_job)o->job), whose(t, other), whose(t, stop));
        return -EBUSY;
    }
    goes = s->matters || (!o->matters && conflicts) ? other : stop;
    graph_say(t->graph, LOG_WARNING, s->unit, "%s: its %s job (by %s) is left out, it contradicts that of %s",
              graph_name(t->graph, s->unit), unit_job_name((enum unit_job)t->jobs[goes].job), whose(t, goes),
              whose(t, goes == stop ? other : stop));
    transaction_drop(t, goes);
    return 0;
}

/* No unit is to be stopped and something else at once. */
static int drop_contradictions(struct transaction *t)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < t->n_jobs; i++) {
        if (t->jobs[i].gone || t->jobs[i].job != UNIT_JOB_STOP)
            continue;
        FOREACH_LIVE(t, k, t->jobs[i].unit)
        if (k - 1 != i && r >= 0 && !t->jobs[i].gone)
            r = decide(t, (uint32_t)i, k - 1);
    }
    return r;
}

/* May what is in the queue already be replaced? */
static int check_queue(const struct transaction *t)
{
    for (size_t i = 0; i < t->n_jobs; i++) {
        const struct unit_node *u = &t->graph->units[t->jobs[i].unit];

        if (t->jobs[i].gone || u->job == UNIT_JOB_NONE || !jobs_contradict((enum unit_job)u->job, t->jobs[i].job))
            continue;
        if (!u->irreversible && t->mode != UNIT_JOB_FAIL)
            continue;
        graph_say(t->graph, LOG_ERR, t->jobs[i].unit, "%s has a %s job already, which must not be replaced", u->name,
                  unit_job_name((enum unit_job)u->job));
        return -EBUSY;
    }
    return 0;
}

/* All circles are broken, and what is not wanted any more is gone; then there may be others in the rest, which a walk
 * did not go through. */
static int make_order(struct transaction *t)
{
    int r;

    while ((r = transaction_order(t)) > 0)
        transaction_collect(t);
    return r;
}

/* All that follows from what was asked for. */
static int gather(struct transaction *t)
{
    bool alone = t->mode == UNIT_JOB_IGNORE_DEPENDENCIES || t->mode == UNIT_JOB_IGNORE_REQUIREMENTS;
    int r = 0;

    for (size_t i = 0; r >= 0 && !alone && i < t->n_jobs; i++) {
        r = transaction_pull(t, i);
        if (r >= 0 && t->mode == UNIT_JOB_ISOLATE && i == t->n_jobs - 1)
            r = transaction_pull_isolated(t);
    }
    if (r < 0)
        return r;
    t->stack = reallocarray(NULL, t->n_jobs, sizeof(*t->stack)); /* it never holds a job twice */
    return t->stack ? 0 : -ENOMEM;
}

/* From what was asked for to what has to be done. */
static int prepare(struct transaction *t)
{
    int r = gather(t);

    if (r < 0)
        return r;
    drop_missing(t);
    if (t->jobs[0].gone)
        return -ENOENT;
    transaction_walk(t, true);
    for (size_t i = 0; i < t->n_jobs; i++)
        t->jobs[i].matters = t->jobs[i].reached;
    drop_redundant(t);
    transaction_collect(t);
    r = drop_contradictions(t);
    if (r < 0)
        return r;
    transaction_collect(t);
    r = make_order(t);
    if (r < 0)
        return r;
    drop_redundant(t);
    transaction_collect(t);
    return check_queue(t);
}

static void install(struct transaction *t)
{
    struct graph *g = t->graph;

    if (t->mode == UNIT_JOB_FLUSH)
        for (size_t i = 0; i < g->n_units; i++)
            if (g->units[i].job != UNIT_JOB_NONE && !transaction_has(t, i))
                job_finish(g, i, UNIT_JOB_CANCELED, false);
    for (size_t i = 0; i < t->n_jobs; i++)
        if (!t->jobs[i].gone)
            job_install(g, t->jobs[i].unit, (enum unit_job)t->jobs[i].job, t->mode == UNIT_JOB_IGNORE_DEPENDENCIES,
                        t->mode == UNIT_JOB_REPLACE_IRREVERSIBLY);
}

static int check_request(struct transaction *t, size_t unit, enum unit_job job)
{
    if (job == UNIT_JOB_NONE || (t->mode == UNIT_JOB_ISOLATE && job != UNIT_JOB_START))
        return -EINVAL;
    if (t->graph->units[unit].loaded || job == UNIT_JOB_STOP)
        return 0;
    graph_say(t->graph, LOG_ERR, unit, "%s: there is no such unit that could be loaded", graph_name(t->graph, unit));
    return -ENOENT;
}

int transaction_run(struct graph *g, size_t unit, enum unit_job job, enum unit_job_mode mode, bool restarts)
{
    struct transaction t = {.graph = g, .mode = mode};
    size_t first;
    int r = check_request(&t, unit, job);

    if (r >= 0)
        r = transaction_get(&t, unit, job, &first);
    if (r >= 0)
        r = prepare(&t);
    if (r >= 0) {
        if (restarts) /* the stop is behind it */
            t.jobs[0].job = UNIT_JOB_START;
        install(&t);
    }
    for (size_t i = 0; i < t.n_jobs; i++)
        g->units[t.jobs[i].unit].first_tjob = 0;
    free(t.jobs);
    free(t.links);
    free(t.stack);
    return r;
}
