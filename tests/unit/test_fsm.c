/* The life of a job: each event in each state, and what may happen while it is up. Its start, its end and its restarts are
 * in files of their own, what random lives never do in test_fsm_simulation.c. */
#include "unit.h"
#include "fsm_world.h"

/* ---- each event in each state ---- */

/* For Type=notify, KillMode=control-group, no commands, a clean exit; ALIVE with less time than is left. Whatever is
 * not here changes neither state nor deadline and asks for nothing, but RELOAD is refused. */
static const struct {
    enum job_state from;
    struct step step;
} pairs[] = {
    {JOB_INACTIVE, STEP(START, STARTING, ACT_RUN, START_SEC)},
    {JOB_INACTIVE, STEP(STOP, DONE, ACT_END, NONE)},
    {JOB_CONDITION, STEP(CONTROL, STARTING, ACT_RUN, START_SEC)},
    {JOB_CONDITION, STEP(STOP, STOP_TERM, TERM, STOP_SEC)},
    {JOB_CONDITION, STEP(OOM, STOP_TERM, TERM, STOP_SEC)},
    {JOB_CONDITION, STEP(TIME, STOP_TERM, TERM, STOP_SEC)},
    {JOB_START_PRE, STEP(OOM, STOP_TERM, TERM, STOP_SEC)},
    {JOB_STARTING, STEP(OOM, STOP_TERM, TERM, STOP_SEC)},
    {JOB_START_POST, STEP(LOST, STOP_TERM, TERM, STOP_SEC)},
    {JOB_START_POST, STEP(OOM, STOP_TERM, TERM, STOP_SEC)},
    {JOB_UP, STEP(LOST, STOP_TERM, TERM, STOP_SEC)},
    {JOB_UP, STEP(OOM, STOP_TERM, TERM, STOP_SEC)},
    {JOB_EXITED, STEP(STOP, STOP_TERM, TERM, STOP_SEC)},
    {JOB_EXITED, STEP(UNHEALTHY, STOP_TERM, TERM, STOP_SEC)},
    {JOB_RELOADING, STEP(LOST, STOP_TERM, TERM, STOP_SEC)},
    {JOB_RELOADING, STEP(OOM, STOP_TERM, TERM, STOP_SEC)},
    {JOB_START_PRE, STEP(CONTROL, STARTING, ACT_KILL | ACT_RUN, START_SEC)},
    {JOB_START_PRE, STEP(STOP, STOP_TERM, TERM, STOP_SEC)},
    {JOB_START_PRE, STEP(TIME, STOP_TERM, TERM, STOP_SEC)},
    {JOB_STARTING, STEP(NOSTART, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_STARTING, STEP(READY, UP, ACT_READY, NONE)},
    {JOB_STARTING, STEP(NOTREADY, STOP_TERM, TERM, STOP_SEC)},
    {JOB_STARTING, STEP(STOP, STOP_TERM, TERM, STOP_SEC)},
    {JOB_STARTING, STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_STARTING, STEP(TIME, STOP_TERM, TERM, STOP_SEC)},
    {JOB_START_POST, STEP(CONTROL, UP, ACT_READY, NONE)},
    {JOB_START_POST, STEP(STOP, STOP_TERM, TERM, STOP_SEC)},
    {JOB_START_POST, STEP(HANG, STOP_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG, STOP_SEC)},
    {JOB_START_POST, STEP(TIME, STOP_TERM, TERM, STOP_SEC)},
    {JOB_UP, STEP(RELOADING, RELOADING, ACT_RELOAD_SEEN, START_SEC)},
    {JOB_UP, STEP(RELOAD, UP, ACT_RELOAD | ACT_RELOAD_SIGNAL | ACT_RELOADED, NONE)},
    {JOB_UP, STEP(STOP, STOP_TERM, TERM, STOP_SEC)},
    {JOB_UP, STEP(UNHEALTHY, STOP_TERM, TERM, STOP_SEC)},
    {JOB_UP, STEP(HANG, STOP_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG, STOP_SEC)},
    {JOB_UP, STEP(STOPPING, STOP_TERM, ACT_STOPPING, STOP_SEC)},
    {JOB_UP, STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_RELOADING, STEP(CONTROL, UP, ACT_RELOADED, NONE)},
    {JOB_RELOADING, STEP(STOP, STOP_TERM, TERM, STOP_SEC)},
    {JOB_RELOADING, STEP(UNHEALTHY, STOP_TERM, TERM, STOP_SEC)},
    {JOB_RELOADING, STEP(HANG, STOP_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG, STOP_SEC)},
    {JOB_RELOADING, STEP(STOPPING, STOP_TERM, ACT_CANCEL | ACT_STOPPING, STOP_SEC)},
    {JOB_RELOADING, STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_RELOADING, STEP(TIME, UP, ACT_CANCEL | ACT_RELOADED, NONE)},
    {JOB_STOP, STEP(CONTROL, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_STOP, STEP(TIME, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_STOP_WATCHDOG, STEP(NOSTART, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_STOP_WATCHDOG, STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC)},
    {JOB_STOP_WATCHDOG, STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC)},
    {JOB_STOP_TERM, STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC)},
    {JOB_STOP_KILL, STEP(TIME, FAILED, ACT_CANCEL | ACT_END, NONE)},
    {JOB_STOP_POST, STEP(CONTROL, FINAL_KILL, ACT_KILL, STOP_SEC)},
    {JOB_STOP_POST, STEP(TIME, FINAL_KILL, ACT_CANCEL | ACT_KILL, STOP_SEC)},
    {JOB_FINAL_KILL, STEP(EMPTY, DONE, ACT_END, NONE)},
    {JOB_FINAL_KILL, STEP(TIME, FAILED, ACT_END, NONE)},
    {JOB_RESTART, STEP(START, STARTING, ACT_RUN, START_SEC)},
    {JOB_RESTART, STEP(STOP, DONE, ACT_END, NONE)},
    {JOB_RESTART, STEP(TIME, STARTING, ACT_RUN, START_SEC)},
    {JOB_DONE, STEP(START, STARTING, ACT_RUN, START_SEC)},
    {JOB_FAILED, STEP(START, STARTING, ACT_RUN, START_SEC)},
};

/* As such a job is found in the state: five seconds before its deadline, where it has one. */
static void put_into(struct world *w, enum job_state s)
{
    bool alive = s >= JOB_STARTING && s <= JOB_STOP_KILL && s != JOB_EXITED;

    world_init(w, TYPE_NOTIFY);
    w->f.state = s;
    w->f.main = alive;
    w->f.control = s == JOB_CONDITION || s == JOB_START_PRE || s == JOB_START_POST || s == JOB_RELOADING || s == JOB_STOP ||
                   s == JOB_STOP_KILL || s == JOB_STOP_POST;
    w->f.started = BEGIN - 100 * USEC_PER_SEC;
    if (s >= JOB_UP)
        w->f.up_since = BEGIN - 90 * USEC_PER_SEC;
    if (s != JOB_INACTIVE && s != JOB_UP && s != JOB_EXITED && s < JOB_DONE)
        w->f.deadline = BEGIN + 5 * USEC_PER_SEC;
}

static struct step expected(enum job_state from, enum fsm_event event)
{
    struct step step = {event, CLD_EXITED, 0, from, event == EV_RELOAD ? ACT_REFUSED : 0, SAME};

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        if (pairs[i].from == from && pairs[i].step.event == event)
            step = pairs[i].step;
    return step;
}

static void every_pair(void **state)
{
    (void)state;
    for (unsigned s = 0; s < JOB_STATE_MAX; s++)
        for (unsigned e = 0; e < EV_MAX; e++) {
            struct step step = expected((enum job_state)s, (enum fsm_event)e);
            struct world w;

            put_into(&w, (enum job_state)s);
            if (e == EV_TIME && w.f.deadline == USEC_INFINITY)
                continue;
            play(job_state_name((enum job_state)s), &w, &step, 1);
        }
}

/* An event that comes too late to mean anything changes nothing at all. */
static void stale_events(void **state)
{
    (void)state;
    for (unsigned s = 0; s < JOB_STATE_MAX; s++) {
        struct world w;
        struct fsm before;

        put_into(&w, (enum job_state)s);
        w.f.main = w.f.control = false;
        before = w.f;
        assert_int_equal(send(&w, EV_EXIT), 0);
        assert_int_equal(send(&w, EV_NOSTART), 0);
        assert_int_equal(send(&w, EV_CONTROL), 0);
        assert_int_equal(send(&w, EV_TIME), 0); /* its deadline has moved since */
        assert_memory_equal(&before, &w.f, sizeof(before));
    }
}

/* What an event leaves behind for later: an interval, a wish, a blame. */
static void remembered(void **state)
{
    (void)state;
    for (unsigned s = 0; s < JOB_STATE_MAX; s++) {
        bool active = s >= JOB_CONDITION && s <= JOB_FINAL_KILL;
        bool alive = s >= JOB_CONDITION && s <= JOB_RELOADING && s != JOB_EXITED;
        const char *name = job_state_name((enum job_state)s);
        struct world w;

        put_into(&w, (enum job_state)s);
        send_full(&w, EV_PING, 0, 0, 7);
        CHECK(w.f.watchdog_usec == (alive ? 7 : 0), "WATCHDOG_USEC= in %s", name);
        put_into(&w, (enum job_state)s);
        send(&w, EV_STOP);
        CHECK(w.f.stop_asked == (s < JOB_DONE), "STOP in %s", name);
        put_into(&w, (enum job_state)s);
        w.f.main = true;
        send_full(&w, EV_EXIT, CLD_EXITED, 1, 0);
        CHECK(w.f.result == (active && s > JOB_START_PRE && s != JOB_EXITED ? RESULT_EXIT_CODE : RESULT_SUCCESS), "EXIT in %s", name);
    }
}

/* The main process could not be started, but it was to end by then. */
static void late_nostart(void **state)
{
    static const enum job_state states[] = {JOB_STOP_TERM, JOB_STOP_KILL};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        struct world w;

        put_into(&w, states[i]);
        w.d.kill_mode = KILL_PROCESS;
        w.f.control = false;
        assert_int_equal(send(&w, EV_NOSTART), ACT_END);
        assert_int_equal(w.f.result, RESULT_EXIT_CODE);
    }
}

