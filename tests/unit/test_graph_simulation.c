/* The graph lives through thousands of random lives: units that depend on each other in all ways, circles included, are
 * asked for, start, fail, die, hang and come back, while a naive model, which looks at everything each time, watches
 * over what must never happen: a job before its turn, one that could begin and does not, one that never ends, a unit
 * that is up while what it is bound to is not. */
#include "unit.h"
#include <stdbool.h>
#include <time.h>
#include "cleanup.h"
#include "graph.h"
#include "usec.h"

#define UNITS_MAX 24
#define LIVES 4000
#define STEPS 120

/* What the world is about to tell of a unit. */
enum news { NOTHING, STARTS, STOPS, RELOADS, COMES_BACK };

struct life {
    struct graph *graph;
    uint64_t seed, number, now;
    size_t n;
    enum news news[UNITS_MAX];
    bool asked[UNITS_MAX]; /* a request was accepted, and its end was not told yet */
    bool refused;          /* a request had to be: it may have been to stop what is bound to something */
    bool disorder;         /* a job that ignores the order has been asked for */
    bool kind;             /* all that is begun goes well from now on */
    bool at_once[UNITS_MAX];
    size_t n_begun, n_over;
};

static uint64_t pick(struct life *l, uint64_t below)
{
    return (next_random(&l->seed) >> 33) % below;
}

static bool stops(enum unit_job job)
{
    return job == UNIT_JOB_STOP || job == UNIT_JOB_RESTART;
}

/* The job of @a waits for that of @b: systemd.unit(5), Before=. */
static bool waits_for(const struct life *l, size_t a, size_t b)
{
    enum unit_job ja = graph_job(l->graph, a, NULL), jb = graph_job(l->graph, b, NULL);
    bool after = false, before = false;
    size_t pos = 0, other;

    while (graph_dep(l->graph, a, DEP_AFTER, &pos, &other))
        after |= other == b;
    for (pos = 0; graph_dep(l->graph, a, DEP_BEFORE, &pos, &other);)
        before |= other == b;
    if (ja == UNIT_JOB_NONE || jb == UNIT_JOB_NONE)
        return false;
    return (after && !stops(ja)) || (before && stops(jb));
}

static bool is_up(enum unit_state s)
{
    return s == UNIT_ACTIVE || s == UNIT_RELOADING;
}

static bool is_down(enum unit_state s)
{
    return s == UNIT_INACTIVE || s == UNIT_FAILED;
}

static void tell(struct life *l, size_t unit)
{
    enum news news = l->news[unit];
    uint64_t luck = l->kind ? 0 : pick(l, 12);

    l->news[unit] = NOTHING;
    switch (news) {
    case NOTHING:
        break;
    case STARTS:
        if (luck < 6)
            graph_changed(l->graph, unit, UNIT_ACTIVE, 0);
        else if (luck < 8)
            graph_changed(l->graph, unit, UNIT_FAILED, 0);
        else if (luck == 8)
            graph_changed(l->graph, unit, UNIT_INACTIVE, UNIT_SKIPPED);
        else if (luck == 9)
            graph_changed(l->graph, unit, UNIT_INACTIVE, UNIT_REFUSED);
        else if (luck == 10)
            graph_changed(l->graph, unit, UNIT_INACTIVE, 0);
        else {
            l->news[unit] = COMES_BACK;
            graph_changed(l->graph, unit, UNIT_FAILED, UNIT_RESTARTS);
        }
        break;
    case STOPS:
        graph_changed(l->graph, unit, luck < 9 ? UNIT_INACTIVE : UNIT_FAILED, 0);
        break;
    case RELOADS:
        graph_changed(l->graph, unit, UNIT_ACTIVE, 0);
        graph_reloaded(l->graph, unit, luck < 8);
        break;
    case COMES_BACK:
        l->news[unit] = STARTS;
        graph_changed(l->graph, unit, UNIT_ACTIVATING, 0);
        break;
    }
}

