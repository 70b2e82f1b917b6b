/* The inside of the graph. graph.c has units and names; each of the parts below calls those before it only. */
#pragma once
#include "graph.h"

#define NOBODY UINT32_MAX

/* What a dependency of a unit on another does, apart from Before=, After=, OnSuccess= and OnFailure=, seen from the
 * unit that has it: graph_edges.c has the table. */
enum {
    PULLS_START = 1 << 0,        /* started: the other one is, too, or neither */
    PULLS_START_WEAKLY = 1 << 1, /* started: the other one is, too, if it can */
    PULLS_VERIFY = 1 << 2,       /* started: the other one has to be active */
    PULLS_STOP = 1 << 3,         /* started: the other one is stopped */
    PULLS_STOP_WEAKLY = 1 << 4,  /* the same, seen from the unit that somebody conflicts with */
    SPREADS_STOP = 1 << 5,       /* stopped or restarted: the other one is, too */
    SPREADS_RELOAD = 1 << 6,     /* reloaded: the other one is, too */
    FAILS_START = 1 << 7,        /* its start fails: so does that of the other one */
    FAILS_INACTIVE = 1 << 8,     /* its start leaves it inactive: that of the other one fails */
    FAILS_STOP = 1 << 9,         /* its stop fails: the start of the other one does */
    STARTS_LATE = 1 << 10,       /* it starts without a job: the other one is started */
    STOPS_LATE = 1 << 11,        /* it ends without a job: the other one is stopped */
    NEEDED_BY = 1 << 12,         /* as long as the other one is up, it is not unneeded */
    LOOKS_AT = 1 << 13,          /* whether the other one should be up or down may depend on it */
};
unsigned dep_effects(enum unit_dep dep);

/* Lists of units, through the units themselves: to put one there cannot fail, and it is there once. */
enum list {
    LIST_READY,  /* their jobs can begin */
    LIST_FALLEN, /* their jobs have failed: what depends on them does, too */
    LIST_WISH,   /* a request follows from what has happened */
    LIST_AUDIT,  /* should they be up, or down? */
    LIST_TIMED,  /* something is due at a time */
    LIST_MAX
};

enum { SAID_HERE = 1, SAID_THERE = 2 };

struct edge {
    uint32_t unit;
    uint8_t dep;  /* enum unit_dep */
    uint8_t said; /* by this unit's files, by the other's */
};

struct unit_node {
    const char *name; /* the slot's */
    struct edge *edges;
    size_t n_edges, room_edges;
    struct graph_rules *rules; /* NULL: the defaults */
    uint64_t deadline;         /* of the job; 0: none */
    uint64_t auto_since;       /* how often it was started and stopped for the sake of others, since when */
    uint32_t auto_count;
    uint32_t blocked; /* jobs that must end before this one begins */
    uint32_t next[LIST_MAX];
    uint32_t first_tjob; /* its jobs in the transaction that is being made, + 1 */
    uint16_t fallen;     /* effects that its failed job has */
    uint8_t lists;       /* 1 << LIST_*: those it is on */
    uint8_t state, job, again, wish,
        wish_mode; /* enum unit_state, unit_job, unit_job_mode; again: job behind this one */
    bool running, held, unordered, irreversible; /* the job: held: until the unit's own state allows it */
    bool loaded, restarting, wish_restarts, auto_later;
};

struct slot {
    char *name; /* NULL: empty */
    uint32_t unit;
};

struct graph {
    struct graph_ops ops;
    void *ctx;
    struct unit_node *units;
    size_t n_units, room_units;
    struct slot *slots; /* a power of two */
    size_t n_slots, n_names;
    uint32_t first[LIST_MAX], last[LIST_MAX];
    size_t n_jobs, n_running, n_held;
    uint64_t due; /* of LIST_TIMED, or earlier */
    bool in_run;
};

static inline bool is_up(const struct unit_node *u)
{
    return u->state == UNIT_ACTIVE || u->state == UNIT_RELOADING;
}

static inline bool is_down(const struct unit_node *u)
{
    return u->state == UNIT_INACTIVE || u->state == UNIT_FAILED;
}

/* systemd's job types fall in two: STOP contradicts all others. */
static inline bool jobs_contradict(enum unit_job a, enum unit_job b)
{
    return (a == UNIT_JOB_STOP) != (b == UNIT_JOB_STOP);
}

/* A restart is a stop first. */
static inline bool job_stops(enum unit_job j)
{
    return j == UNIT_JOB_STOP || j == UNIT_JOB_RESTART;
}

/* ---- graph.c ---- */

/* Makes room for one more element of @size in *@array behind @n. */
bool graph_room(void *array, size_t *room, size_t n, size_t size);

void graph_say(struct graph *g, int level, size_t unit, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* ---- graph_lists.c ---- */

void list_push(struct graph *g, enum list list, size_t unit);
void list_push_front(struct graph *g, enum list list, size_t unit);
bool list_pop(struct graph *g, enum list list, size_t *ret);

/* @unit has something to be looked at @when. */
void graph_due(struct graph *g, size_t unit, uint64_t when);

/* ---- graph_edges.c ---- */

/* Where @u has @to as @dep; n_edges: nowhere. */
size_t edge_index(const struct unit_node *u, enum unit_dep dep, size_t to);

/* Does @from have @to as @dep? Costs the shorter of both lists. */
bool graph_linked(const struct graph *g, size_t from, enum unit_dep dep, size_t to);

/* ---- graph_wishes.c ---- */

/* A request that follows from what has happened. */
void wish(struct graph *g, size_t unit, enum unit_job job, enum unit_job_mode mode);
void wish_dep(struct graph *g, size_t unit, enum unit_dep dep, enum unit_job_mode mode);

/* What the change of a unit or its job may mean for others will be looked at. */
void audit_around(struct graph *g, size_t unit);
void audit(struct graph *g, size_t unit, uint64_t now);

/* ---- graph_queue.c ---- */

/* One job of both, which do not contradict, on a unit in @state. */
enum unit_job jobs_merge(enum unit_job a, enum unit_job b, enum unit_state state);

/* "@before is Before=@after" begins (@delta 1) or ceases (-1) to count for their jobs. */
void order_weigh(struct graph *g, size_t before, size_t after, int delta);

/* Puts @job into the queue, over or into one that is there. */
void job_install(struct graph *g, size_t unit, enum unit_job job, bool unordered, bool irreversible);

/* Ends the job of @unit. @spreads: those who need it fail with it. */
void job_finish(struct graph *g, size_t unit, enum unit_job_result result, bool spreads);

/* The state of @unit has changed: its job, if it has waited for that, is looked at at the next occasion. */
void job_look_again(struct graph *g, size_t unit);

/* One for whose job that of @unit waits; itself: there is none. */
size_t job_blocker(const struct graph *g, size_t unit);

/* Begins the job of @unit, or finds that there is nothing to do. */
void job_begin(struct graph *g, size_t unit);

/* Fails what depends on the jobs that have failed. */
void jobs_fall(struct graph *g);

/* ---- graph_transaction.c ---- */

/* graph_request(), and what follows when a unit has @restarts itself: the same for all others, but its own part of it
 * is under way. */
int transaction_run(struct graph *g, size_t unit, enum unit_job job, enum unit_job_mode mode, bool restarts);