/* ---- while it is up ---- */

static void watchdog(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY);
    w.d.watchdog_usec = 3 * USEC_PER_SEC;
    w.d.restart = RESTART_ON_WATCHDOG;
    with_list(&w, EXEC_STOP);
    PLAY("watchdog", &w, STEP(START, STARTING, ACT_RUN, START_SEC), STEP(PING, STARTING, 0, SAME),
         STEP(READY, UP, ACT_READY, 3));
    w.now += 2 * USEC_PER_SEC;
    PLAY("watchdog", &w, STEP(PING, UP, 0, 3), STEP(ALIVE, UP, 0, SAME));
    send_full(&w, EV_PING, 0, 0, 7 * USEC_PER_SEC); /* WATCHDOG_USEC= */
    PLAY("watchdog", &w, STEP(PING, UP, 0, 7), STEP(RELOADING, RELOADING, ACT_RELOAD_SEEN, START_SEC),
         STEP(PING, RELOADING, 0, SAME), STEP(READY, UP, ACT_RELOADED, 7),
         STEP(TIME, STOP_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG, STOP_SEC), STEP(PING, STOP_WATCHDOG, 0, SAME),
         KILLED(EXIT, SIGABRT, STOP_TERM, ACT_TERM, STOP_SEC));
    assert_int_equal(send(&w, EV_EMPTY), ACT_AGAIN);
    assert_int_equal(w.f.result, RESULT_WATCHDOG);
    assert_int_equal(wait_for_it(&w), ACT_RUN);
    assert_int_equal(w.f.watchdog_usec, 3 * USEC_PER_SEC); /* a new life, the old interval */
}