static void begin(void *ctx, size_t unit, enum unit_job job)
{
    struct life *l = ctx;
    enum unit_state s = graph_state(l->graph, unit);
    bool running;

    CHECK(graph_job(l->graph, unit, &running) != UNIT_JOB_NONE && running, "life %lu: begun without a job", l->number);
    for (size_t i = 0; i < l->n; i++)
        CHECK(l->disorder || !waits_for(l, unit, i), "life %lu: %s of %s before that of %s", l->number,
              unit_job_name(job), graph_name(l->graph, unit), graph_name(l->graph, i));
    CHECK(job == UNIT_JOB_START  ? is_down(s)
          : job == UNIT_JOB_STOP ? !is_down(s)
                                 : job == UNIT_JOB_RELOAD && is_up(s),
          "life %lu: %s when %d", l->number, unit_job_name(job), s);
    for (size_t pos = 0, other; job == UNIT_JOB_START && graph_dep(l->graph, unit, DEP_BINDS_TO, &pos, &other);) {
        size_t p = 0, o;

        while (graph_dep(l->graph, unit, DEP_AFTER, &p, &o))
            CHECK(o != other || is_up(graph_state(l->graph, other)), "life %lu: bound to what is not up", l->number);
    }
    l->n_begun++;
    l->news[unit] = job == UNIT_JOB_START ? STARTS : job == UNIT_JOB_STOP ? STOPS : RELOADS;
    if (l->at_once[unit])
        tell(l, unit);
    else if (job != UNIT_JOB_RELOAD && pick(l, 2))
        graph_changed(l->graph, unit, job == UNIT_JOB_START ? UNIT_ACTIVATING : UNIT_DEACTIVATING, 0);
    else if (job == UNIT_JOB_RELOAD && pick(l, 2))
        graph_changed(l->graph, unit, UNIT_RELOADING, 0);
}

static void over(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result)
{
    struct life *l = ctx;

    CHECK(job != UNIT_JOB_NONE && (job != UNIT_JOB_RESTART || result != UNIT_JOB_DONE), "life %lu: %s over: %s",
          l->number, unit_job_name(job), unit_job_result_name(result));
    l->asked[unit] = false;
    l->n_over++;
}

static void say(void *ctx, int level, size_t unit, const char *text)
{
    struct life *l = ctx;

    l->refused |= strstr(text, "none of them can be left out") || strstr(text, "would have both");
    CHECK(level >= 0 && unit < l->n && text[0], "life %lu", l->number);
}

static uint64_t now(void *ctx)
{
    return ((const struct life *)ctx)->now;
}

static void link_some(struct life *l, size_t n)
{
    static const enum unit_dep kinds[] = {
        DEP_REQUIRES,
        DEP_REQUIRES,
        DEP_WANTS,
        DEP_WANTS,
        DEP_WANTS,
        DEP_AFTER,
        DEP_AFTER,
        DEP_AFTER,
        DEP_BEFORE,
        DEP_REQUISITE,
        DEP_BINDS_TO,
        DEP_PART_OF,
        DEP_UPHOLDS,
        DEP_CONFLICTS,
        DEP_ON_FAILURE,
        DEP_ON_SUCCESS,
        DEP_PROPAGATES_RELOAD_TO,
        DEP_RELOAD_PROPAGATED_FROM,
        DEP_PROPAGATES_STOP_TO,
        DEP_STOP_PROPAGATED_FROM,
    };

    for (size_t i = 0; i < n; i++) {
        size_t a = pick(l, l->n), b = pick(l, l->n);
        enum unit_dep dep = kinds[pick(l, ARRAY_SIZE(kinds))];

        if (pick(l, 4) && a < b) { /* most of the order without circles */
            size_t c = a;

            a = b;
            b = c;
        }
        assert_int_equal(graph_link(l->graph, a, dep, b), 0);
        if (pick(l, 3) == 0)
            assert_int_equal(graph_link(l->graph, a, DEP_AFTER, b), 0);
    }
}

