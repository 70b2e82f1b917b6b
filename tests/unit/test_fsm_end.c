/* The life of a job: its end. */
#include "unit.h"
#include "fsm_world.h"

static void exits(void **state)
{
    static const struct {
        enum job_type type;
        int code, status;
        enum job_result result;
    } rows[] = {
        {TYPE_EXEC, CLD_EXITED, 0, RESULT_SUCCESS},         {TYPE_EXEC, CLD_EXITED, 1, RESULT_EXIT_CODE},
        {TYPE_EXEC, CLD_KILLED, SIGTERM, RESULT_SUCCESS},   {TYPE_EXEC, CLD_KILLED, SIGHUP, RESULT_SUCCESS},
        {TYPE_EXEC, CLD_KILLED, SIGINT, RESULT_SUCCESS},    {TYPE_EXEC, CLD_KILLED, SIGPIPE, RESULT_SUCCESS},
        {TYPE_EXEC, CLD_KILLED, SIGKILL, RESULT_SIGNAL},    {TYPE_EXEC, CLD_DUMPED, SIGSEGV, RESULT_CORE_DUMP},
        {TYPE_EXEC, CLD_EXITED, 75, RESULT_SUCCESS},        {TYPE_EXEC, CLD_KILLED, SIGUSR1, RESULT_SUCCESS},
        {TYPE_EXEC, CLD_DUMPED, SIGABRT, RESULT_CORE_DUMP}, {TYPE_ONESHOT, CLD_KILLED, SIGTERM, RESULT_SIGNAL},
        {TYPE_ONESHOT, CLD_KILLED, SIGUSR1, RESULT_SUCCESS}, {TYPE_ONESHOT, CLD_EXITED, 0, RESULT_SUCCESS},
        {TYPE_ONESHOT, CLD_EXITED, 3, RESULT_EXIT_CODE},    {TYPE_ONESHOT, CLD_EXITED, 75, RESULT_SUCCESS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;

        world_init(&w, rows[i].type);
        w.exits.success.status[75 / 64] = 1ULL << 75 % 64;
        w.exits.success.signals = 1ULL << (SIGUSR1 - 1);
        send(&w, EV_START);
        send(&w, EV_EXEC);
        send_full(&w, EV_EXIT, rows[i].code, rows[i].status, 0);
        assert_int_equal(send(&w, EV_EMPTY), ACT_END);
        CHECK(w.f.result == rows[i].result, "row %zu: %s", i, job_result_name(w.f.result));
        assert_int_equal(w.f.state, w.f.result == RESULT_SUCCESS ? JOB_DONE : JOB_FAILED);
    }
}

/* systemd.kill(5), KillMode=: whom the end waits for. */
static void kill_modes(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    bring_up(&w);
    PLAY("control-group", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(EMPTY, STOP_TERM, 0, SAME),
         STEP(EXIT, STOP_TERM, 0, SAME), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC), STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_TIMEOUT); /* the main process went in time, the others did not */
    bring_up(&w);
    PLAY("killed", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC),
         KILLED(EXIT, SIGKILL, STOP_KILL, 0, SAME), STEP(EMPTY, FAILED, ACT_END, NONE));
    w.d.kill_mode = KILL_MIXED;
    bring_up(&w);
    PLAY("mixed", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(EXIT, STOP_TERM, ACT_KILL, SAME),
         STEP(EMPTY, DONE, ACT_END, NONE));
    bring_up(&w);
    PLAY("mixed, by itself", &w, STEP(EXIT, STOP_TERM, ACT_KILL, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    w.d.kill_mode = KILL_PROCESS;
    bring_up(&w);
    PLAY("process", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(EXIT, DONE, ACT_END, NONE));
    bring_up(&w);
    PLAY("process, killed", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC),
         KILLED(EXIT, SIGKILL, FAILED, ACT_END, NONE));
    bring_up(&w);
    PLAY("process, by itself", &w, STEP(EXIT, DONE, ACT_END, NONE));
    w.d.kill_mode = KILL_NONE;
    bring_up(&w);
    PLAY("none", &w, STEP(STOP, DONE, ACT_STOPPING | ACT_END, NONE), STEP(START, DONE, ACT_REFUSED, NONE),
         STEP(EXIT, DONE, 0, NONE), STEP(START, STARTING, ACT_RUN, START_SEC));
}

/* KillMode=none spares the main process: there is no second one beside it. */
static void nothing_beside_what_is_left(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.kill_mode = KILL_NONE;
    w.d.restart = RESTART_ALWAYS;
    bring_up(&w);
    PLAY("restart", &w, STEP(UNHEALTHY, FAILED, ACT_STOPPING | ACT_END, NONE), STEP(START, FAILED, ACT_REFUSED, NONE),
         STEP(EXIT, FAILED, 0, NONE), STEP(START, STARTING, ACT_RUN, START_SEC), STEP(EXEC, UP, ACT_READY, NONE),
         STEP(HANG, FAILED, ACT_STOPPING | ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_WATCHDOG);
    w.d.kill_mode = KILL_CONTROL_GROUP;
    send(&w, EV_EXIT);
    bring_up(&w);
    PLAY("unkillable", &w, STEP(UNHEALTHY, STOP_TERM, TERM, STOP_SEC), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC),
         STEP(TIME, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_TIMEOUT);
    send(&w, EV_EXIT);
    bring_up(&w);
    PLAY("unkillable children", &w, STEP(UNHEALTHY, STOP_TERM, TERM, STOP_SEC), STEP(EXIT, STOP_TERM, 0, SAME),
         STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC), STEP(TIME, FAILED, ACT_END, NONE));
    w.d.kill_mode = KILL_PROCESS; /* what was left of the last life is no matter of this one */
    PLAY("gone", &w, STEP(START, STARTING, ACT_RUN, START_SEC),
         STEP(EXEC, UP, ACT_READY, NONE));
    assert_int_equal(send(&w, EV_EXIT), ACT_AGAIN);
}

