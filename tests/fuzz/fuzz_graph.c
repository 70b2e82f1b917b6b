/* The graph of units: three bytes are something that is said, asked for or happens. Whatever it is, a job begins only
 * on a unit that can have it, none waits for nothing, and all of them end when all units answer. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include "fuzz.h"
#include "graph.h"
#include "usec.h"

#define UNITS 12

struct world {
    struct graph *graph;
    uint64_t now;
    size_t events; /* since the last step: what follows from one thing is not without end */
    enum unit_job begun[UNITS];
    bool at_once[UNITS];
};

static void answer(struct world *w, size_t unit, unsigned how)
{
    static const struct {
        enum unit_state state;
        unsigned news;
    } ends[] = {
        {UNIT_ACTIVE, 0},   {UNIT_FAILED, 0},
        {UNIT_INACTIVE, 0}, {UNIT_INACTIVE, UNIT_SKIPPED},
        {UNIT_ACTIVE, 0},   {UNIT_INACTIVE, UNIT_REFUSED},
    };
    enum unit_job job = w->begun[unit];

    w->begun[unit] = UNIT_JOB_NONE;
    if (job == UNIT_JOB_RELOAD)
        graph_reloaded(w->graph, unit, how % 2);
    else if (job == UNIT_JOB_START)
        graph_changed(w->graph, unit, ends[how % 6].state, ends[how % 6].news);
    else if (job == UNIT_JOB_STOP)
        graph_changed(w->graph, unit, how % 3 ? UNIT_INACTIVE : UNIT_FAILED, 0);
}

static void begin(void *ctx, size_t unit, enum unit_job job)
{
    struct world *w = ctx;
    enum unit_state s = graph_state(w->graph, unit);
    bool down = s == UNIT_INACTIVE || s == UNIT_FAILED;

    MUST(++w->events < 100000);
    MUST(job == UNIT_JOB_START ? down : job == UNIT_JOB_STOP ? !down : s == UNIT_ACTIVE);
    w->begun[unit] = job;
    if (w->at_once[unit])
        answer(w, unit, (unsigned)w->events);
    else if (job != UNIT_JOB_RELOAD)
        graph_changed(w->graph, unit, job == UNIT_JOB_START ? UNIT_ACTIVATING : UNIT_DEACTIVATING, 0);
}

static void over(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result)
{
    struct world *w = ctx;

    MUST(++w->events < 100000);
    MUST(unit < UNITS && job != UNIT_JOB_NONE && *unit_job_name(job) && *unit_job_result_name(result));
}

static void say(void *ctx, int level, size_t unit, const char *text)
{
    (void)ctx;
    MUST(level >= 0 && level < 8 && unit < UNITS && *text);
}

static uint64_t now(void *ctx)
{
    return ((const struct world *)ctx)->now;
}

/* Nothing waits that has nobody to wait for. */
static void look(const struct world *w)
{
    size_t pending = 0, running = 0;

    for (size_t i = 0; i < UNITS; i++) {
        bool runs;

        pending += graph_job(w->graph, i, &runs) != UNIT_JOB_NONE;
        running += runs || graph_state(w->graph, i) == UNIT_DEACTIVATING ||
                   graph_state(w->graph, i) == UNIT_ACTIVATING || graph_state(w->graph, i) == UNIT_RELOADING;
    }
    MUST(pending == graph_pending(w->graph));
    MUST(pending == 0 || running > 0);
}

static void happen(struct world *w, unsigned what, size_t a, size_t b, unsigned more)
{
    static const enum unit_state states[] = {UNIT_FAILED, UNIT_INACTIVE, UNIT_DEACTIVATING};
    enum unit_state s = graph_state(w->graph, a);
    struct graph_rules rules = {.stop_when_unneeded = more & 1,
                                .ignore_on_isolate = more & 2,
                                .on_failure_mode = (enum unit_job_mode)(more % 7),
                                .job_timeout = more & 4 ? (uint64_t)more * USEC_PER_SEC : 0};

    switch (what % 10) {
    case 0:
    case 1:
    case 2:
        MUST(graph_link(w->graph, a, (enum unit_dep)(more % DEP_MAX), b) == 0);
        break;
    case 3:
        graph_unlink(w->graph, a);
        break;
    case 4:
        MUST(graph_set_rules(w->graph, a, &rules) == 0);
        graph_set_loaded(w->graph, b, more & 8);
        w->at_once[b] = more & 16;
        break;
    case 5:
    case 6:
        (void)graph_request(w->graph, a, (enum unit_job)(1 + more % UNIT_JOB_RESTART), (enum unit_job_mode)(b % 7));
        break;
    case 7:
        answer(w, a, more);
        break;
    case 8:
        if (w->begun[a] == UNIT_JOB_NONE && (s == UNIT_ACTIVE || s == UNIT_RELOADING)) {
            s = states[more % 3];
            graph_changed(w->graph, a, s, s == UNIT_FAILED && more & 8 ? UNIT_RESTARTS : 0);
            w->begun[a] = s == UNIT_DEACTIVATING         ? UNIT_JOB_STOP
                          : s == UNIT_FAILED && more & 8 ? UNIT_JOB_START
                                                         : UNIT_JOB_NONE;
        }
        break;
    case 9:
        w->now += more * USEC_PER_SEC / 8;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct graph_ops ops = {begin, over, say, now};
    struct world w = {.now = USEC_PER_SEC};
    size_t unit;

    MUST(graph_new(&w.graph, &ops, &w) == 0);
    for (size_t i = 0; i < UNITS; i++) {
        char name[32];

        snprintf(name, sizeof(name), "%zu.service", i);
        MUST(graph_add(w.graph, name, &unit) == 0 && unit == i);
        graph_set_loaded(w.graph, unit, true);
    }
    for (; size >= 3; data += 3, size -= 3) {
        w.events = 0;
        happen(&w, data[0], data[1] % UNITS, (data[1] / 16u) % UNITS, data[2]);
        (void)graph_run(w.graph);
        look(&w);
    }
    for (size_t i = 0; i < 1000 && graph_pending(w.graph) > 0; i++) {
        w.events = 0;
        for (size_t u = 0; u < UNITS; u++)
            answer(&w, u, 0);
        (void)graph_run(w.graph);
    }
    MUST(graph_pending(w.graph) == 0);
    graph_free(w.graph);
    return 0;
}