static void life_begin(struct life *l, uint64_t number)
{
    static const struct graph_ops ops = {begin, over, say, now};

    *l = (struct life){.seed = number * 7919 + 1, .number = number, .now = USEC_PER_SEC};
    l->n = 2 + pick(l, number % 10 == 0 ? UNITS_MAX - 2 : 8);
    assert_int_equal(graph_new(&l->graph, &ops, l), 0);
    for (size_t i = 0; i < l->n; i++) {
        struct graph_rules rules = {.stop_when_unneeded = pick(l, 12) == 0, .ignore_on_isolate = pick(l, 6) == 0};
        char name[32];
        size_t unit;

        snprintf(name, sizeof(name), "%zu.service", i);
        assert_int_equal(graph_add(l->graph, name, &unit), 0);
        if (pick(l, 10) == 0)
            rules.job_timeout = 5 * USEC_PER_SEC;
        rules.on_failure_mode = pick(l, 8) == 0 ? (enum unit_job_mode)pick(l, UNIT_JOB_FLUSH + 1) : UNIT_JOB_REPLACE;
        assert_int_equal(graph_set_rules(l->graph, unit, &rules), 0);
        graph_set_loaded(l->graph, unit, pick(l, 15) > 0);
        l->at_once[unit] = pick(l, 4) == 0;
    }
    link_some(l, l->n + pick(l, 2 * l->n));
}

/* What must hold whenever graph_run() has done what there was to do. */
static void watch(const struct life *l)
{
    size_t jobs = 0;

    for (size_t i = 0; i < l->n; i++) {
        enum unit_state s = graph_state(l->graph, i);
        bool running, waits = false;
        enum unit_job job = graph_job(l->graph, i, &running);

        jobs += job != UNIT_JOB_NONE;
        CHECK(job != UNIT_JOB_NONE || !running, "life %lu: %zu: nothing runs", l->number, i);
        CHECK(job != UNIT_JOB_NONE || !l->asked[i], "life %lu: %zu: its end was not told", l->number, i);
        if (job == UNIT_JOB_NONE || running)
            continue;
        for (size_t k = 0; k < l->n && !waits; k++)
            waits = k != i && waits_for(l, i, k);
        waits |= job == UNIT_JOB_START && s == UNIT_DEACTIVATING;
        waits |= job == UNIT_JOB_RELOAD && (s == UNIT_RELOADING || s == UNIT_ACTIVATING);
        CHECK(waits, "life %lu: the %s job of %zu could begin", l->number, unit_job_name(job), i);
    }
    assert_int_equal(jobs, graph_pending(l->graph));
}

static void ask(struct life *l)
{
    static const enum unit_job jobs[] = {UNIT_JOB_START,  UNIT_JOB_START,   UNIT_JOB_START,        UNIT_JOB_STOP,
                                         UNIT_JOB_RELOAD, UNIT_JOB_RESTART, UNIT_JOB_VERIFY_ACTIVE};
    size_t unit = pick(l, l->n);
    enum unit_job job = jobs[pick(l, ARRAY_SIZE(jobs))];
    enum unit_job_mode mode =
        pick(l, 4) ? UNIT_JOB_REPLACE : (enum unit_job_mode)pick(l, UNIT_JOB_IGNORE_REQUIREMENTS + 1);
    size_t before = graph_pending(l->graph), n_over = l->n_over;
    int r;

    if (mode == UNIT_JOB_IGNORE_DEPENDENCIES && l->number % 4)
        mode = UNIT_JOB_REPLACE;
    r = graph_request(l->graph, unit, job, mode);
    if (r >= 0) {
        assert_true(graph_job(l->graph, unit, NULL) != UNIT_JOB_NONE);
        l->asked[unit] = true;
        l->disorder |= mode == UNIT_JOB_IGNORE_DEPENDENCIES;
    } else {
        assert_int_equal(graph_pending(l->graph), before); /* nothing of it */
        assert_int_equal(l->n_over, n_over);
    }
}

/* Something happens that nobody has asked for. */
static void happen(struct life *l)
{
    size_t unit = pick(l, l->n);
    enum unit_state s = graph_state(l->graph, unit);

    if (is_up(s) && (l->news[unit] == NOTHING || l->news[unit] == RELOADS)) {
        static const enum unit_state ends[] = {UNIT_INACTIVE, UNIT_FAILED, UNIT_DEACTIVATING};
        enum unit_state end = ends[pick(l, 3)];
        bool again = end == UNIT_FAILED && pick(l, 2);

        l->news[unit] = end == UNIT_DEACTIVATING ? STOPS : again ? COMES_BACK : NOTHING;
        graph_changed(l->graph, unit, end, again ? UNIT_RESTARTS : 0);
    } else if (is_down(s) && l->news[unit] == NOTHING && pick(l, 3) == 0) {
        l->news[unit] = STARTS;
        graph_changed(l->graph, unit, UNIT_ACTIVATING, 0);
    }
}

