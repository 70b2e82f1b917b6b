/* The life of a job: is it started again, and when? */
#include "unit.h"
#include "fsm_world.h"

/* The table of systemd.service(5), Restart=, in its order; the columns are the results in theirs. */
static void restart_table(void **state)
{
    static const struct {
        enum restart_policy policy;
        const char *row;
    } rows[] = {
        /* success, exit-code, signal, core-dump, timeout, watchdog, start-limit-hit, protocol, resources, oom-kill,
         * exec-condition */
        {RESTART_NO, "..........."},         {RESTART_ALWAYS, "XXXXXX.XXX."},      {RESTART_ON_SUCCESS, "X.........."},
        {RESTART_ON_FAILURE, ".XXXXX.XXX."}, {RESTART_ON_ABNORMAL, "..XXXX.XXX."}, {RESTART_ON_ABORT, "..XX......."},
        {RESTART_ON_WATCHDOG, ".....X....."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned r = 0; r < RESULT_MAX; r++) {
            bool wanted = rows[i].row[r] == 'X';
            struct world w;

            world_init(&w, TYPE_EXEC);
            w.d.restart = rows[i].policy;
            bring_up(&w);
            w.f.result = (enum job_result)r;
            send(&w, EV_EXIT);
            CHECK((send(&w, EV_EMPTY) == ACT_AGAIN) == wanted, "policy %zu, %s", i,
                  job_result_name((enum job_result)r));
            assert_int_equal(w.f.state, wanted                                              ? JOB_RESTART
                                          : r == RESULT_SUCCESS || r == RESULT_EXEC_CONDITION ? JOB_DONE
                                                                                              : JOB_FAILED);
            assert_int_equal(w.f.restarts, wanted);
        }
}

static void restart_exceptions(void **state)
{
    static const struct {
        enum job_type type;
        enum restart_policy policy;
        int code, status;
        bool again;
    } rows[] = {
        {TYPE_EXEC, RESTART_ALWAYS, CLD_EXITED, 3, false},        /* RestartPreventExitStatus= */
        {TYPE_EXEC, RESTART_ALWAYS, CLD_KILLED, SIGUSR1, false},
        {TYPE_EXEC, RESTART_NO, CLD_EXITED, 4, true},             /* RestartForceExitStatus= */
        {TYPE_EXEC, RESTART_NO, CLD_DUMPED, SIGABRT, true},
        {TYPE_EXEC, RESTART_ALWAYS, CLD_EXITED, 5, false},        /* both */
        {TYPE_EXEC, RESTART_ALWAYS, CLD_EXITED, 0, true},
        {TYPE_ONESHOT, RESTART_ALWAYS, CLD_EXITED, 0, false},     /* "never be restarted on a clean exit status" */
        {TYPE_ONESHOT, RESTART_ON_SUCCESS, CLD_EXITED, 0, false},
        {TYPE_ONESHOT, RESTART_ON_FAILURE, CLD_EXITED, 1, true},
        {TYPE_ONESHOT, RESTART_NO, CLD_EXITED, 4, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;

        world_init(&w, rows[i].type);
        w.d.restart = rows[i].policy;
        w.exits.restart_prevent = (struct exitset){.status = {1 << 3 | 1 << 5}, .signals = 1ULL << (SIGUSR1 - 1)};
        w.exits.restart_force = (struct exitset){.status = {1 << 4 | 1 << 5}, .signals = 1ULL << (SIGABRT - 1)};
        send(&w, EV_START);
        send(&w, EV_EXEC);
        send_full(&w, EV_EXIT, rows[i].code, rows[i].status, 0);
        send(&w, EV_EMPTY);
        CHECK((w.f.state == JOB_RESTART) == rows[i].again, "row %zu: %s", i, job_state_name(w.f.state));
    }
}

/* The exit of one life says nothing of the next. */
static void exit_of_the_last_life(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.restart = RESTART_ALWAYS;
    w.exits.restart_prevent.status[0] = 1 << 3;
    bring_up(&w);
    PLAY("prevented", &w, FAILS(EXIT, 3, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, FAILED, ACT_END, NONE));
    with_list(&w, EXEC_START_PRE);
    PLAY("not prevented", &w, STEP(START, START_PRE, ACT_CONTROL, START_SEC),
         FAILS(CONTROL, 1, STOP_TERM, ACT_TERM, STOP_SEC));
    assert_int_equal(send(&w, EV_EMPTY), ACT_AGAIN);
}

/* What was asked for is no matter of Restart=. */
static void asked_ends(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.restart = RESTART_ALWAYS;
    bring_up(&w);
    PLAY("stop", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), KILLED(EXIT, SIGSEGV, STOP_TERM, 0, SAME),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    bring_up(&w);
    PLAY("stop when it has ended", &w, STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC), STEP(STOP, STOP_TERM, 0, SAME),
         STEP(EMPTY, DONE, ACT_END, NONE));
    bring_up(&w);
    PLAY("stop while it waits", &w, FAILS(EXIT, 1, STOP_TERM, ACT_TERM, STOP_SEC));
    send(&w, EV_EMPTY);
    assert_int_equal(w.f.result, RESULT_EXIT_CODE);
    PLAY("stop while it waits", &w, STEP(STOP, DONE, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_SUCCESS);
    assert_true(w.f.stop_asked);
    w.d.restart = RESTART_NO;
    w.f.restarts = 0;
    bring_up(&w);
    PLAY("stop, then start", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(START, STOP_TERM, 0, SAME),
         FAILS(EXIT, 1, STOP_TERM, 0, SAME), STEP(EMPTY, FAILED, ACT_END, NONE), STEP(START, STARTING, ACT_RUN, START_SEC),
         STEP(EXEC, UP, ACT_READY, NONE));
    assert_int_equal(w.f.restarts, 0); /* that is none of ours */
    PLAY("unhealthy", &w, STEP(UNHEALTHY, STOP_TERM, TERM, STOP_SEC), STEP(EXIT, STOP_TERM, 0, SAME));
    assert_int_equal(send(&w, EV_EMPTY), ACT_AGAIN);
    assert_int_equal(w.f.deadline, w.now + 100 * USEC_PER_MSEC);
    assert_int_equal(w.f.restarts, 1);
    assert_int_equal(wait_for_it(&w), ACT_RUN);
    send(&w, EV_EXEC);
    PLAY("unhealthy, but then stop", &w, STEP(UNHEALTHY, STOP_TERM, TERM, STOP_SEC), STEP(STOP, STOP_TERM, 0, SAME),
         STEP(EXIT, STOP_TERM, 0, SAME), STEP(EMPTY, DONE, ACT_END, NONE));
}

/* It ends and would be started again: how long does that take? */
static uint64_t delay_of_a_restart(struct world *w, uint64_t life)
{
    bring_up(w);
    w->now += life;
    send_full(w, EV_EXIT, CLD_EXITED, 1, 0);
    assert_true(send(w, EV_EMPTY) & ACT_AGAIN);
    return w->f.state == JOB_RESTART ? w->f.deadline - w->now : 0;
}

static void run_out(struct world *w)
{
    assert_int_equal(w->f.state, JOB_RESTART);
    w->now = w->f.deadline;
    send(w, EV_TIME);
    assert_int_equal(w->f.state, JOB_STARTING);
}

static void near(uint64_t value, double seconds)
{
    double off = (double)value / USEC_PER_SEC - seconds;

    CHECK(off < 0.0001 * seconds && off > -0.0001 * seconds, "%llu us, not %g s", (unsigned long long)value, seconds);
}

/* systemd.service(5), RestartSteps=: the delays between RestartSec= and RestartMaxDelaySec= grow by the same factor. */
static void growing_delays(void **state)
{
    static const struct {
        unsigned steps;
        uint64_t sec, max;
        double delays[8];
    } rows[] = {
        {5, 2, 120, {2, 4.5359, 10.2873, 23.3313, 52.9146, 120, 120, 120}},
        {3, 1, 8, {1, 2, 4, 8, 8, 8, 8, 8}},
        {1, 1, 8, {1, 8, 8, 8, 8, 8, 8, 8}},
        {0, 3, 8, {3, 3, 3, 3, 3, 3, 3, 3}},                /* RestartMaxDelaySec= alone */
        {3, 0, 8, {0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01}}, /* nothing to multiply */
        {3, 8, 8, {8, 8, 8, 8, 8, 8, 8, 8}},
        {3, 9, 8, {9, 9, 9, 9, 9, 9, 9, 9}},
        {1000, 1, 86400, {1, 1.011431, 1.022992, 1.034685, 1.046513, 1.058475, 1.070575, 1.082812}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;

        world_init(&w, TYPE_EXEC);
        w.d.restart = RESTART_ON_FAILURE;
        w.d.restart_steps = (int)rows[i].steps;
        w.d.restart_usec = rows[i].sec * USEC_PER_SEC;
        w.d.restart_max_delay = rows[i].max * USEC_PER_SEC;
        for (size_t n = 0; n < ARRAY_SIZE(rows[i].delays); n++) {
            near(delay_of_a_restart(&w, 1), rows[i].delays[n]);
            assert_int_equal(w.f.restarts, n + 1);
            run_out(&w);
        }
    }
}

/* A tenth more or less, but never outside of what was asked for. */
static void jitter(void **state)
{
    static const struct {
        unsigned restart;
        uint32_t random;
        double delay;
    } rows[] = {
        {0, 0, 1}, {0, UINT32_MAX, 1.1}, {1, 0, 1.8}, {1, UINT32_MAX, 2.2}, {3, 0, 7.2}, {3, UINT32_MAX, 8},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;

        world_init(&w, TYPE_EXEC);
        w.d.restart = RESTART_ALWAYS;
        w.d.restart_steps = 3;
        w.d.restart_usec = USEC_PER_SEC;
        w.d.restart_max_delay = 8 * USEC_PER_SEC;
        w.random = rows[i].random;
        send(&w, EV_START);
        w.f.growth = rows[i].restart; /* a start by hand forgets */
        send(&w, EV_EXEC);
        send(&w, EV_EXIT);
        send(&w, EV_EMPTY);
        near(w.f.deadline - w.now, rows[i].delay);
        w.d.restart_steps = 0; /* a delay that does not grow is what it is */
        fsm_init(&w.f, &w.d);
        near(delay_of_a_restart(&w, 1), 1);
    }
}

/* RestartRandomizedDelaySec= on top of the delay, whether that grows or not. */
static void at_random(void **state)
{
    static const struct {
        int steps;
        uint32_t random;
        double delay;
    } rows[] = {
        {0, 0, 1}, {0, UINT32_MAX / 2, 6}, {0, UINT32_MAX, 11}, {3, 0, 1}, {3, UINT32_MAX, 11.1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;

        world_init(&w, TYPE_EXEC);
        w.d.restart = RESTART_ALWAYS;
        w.d.restart_steps = rows[i].steps;
        w.d.restart_usec = USEC_PER_SEC;
        w.d.restart_max_delay = rows[i].steps ? 8 * USEC_PER_SEC : USEC_INFINITY;
        w.d.restart_extra = 10 * USEC_PER_SEC;
        w.random = rows[i].random;
        near(delay_of_a_restart(&w, 1), rows[i].delay);
    }
}

/* What was long ago is forgiven: up for RestartResetSec=, by default as long as the longest delay. */
static void forgiveness(void **state)
{
    static const struct {
        uint64_t reset, max, life;
        unsigned growth;
    } rows[] = {
        {60, 8, 59, 6}, {60, 8, 60, 1}, {0, 8, 7, 6}, {0, 8, 8, 1},
        {0, UINT64_MAX / USEC_PER_SEC, 0, 6}, {0, UINT64_MAX / USEC_PER_SEC, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;

        world_init(&w, TYPE_EXEC);
        w.d.restart = RESTART_ON_FAILURE;
        w.d.restart_steps = 3;
        w.d.restart_usec = USEC_PER_SEC;
        w.d.restart_reset = rows[i].reset * USEC_PER_SEC;
        w.d.restart_max_delay = rows[i].max == UINT64_MAX / USEC_PER_SEC ? USEC_INFINITY : rows[i].max * USEC_PER_SEC;
        w.f.growth = 9;
        send(&w, EV_START);
        assert_int_equal(w.f.growth, 0); /* somebody has looked at it */
        w.f.growth = 5;
        delay_of_a_restart(&w, rows[i].life * USEC_PER_SEC);
        CHECK(w.f.growth == rows[i].growth, "row %zu: %u", i, w.f.growth);
    }
}

/* The time it takes to die is no time up. */
static void dying_is_no_time_up(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.restart = RESTART_ALWAYS;
    w.d.restart_reset = STOP_SEC * USEC_PER_SEC;
    bring_up(&w);
    w.f.growth = 5;
    send(&w, EV_HANG);
    wait_for_it(&w);
    send(&w, EV_EXIT);
    assert_int_equal(send(&w, EV_EMPTY), ACT_AGAIN);
    assert_int_equal(w.f.growth, 6);
}

/* RestartSec=0 means at once, but not for what dies at once. */
static void no_busy_loop(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.restart = RESTART_ALWAYS;
    w.d.restart_usec = 0;
    assert_int_equal(delay_of_a_restart(&w, USEC_PER_SEC - 1), 10 * USEC_PER_MSEC);
    run_out(&w);
    assert_int_equal(delay_of_a_restart(&w, USEC_PER_SEC), 0);
    assert_int_equal(w.f.state, JOB_RESTART); /* others see that it was down */
    run_out(&w);
    w.d.restart_mode = RESTART_DIRECT;
    w.now += USEC_PER_SEC;
    send(&w, EV_EXIT);
    assert_int_equal(send(&w, EV_EMPTY), ACT_AGAIN | ACT_RUN);
    w.d.restart_usec = 1; /* of the same kind */
    assert_int_equal(delay_of_a_restart(&w, 1), 10 * USEC_PER_MSEC);
    run_out(&w);
    w.d.restart_usec = USEC_INFINITY; /* systemd.time(7): never */
    bring_up(&w);
    send(&w, EV_EXIT);
    assert_int_equal(send(&w, EV_EMPTY), ACT_AGAIN);
    assert_true(w.f.deadline == USEC_INFINITY);
}

/* systemd.unit(5), StartLimitIntervalSec=, StartLimitBurst=. */
static void start_limit(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.restart = RESTART_ALWAYS;
    w.d.start_limit_interval = 10 * USEC_PER_SEC;
    w.d.start_limit_burst = 3;
    for (int i = 0; i < 2; i++) {
        delay_of_a_restart(&w, 1);
        run_out(&w);
    }
    delay_of_a_restart(&w, 1);
    assert_int_equal(wait_for_it(&w), ACT_END); /* that was the fourth */
    assert_int_equal(w.f.state, JOB_FAILED);
    assert_int_equal(w.f.result, RESULT_START_LIMIT_HIT);
    PLAY("by hand", &w, STEP(START, FAILED, ACT_END, NONE), STEP(START, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.starts.n, 3); /* what was refused does not count */
    w.now = BEGIN + 10 * USEC_PER_SEC;
    PLAY("a new interval", &w, STEP(START, STARTING, ACT_RUN, START_SEC), STEP(EXEC, UP, ACT_READY, NONE));
    for (int i = 0; i < 2; i++) {
        send(&w, EV_STOP);
        send(&w, EV_EXIT);
        send(&w, EV_EMPTY);
        assert_int_equal(send(&w, EV_START), ACT_RUN);
        send(&w, EV_EXEC);
    }
    PLAY("by hand counts", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(EXIT, STOP_TERM, 0, SAME),
         STEP(EMPTY, DONE, ACT_END, NONE), STEP(START, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_START_LIMIT_HIT);
    w.d.start_limit_interval = 0;
    for (int i = 0; i < 100; i++) {
        delay_of_a_restart(&w, 1);
        run_out(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restart_table), cmocka_unit_test(restart_exceptions),
        cmocka_unit_test(exit_of_the_last_life), cmocka_unit_test(asked_ends), cmocka_unit_test(growing_delays),
        cmocka_unit_test(jitter), cmocka_unit_test(at_random), cmocka_unit_test(forgiveness), cmocka_unit_test(dying_is_no_time_up),
        cmocka_unit_test(no_busy_loop), cmocka_unit_test(start_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
