/* The life of a job: each event in each state, then thousands of random lives under a fake clock. */
#include "unit.h"
#include <signal.h>
#include "cleanup.h"
#include "fsm.h"
#include "jobspec.h"
#include "loop.h"

#define NOW (1000 * USEC_PER_SEC)
#define START_SEC 10
#define STOP_SEC 20
#define EVENT(id) ((struct fsm_input){.event = EV_##id, .now = NOW, .usec = 1, .code = CLD_EXITED})

static void spec_init(struct jobspec *d, enum job_type type)
{
    jobspec_init(d);
    d->type = type;
    d->timeout_start = START_SEC * USEC_PER_SEC;
    d->timeout_stop = STOP_SEC * USEC_PER_SEC;
}

/* What must come out: the next state, the actions, and the deadline from now on (-1: none, -2: as it was). */
struct expected {
    enum job_state state;
    unsigned actions;
    int seconds;
};

#define SAME {JOB_STATE_MAX, 0, -2}
#define REFUSED {JOB_STATE_MAX, ACT_REFUSED, -2}
#define TERM {JOB_STOP_TERM, ACT_STOPPING | ACT_TERM, STOP_SEC}
#define GONE {JOB_DONE, ACT_KILL | ACT_END, -1}

/* For Type=notify, a clean exit, ALIVE with less time than is left; the states are entered with a deadline of 5 seconds
 * from now where they have one. */
static const struct expected table[JOB_STATE_MAX][EV_MAX] = {
    [JOB_STARTING] = {[EV_EXEC] = SAME, [EV_NOSTART] = {JOB_FAILED, ACT_END, -1}, [EV_READY] = {JOB_UP, ACT_READY, -1},
                      [EV_RELOADING] = SAME, [EV_RELOAD] = REFUSED, [EV_STOP] = TERM,
                      [EV_EXIT] = {JOB_FAILED, ACT_KILL | ACT_END, -1}, [EV_ALIVE] = SAME, [EV_TIME] = TERM},
    [JOB_UP] = {[EV_EXEC] = SAME, [EV_NOSTART] = SAME, [EV_READY] = SAME,
                [EV_RELOADING] = {JOB_RELOADING, ACT_RELOAD_SEEN, START_SEC},
                [EV_RELOAD] = {JOB_STATE_MAX, ACT_RELOAD | ACT_RELOADED, -2}, [EV_STOP] = TERM, [EV_EXIT] = GONE,
                [EV_ALIVE] = SAME, [EV_TIME] = SAME},
    [JOB_RELOADING] = {[EV_EXEC] = SAME, [EV_NOSTART] = SAME, [EV_READY] = {JOB_UP, ACT_RELOADED, -1},
                       [EV_RELOADING] = SAME, [EV_RELOAD] = REFUSED, [EV_STOP] = TERM, [EV_EXIT] = GONE,
                       [EV_ALIVE] = SAME, [EV_TIME] = {JOB_UP, ACT_RELOADED, -1}},
    [JOB_STOP_TERM] = {[EV_EXEC] = SAME, [EV_NOSTART] = SAME, [EV_READY] = SAME, [EV_RELOADING] = SAME,
                       [EV_RELOAD] = REFUSED, [EV_STOP] = SAME, [EV_EXIT] = GONE, [EV_ALIVE] = SAME,
                       [EV_TIME] = {JOB_STOP_KILL, ACT_KILL, STOP_SEC}},
    [JOB_STOP_KILL] = {[EV_EXEC] = SAME, [EV_NOSTART] = SAME, [EV_READY] = SAME, [EV_RELOADING] = SAME,
                       [EV_RELOAD] = REFUSED, [EV_STOP] = SAME, [EV_EXIT] = GONE, [EV_ALIVE] = SAME,
                       [EV_TIME] = {JOB_FAILED, ACT_END, -1}},
    [JOB_DONE] = {SAME, SAME, SAME, SAME, REFUSED, SAME, SAME, SAME, SAME},
    [JOB_FAILED] = {SAME, SAME, SAME, SAME, REFUSED, SAME, SAME, SAME, SAME},
};