static void watchdog_ends(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY);
    w.d.watchdog_usec = 3 * USEC_PER_SEC;
    bring_up(&w);
    PLAY("deaf", &w, STEP(TIME, STOP_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG, STOP_SEC),
         STEP(EMPTY, STOP_WATCHDOG, 0, SAME), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC),
         KILLED(EXIT, SIGKILL, STOP_KILL, 0, SAME), STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_WATCHDOG);
    w.d.watchdog_usec = 0;
    bring_up(&w);
    PLAY("none", &w, STEP(PING, UP, 0, NONE));
    send_full(&w, EV_PING, 0, 0, USEC_PER_SEC); /* the child wants to be watched */
    assert_int_equal(w.f.deadline, w.now + USEC_PER_SEC);
    w.d.kill_mode = KILL_PROCESS;
    PLAY("trigger", &w, STEP(HANG, STOP_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG, STOP_SEC),
         KILLED(EXIT, SIGABRT, FAILED, ACT_END, NONE));
}

static void reload_kinds(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    bring_up(&w);
    PLAY("a signal", &w, STEP(RELOAD, UP, ACT_RELOAD | ACT_RELOAD_SIGNAL | ACT_RELOADED, NONE));
    with_list(&w, EXEC_RELOAD);
    PLAY("commands", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(RELOAD, RELOADING, ACT_REFUSED, SAME), STEP(READY, RELOADING, 0, SAME),
         STEP(CONTROL, UP, ACT_RELOADED, NONE));
    assert_false(w.f.reload_failed);
    PLAY("failing commands", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         FAILS(CONTROL, 1, UP, ACT_RELOADED, NONE));
    assert_true(w.f.reload_failed);
    assert_int_equal(w.f.result, RESULT_SUCCESS); /* the service is as it was */
    PLAY("slow commands", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(TIME, UP, ACT_CANCEL | ACT_RELOADED, NONE));
    assert_true(w.f.reload_failed);
    PLAY("commands of a child that tells", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(RELOADING, RELOADING, 0, SAME), STEP(CONTROL, RELOADING, 0, SAME), STEP(READY, UP, ACT_RELOADED, NONE));
    assert_false(w.f.reload_failed);
    PLAY("the child by itself", &w, STEP(RELOADING, RELOADING, ACT_RELOAD_SEEN, START_SEC),
         STEP(CONTROL, RELOADING, 0, SAME), STEP(READY, UP, ACT_RELOADED, NONE), STEP(READY, UP, 0, NONE));
    PLAY("the child, for ever", &w, STEP(RELOADING, RELOADING, ACT_RELOAD_SEEN, START_SEC),
         STEP(TIME, UP, ACT_RELOADED, NONE));
    assert_true(w.f.reload_failed);
    PLAY("ended meanwhile", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC));
}