/* systemd.kill(5), SendSIGKILL=no: nothing is killed, and nothing is started beside what is left. */
static void without_sigkill(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.send_sigkill = false;
    w.d.restart = RESTART_ALWAYS;
    with_list(&w, EXEC_STOP_POST);
    bring_up(&w);
    PLAY("left", &w, STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC), STEP(TIME, STOP_POST, ACT_CONTROL, STOP_SEC),
         STEP(CONTROL, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_TIMEOUT);
    w.d.kill_mode = KILL_MIXED;
    bring_up(&w);
    PLAY("mixed", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(EXIT, STOP_TERM, 0, SAME),
         STEP(EMPTY, STOP_POST, ACT_CONTROL, STOP_SEC), STEP(CONTROL, DONE, ACT_END, NONE));
}

/* What FinalKillSignal= did not end in time has gone after all: then it can be started again. */
static void gone_after_all(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.restart = RESTART_ALWAYS;
    with_list(&w, EXEC_STOP_POST);
    bring_up(&w);
    PLAY("late", &w, STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC),
         STEP(TIME, STOP_POST, ACT_CONTROL, STOP_SEC), STEP(CONTROL, FINAL_KILL, ACT_KILL, STOP_SEC));
    assert_int_equal(send(&w, EV_EMPTY), ACT_AGAIN);
}

/* A command that takes too long is ended, and it never meets the next one. */
static void overdue_commands(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    with_list(&w, EXEC_STOP);
    with_list(&w, EXEC_STOP_POST);
    with_list(&w, EXEC_RELOAD);
    bring_up(&w);
    PLAY("control-group", &w, STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC),
         STEP(TIME, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EXIT, STOP_TERM, 0, SAME),
         STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC), STEP(TIME, STOP_POST, ACT_CANCEL | ACT_CONTROL, STOP_SEC),
         STEP(TIME, FINAL_KILL, ACT_CANCEL | ACT_KILL, STOP_SEC), STEP(TIME, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_TIMEOUT);
    w.d.kill_mode = KILL_MIXED;
    bring_up(&w);
    PLAY("mixed", &w, STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC),
         STEP(TIME, STOP_TERM, ACT_CANCEL | ACT_TERM, STOP_SEC));
    w.d.kill_mode = KILL_PROCESS;
    fsm_init(&w.f, &w.d);
    bring_up(&w);
    PLAY("process", &w, STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC), STEP(EXIT, STOP, 0, SAME),
         STEP(TIME, STOP_POST, ACT_CANCEL | ACT_CONTROL, STOP_SEC), STEP(TIME, FAILED, ACT_CANCEL | ACT_END, NONE));
    bring_up(&w);
    PLAY("reload", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(STOP, STOP, ACT_STOPPING | ACT_CANCEL | ACT_CONTROL, STOP_SEC));
}

/* systemd.service(5): the commands of the end count, too, and ExecStop= runs for what has ended by itself. */
static void failing_stop_commands(void **state)
{
    static const enum exec_list lists[] = {EXEC_STOP, EXEC_STOP_POST};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct world w;

        world_init(&w, TYPE_EXEC);
        with_list(&w, EXEC_STOP);
        with_list(&w, EXEC_STOP_POST);
        bring_up(&w);
        assert_int_equal(send(&w, EV_EXIT), ACT_CONTROL);
        assert_int_equal(w.f.state, JOB_STOP);
        send_full(&w, EV_CONTROL, CLD_EXITED, lists[i] == EXEC_STOP, 0);
        send(&w, EV_EMPTY);
        send_full(&w, EV_CONTROL, CLD_EXITED, lists[i] == EXEC_STOP_POST, 0);
        assert_int_equal(send(&w, EV_EMPTY), ACT_END);
        assert_int_equal(w.f.result, RESULT_EXIT_CODE);
    }
}

/* The first thing that went wrong names the result, whatever comes of it. */
static void blame_stays(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY);
    send(&w, EV_START);
    wait_for_it(&w);
    assert_int_equal(w.f.result, RESULT_TIMEOUT);
    send_full(&w, EV_EXIT, CLD_DUMPED, SIGSEGV, 0);
    send(&w, EV_EMPTY);
    assert_int_equal(w.f.result, RESULT_TIMEOUT);
    assert_int_equal(w.f.state, JOB_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exits), cmocka_unit_test(kill_modes), cmocka_unit_test(nothing_beside_what_is_left),
        cmocka_unit_test(without_sigkill), cmocka_unit_test(gone_after_all), cmocka_unit_test(overdue_commands),
        cmocka_unit_test(failing_stop_commands), cmocka_unit_test(blame_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
