/* What a job pulls in: systemd.unit(5), dependency by dependency. */
#include <errno.h>
#include "graph_tjobs.h"

int transaction_get(struct transaction *t, size_t unit, enum unit_job job, size_t *ret)
{
    struct unit_node *u = &t->graph->units[unit];

    for (uint32_t i = u->first_tjob; i; i = t->jobs[i - 1].next)
        if (t->jobs[i - 1].job == job) {
            *ret = i - 1;
            return 0;
        }
    if (!graph_room(&t->jobs, &t->room_jobs, t->n_jobs, sizeof(*t->jobs)))
        return -ENOMEM;
    t->jobs[t->n_jobs] = (struct tjob){.unit = (uint32_t)unit,
                                       .next = u->first_tjob,
                                       .job = (uint8_t)job,
                                       .missing = !u->loaded && job != UNIT_JOB_STOP};
    *ret = t->n_jobs++;
    u->first_tjob = (uint32_t)t->n_jobs;
    return 0;
}

enum { MATTERS = 1, CONFLICTS = 2 };

/* @unit is to have @job for the sake of @by. What is only wanted and is not there is passed over. */
static int pull(struct transaction *t, size_t by, size_t unit, enum unit_job job, unsigned how)
{
    struct tlink *link;
    size_t object;

    if (!(how & MATTERS) && !t->graph->units[unit].loaded && job != UNIT_JOB_STOP)
        return 0;
    if (transaction_get(t, unit, job, &object) < 0 ||
        !graph_room(&t->links, &t->room_links, t->n_links, sizeof(*t->links)))
        return -ENOMEM;
    link = &t->links[t->n_links++];
    *link = (struct tlink){.subject = (uint32_t)by,
                           .object = (uint32_t)object,
                           .next_object = t->jobs[by].first_object,
                           .next_subject = t->jobs[object].first_subject,
                           .matters = how & MATTERS,
                           .conflicts = how & CONFLICTS};
    t->jobs[by].first_object = t->jobs[object].first_subject = (uint32_t)t->n_links;
    return 0;
}

/* A dependency with these @effects on a unit in this state: what it pulls in for @job, and how. */
static enum unit_job pulled(enum unit_job job, unsigned effects, const struct unit_node *other, unsigned *ret_how)
{
    bool starts = job == UNIT_JOB_START || job == UNIT_JOB_RESTART;

    *ret_how = MATTERS;
    if (starts && effects & PULLS_START)
        return UNIT_JOB_START;
    if (starts && effects & PULLS_VERIFY)
        return UNIT_JOB_VERIFY_ACTIVE;
    if (job_stops(job) && effects & SPREADS_STOP)
        return job == UNIT_JOB_STOP                                  ? UNIT_JOB_STOP
               : is_down(other) || other->state == UNIT_DEACTIVATING ? UNIT_JOB_NONE
                                                                     : UNIT_JOB_RESTART;
    if (starts && effects & PULLS_STOP) {
        *ret_how = MATTERS | CONFLICTS;
        return UNIT_JOB_STOP;
    }
    *ret_how = 0;
    if (starts && effects & PULLS_START_WEAKLY)
        return UNIT_JOB_START;
    if (starts && effects & PULLS_STOP_WEAKLY)
        return UNIT_JOB_STOP;
    if (job == UNIT_JOB_RELOAD && effects & SPREADS_RELOAD && !is_down(other) && other->state != UNIT_DEACTIVATING)
        return UNIT_JOB_RELOAD;
    return UNIT_JOB_NONE;
}

int transaction_pull(struct transaction *t, size_t by)
{
    enum unit_job job = (enum unit_job)t->jobs[by].job;
    const struct unit_node *u = &t->graph->units[t->jobs[by].unit];
    int r = 0;

    for (size_t i = 0; r >= 0 && !t->jobs[by].missing && i < u->n_edges; i++) {
        const struct edge *e = &u->edges[i];
        unsigned how;
        enum unit_job what = pulled(job, dep_effects((enum unit_dep)e->dep), &t->graph->units[e->unit], &how);

        if (what != UNIT_JOB_NONE)
            r = pull(t, by, e->unit, what, how);
    }
    return r;
}

/* systemctl(1), "isolate": all that does not follow from what was asked for is stopped. */
int transaction_pull_isolated(struct transaction *t)
{
    const struct graph *g = t->graph;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < g->n_units; i++) {
        const struct unit_node *u = &g->units[i];

        if (!u->first_tjob && u->loaded && !(u->rules && u->rules->ignore_on_isolate) &&
            (!is_down(u) || u->job != UNIT_JOB_NONE))
            r = pull(t, 0, i, UNIT_JOB_STOP, 0);
    }
    return r;
}
