/* The jobs of a transaction: who is there for whose sake, and what goes with whom. */
#include <syslog.h>
#include "graph_tjobs.h"

void transaction_walk(struct transaction *t, bool matters)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_jobs; i++)
        t->jobs[i].reached = i == 0;
    t->stack[n++] = 0;
    while (n > 0) {
        for (uint32_t l = t->jobs[t->stack[--n]].first_object, next; l; l = next) {
            const struct tlink *link = &t->links[l - 1];
            struct tjob *object = &t->jobs[link->object];

            next = link->next_object;
            if (object->reached || object->gone || (matters && !link->matters))
                continue;
            object->reached = true;
            t->stack[n++] = link->object;
        }
    }
}

void transaction_collect(struct transaction *t)
{
    transaction_walk(t, false);
    for (size_t i = 0; i < t->n_jobs; i++)
        t->jobs[i].gone |= !t->jobs[i].reached;
}

void transaction_drop(struct transaction *t, size_t i)
{
    size_t n = 0;

    t->jobs[i].gone = true;
    t->stack[n++] = (uint32_t)i;
    while (n > 0) {
        uint32_t job = t->stack[--n];

        for (uint32_t l = t->jobs[job].first_subject; l; l = t->links[l - 1].next_subject) {
            struct tjob *subject = &t->jobs[t->links[l - 1].subject];

            if (!t->links[l - 1].matters || subject->gone)
                continue;
            graph_say(t->graph, LOG_WARNING, subject->unit, "%s: its %s job is left out: it needs that of %s",
                      graph_name(t->graph, subject->unit), unit_job_name((enum unit_job)subject->job),
                      graph_name(t->graph, t->jobs[job].unit));
            subject->gone = true;
            t->stack[n++] = t->links[l - 1].subject;
        }
    }
}

uint32_t transaction_next(const struct transaction *t, uint32_t i)
{
    while (i && t->jobs[i - 1].gone)
        i = t->jobs[i - 1].next;
    return i;
}

void transaction_drop_unit(struct transaction *t, size_t unit)
{
    FOREACH_LIVE(t, i, unit)
    transaction_drop(t, i - 1);
}

bool transaction_has(const struct transaction *t, size_t unit)
{
    return transaction_next(t, t->graph->units[unit].first_tjob) != 0;
}

bool transaction_matters(const struct transaction *t, size_t unit)
{
    bool matters = false;

    FOREACH_LIVE(t, i, unit)
    matters |= t->jobs[i - 1].matters;
    return matters;
}

/* Of the transaction alone. */
static enum unit_job asked(const struct transaction *t, size_t unit)
{
    enum unit_job job = UNIT_JOB_NONE;

    FOREACH_LIVE(t, i, unit)
    job = jobs_merge(job, (enum unit_job)t->jobs[i - 1].job, (enum unit_state)t->graph->units[unit].state);
    return job;
}

enum unit_job transaction_job(const struct transaction *t, size_t unit)
{
    const struct unit_node *u = &t->graph->units[unit];
    enum unit_job job = asked(t, unit), old = (enum unit_job)u->job;

    return job != UNIT_JOB_NONE && old != UNIT_JOB_NONE && jobs_contradict(job, old)
               ? job
               : jobs_merge(job, old, (enum unit_state)u->state);
}
