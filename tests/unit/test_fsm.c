/* The life of a job: each event in each state, then lives step by step. What random lives never do is in
 * test_fsm_simulation.c. */
#include "unit.h"
#include <signal.h>
#include "cleanup.h"
#include "fsm.h"
#include "usec.h"

#define BEGIN (1000 * USEC_PER_SEC)
#define START_SEC 10
#define STOP_SEC 20
#define NONE (-1) /* no deadline */
#define SAME (-2) /* the deadline as it was */

static const char *const event_names[] = {
#define X(id) [EV_##id] = #id,
    FSM_EVENTS(X)
#undef X
};

/* A job without a loop: its description, its state and a clock. */
struct world {
    struct jobspec d;
    struct spec_exits exits;
    struct spec_commands commands;
    void *parts[PART_MAX];
    struct fsm f;
    uint64_t now;
    uint32_t random;
};

static struct command one_command;

static void with_list(struct world *w, enum exec_list list)
{
    *(list == EXEC_START ? &w->d.start : &w->commands.lists[list]) = (struct command_list){&one_command, 1};
}

static void world_init(struct world *w, enum job_type type)
{
    *w = (struct world){.now = BEGIN, .random = UINT32_MAX / 2};
    w->parts[PART_EXITS] = &w->exits;
    w->parts[PART_COMMANDS] = &w->commands;
    w->d = (struct jobspec){
        .type = type,
        .timeout_start = START_SEC * USEC_PER_SEC,
        .timeout_stop = STOP_SEC * USEC_PER_SEC,
        .send_sigkill = true,
        .restart_usec = 100 * USEC_PER_MSEC,
        .restart_max_delay = USEC_INFINITY,
        .runtime_max = USEC_INFINITY,
        .start = {&one_command, 1},
        .part = w->parts,
    };
    fsm_init(&w->f, &w->d);
}

static unsigned send_full(struct world *w, enum fsm_event event, int code, int status, uint64_t usec)
{
    const struct fsm_input in = {
        .event = event, .now = w->now, .usec = usec, .code = code, .status = status, .random = w->random};

    return fsm_step(&w->f, &w->d, &in);
}

static unsigned send(struct world *w, enum fsm_event event)
{
    return send_full(w, event, CLD_EXITED, 0, 0);
}

/* The clock moves to the deadline. */
static unsigned wait_for_it(struct world *w)
{
    assert_true(w->f.deadline != USEC_INFINITY);
    w->now = w->f.deadline;
    return send(w, EV_TIME);
}

/* One step of a life and what must come of it. */
struct step {
    enum fsm_event event;
    int code, status; /* 0: CLD_EXITED with 0 */
    enum job_state state;
    unsigned actions;
    int seconds; /* to the deadline, NONE, SAME */
};

#define STEP(event_, state_, actions_, seconds_) {EV_##event_, CLD_EXITED, 0, JOB_##state_, actions_, seconds_}
#define FAILS(event_, status_, state_, actions_, seconds_)                                                   \
    {EV_##event_, CLD_EXITED, status_, JOB_##state_, actions_, seconds_}
#define KILLED(event_, signal_, state_, actions_, seconds_)                                                  \
    {EV_##event_, CLD_KILLED, signal_, JOB_##state_, actions_, seconds_}

static bool deadline_is(const struct world *w, int seconds, uint64_t before)
{
    return w->f.deadline == (seconds == NONE   ? USEC_INFINITY
                             : seconds == SAME ? before
                                               : w->now + (unsigned)seconds * USEC_PER_SEC);
}

static void play(const char *what, struct world *w, const struct step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct step *s = &steps[i];
        uint64_t before = w->f.deadline;
        unsigned actions;

        if (s->event == EV_TIME)
            w->now = w->f.deadline;
        actions = send_full(w, s->event, s->code, s->status, 0);
        CHECK(w->f.state == s->state, "%s, step %zu (%s): %s", what, i, event_names[s->event],
              job_state_name(w->f.state));
        CHECK(actions == s->actions, "%s, step %zu (%s): actions %#x", what, i, event_names[s->event], actions);
        CHECK(deadline_is(w, s->seconds, before), "%s, step %zu (%s): deadline %lld", what, i, event_names[s->event],
              (long long)(w->f.deadline - w->now));
    }
}

#define PLAY(what, w, ...)                                                                                   \
    play(what, w, (const struct step[]){__VA_ARGS__}, sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/* Up, as a service of Type=exec. */
static void bring_up(struct world *w)
{
    send(w, EV_START);
    if (w->f.state == JOB_START_PRE)
        send(w, EV_CONTROL);
    send(w, EV_EXEC);
    if (w->f.state == JOB_STARTING)
        send(w, EV_READY);
    if (w->f.state == JOB_START_POST)
        send(w, EV_CONTROL);
    assert_int_equal(w->f.state, JOB_UP);
}

/* ---- each event in each state ---- */

#define TERM ACT_STOPPING | ACT_TERM

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

/* ---- the start ---- */

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

/* ---- the end ---- */

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

/* ---- restarts ---- */

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
        cmocka_unit_test(every_pair),          cmocka_unit_test(stale_events),
        cmocka_unit_test(remembered),          cmocka_unit_test(late_nostart),
        cmocka_unit_test(types),               cmocka_unit_test(all_commands_in_order),
        cmocka_unit_test(failed_starts),       cmocka_unit_test(stop_while_starting),
        cmocka_unit_test(exit_in_start_post),  cmocka_unit_test(oneshot), cmocka_unit_test(oneshot_lists), cmocka_unit_test(ignored_failures),
        cmocka_unit_test(conditions), cmocka_unit_test(remaining), cmocka_unit_test(headless),
        cmocka_unit_test(failure_modes), cmocka_unit_test(runtime), cmocka_unit_test(said_besides),
        cmocka_unit_test(exits),               cmocka_unit_test(kill_modes),
        cmocka_unit_test(nothing_beside_what_is_left), cmocka_unit_test(without_sigkill),
        cmocka_unit_test(gone_after_all),
        cmocka_unit_test(overdue_commands),    cmocka_unit_test(failing_stop_commands),
        cmocka_unit_test(blame_stays),         cmocka_unit_test(restart_table),
        cmocka_unit_test(restart_exceptions),  cmocka_unit_test(exit_of_the_last_life),
        cmocka_unit_test(asked_ends),
        cmocka_unit_test(growing_delays),      cmocka_unit_test(jitter),
        cmocka_unit_test(forgiveness),         cmocka_unit_test(dying_is_no_time_up),
        cmocka_unit_test(no_busy_loop),        cmocka_unit_test(start_limit),
        cmocka_unit_test(watchdog),            cmocka_unit_test(watchdog_ends),
        cmocka_unit_test(reload_kinds),        cmocka_unit_test(notify_reload),
        cmocka_unit_test(more_time),           cmocka_unit_test(late),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