static void take_step(struct life *l)
{
    uint64_t what = pick(l, 40);

    if (what < 8)
        ask(l);
    else if (what < 28)
        tell(l, pick(l, l->n));
    else if (what < 33)
        happen(l);
    else if (what == 34)
        graph_unlink(l->graph, pick(l, l->n));
    else if (what == 35)
        link_some(l, 2);
    else if (what == 36)
        l->now += pick(l, 8) * USEC_PER_SEC;
}

/* No more is asked for, and all goes well: then all comes to rest. */
static void rest(struct life *l)
{
    uint64_t due = 0;
    size_t rounds;

    l->kind = true;
    for (rounds = 0; rounds < 2000; rounds++) {
        bool told = false;

        for (size_t i = 0; i < l->n; i++)
            if (l->news[i] != NOTHING) {
                told = true;
                tell(l, i);
            }
        due = graph_run(l->graph);
        watch(l);
        if (!told && graph_pending(l->graph) == 0)
            break;
    }
    CHECK(graph_pending(l->graph) == 0, "life %lu: %zu jobs never end", l->number, graph_pending(l->graph));
    for (size_t i = 0; i < l->n && due == USEC_INFINITY && !l->refused; i++)
        for (size_t pos = 0, other;
             is_up(graph_state(l->graph, i)) && graph_dep(l->graph, i, DEP_BINDS_TO, &pos, &other);)
            CHECK(!is_down(graph_state(l->graph, other)), "life %lu: %zu is up without %zu", l->number, i, other);
}

static void lives(void **state)
{
    const char *one = getenv("GRAPH_LIFE");
    size_t begun = 0, ended = 0;

    (void)state;
    for (uint64_t number = one ? strtoul(one, NULL, 10) : 1; number <= (one ? strtoul(one, NULL, 10) : LIVES);
         number++) {
        struct life l;

        life_begin(&l, number);
        for (size_t i = 0; i < STEPS; i++) {
            take_step(&l);
            (void)graph_run(l.graph);
            watch(&l);
        }
        rest(&l);
        begun += l.n_begun;
        ended += l.n_over;
        graph_free(l.graph);
    }
    print_message("%zu jobs begun, %zu over\n", begun, ended);
    assert_true(one || (begun > LIVES && ended > begun));
}

/* All that is reached by Requires= and Wants= gets a job, nothing else does, and it takes as many rounds as the longest
 * way along After= has units: nothing waits for more than it has to. */
static void waves(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 500; number++) {
        struct life l = {.seed = number, .number = number, .kind = true, .n = 2 + number % (UNITS_MAX - 2)};
        static const struct graph_ops ops = {begin, over, say, now};
        bool wanted[UNITS_MAX] = {[0] = true};
        size_t depth[UNITS_MAX] = {0}, deepest = 0, rounds = 0;

        assert_int_equal(graph_new(&l.graph, &ops, &l), 0);
        for (size_t i = 0, unit; i < l.n; i++) {
            char name[32];

            snprintf(name, sizeof(name), "%zu.service", i);
            assert_int_equal(graph_add(l.graph, name, &unit), 0);
            graph_set_loaded(l.graph, unit, true);
        }
        for (size_t i = 0; i < l.n; i++) /* from low to high: what depends on a unit has a lower number */
            for (size_t k = i + 1; k < l.n; k++) {
                uint64_t luck = pick(&l, l.n);

                if (luck < 2) {
                    assert_int_equal(graph_link(l.graph, i, luck ? DEP_WANTS : DEP_REQUIRES, k), 0);
                    wanted[k] |= wanted[i];
                }
                if (pick(&l, 4) == 0)
                    assert_int_equal(graph_link(l.graph, i, DEP_AFTER, k), 0);
            }
        for (size_t i = l.n; i-- > 0;)
            for (size_t pos = 0, other; wanted[i] && graph_dep(l.graph, i, DEP_AFTER, &pos, &other);)
                if (wanted[other] && depth[i] < depth[other] + 1)
                    depth[i] = depth[other] + 1;
        for (size_t i = 0; i < l.n; i++)
            deepest = wanted[i] && depth[i] > deepest ? depth[i] : deepest;
        assert_int_equal(graph_request(l.graph, 0, UNIT_JOB_START, UNIT_JOB_REPLACE), 0);
        for (size_t i = 0; i < l.n; i++)
            CHECK((graph_job(l.graph, i, NULL) == UNIT_JOB_START) == wanted[i], "%lu: %zu", number, i);
        for (; graph_pending(l.graph) > 0 && rounds <= l.n; rounds++) {
            bool due[UNITS_MAX];

            (void)graph_run(l.graph);
            watch(&l);
            for (size_t i = 0; i < l.n; i++)
                due[i] = l.news[i] != NOTHING;
            for (size_t i = 0; i < l.n; i++)
                if (due[i])
                    tell(&l, i);
        }
        CHECK(rounds == deepest + 1, "%lu: %zu rounds, %zu deep", number, rounds, deepest);
        graph_free(l.graph);
    }
}

