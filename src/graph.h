/* Units and how they depend on each other, pure: no file, no process, no clock. A request ("start nginx.service")
 * becomes jobs for all units that it concerns (systemd.unit(5): Requires=, Wants=, Conflicts= ...), the queue of jobs is
 * worked off as After= and Before= allow, and what becomes of one has its consequences for others. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Each kind stands beside its inverse, so that both ends of a dependency know it. */
#define UNIT_DEPS(X)                                                                                         \
    X(REQUIRES, "Requires", REQUIRED_BY)                                                                     \
    X(REQUIRED_BY, "RequiredBy", REQUIRES)                                                                   \
    X(REQUISITE, "Requisite", REQUISITE_OF)                                                                  \
    X(REQUISITE_OF, "RequisiteOf", REQUISITE)                                                                \
    X(WANTS, "Wants", WANTED_BY)                                                                             \
    X(WANTED_BY, "WantedBy", WANTS)                                                                          \
    X(BINDS_TO, "BindsTo", BOUND_BY)                                                                         \
    X(BOUND_BY, "BoundBy", BINDS_TO)                                                                         \
    X(PART_OF, "PartOf", CONSISTS_OF)                                                                        \
    X(CONSISTS_OF, "ConsistsOf", PART_OF)                                                                    \
    X(UPHOLDS, "Upholds", UPHELD_BY)                                                                         \
    X(UPHELD_BY, "UpheldBy", UPHOLDS)                                                                        \
    X(CONFLICTS, "Conflicts", CONFLICTED_BY)                                                                 \
    X(CONFLICTED_BY, "ConflictedBy", CONFLICTS)                                                              \
    X(BEFORE, "Before", AFTER)                                                                               \
    X(AFTER, "After", BEFORE)                                                                                \
    X(ON_SUCCESS, "OnSuccess", ON_SUCCESS_OF)                                                                \
    X(ON_SUCCESS_OF, "OnSuccessOf", ON_SUCCESS)                                                              \
    X(ON_FAILURE, "OnFailure", ON_FAILURE_OF)                                                                \
    X(ON_FAILURE_OF, "OnFailureOf", ON_FAILURE)                                                              \
    X(PROPAGATES_RELOAD_TO, "PropagatesReloadTo", RELOAD_PROPAGATED_FROM)                                    \
    X(RELOAD_PROPAGATED_FROM, "ReloadPropagatedFrom", PROPAGATES_RELOAD_TO)                                  \
    X(PROPAGATES_STOP_TO, "PropagatesStopTo", STOP_PROPAGATED_FROM)                                          \
    X(STOP_PROPAGATED_FROM, "StopPropagatedFrom", PROPAGATES_STOP_TO)

#define X(id, name, inverse) DEP_##id,
enum unit_dep { UNIT_DEPS(X) DEP_MAX };
#undef X

/* systemctl(1)'s words: ActiveState. */
enum unit_state { UNIT_INACTIVE, UNIT_ACTIVATING, UNIT_ACTIVE, UNIT_RELOADING, UNIT_DEACTIVATING, UNIT_FAILED };

/* org.freedesktop.systemd1(5): the types of a job. */
enum unit_job { UNIT_JOB_NONE, UNIT_JOB_START, UNIT_JOB_VERIFY_ACTIVE, UNIT_JOB_STOP, UNIT_JOB_RELOAD, UNIT_JOB_RESTART };

/* What has become of one: done, failed, dependency (what it needs has failed), canceled (a later request contradicts),
 * skipped (a condition does not hold). */
enum unit_job_result { UNIT_JOB_DONE, UNIT_JOB_FAILED, UNIT_JOB_DEPENDENCY, UNIT_JOB_CANCELED, UNIT_JOB_SKIPPED };

struct graph;

/* What the owner is asked to do and told. None of these may be called back into graph_request() for the same unit;
 * graph_changed() may be called from within begin(). */
struct graph_ops {
    /* The job begins: start, stop or reload @unit now. The answer is graph_changed(), and graph_finished() for a reload. */
    void (*begin)(void *ctx, size_t unit, enum unit_job job);
    /* A job is over. */
    void (*over)(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result);
    /* Something is to be said: a cycle, named in full, and what was left out to break it; a request that contradicts. */
    void (*say)(void *ctx, int level, size_t unit, const char *text);
};

int graph_new(struct graph **ret, const struct graph_ops *ops, void *ctx);
struct graph *graph_free(struct graph *g);

/* A unit (@name is copied); the same one if the name is there. Its number in *@ret, 0, 1, 2 ... -ENOMEM. */
int graph_add(struct graph *g, const char *name, size_t *ret);

/* The number of @name, or of an alias; false: not there. */
bool graph_find(const struct graph *g, const char *name, size_t *ret);
const char *graph_name(const struct graph *g, size_t unit);
size_t graph_count(const struct graph *g);

/* One more name of a unit. -EEXIST: it is another unit's. */
int graph_alias(struct graph *g, size_t unit, const char *name);

/* @from depends on @to, and the inverse. Both are there already. -ENOMEM. */
int graph_link(struct graph *g, size_t from, enum unit_dep dep, size_t to);

/* Takes back all that the unit's own files have said (what others say of it stays). */
void graph_unlink(struct graph *g, size_t unit);

/* The units that @unit has as @dep. Borrowed. */
const size_t *graph_deps(const struct graph *g, size_t unit, enum unit_dep dep, size_t *ret_n);

/* Asks for @job on @unit and all that follows from it: all of it enters the queue, or (negative) nothing: -EDEADLK
 * (a cycle that cannot be broken), -ENOENT (a required unit could not be loaded), -EBUSY (contradicts itself), -ENOMEM;
 * the reason was said. Nothing is begun before graph_run(). */
int graph_request(struct graph *g, size_t unit, enum unit_job job);

/* Says that the files of @unit could not be loaded (@loaded false), as it is by default. */
void graph_set_loaded(struct graph *g, size_t unit, bool loaded);

/* Begins what can begin now, in the order that After= and Before= ask for. */
void graph_run(struct graph *g);

/* The state of a unit is now @state, with everything that follows: the end of its job, failed dependencies, BindsTo=,
 * PartOf=, Upholds=, OnFailure=, OnSuccess=. @skipped: a condition has kept it from starting. */
void graph_changed(struct graph *g, size_t unit, enum unit_state state, bool skipped);

/* A reload of @unit has ended. */
void graph_reloaded(struct graph *g, size_t unit, bool ok);

enum unit_state graph_state(const struct graph *g, size_t unit);

/* The job of @unit, and does it run already? */
enum unit_job graph_job(const struct graph *g, size_t unit, bool *ret_running);

/* How many jobs are waiting or under way. */
size_t graph_pending(const struct graph *g);

const char *unit_dep_name(enum unit_dep dep); /* "Requires" */
enum unit_dep unit_dep_inverse(enum unit_dep dep);
const char *unit_state_name(enum unit_state s);
const char *unit_job_name(enum unit_job j);
const char *unit_job_result_name(enum unit_job_result r);
