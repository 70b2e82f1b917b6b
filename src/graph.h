/* Units and how they depend on each other, pure: no file, no process, no clock. A request ("start nginx.service")
 * becomes jobs for all units that it concerns (systemd.unit(5): Requires=, Wants=, Conflicts= ...), the queue of jobs
 * is worked off as After= and Before= allow, and what becomes of one has its consequences for others. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each kind stands beside its inverse, so that both ends of a dependency know it. */
#define UNIT_DEPS(X)                                                                                                   \
    X(REQUIRES, "Requires", REQUIRED_BY)                                                                               \
    X(REQUIRED_BY, "RequiredBy", REQUIRES)                                                                             \
    X(REQUISITE, "Requisite", REQUISITE_OF)                                                                            \
    X(REQUISITE_OF, "RequisiteOf", REQUISITE)                                                                          \
    X(WANTS, "Wants", WANTED_BY)                                                                                       \
    X(WANTED_BY, "WantedBy", WANTS)                                                                                    \
    X(BINDS_TO, "BindsTo", BOUND_BY)                                                                                   \
    X(BOUND_BY, "BoundBy", BINDS_TO)                                                                                   \
    X(PART_OF, "PartOf", CONSISTS_OF)                                                                                  \
    X(CONSISTS_OF, "ConsistsOf", PART_OF)                                                                              \
    X(UPHOLDS, "Upholds", UPHELD_BY)                                                                                   \
    X(UPHELD_BY, "UpheldBy", UPHOLDS)                                                                                  \
    X(CONFLICTS, "Conflicts", CONFLICTED_BY)                                                                           \
    X(CONFLICTED_BY, "ConflictedBy", CONFLICTS)                                                                        \
    X(BEFORE, "Before", AFTER)                                                                                         \
    X(AFTER, "After", BEFORE)                                                                                          \
    X(ON_SUCCESS, "OnSuccess", ON_SUCCESS_OF)                                                                          \
    X(ON_SUCCESS_OF, "OnSuccessOf", ON_SUCCESS)                                                                        \
    X(ON_FAILURE, "OnFailure", ON_FAILURE_OF)                                                                          \
    X(ON_FAILURE_OF, "OnFailureOf", ON_FAILURE)                                                                        \
    X(PROPAGATES_RELOAD_TO, "PropagatesReloadTo", RELOAD_PROPAGATED_FROM)                                              \
    X(RELOAD_PROPAGATED_FROM, "ReloadPropagatedFrom", PROPAGATES_RELOAD_TO)                                            \
    X(PROPAGATES_STOP_TO, "PropagatesStopTo", STOP_PROPAGATED_FROM)                                                    \
    X(STOP_PROPAGATED_FROM, "StopPropagatedFrom", PROPAGATES_STOP_TO)

#define X(id, name, inverse) DEP_##id,
enum unit_dep { UNIT_DEPS(X) DEP_MAX };
#undef X

/* systemctl(1)'s words: ActiveState. */
enum __attribute__((packed)) unit_state { UNIT_INACTIVE, UNIT_ACTIVATING, UNIT_ACTIVE, UNIT_RELOADING, UNIT_DEACTIVATING, UNIT_FAILED };

/* org.freedesktop.systemd1(5): the types of a job. */
enum __attribute__((packed)) unit_job {
    UNIT_JOB_NONE,
    UNIT_JOB_START,
    UNIT_JOB_VERIFY_ACTIVE,
    UNIT_JOB_STOP,
    UNIT_JOB_RELOAD,
    UNIT_JOB_RESTART
};

/* systemctl(1), --job-mode=: what a request does to jobs that are there already. */
enum __attribute__((packed)) unit_job_mode {
    UNIT_JOB_REPLACE, /* those that contradict are canceled */
    UNIT_JOB_FAIL,    /* it fails if one contradicts */
    UNIT_JOB_REPLACE_IRREVERSIBLY,
    UNIT_JOB_ISOLATE,             /* a start; all that does not follow from it is stopped */
    UNIT_JOB_FLUSH,               /* all others are canceled */
    UNIT_JOB_IGNORE_DEPENDENCIES, /* this unit only, at once */
    UNIT_JOB_IGNORE_REQUIREMENTS, /* this unit only, in its order */
};

/* What has become of one: done, failed, dependency (what it needs has failed), canceled (a later request contradicts),
 * skipped (a condition does not hold), timeout (JobTimeoutSec=). */
enum unit_job_result {
    UNIT_JOB_DONE,
    UNIT_JOB_FAILED,
    UNIT_JOB_DEPENDENCY,
    UNIT_JOB_CANCELED,
    UNIT_JOB_SKIPPED,
    UNIT_JOB_TIMEOUT
};

struct graph;

/* What the owner is asked to do, and told. begin() may call graph_changed(), graph_reloaded() and graph_request(); the
 * others must not change the graph. */