#define MANY 10000

struct crowd {
    struct graph *graph;
    size_t n_begun;
};

static void crowd_begin(void *ctx, size_t unit, enum unit_job job)
{
    struct crowd *c = ctx;

    c->n_begun++;
    graph_changed(c->graph, unit, job == UNIT_JOB_START ? UNIT_ACTIVE : UNIT_INACTIVE, 0);
}

static void crowd_over(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result)
{
    const struct crowd *c = ctx;

    CHECK(unit < graph_count(c->graph) && job != UNIT_JOB_NONE && result == UNIT_JOB_DONE, "%zu", unit);
}

static double since(const struct timespec *from)
{
    struct timespec to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from->tv_sec) * 1e3 + (double)(to.tv_nsec - from->tv_nsec) / 1e6;
}

/* All start with the last one and stop with the first one. */
static void crowd(const char *what, void (*tie)(struct graph *g, size_t unit))
{
    static const struct graph_ops ops = {crowd_begin, crowd_over, NULL, NULL};
    struct crowd c = {0};
    struct timespec from;
    double made, up, down;

    assert_int_equal(graph_new(&c.graph, &ops, &c), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (size_t i = 0, unit; i < MANY; i++) {
        char name[32];

        snprintf(name, sizeof(name), "unit-%zu.service", i);
        assert_int_equal(graph_add(c.graph, name, &unit), 0);
        graph_set_loaded(c.graph, unit, true);
        if (i > 0)
            tie(c.graph, unit);
    }
    made = since(&from);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_int_equal(graph_request(c.graph, MANY - 1, UNIT_JOB_START, UNIT_JOB_REPLACE), 0);
    (void)graph_run(c.graph);
    up = since(&from);
    assert_int_equal(c.n_begun, MANY);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_int_equal(graph_request(c.graph, 0, UNIT_JOB_STOP, UNIT_JOB_REPLACE), 0);
    (void)graph_run(c.graph);
    down = since(&from);
    assert_int_equal(c.n_begun, 2 * MANY);
    assert_int_equal(graph_pending(c.graph), 0);
    print_message("%u units in a %s: made in %.1f ms, started in %.1f ms, stopped in %.1f ms\n", MANY, what, made, up,
                  down);
    assert_true(made < 1000 && up < 1000 &&
                down < 1000); /* of CPU; quadratic would be far above, under a sanitizer, too */
    graph_free(c.graph);
}

static void tie_to_last(struct graph *g, size_t unit)
{
    assert_int_equal(graph_link(g, unit, DEP_REQUIRES, unit - 1), 0);
    assert_int_equal(graph_link(g, unit, DEP_AFTER, unit - 1), 0);
}

/* The first one is what all others require, the last one what requires them all. */
static void tie_to_ends(struct graph *g, size_t unit)
{
    assert_int_equal(graph_link(g, unit, DEP_REQUIRES, 0), 0);
    assert_int_equal(graph_link(g, unit, DEP_AFTER, 0), 0);
    for (size_t i = 1; unit == MANY - 1 && i < unit; i++) {
        assert_int_equal(graph_link(g, unit, DEP_REQUIRES, i), 0);
        assert_int_equal(graph_link(g, unit, DEP_AFTER, i), 0);
    }
}

static void crowds(void **state)
{
    (void)state;
    crowd("chain", tie_to_last);
    crowd("star", tie_to_ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives),
        cmocka_unit_test(waves),
        cmocka_unit_test(crowds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