/* systemd.service(5), Type=notify-reload: RELOADING=1, then READY=1; and with ExecReload= that comes first. */
static void notify_reload(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY_RELOAD);
    bring_up(&w);
    PLAY("the protocol", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_RELOAD_SIGNAL, START_SEC),
         STEP(READY, RELOADING, 0, SAME), STEP(RELOADING, RELOADING, 0, SAME), STEP(READY, UP, ACT_RELOADED, NONE));
    assert_false(w.f.reload_failed);
    PLAY("no answer", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_RELOAD_SIGNAL, START_SEC),
         STEP(READY, RELOADING, 0, SAME), STEP(TIME, UP, ACT_RELOADED, NONE));
    assert_true(w.f.reload_failed);
    with_list(&w, EXEC_RELOAD);
    PLAY("commands", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(CONTROL, RELOADING, ACT_RELOAD_SIGNAL, SAME), STEP(RELOADING, RELOADING, 0, SAME),
         STEP(READY, UP, ACT_RELOADED, NONE));
    PLAY("commands that made it", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(RELOADING, RELOADING, 0, SAME), STEP(READY, RELOADING, 0, SAME), STEP(CONTROL, UP, ACT_RELOADED, NONE));
    PLAY("failing commands", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         FAILS(CONTROL, 1, UP, ACT_RELOADED, NONE));
    assert_true(w.f.reload_failed);
}

/* sd_notify(3), EXTEND_TIMEOUT_USEC=: more time, but never less; what was killed gets none. */
static void more_time(void **state)
{
    struct world w;

    (void)state;
    for (unsigned s = 0; s < JOB_STATE_MAX; s++) {
        bool may = s == JOB_CONDITION || s == JOB_START_PRE || s == JOB_STARTING || s == JOB_START_POST || s == JOB_RELOADING ||
                   s == JOB_STOP || s == JOB_STOP_WATCHDOG || s == JOB_STOP_TERM || s == JOB_STOP_POST;
        uint64_t before;

        put_into(&w, (enum job_state)s);
        before = w.f.deadline;
        send_full(&w, EV_ALIVE, 0, 0, USEC_PER_SEC);
        assert_true(w.f.deadline == before);
        send_full(&w, EV_ALIVE, 0, 0, 30 * USEC_PER_SEC);
        CHECK(w.f.deadline == (may ? BEGIN + 30 * USEC_PER_SEC : before), "%s", job_state_name((enum job_state)s));
        send_full(&w, EV_ALIVE, 0, 0, UINT64_MAX); /* no overflow into the past */
        CHECK(w.f.deadline == (may ? USEC_INFINITY : before), "%s", job_state_name((enum job_state)s));
    }
    world_init(&w, TYPE_NOTIFY);
    w.d.timeout_start = USEC_INFINITY;
    PLAY("for ever", &w, STEP(START, STARTING, ACT_RUN, NONE));
    send_full(&w, EV_ALIVE, 0, 0, USEC_PER_SEC);
    assert_true(w.f.deadline == USEC_INFINITY);
}

/* The loop is late: the deadline that is returned is not in the past, and TIME comes all the same. */
static void late(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY);
    send(&w, EV_START);
    w.now = w.f.deadline + 5;
    PLAY("late", &w, STEP(PING, STARTING, 0, 0), STEP(TIME, STOP_TERM, TERM, STOP_SEC));
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(job_state_name(JOB_STARTING), "starting");
    assert_string_equal(job_state_name(JOB_RESTART), "auto-restart");
    assert_string_equal(job_state_name(JOB_FAILED), "failed");
    assert_string_equal(job_result_name(RESULT_SUCCESS), "success");
    assert_string_equal(job_result_name(RESULT_START_LIMIT_HIT), "start-limit-hit");
    assert_string_equal(job_result_name(RESULT_RESOURCES), "resources");
    for (int i = 0; i < JOB_STATE_MAX; i++)
        assert_non_null(job_state_name((enum job_state)i));
    for (int i = 0; i < RESULT_MAX; i++)
        assert_non_null(job_result_name((enum job_result)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair), cmocka_unit_test(stale_events), cmocka_unit_test(remembered),
        cmocka_unit_test(late_nostart), cmocka_unit_test(watchdog), cmocka_unit_test(watchdog_ends),
        cmocka_unit_test(reload_kinds), cmocka_unit_test(notify_reload), cmocka_unit_test(more_time),
        cmocka_unit_test(late), cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
