/* A request and all that follows from it, before any of it enters the queue: so that all of it does, or nothing. */
#pragma once
#include "graph_inside.h"

/* A job that is asked for. One unit may have several, until they are made one. */
struct tjob {
    uint32_t unit;
    uint32_t next;                        /* the next one of this unit, + 1 */
    uint32_t first_object, first_subject; /* links: those that it has made, those that have made it; + 1 */
    uint8_t job;                          /* enum unit_job */
    bool gone;                            /* dropped */
    bool missing;                         /* its unit could not be loaded */
    bool matters;                         /* what was asked for fails without it */
    bool reached;                         /* something that is there wants it */
};

/* @subject has made @object. */
struct tlink {
    uint32_t subject, object;
    uint32_t next_object, next_subject; /* the next one that @subject has made, that has made @object; + 1 */
    bool matters;                       /* without @object no @subject */
    bool conflicts;                     /* for Conflicts= */
};

struct transaction {
    struct graph *graph;
    struct tjob *jobs; /* the first one is what was asked for */
    size_t n_jobs, room_jobs;
    struct tlink *links;
    size_t n_links, room_links;
    uint32_t *stack; /* of indices of jobs, room for all of them */
    enum unit_job_mode mode;
};

/* From here on each part calls those before it only. */

/* ---- graph_tjobs.c ---- */

/* Walks from what was asked for along the links. @matters: only those without which it fails. */
void transaction_walk(struct transaction *t, bool matters);

/* Drops what nothing wants that is still there. */
void transaction_collect(struct transaction *t);

/* Drops job @i, and those that cannot be without it: once it is known what matters, none of that does. */
void transaction_drop(struct transaction *t, size_t i);

/* The live jobs of a unit, one after the other: @i begins at its first_tjob; 0: none is left. */
uint32_t transaction_next(const struct transaction *t, uint32_t i);

#define FOREACH_LIVE(t, i, unit_of)                                                                                    \
    for (uint32_t i = transaction_next(t, (t)->graph->units[unit_of].first_tjob); i;                                   \
         i = transaction_next(t, (t)->jobs[(i)-1].next))

/* The job that @unit would have: of the transaction, or else of the queue. */
enum unit_job transaction_job(const struct transaction *t, size_t unit);

/* Drops all jobs of @unit, which do not matter, and those that cannot be without them. */
void transaction_drop_unit(struct transaction *t, size_t unit);

/* Does any job of @unit matter? false as well if it has none here. */
bool transaction_matters(const struct transaction *t, size_t unit);
bool transaction_has(const struct transaction *t, size_t unit);

/* ---- graph_pull.c ---- */

/* Finds or makes the job @job of @unit: its index. -ENOMEM. */
int transaction_get(struct transaction *t, size_t unit, enum unit_job job, size_t *ret);

/* Adds what job @i pulls in directly. -ENOMEM. */
int transaction_pull(struct transaction *t, size_t i);

/* Adds the stop of all units that have no job here (UNIT_JOB_ISOLATE). -ENOMEM. */
int transaction_pull_isolated(struct transaction *t);

/* ---- graph_order.c ---- */

/* Finds and breaks all circles in the order of the jobs. How many were found; -EDEADLK (said): one cannot be broken. */
int transaction_order(struct transaction *t);