struct graph_ops {
    /* The job begins: start, stop or reload @unit now (UNIT_JOB_START, _STOP, _RELOAD: a restart is a stop, during
     * which graph_job() says UNIT_JOB_RESTART, and then a start in its turn). The answer is graph_changed(), and
     * graph_reloaded() for a reload. A start is asked of a unit that is inactive or failed, a reload of one that is
     * active, a stop of one in any other state than inactive or failed. */
    void (*begin)(void *ctx, size_t unit, enum unit_job job);
    /* A job is over. */
    void (*over)(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result);
    /* Something is to be said (LOG_* of syslog(3)): a cycle, named in full, and what was left out to break it; a
     * request that contradicts; what follows from what. The text names the units. */
    void (*say)(void *ctx, int level, size_t unit, const char *text);
    /* The time in usec, for the deadlines of jobs and for how often a unit is started by Upholds=. NULL: there is no
     * time, and neither of them. */
    uint64_t (*now)(void *ctx);
};

/* What a unit says of itself beside its dependencies (spec_unit.h). By default nothing of it is so, the modes are
 * replace and (OnSuccess=) fail, and there is no timeout. */
struct graph_rules {
    bool stop_when_unneeded, ignore_on_isolate;
    enum unit_job_mode on_failure_mode, on_success_mode;
    uint64_t job_timeout, job_running_timeout; /* usec; USEC_INFINITY or 0: none */
};

int graph_new(struct graph **ret, const struct graph_ops *ops, void *ctx);
struct graph *graph_free(struct graph *g);

/* A unit (@name is copied); the same one if the name is there. Its number in *@ret, 0, 1, 2 ... -ENOMEM. */
int graph_add(struct graph *g, const char *name, size_t *ret);

/* The number of @name, or of an alias; false: not there. */
bool graph_find(const struct graph *g, const char *name, size_t *ret);
const char *graph_name(const struct graph *g, size_t unit);
size_t graph_count(const struct graph *g);

/* One more name of a unit. -EEXIST: it is another unit's; -ENOMEM. */
int graph_alias(struct graph *g, size_t unit, const char *name);

/* @from depends on @to, and the inverse. Both are there already. 0 as well if it is said already, or of a unit about
 * itself, which means nothing. -ENOMEM. */
int graph_link(struct graph *g, size_t from, enum unit_dep dep, size_t to);

/* Takes back all that the unit's own files have said (what others say of it stays). */
void graph_unlink(struct graph *g, size_t unit);

/* Walks the units that @unit has as @dep: @pos begins at 0, the next one is in *@ret; false: there is none. */
bool graph_dep(const struct graph *g, size_t unit, enum unit_dep dep, size_t *pos, size_t *ret);

/* Says whether the files of @unit could be loaded (masked ones could not); by default no. Only a loaded unit can be
 * started. */
void graph_set_loaded(struct graph *g, size_t unit, bool loaded);

/* -ENOMEM: it has the default ones. */
int graph_set_rules(struct graph *g, size_t unit, const struct graph_rules *rules);

/* Asks for @job on @unit and all that follows from it: all of it enters the queue, or (negative) nothing: -EDEADLK
 * (a cycle that cannot be broken), -ENOENT (the unit, or one that it requires, could not be loaded), -EBUSY (it
 * contradicts itself, or, by its mode, what is under way), -EINVAL (not a job, or not in this mode), -ENOMEM; the
 * reason was said. Nothing is begun before graph_run(). What has no effect (starting what is active) still ends with
 * over(). */
int graph_request(struct graph *g, size_t unit, enum unit_job job, enum unit_job_mode mode);

/* Begins what can begin now, in the order that After= and Before= ask for, and what follows from what has changed. To
 * be called after each request and change, before one sleeps; within begin() it does nothing. Returns when it has to be
 * called again even if nothing happens, USEC_INFINITY: never. */
uint64_t graph_run(struct graph *g);

/* What else there is to say about a change. */
enum {
    UNIT_SKIPPED = 1, /* inactive: a condition has kept it from starting */
    UNIT_REFUSED = 2, /* inactive: it could not be started, but has not failed (Assert*=) */
    UNIT_RESTARTS =
        4, /* inactive or failed: Restart= will start it anew, which OnFailure= and OnSuccess= see. Until the next change
            * it counts as activating; UNIT_ACTIVATING then tells that the new life begins. RestartMode=direct: nothing
            * but UNIT_ACTIVATING is told from the end of one life to the next */
};

/* The state of a unit is now @state, with everything that follows: the end of its job, failed dependencies, BindsTo=,
 * PartOf=, Upholds=, OnFailure=, OnSuccess= (at the next graph_run()). */
void graph_changed(struct graph *g, size_t unit, enum unit_state state, unsigned news);

/* A reload of @unit has ended. */
void graph_reloaded(struct graph *g, size_t unit, bool ok);

enum unit_state graph_state(const struct graph *g, size_t unit);

/* The job of @unit, and does it run already? (@ret_running may be NULL) */
enum unit_job graph_job(const struct graph *g, size_t unit, bool *ret_running);

/* How many jobs are waiting or under way. */
size_t graph_pending(const struct graph *g);

const char *unit_dep_name(enum unit_dep dep); /* "Requires" */
enum unit_dep unit_dep_inverse(enum unit_dep dep);
const char *unit_job_name(enum unit_job j);               /* "verify-active" */
const char *unit_job_mode_name(enum unit_job_mode m);     /* "replace" */
const char *unit_job_result_name(enum unit_job_result r); /* "done" */