static void every_pair(void **state)
{
    static const bool timed[JOB_STATE_MAX] = {
        [JOB_STARTING] = true, [JOB_RELOADING] = true, [JOB_STOP_TERM] = true, [JOB_STOP_KILL] = true};
    struct jobspec d;

    (void)state;
    spec_init(&d, TYPE_NOTIFY);
    for (unsigned s = 0; s < JOB_STATE_MAX; s++)
        for (unsigned e = 0; e < EV_MAX; e++) {
            const struct expected *x = &table[s][e];
            uint64_t before = timed[s] ? NOW + 5 * USEC_PER_SEC : USEC_INFINITY;
            struct fsm f = {.state = (enum job_state)s, .deadline = before};
            struct fsm_input in = EVENT(TIME);
            unsigned actions;

            in.event = (enum fsm_event)e;
            actions = fsm_step(&f, &d, &in);
            CHECK(f.state == (x->state == JOB_STATE_MAX ? (enum job_state)s : x->state), "%s, event %u: %s",
                  job_state_name((enum job_state)s), e, job_state_name(f.state));
            CHECK(actions == x->actions, "%s, event %u: actions %#x", job_state_name((enum job_state)s), e, actions);
            CHECK(f.deadline == (x->seconds == -2   ? before
                                 : x->seconds == -1 ? USEC_INFINITY
                                                    : NOW + (unsigned)x->seconds * USEC_PER_SEC),
                  "%s, event %u: deadline %lld", job_state_name((enum job_state)s), e, (long long)f.deadline);
        }
    jobspec_done(&d);
}

