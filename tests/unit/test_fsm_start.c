/* The life of a job: its start. */
#include "unit.h"
#include "fsm_world.h"

/* Who is up when: by exec, by READY, by its end. */
static void types(void **state)
{
    static struct probespec probe;
    static const struct {
        enum job_type type;
        bool gate, by_exec, by_ready, by_end;
    } rows[] = {
        {TYPE_SIMPLE, false, true, true, false},  {TYPE_EXEC, false, true, true, false},
        {TYPE_SIMPLE, true, false, true, false},  {TYPE_EXEC, true, false, true, false},
        {TYPE_NOTIFY, false, false, true, false}, {TYPE_NOTIFY_RELOAD, false, false, true, false},
        {TYPE_NOTIFY, true, false, true, false},  {TYPE_FORKING, false, false, true, false},
        {TYPE_ONESHOT, false, false, false, true}, {TYPE_ONESHOT, true, false, false, true},
        {TYPE_IDLE, false, true, true, false},    {TYPE_DBUS, false, false, true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        static const enum fsm_event events[] = {EV_EXEC, EV_READY, EV_EXIT};
        const bool wanted[] = {rows[i].by_exec, rows[i].by_ready, rows[i].by_end};

        for (size_t e = 0; e < ARRAY_SIZE(events); e++) {
            struct world w;

            world_init(&w, rows[i].type);
            if (rows[i].gate)
                w.d.ready = (struct probe_list){&probe, 1};
            send(&w, EV_START);
            CHECK(!!(send(&w, events[e]) & ACT_READY) == wanted[e], "row %zu, %s", i, event_names[events[e]]);
        }
    }
}

static void all_commands_in_order(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY);
    for (int list = 0; list < EXEC_LIST_MAX; list++)
        with_list(&w, (enum exec_list)list);
    PLAY("all commands", &w, STEP(START, CONDITION, ACT_CONTROL, START_SEC));
    assert_int_equal(w.f.list, EXEC_CONDITION);
    PLAY("all commands", &w, STEP(CONTROL, START_PRE, ACT_CONTROL, START_SEC));
    assert_int_equal(w.f.list, EXEC_START_PRE);
    PLAY("all commands", &w, STEP(CONTROL, STARTING, ACT_KILL | ACT_RUN, START_SEC), STEP(EXEC, STARTING, 0, SAME),
         STEP(READY, START_POST, ACT_CONTROL, START_SEC));
    assert_int_equal(w.f.list, EXEC_START_POST);
    PLAY("all commands", &w, STEP(CONTROL, UP, ACT_READY, NONE),
         STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC));
    assert_int_equal(w.f.list, EXEC_RELOAD);
    PLAY("all commands", &w, STEP(CONTROL, UP, ACT_RELOADED, NONE),
         STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC));
    assert_int_equal(w.f.list, EXEC_STOP);
    PLAY("all commands", &w, STEP(CONTROL, STOP_TERM, ACT_TERM, STOP_SEC), KILLED(EXIT, SIGTERM, STOP_TERM, 0, SAME),
         STEP(EMPTY, STOP_POST, ACT_CONTROL, STOP_SEC));
    assert_int_equal(w.f.list, EXEC_STOP_POST);
    PLAY("all commands", &w, STEP(CONTROL, FINAL_KILL, ACT_KILL, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    assert_true(fsm_over(&w.f));
    assert_int_equal(w.f.result, RESULT_SUCCESS);
}

/* systemd.service(5): a failed start skips ExecStop=, but not ExecStopPost=. */
static void failed_starts(void **state)
{
    static const struct {
        enum fsm_event last; /* the events before it succeed */
        int status;
        enum job_state at;
        enum job_result result;
        unsigned actions;
    } rows[] = {
        {EV_CONTROL, 1, JOB_START_PRE, RESULT_EXIT_CODE, ACT_TERM},
        {EV_TIME, 0, JOB_START_PRE, RESULT_TIMEOUT, TERM},
        {EV_NOSTART, 203, JOB_STARTING, RESULT_EXIT_CODE, ACT_TERM},
        {EV_EXIT, 0, JOB_STARTING, RESULT_PROTOCOL, ACT_TERM},
        {EV_EXIT, 7, JOB_STARTING, RESULT_EXIT_CODE, ACT_TERM},
        {EV_NOTREADY, 0, JOB_STARTING, RESULT_PROTOCOL, TERM},
        {EV_TIME, 0, JOB_STARTING, RESULT_TIMEOUT, TERM},
        {EV_CONTROL, 1, JOB_START_POST, RESULT_EXIT_CODE, TERM},
        {EV_TIME, 0, JOB_START_POST, RESULT_TIMEOUT, TERM},
        {EV_HANG, 0, JOB_START_POST, RESULT_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;
        unsigned actions;

        world_init(&w, TYPE_NOTIFY);
        for (int list = 0; list < EXEC_LIST_MAX; list++)
            with_list(&w, (enum exec_list)list);
        send(&w, EV_START);
        send(&w, EV_CONTROL);
        if (rows[i].at != JOB_START_PRE)
            send(&w, EV_CONTROL);
        if (rows[i].at == JOB_START_POST)
            send(&w, EV_READY);
        assert_int_equal(w.f.state, rows[i].at);
        if (rows[i].last == EV_TIME)
            w.now = w.f.deadline;
        actions = send_full(&w, rows[i].last, CLD_EXITED, rows[i].status, 0);
        CHECK(actions == rows[i].actions, "row %zu: actions %#x", i, actions);
        if (w.f.main)
            send(&w, EV_EXIT);
        assert_int_equal(w.f.state, JOB_STOP_TERM);
        CHECK(send(&w, EV_EMPTY) == ACT_CONTROL && w.f.list == EXEC_STOP_POST, "row %zu: no ExecStopPost=", i);
        send(&w, EV_CONTROL);
        CHECK(send(&w, EV_EMPTY) == ACT_END && w.f.state == JOB_FAILED, "row %zu: %s", i, job_state_name(w.f.state));
        CHECK(w.f.result == rows[i].result, "row %zu: %s", i, job_result_name(w.f.result));
        assert_int_equal(w.f.up_since, 0);
    }
}

/* A stop while it starts is no failure. */
static void stop_while_starting(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY);
    with_list(&w, EXEC_START_PRE);
    with_list(&w, EXEC_STOP);
    PLAY("in start-pre", &w, STEP(START, START_PRE, ACT_CONTROL, START_SEC), STEP(STOP, STOP_TERM, TERM, STOP_SEC),
         STEP(EMPTY, DONE, ACT_END, NONE));
    PLAY("while starting", &w, STEP(START, START_PRE, ACT_CONTROL, START_SEC),
         STEP(CONTROL, STARTING, ACT_KILL | ACT_RUN, START_SEC), STEP(STOP, STOP_TERM, TERM, STOP_SEC),
         KILLED(EXIT, SIGTERM, STOP_TERM, 0, SAME), STEP(EMPTY, DONE, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_SUCCESS);
}

/* The main process ends while ExecStartPost= runs: that is waited for. */
static void exit_in_start_post(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    with_list(&w, EXEC_START_POST);
    with_list(&w, EXEC_STOP);
    PLAY("a clean exit", &w, STEP(START, STARTING, ACT_RUN, START_SEC),
         STEP(EXEC, START_POST, ACT_CONTROL, START_SEC), STEP(EXIT, START_POST, 0, SAME),
         STEP(CONTROL, STOP, ACT_READY | ACT_CONTROL, STOP_SEC), STEP(CONTROL, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, DONE, ACT_END, NONE));
    PLAY("a failure", &w, STEP(START, STARTING, ACT_RUN, START_SEC), STEP(EXEC, START_POST, ACT_CONTROL, START_SEC),
         FAILS(EXIT, 1, START_POST, 0, SAME), STEP(CONTROL, STOP_TERM, TERM, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_EXIT_CODE);
    PLAY("a hang of nobody", &w, STEP(START, STARTING, ACT_RUN, START_SEC),
         STEP(EXEC, START_POST, ACT_CONTROL, START_SEC), STEP(EXIT, START_POST, 0, SAME),
         STEP(HANG, STOP_TERM, TERM, STOP_SEC));
}

static void oneshot(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_ONESHOT);
    PLAY("bare", &w, STEP(START, STARTING, ACT_RUN, NONE), STEP(EXEC, STARTING, 0, NONE),
         STEP(EXIT, STOP_TERM, ACT_READY | ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    with_list(&w, EXEC_START_POST);
    with_list(&w, EXEC_STOP);
    w.d.timeout_start_set = true;
    PLAY("with commands", &w, STEP(START, STARTING, ACT_RUN, START_SEC), STEP(EXEC, STARTING, 0, SAME),
         STEP(EXIT, START_POST, ACT_CONTROL, START_SEC), STEP(CONTROL, STOP, ACT_READY | ACT_CONTROL, STOP_SEC),
         STEP(CONTROL, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    PLAY("a failure", &w, STEP(START, STARTING, ACT_RUN, START_SEC), FAILS(EXIT, 1, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
}

/* systemd.service(5), ExecStart=: Type=oneshot may have several, "-" before one, or none. */
static void oneshot_lists(void **state)
{
    struct command three[] = {{.ignore_failure = false}, {.ignore_failure = true}, {.ignore_failure = false}};
    struct world w;

    (void)state;
    world_init(&w, TYPE_ONESHOT);
    w.d.start = (struct command_list){three, ARRAY_SIZE(three)};
    PLAY("three", &w, STEP(START, STARTING, ACT_RUN, NONE), STEP(EXEC, STARTING, 0, NONE),
         STEP(EXIT, STARTING, ACT_RUN, NONE), STEP(EXEC, STARTING, 0, NONE), FAILS(EXIT, 1, STARTING, ACT_RUN, NONE),
         STEP(EXIT, STOP_TERM, ACT_READY | ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    PLAY("the first fails", &w, STEP(START, STARTING, ACT_RUN, NONE), FAILS(EXIT, 1, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.command, 0);
    PLAY("the second cannot be started", &w, STEP(START, STARTING, ACT_RUN, NONE), STEP(EXIT, STARTING, ACT_RUN, NONE),
         FAILS(NOSTART, 203, STARTING, ACT_RUN, NONE), FAILS(EXIT, 3, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_EXIT_CODE);
    w.d.start.n = 0;
    w.d.remain_after_exit = true;
    PLAY("none", &w, STEP(START, EXITED, ACT_READY, NONE), STEP(STOP, STOP_TERM, TERM, STOP_SEC),
         STEP(EMPTY, DONE, ACT_END, NONE));
    with_list(&w, EXEC_CONDITION);
    with_list(&w, EXEC_START_PRE);
    with_list(&w, EXEC_START_POST);
    with_list(&w, EXEC_STOP);
    PLAY("none but others", &w, STEP(START, CONDITION, ACT_CONTROL, NONE), STEP(CONTROL, START_PRE, ACT_CONTROL, NONE),
         STEP(CONTROL, START_POST, ACT_KILL | ACT_CONTROL, NONE), STEP(CONTROL, EXITED, ACT_READY, NONE),
         STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC), STEP(CONTROL, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, DONE, ACT_END, NONE));
}

/* "-" before ExecStart=, which cannot be run: it has been up, and has ended well; but who waits for READY=1 waits. */
static void ignored_failures(void **state)
{
    struct command ignored = {.ignore_failure = true};
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.start.v = &ignored;
    PLAY("no program", &w, STEP(START, STARTING, ACT_RUN, START_SEC),
         FAILS(NOSTART, 203, STOP_TERM, ACT_READY | ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    bring_up(&w);
    PLAY("a failure", &w, KILLED(EXIT, SIGSEGV, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    w.d.type = TYPE_NOTIFY;
    PLAY("notify", &w, STEP(START, STARTING, ACT_RUN, START_SEC), FAILS(EXIT, 1, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_PROTOCOL);
}

/* systemd.service(5), ExecCondition=. */
static void conditions(void **state)
{
    static const struct {
        int code, status;
        enum job_result result;
    } rows[] = {
        {CLD_EXITED, 0, RESULT_SUCCESS},          {CLD_EXITED, 1, RESULT_EXEC_CONDITION},
        {CLD_EXITED, 254, RESULT_EXEC_CONDITION}, {CLD_EXITED, 255, RESULT_EXIT_CODE},
        {CLD_KILLED, SIGTERM, RESULT_SIGNAL},     {CLD_DUMPED, SIGSEGV, RESULT_CORE_DUMP},
        {CLD_EXITED, 7, RESULT_SUCCESS}, /* SuccessExitStatus= */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct world w;

        world_init(&w, TYPE_EXEC);
        with_list(&w, EXEC_CONDITION);
        with_list(&w, EXEC_STOP);
        with_list(&w, EXEC_STOP_POST);
        w.d.restart = RESTART_ALWAYS;
        w.exits.success.status[0] = 1 << 7;
        send(&w, EV_START);
        send_full(&w, EV_CONTROL, rows[i].code, rows[i].status, 0);
        CHECK(w.f.result == rows[i].result, "row %zu: %s", i, job_result_name(w.f.result));
        if (w.f.result == RESULT_SUCCESS) {
            assert_int_equal(w.f.state, JOB_STARTING);
            continue;
        }
        assert_int_equal(send(&w, EV_EMPTY), ACT_CONTROL);
        assert_int_equal(w.f.list, EXEC_STOP_POST); /* "will also run the commands in ExecStopPost=" */
        send(&w, EV_CONTROL);
        send(&w, EV_EMPTY);
        CHECK(w.f.state == (rows[i].result == RESULT_EXEC_CONDITION ? JOB_DONE : JOB_RESTART), "row %zu: %s", i,
              job_state_name(w.f.state));
    }
}

/* systemd.service(5), RemainAfterExit=. */
static void remaining(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_ONESHOT);
    w.d.remain_after_exit = true;
    with_list(&w, EXEC_STOP);
    PLAY("oneshot", &w, STEP(START, STARTING, ACT_RUN, NONE), STEP(EXIT, EXITED, ACT_READY, NONE),
         STEP(RELOAD, EXITED, ACT_REFUSED, SAME), STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC),
         STEP(CONTROL, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    with_list(&w, EXEC_RELOAD);
    PLAY("a reload", &w, STEP(START, STARTING, ACT_RUN, NONE), STEP(EXIT, EXITED, ACT_READY, NONE),
         STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, NONE), FAILS(CONTROL, 1, EXITED, ACT_RELOADED, NONE));
    assert_true(w.f.reload_failed);
    PLAY("a stop and a start", &w, STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC),
         STEP(CONTROL, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE), STEP(START, STARTING, ACT_RUN, NONE),
         FAILS(EXIT, 1, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, FAILED, ACT_END, NONE));
    w.d.type = TYPE_EXEC;
    bring_up(&w);
    PLAY("a clean exit", &w, STEP(EXIT, EXITED, 0, NONE), STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC));
    send(&w, EV_CONTROL);
    send(&w, EV_EMPTY);
    bring_up(&w);
    PLAY("a failure", &w, FAILS(EXIT, 1, STOP, ACT_CONTROL, STOP_SEC));
    send(&w, EV_CONTROL);
    send(&w, EV_EMPTY);
    bring_up(&w);
    PLAY("an exit while it reloads", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_CONTROL, START_SEC),
         STEP(EXIT, RELOADING, 0, SAME), STEP(CONTROL, EXITED, ACT_RELOADED, NONE));
}

/* systemd.service(5), ExitType=cgroup, and daemons whose main process nobody knows. */
static void headless(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.exit_type = EXIT_TYPE_CGROUP;
    bring_up(&w);
    PLAY("cgroup", &w, STEP(EMPTY, UP, 0, NONE), STEP(EXIT, UP, 0, NONE), STEP(RELOAD, UP, ACT_REFUSED, NONE),
         STEP(EMPTY, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
    bring_up(&w);
    PLAY("cgroup, a failure", &w, FAILS(EXIT, 1, UP, 0, NONE), STEP(EMPTY, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_EXIT_CODE);
    w.d.remain_after_exit = true;
    bring_up(&w);
    PLAY("cgroup, remaining", &w, STEP(EXIT, UP, 0, NONE), STEP(EMPTY, EXITED, 0, NONE));
    world_init(&w, TYPE_FORKING);
    PLAY("forking", &w, STEP(START, STARTING, ACT_RUN, START_SEC), STEP(EXEC, STARTING, 0, SAME),
         STEP(HEADLESS, STARTING, 0, SAME), STEP(READY, UP, ACT_READY, NONE), STEP(MAIN, UP, 0, NONE), STEP(EMPTY, UP, 0, NONE),
         STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC), STEP(EMPTY, DONE, ACT_END, NONE));
}

/* systemd.service(5), TimeoutStartFailureMode=, TimeoutStopFailureMode=, TimeoutAbortSec=. */
static void failure_modes(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY);
    w.d.timeout_abort = 3 * USEC_PER_SEC;
    w.d.timeout_abort_set = true;
    w.d.timeout_start_failure = TIMEOUT_ABORT;
    PLAY("start, abort", &w, STEP(START, STARTING, ACT_RUN, START_SEC),
         STEP(TIME, STOP_WATCHDOG, ACT_STOPPING | ACT_WATCHDOG, 3), KILLED(EXIT, SIGABRT, STOP_TERM, ACT_TERM, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_TIMEOUT);
    w.d.timeout_start_failure = TIMEOUT_KILL;
    PLAY("start, kill", &w, STEP(START, STARTING, ACT_RUN, START_SEC),
         STEP(TIME, STOP_KILL, ACT_STOPPING | ACT_KILL, STOP_SEC), STEP(EXIT, STOP_KILL, 0, SAME),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    w.d.send_sigkill = false;
    PLAY("start, kill, but not", &w, STEP(START, STARTING, ACT_RUN, START_SEC),
         STEP(TIME, STOP_TERM, ACT_STOPPING | ACT_TERM, STOP_SEC), STEP(EXIT, STOP_TERM, 0, SAME),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    w.d.send_sigkill = true;
    with_list(&w, EXEC_STOP);
    w.d.timeout_stop_failure = TIMEOUT_ABORT;
    bring_up(&w);
    PLAY("ExecStop=, abort", &w, STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC),
         STEP(TIME, STOP_WATCHDOG, ACT_WATCHDOG, 3), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC),
         STEP(EXIT, STOP_KILL, 0, SAME), STEP(EMPTY, FAILED, ACT_END, NONE));
    w.commands.lists[EXEC_STOP].n = 0;
    fsm_init(&w.f, &w.d);
    bring_up(&w);
    PLAY("stop, abort", &w, STEP(STOP, STOP_TERM, TERM, STOP_SEC), STEP(TIME, STOP_WATCHDOG, ACT_WATCHDOG, 3),
         STEP(EXIT, STOP_TERM, ACT_TERM, STOP_SEC), STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    w.d.timeout_stop_failure = TIMEOUT_KILL;
    with_list(&w, EXEC_STOP);
    bring_up(&w);
    PLAY("ExecStop=, kill", &w, STEP(STOP, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC),
         STEP(TIME, STOP_KILL, ACT_KILL, STOP_SEC), STEP(EXIT, STOP_KILL, 0, SAME));
    world_init(&w, TYPE_NOTIFY);
    w.d.timeout_start_failure = TIMEOUT_ABORT;
    with_list(&w, EXEC_START_PRE);
    PLAY("nobody to abort", &w, STEP(START, START_PRE, ACT_CONTROL, START_SEC), STEP(TIME, STOP_TERM, TERM, STOP_SEC));
}

/* systemd.service(5), RuntimeMaxSec=, RuntimeRandomizedExtraSec=. */
static void runtime(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_EXEC);
    w.d.runtime_max = 30 * USEC_PER_SEC;
    w.d.watchdog_usec = 40 * USEC_PER_SEC;
    with_list(&w, EXEC_STOP);
    bring_up(&w);
    assert_int_equal(w.f.deadline, w.now + 30 * USEC_PER_SEC);
    w.now += 10 * USEC_PER_SEC;
    send(&w, EV_PING);
    assert_int_equal(w.f.deadline, w.now + 20 * USEC_PER_SEC);
    send_full(&w, EV_ALIVE, 0, 0, 5 * USEC_PER_SEC);
    assert_int_equal(w.f.deadline, w.now + 20 * USEC_PER_SEC);
    send_full(&w, EV_ALIVE, 0, 0, 35 * USEC_PER_SEC);
    assert_int_equal(w.f.deadline, w.now + 35 * USEC_PER_SEC);
    PLAY("a reload does not begin it anew", &w, STEP(RELOADING, RELOADING, ACT_RELOAD_SEEN, START_SEC),
         STEP(READY, UP, ACT_RELOADED, 35));
    PLAY("over", &w, STEP(TIME, STOP, ACT_STOPPING | ACT_CONTROL, STOP_SEC));
    assert_int_equal(w.f.result, RESULT_TIMEOUT);
    w.commands.lists[EXEC_STOP].n = 0;
    w.d.watchdog_usec = 0;
    w.d.runtime_extra = 10 * USEC_PER_SEC;
    w.random = UINT32_MAX;
    fsm_init(&w.f, &w.d);
    bring_up(&w);
    assert_int_equal(w.f.deadline, w.now + 40 * USEC_PER_SEC);
    w.now = w.f.deadline - 1;
    assert_int_equal(send(&w, EV_TIME), 0);
    world_init(&w, TYPE_ONESHOT);
    w.d.runtime_max = USEC_PER_SEC;
    w.d.exit_type = EXIT_TYPE_CGROUP;
    PLAY("no matter of oneshot", &w, STEP(START, STARTING, ACT_RUN, NONE), STEP(EXEC, STARTING, 0, NONE));
    send(&w, EV_EXIT);
    assert_int_equal(w.f.runtime_end, USEC_INFINITY);
}

/* What the child or the kernel says besides. */
static void said_besides(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, TYPE_NOTIFY_RELOAD);
    bring_up(&w);
    w.d.oom_policy = OOM_CONTINUE;
    PLAY("OOMPolicy=continue", &w, STEP(OOM, UP, 0, NONE));
    w.f.restarts = w.f.growth = 4;
    PLAY("RESTART_RESET=1", &w, STEP(RESET, UP, 0, NONE));
    assert_true(w.f.restarts == 0 && w.f.growth == 0);
    PLAY("a reload", &w, STEP(RELOAD, RELOADING, ACT_RELOAD | ACT_RELOAD_SIGNAL, START_SEC));
    send_full(&w, EV_RELOADING, 0, 0, w.now - 1); /* one that it had begun before */
    PLAY("a reload", &w, STEP(READY, RELOADING, 0, SAME));
    send_full(&w, EV_RELOADING, 0, 0, w.now);
    PLAY("a reload", &w, STEP(READY, UP, ACT_RELOADED, NONE));
    w.d.oom_policy = OOM_STOP;
    PLAY("OOMPolicy=stop", &w, STEP(OOM, STOP_TERM, TERM, STOP_SEC), KILLED(EXIT, SIGTERM, STOP_TERM, 0, SAME),
         STEP(EMPTY, FAILED, ACT_END, NONE));
    assert_int_equal(w.f.result, RESULT_OOM_KILL);
    send(&w, EV_START);
    send_full(&w, EV_NOSTART, 0, 0, 0); /* no process could be had */
    assert_int_equal(w.f.result, RESULT_RESOURCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types), cmocka_unit_test(all_commands_in_order), cmocka_unit_test(failed_starts),
        cmocka_unit_test(stop_while_starting), cmocka_unit_test(exit_in_start_post), cmocka_unit_test(oneshot),
        cmocka_unit_test(oneshot_lists), cmocka_unit_test(ignored_failures), cmocka_unit_test(conditions),
        cmocka_unit_test(remaining), cmocka_unit_test(headless), cmocka_unit_test(failure_modes),
        cmocka_unit_test(runtime), cmocka_unit_test(said_besides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