/* Who is up when: by exec, by READY=1, by its end. */
static void types(void **state)
{
    static const struct {
        enum job_type type;
        bool by_exec, by_ready, by_end;
    } rows[] = {
        {TYPE_SIMPLE, true, false, false}, {TYPE_EXEC, true, false, false},
        {TYPE_NOTIFY, false, true, false}, {TYPE_ONESHOT, false, false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct jobspec d;
        struct fsm f;

        spec_init(&d, rows[i].type);
        fsm_init(&f, &d, NOW);
        assert_int_equal(!!(fsm_step(&f, &d, &EVENT(EXEC)) & ACT_READY), rows[i].by_exec);
        fsm_init(&f, &d, NOW);
        assert_int_equal(!!(fsm_step(&f, &d, &EVENT(READY)) & ACT_READY), rows[i].by_ready);
        fsm_init(&f, &d, NOW);
        assert_int_equal(!!(fsm_step(&f, &d, &EVENT(EXIT)) & ACT_READY), rows[i].by_end);
        jobspec_done(&d);
    }
}

static void exits(void **state)
{
    static const struct {
        enum job_type type;
        enum job_state from;
        int code, status;
        enum job_result result;
    } rows[] = {
        {TYPE_EXEC, JOB_UP, CLD_EXITED, 0, RESULT_SUCCESS},        {TYPE_EXEC, JOB_UP, CLD_EXITED, 1, RESULT_EXIT_CODE},
        {TYPE_EXEC, JOB_UP, CLD_KILLED, SIGTERM, RESULT_SUCCESS},  {TYPE_EXEC, JOB_UP, CLD_KILLED, SIGHUP, RESULT_SUCCESS},
        {TYPE_EXEC, JOB_UP, CLD_KILLED, SIGINT, RESULT_SUCCESS},   {TYPE_EXEC, JOB_UP, CLD_KILLED, SIGPIPE, RESULT_SUCCESS},
        {TYPE_EXEC, JOB_UP, CLD_KILLED, SIGKILL, RESULT_SIGNAL},   {TYPE_EXEC, JOB_UP, CLD_DUMPED, SIGSEGV, RESULT_CORE_DUMP},
        {TYPE_EXEC, JOB_STOP_TERM, CLD_KILLED, SIGTERM, RESULT_SUCCESS},
        {TYPE_ONESHOT, JOB_STARTING, CLD_KILLED, SIGTERM, RESULT_SIGNAL},
        {TYPE_ONESHOT, JOB_STARTING, CLD_EXITED, 0, RESULT_SUCCESS},
        {TYPE_ONESHOT, JOB_STARTING, CLD_EXITED, 3, RESULT_EXIT_CODE},
        {TYPE_NOTIFY, JOB_STARTING, CLD_EXITED, 0, RESULT_PROTOCOL},
        {TYPE_NOTIFY, JOB_STARTING, CLD_EXITED, 1, RESULT_EXIT_CODE},
        {TYPE_NOTIFY, JOB_STOP_TERM, CLD_EXITED, 0, RESULT_SUCCESS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fsm f = {.state = rows[i].from, .deadline = USEC_INFINITY};
        struct fsm_input in = EVENT(EXIT);
        struct jobspec d;

        spec_init(&d, rows[i].type);
        in.code = rows[i].code;
        in.status = rows[i].status;
        assert_true(fsm_step(&f, &d, &in) & ACT_END);
        CHECK(f.result == rows[i].result, "row %zu: %s", i, job_result_name(f.result));
        assert_int_equal(f.state, f.result == RESULT_SUCCESS ? JOB_DONE : JOB_FAILED);
        jobspec_done(&d);
    }
}

/* The first thing that went wrong names the result, whatever comes of it. */
static void blame_stays(void **state)
{
    struct fsm_input in = EVENT(EXIT);
    struct jobspec d;
    struct fsm f;

    (void)state;
    spec_init(&d, TYPE_NOTIFY);
    fsm_init(&f, &d, NOW);
    fsm_step(&f, &d, &EVENT(TIME));
    assert_int_equal(f.result, RESULT_TIMEOUT);
    in.code = CLD_DUMPED;
    in.status = SIGSEGV;
    fsm_step(&f, &d, &in);
    assert_int_equal(f.result, RESULT_TIMEOUT);
    assert_int_equal(f.state, JOB_FAILED);
    jobspec_done(&d);
}

static void timeouts(void **state)
{
    struct fsm_input in = EVENT(ALIVE);
    struct jobspec d;
    struct fsm f;

    (void)state;
    spec_init(&d, TYPE_NOTIFY);
    fsm_init(&f, &d, NOW);
    assert_int_equal(f.deadline, NOW + START_SEC * USEC_PER_SEC);
    in.usec = 30 * USEC_PER_SEC; /* more time, but never less */
    fsm_step(&f, &d, &in);
    assert_int_equal(f.deadline, NOW + 30 * USEC_PER_SEC);
    in.usec = USEC_PER_SEC;
    fsm_step(&f, &d, &in);
    assert_int_equal(f.deadline, NOW + 30 * USEC_PER_SEC);
    in.usec = UINT64_MAX; /* no overflow into the past */
    fsm_step(&f, &d, &in);
    assert_true(f.deadline == USEC_INFINITY);
    d.timeout_start = USEC_INFINITY;
    fsm_init(&f, &d, NOW);
    assert_true(f.deadline == USEC_INFINITY);
    d.type = TYPE_ONESHOT; /* without a timeout of its own it has none */
    d.timeout_start = START_SEC * USEC_PER_SEC;
    fsm_init(&f, &d, NOW);
    assert_true(f.deadline == USEC_INFINITY);
    d.timeout_start_set = true;
    fsm_init(&f, &d, NOW);
    assert_int_equal(f.deadline, NOW + START_SEC * USEC_PER_SEC);
    jobspec_done(&d);
}

/* One random life, its clock and what has been seen of it. */
struct life {
    uint64_t seed, rnd, now, stop_at;
    struct jobspec spec;
    struct fsm fsm;
    unsigned ends, readies;
    bool ready_event; /* the event that this type waits for has come */
};

static bool ended(const struct life *l)
{
    return l->fsm.state == JOB_DONE || l->fsm.state == JOB_FAILED;
}

static void invariants(const struct life *l, const struct fsm *before, const struct fsm_input *in, unsigned actions)
{
    int seed = (int)l->seed;

    CHECK(l->fsm.deadline > l->now || ended(l), "seed %d: a deadline in the past", seed);
    CHECK(l->ends <= 1, "seed %d: a second end", seed);
    CHECK(l->readies <= 1, "seed %d: ready twice", seed);
    CHECK(!(actions & ACT_END) == !(ended(l) && l->ends == 1 && before->state != l->fsm.state), "seed %d: end", seed);
    if (actions & ACT_READY)
        CHECK(l->ready_event, "seed %d: ready by event %d", seed, (int)in->event);
    if (before->state == JOB_DONE || before->state == JOB_FAILED) {
        CHECK(memcmp(before, &l->fsm, sizeof(*before)) == 0, "seed %d: something after the end", seed);
        CHECK((actions & ~(unsigned)ACT_REFUSED) == 0, "seed %d: actions %#x after the end", seed, actions);
    }
    if (ended(l))
        CHECK((l->fsm.state == JOB_DONE) == (l->fsm.result == RESULT_SUCCESS), "seed %d: result", seed);
    if (l->stop_at != USEC_INFINITY && !ended(l))
        CHECK(l->now <= l->stop_at + 2 * l->spec.timeout_stop, "seed %d: no end after STOP", seed);
}

static void step(struct life *l, enum fsm_event event)
{
    static const int codes[] = {CLD_EXITED, CLD_KILLED, CLD_DUMPED};
    static const enum fsm_event waited_for[] = {
        [TYPE_SIMPLE] = EV_EXEC, [TYPE_EXEC] = EV_EXEC, [TYPE_NOTIFY] = EV_READY, [TYPE_ONESHOT] = EV_EXIT};
    struct fsm_input in = {.event = event, .now = l->now};
    struct fsm before = l->fsm;
    unsigned actions;

    in.usec = random_below(&l->rnd, 40) * USEC_PER_SEC;
    in.code = codes[random_below(&l->rnd, 3)];
    in.status = (int)random_below(&l->rnd, 16) + (in.code != CLD_EXITED);
    if (random_below(&l->rnd, 2)) { /* else hardly any would end well */
        in.code = CLD_EXITED;
        in.status = 0;
    }
    if (event == EV_STOP && l->stop_at == USEC_INFINITY && before.state < JOB_STOP_TERM)
        l->stop_at = l->now;
    l->ready_event = event == waited_for[l->spec.type];
    actions = fsm_step(&l->fsm, &l->spec, &in);
    l->ends += !!(actions & ACT_END);
    l->readies += !!(actions & ACT_READY);
    invariants(l, &before, &in, actions);
}

/* The clock never passes a deadline: the loop would have called first. A child that asks for more time while it is
 * being stopped may have it, so that is left out once a STOP has come. */
static void live(struct life *l)
{
    for (int i = 0; i < 60; i++) {
        enum fsm_event event = (enum fsm_event)random_below(&l->rnd, EV_TIME);
        uint64_t next = l->now + random_below(&l->rnd, 8) * USEC_PER_SEC;

        while (l->fsm.deadline <= next) {
            l->now = l->fsm.deadline;
            step(l, EV_TIME);
        }
        l->now = next;
        if (event == EV_ALIVE && l->stop_at != USEC_INFINITY)
            continue;
        if ((event == EV_EXIT || event == EV_NOSTART) && random_below(&l->rnd, 10)) /* else all lives are short */
            continue;
        step(l, event);
    }
    step(l, EV_STOP);
    while (l->fsm.deadline != USEC_INFINITY) {
        l->now = l->fsm.deadline;
        step(l, EV_TIME);
    }
    CHECK(ended(l) && l->ends == 1, "seed %d: %s at the end", (int)l->seed, job_state_name(l->fsm.state));
}

static void random_lives(void **state)
{
    unsigned done = 0, failed = 0, readies = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 8000; seed++) {
        struct life l = {.seed = seed, .rnd = seed * 2654435761, .now = NOW, .stop_at = USEC_INFINITY};

        spec_init(&l.spec, (enum job_type)random_below(&l.rnd, 4));
        l.spec.timeout_start = random_below(&l.rnd, 5) ? (1 + random_below(&l.rnd, 100)) * USEC_PER_SEC : USEC_INFINITY;
        l.spec.timeout_stop = (1 + random_below(&l.rnd, 60)) * USEC_PER_SEC;
        fsm_init(&l.fsm, &l.spec, l.now);
        live(&l);
        done += l.fsm.state == JOB_DONE;
        failed += l.fsm.state == JOB_FAILED;
        readies += l.readies;
        jobspec_done(&l.spec);
    }
    assert_true(done > 500 && failed > 500 && readies > 500); /* the lives were not all alike */
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(job_state_name(JOB_STARTING), "starting");
    assert_string_equal(job_state_name(JOB_FAILED), "failed");
    assert_string_equal(job_result_name(RESULT_SUCCESS), "success");
    assert_string_equal(job_result_name(RESULT_RESOURCES), "resources");
    for (int i = 0; i < JOB_STATE_MAX; i++)
        assert_non_null(job_state_name((enum job_state)i));
    for (int i = 0; i < RESULT_MAX; i++)
        assert_non_null(job_result_name((enum job_result)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair),  cmocka_unit_test(types),    cmocka_unit_test(exits),
        cmocka_unit_test(blame_stays), cmocka_unit_test(timeouts), cmocka_unit_test(random_lives),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
