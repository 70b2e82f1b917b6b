/* Thousands of random lives under a fake clock. A model of the hands keeps processes that end, hang, answer and resist
 * as real ones do; after each step what must never happen is looked for. The seed is all that a failure has to name. */
#include "unit.h"
#include <signal.h>
#include "cleanup.h"
#include "fsm.h"
#include "usec.h"

#define BEGIN (1000 * USEC_PER_SEC)
#define LIVES 6000
#define EVENTS 120
#define HISTORY 24

static const char *const event_names[] = {
#define X(id) [EV_##id] = #id,
    FSM_EVENTS(X)
#undef X
};

/* What has been seen over all lives: without this a simulation that does nothing would be content. */
struct seen {
    unsigned states[JOB_STATE_MAX], results[RESULT_MAX], events[EV_MAX], actions[32];
    unsigned moves[JOB_STATE_MAX][JOB_STATE_MAX];
};

struct happening {
    uint64_t now;
    struct fsm_input in;
    enum job_state from, to;
    unsigned actions;
};

struct sim {
    uint64_t seed, rnd, now;
    struct jobspec d;
    struct spec_exits exits;
    struct spec_commands commands;
    void *parts[PART_MAX];
    struct fsm f;
    struct seen *seen;

    /* The processes. */
    bool main, command;
    bool main_dying, command_dying;        /* a signal has reached it, it ends some time */
    bool stubborn, immortal;               /* SIGTERM, or not even SIGKILL, ends this life's processes */
    unsigned others, others_dying;         /* what they have left in the background */
    bool forced;                           /* something not to be killed is around: KillMode=none, process, D state */

    /* What was seen of the present life, and before. */
    bool ready, stopping, stop_ran, post_ran, was_up;
    uint64_t life_begun, quiet_until;      /* STOP was asked, and nothing else since: it ends by then; 0: no */
    unsigned lives, by_hand;               /* lives; START events */
    bool asked;                            /* a START since the last life began */

    struct happening history[HISTORY];
    unsigned happened;
};

static void print_history(const struct sim *s)
{
    for (unsigned i = s->happened > HISTORY ? s->happened - HISTORY : 0; i < s->happened; i++) {
        const struct happening *h = &s->history[i % HISTORY];

        print_error("%12.6f %-9s code %d status %d usec %llu: %s -> %s, actions %#x\n",
                    (double)(h->now - BEGIN) / USEC_PER_SEC, event_names[h->in.event], h->in.code, h->in.status,
                    (unsigned long long)h->in.usec, job_state_name(h->from), job_state_name(h->to), h->actions);
    }
    print_error("seed %llu: type %d, restart %d, kill mode %d%s, timeout %llu s, state %s, result %s: ",
                (unsigned long long)s->seed, (int)s->d.type, (int)s->d.restart, (int)s->d.kill_mode,
                s->d.send_sigkill ? "" : " without SIGKILL", (unsigned long long)(s->d.timeout_stop / USEC_PER_SEC),
                job_state_name(s->f.state), job_result_name(s->f.result));
}

#define MUST(s, condition, ...)                                                                              \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            print_history(s);                                                                                \
            print_error(__VA_ARGS__);                                                                        \
            fail_msg(": not %s", #condition);                                                                \
        }                                                                                                    \
    } while (0)

static bool one_in(struct sim *s, unsigned n)
{
    return random_below(&s->rnd, n) == 0;
}

/* ---- a description ---- */

static struct command one_command, commands[] = {{.ignore_failure = false}, {.ignore_failure = true}, {.argv = NULL}};
static struct probespec one_probe;

static void add_exits(struct sim *s, struct exitset *set)
{
    if (one_in(s, 4)) {
        set->status[0] = 1ULL << random_below(&s->rnd, 4);
        set->signals = 1ULL << (random_below(&s->rnd, 15));
    }
}

static void describe(struct sim *s)
{
    static const enum job_type types[] = {TYPE_SIMPLE,        TYPE_EXEC,    TYPE_NOTIFY,
                                          TYPE_NOTIFY_RELOAD, TYPE_FORKING, TYPE_ONESHOT,
                                          TYPE_DBUS,          TYPE_IDLE};
    static const uint64_t delays[] = {0, 1, 100 * USEC_PER_MSEC, 2 * USEC_PER_SEC};

    s->d = (struct jobspec){
        .type = types[random_below(&s->rnd, ARRAY_SIZE(types))],
        .timeout_start = one_in(s, 5) ? USEC_INFINITY : (1 + random_below(&s->rnd, 60)) * USEC_PER_SEC,
        .timeout_stop = (1 + random_below(&s->rnd, 30)) * USEC_PER_SEC,
        .timeout_start_set = one_in(s, 2),
        .kill_mode = one_in(s, 2) ? KILL_CONTROL_GROUP : (enum kill_mode)random_below(&s->rnd, 4),
        .send_sigkill = !one_in(s, 6),
        .restart = (enum restart_policy)random_below(&s->rnd, 7),
        .restart_usec = delays[random_below(&s->rnd, ARRAY_SIZE(delays))],
        .restart_max_delay = one_in(s, 2) ? USEC_INFINITY : random_below(&s->rnd, 60) * USEC_PER_SEC,
        .restart_steps = (int)random_below(&s->rnd, 6),
        .restart_reset = one_in(s, 2) ? 0 : random_below(&s->rnd, 60) * USEC_PER_SEC,
        .start_limit_interval = one_in(s, 3) ? 0 : (1 + random_below(&s->rnd, 60)) * USEC_PER_SEC,
        .start_limit_burst = (int)random_below(&s->rnd, 8),
        .timeout_abort = (1 + random_below(&s->rnd, 30)) * USEC_PER_SEC,
        .timeout_abort_set = one_in(s, 2),
        .timeout_start_failure = (enum timeout_failure)random_below(&s->rnd, 3),
        .timeout_stop_failure = (enum timeout_failure)random_below(&s->rnd, 3),
        .runtime_max = one_in(s, 3) ? (1 + random_below(&s->rnd, 60)) * USEC_PER_SEC : USEC_INFINITY,
        .restart_extra = random_below(&s->rnd, 3) * USEC_PER_SEC,
        .runtime_extra = random_below(&s->rnd, 3) * USEC_PER_SEC,
        .oom_policy = (enum oom_policy)random_below(&s->rnd, 3),
        .remain_after_exit = one_in(s, 4),
        .exit_type = one_in(s, 4) ? EXIT_TYPE_CGROUP : EXIT_TYPE_MAIN,
        .watchdog_usec = one_in(s, 2) ? 0 : (1 + random_below(&s->rnd, 20)) * USEC_PER_SEC,
    };
    for (int list = 0; list < EXEC_LIST_MAX; list++)
        s->commands.lists[list] = one_in(s, 2) ? (struct command_list){&one_command, 1} : (struct command_list){NULL, 0};
    s->d.start = (struct command_list){one_in(s, 2) ? &commands[1] : commands, 1};
    if (s->d.type == TYPE_ONESHOT)
        s->d.start.n = random_below(&s->rnd, ARRAY_SIZE(commands) + 1);
    if (s->d.type == TYPE_ONESHOT && s->d.start.n)
        s->d.start.v = commands;
    s->d.remain_after_exit |= s->d.start.n == 0;
    if (one_in(s, 4))
        s->d.ready = (struct probe_list){&one_probe, 1};
    s->exits = (struct spec_exits){0};
    s->parts[PART_EXITS] = &s->exits;
    s->parts[PART_COMMANDS] = &s->commands;
    s->d.part = s->parts;
    add_exits(s, &s->exits.success);
    add_exits(s, &s->exits.restart_prevent);
    add_exits(s, &s->exits.restart_force);
}

static bool limited(const struct sim *s)
{
    return s->d.start_limit_interval && s->d.start_limit_burst > 0;
}

static bool kills_all(const struct sim *s)
{
    return s->d.kill_mode == KILL_CONTROL_GROUP || s->d.kill_mode == KILL_MIXED;
}

static bool over(enum job_state s)
{
    return s == JOB_DONE || s == JOB_FAILED;
}

/* ---- the hands ---- */

static void step(struct sim *s, struct fsm_input in);

/* SIGKILL ends what is mortal at once, but it is told when the loop comes to it. */
static void signal_all(struct sim *s, bool kill)
{
    bool works = kill ? !s->immortal : !s->stubborn;

    s->main_dying |= s->main && works;
    s->command_dying |= s->command && works;
    s->others_dying = works ? s->others : s->others_dying;
}

static void signal_some(struct sim *s, bool kill)
{
    bool works = kill ? !s->immortal : !s->stubborn;

    s->main_dying |= s->main && works;
}

static void begin_life(struct sim *s)
{
    uint64_t since = s->now - s->life_begun;

    s->lives++;
    if (limited(s))
        MUST(s, s->lives <= (unsigned)s->d.start_limit_burst * ((s->now - BEGIN) / s->d.start_limit_interval + 1),
             "%u lives are more than the limit allows", s->lives);
    if (!s->asked && s->lives > 1)
        MUST(s, since >= 10 * USEC_PER_MSEC, "a busy loop: the last life began %llu us ago", (unsigned long long)since);
    MUST(s, s->lives <= 1 || s->post_ran == !!s->commands.lists[EXEC_STOP_POST].n, "ExecStopPost= of the last life");
    MUST(s, !s->quiet_until, "started again after STOP");
    if (kills_all(s) && s->d.send_sigkill && !s->forced)
        MUST(s, !s->main && !s->command && s->others == 0, "something of the last life is left");
    s->life_begun = s->now;
    s->asked = s->ready = s->stopping = s->stop_ran = s->post_ran = s->was_up = s->forced = false;
    s->stubborn = one_in(s, 4);
    s->immortal = one_in(s, 12);
}

static void run_command(struct sim *s)
{
    MUST(s, !s->command, "a second command");
    if (s->f.list == EXEC_STOP) {
        MUST(s, s->was_up && !s->stop_ran, "ExecStop=");
        s->stop_ran = true;
    }
    if (s->f.list == EXEC_STOP_POST) {
        MUST(s, !s->post_ran, "ExecStopPost= twice");
        s->post_ran = true;
    }
    MUST(s, jobspec_commands(&s->d, s->f.list)->n, "a list that is not there");
    s->command = true;
    s->command_dying = false;
    s->others += one_in(s, 3);
}

static void signal_processes(struct sim *s, enum job_state before, unsigned actions)
{
    enum kill_mode mode = s->d.kill_mode;
    bool starts = actions & ACT_RUN || before == JOB_START_PRE; /* what ExecStartPre= has left always goes */

    if (actions & ACT_WATCHDOG) {
        MUST(s, s->main, "WatchdogSignal= to nobody");
        s->main_dying |= !s->stubborn;
    }
    if (actions & ACT_TERM)
        mode == KILL_CONTROL_GROUP ? signal_all(s, false) : signal_some(s, false);
    if (actions & ACT_KILL)
        kills_all(s) ? signal_all(s, true) : signal_some(s, true);
    if (actions & (ACT_TERM | ACT_KILL) && !starts)
        MUST(s, mode != KILL_NONE, "a signal with KillMode=none");
    if (actions & ACT_KILL && !starts)
        MUST(s, s->d.send_sigkill, "a signal with SendSIGKILL=no");
    if (actions & ACT_CANCEL)
        s->command = s->command_dying = false;
}

/* The first thing that a life does: what comes before the main process, that, or without it what is next. */
static bool life_begins(const struct sim *s, enum job_state before, unsigned actions)
{
    enum exec_list list = actions & ACT_CONTROL ? s->f.list : EXEC_LIST_MAX;

    if (s->commands.lists[EXEC_CONDITION].n)
        return list == EXEC_CONDITION;
    if (s->commands.lists[EXEC_START_PRE].n)
        return list == EXEC_START_PRE;
    if (s->d.start.n)
        return actions & ACT_RUN && s->f.command == 0;
    return list == EXEC_START_POST || (actions & ACT_READY && before != JOB_START_POST);
}

static void ready(struct sim *s)
{
    MUST(s, !s->ready, "ready twice");
    s->ready = s->was_up = true;
}

static void act(struct sim *s, enum job_state before, unsigned actions)
{
    if (actions & ACT_STOPPING) {
        MUST(s, !s->stopping, "stopping twice");
        s->stopping = true;
    }
    signal_processes(s, before, actions);
    if (actions & ACT_READY && (before == JOB_STARTING || before == JOB_START_POST))
        ready(s);
    if (life_begins(s, before, actions))
        begin_life(s);
    if (actions & ACT_READY && before != JOB_STARTING && before != JOB_START_POST) /* without ExecStart= */
        ready(s);
    if (actions & ACT_CONTROL)
        run_command(s);
    if (!(actions & ACT_RUN))
        return;
    MUST(s, !s->main, "a second main process");
    s->main_dying = false;
    if (one_in(s, 20))
        return step(s, (struct fsm_input){.event = EV_NOSTART, .code = one_in(s, 3) ? 0 : CLD_EXITED, .status = 203});
    s->main = true;
    step(s, (struct fsm_input){.event = EV_EXEC});
}

static void remember(struct sim *s, const struct fsm_input *in, enum job_state from, unsigned actions)
{
    s->history[s->happened++ % HISTORY] = (struct happening){s->now, *in, from, s->f.state, actions};
    s->seen->states[s->f.state]++;
    s->seen->results[s->f.result]++;
    s->seen->events[in->event]++;
    s->seen->moves[from][s->f.state]++;
    for (int bit = 0; bit < 32; bit++)
        s->seen->actions[bit] += actions >> bit & 1;
}

/* What holds after each step, whatever has happened. */
static void invariants(const struct sim *s, const struct fsm_input *in, enum job_state from, unsigned actions)
{
    enum job_state to = s->f.state;
    bool ends = !over(from) && over(to);
    bool refused_start = over(to) && in->event == EV_START && !(actions & ACT_REFUSED);

    MUST(s, s->f.deadline >= s->now, "a deadline in the past");
    MUST(s, !(over(to) || to == JOB_INACTIVE) || s->f.deadline == USEC_INFINITY, "a deadline of nothing");
    MUST(s, over(to) == fsm_over(&s->f), "over");
    MUST(s, !!(actions & ACT_END) == (ends || refused_start), "the end");
    MUST(s, !over(to) || (to == JOB_DONE) == (s->f.result == RESULT_SUCCESS || s->f.result == RESULT_EXEC_CONDITION),
         "the result");
    MUST(s, !(actions & ACT_AGAIN) || !s->quiet_until, "a restart after STOP");
    MUST(s, !(actions & ACT_RUN) || !(actions & ACT_CONTROL), "main process and commands at once");
    MUST(s, !(actions & ACT_READY) || from == JOB_STARTING || from == JOB_START_POST || s->d.start.n == 0,
         "ready, but not by its start");
    MUST(s, to != JOB_EXITED || (!s->f.main && s->d.remain_after_exit && s->f.result == RESULT_SUCCESS), "exited");
    MUST(s, !s->f.main || !s->f.headless, "headless with a main process");
    MUST(s, to != JOB_RESTART || !s->f.main, "a main process in auto-restart");
    MUST(s, !s->quiet_until || over(to) || s->now <= s->quiet_until, "no end after STOP");
}

/* Nobody is left who could tell. */
static bool waits_for_nobody(const struct sim *s)
{
    enum job_state state = s->f.state;
    bool waits = state == JOB_STOP_TERM || state == JOB_STOP_KILL || state == JOB_FINAL_KILL || state == JOB_UP;

    return waits && !s->main && !s->command && s->others == 0;
}

static void step(struct sim *s, struct fsm_input in)
{
    enum job_state from = s->f.state;
    unsigned actions;

    in.now = s->now;
    in.random = (uint32_t)next_random(&s->rnd);
    if (in.event == EV_START) {
        s->quiet_until = 0;
        s->asked = true;
    }
    actions = fsm_step(&s->f, &s->d, &in);
    remember(s, &in, from, actions);
    /* The processes have no more than their time: ExecStop=, signal, signal, ExecStopPost=, signal. */
    if (in.event == EV_STOP && !s->quiet_until)
        s->quiet_until = (s->f.deadline == USEC_INFINITY ? s->now : s->f.deadline) + 5 * s->d.timeout_stop +
                         2 * (s->d.timeout_abort_set ? s->d.timeout_abort : s->d.timeout_stop);
    if (over(s->f.state)) {
        s->forced |= s->main;
        s->quiet_until = 0;
    }
    invariants(s, &in, from, actions);
    s->forced |= s->immortal && (s->main || s->command || s->others);
    act(s, from, actions);
    MUST(s, s->f.main == s->main, "the main process is %s", s->main ? "forgotten" : "made up");
    if (s->f.state == JOB_UP)
        MUST(s, s->main || s->f.headless, "up without a main process");
    if (waits_for_nobody(s))
        step(s, (struct fsm_input){.event = EV_EMPTY});
}

/* ---- what happens ---- */

static struct fsm_input some_end(struct sim *s, enum fsm_event event, bool dying)
{
    static const int codes[] = {CLD_EXITED, CLD_KILLED, CLD_DUMPED};
    struct fsm_input in = {.event = event, .code = CLD_EXITED};

    if (one_in(s, 2)) /* else hardly any would end well */
        return in;
    in.code = dying ? CLD_KILLED : codes[random_below(&s->rnd, 3)];
    in.status = in.code == CLD_EXITED ? (int)random_below(&s->rnd, 5) : 1 + (int)random_below(&s->rnd, 15);
    return in;
}

static void end_main(struct sim *s)
{
    bool dying = s->main_dying;

    s->main = s->main_dying = false;
    s->others += !dying && one_in(s, 3);
    step(s, some_end(s, EV_EXIT, dying));
}

static bool list_counts(enum job_state s)
{
    return s == JOB_CONDITION || s == JOB_START_PRE || s == JOB_START_POST || s == JOB_RELOADING || s == JOB_STOP ||
           s == JOB_STOP_POST;
}

static void end_command(struct sim *s)
{
    bool dying = s->command_dying;

    s->command = s->command_dying = false;
    if (list_counts(s->f.state))
        step(s, some_end(s, EV_CONTROL, dying));
    else if (waits_for_nobody(s))
        step(s, (struct fsm_input){.event = EV_EMPTY});
}

static void end_other(struct sim *s)
{
    s->others--;
    s->others_dying -= s->others_dying > 0;
    if (waits_for_nobody(s))
        step(s, (struct fsm_input){.event = EV_EMPTY});
}

/* What processes do by themselves. */
static void processes(struct sim *s)
{
    if (s->main && (s->main_dying ? one_in(s, 2) : one_in(s, 8)))
        end_main(s);
    if (s->command && one_in(s, s->command_dying ? 2 : 3))
        end_command(s);
    if (s->others && (s->others_dying ? one_in(s, 2) : one_in(s, 30)))
        end_other(s);
}

static void says(struct sim *s)
{
    static const enum fsm_event events[] = {EV_READY, EV_READY, EV_READY, EV_NOTREADY, EV_RELOADING, EV_ALIVE,
                                            EV_PING,  EV_PING,  EV_HANG,  EV_UNHEALTHY, EV_STOPPING,  EV_LOST,
                                            EV_OOM,   EV_RESET};
    struct fsm_input in = {.event = events[random_below(&s->rnd, ARRAY_SIZE(events))]};

    if (!s->main)
        return;
    if (in.event == EV_NOTREADY && !one_in(s, 4))
        return;
    if (in.event == EV_ALIVE && s->quiet_until) /* who is to stop, and asks for more time, may have it */
        return;
    if (in.event == EV_ALIVE || (in.event == EV_PING && one_in(s, 4)))
        in.usec = random_below(&s->rnd, 40) * USEC_PER_SEC;
    step(s, in);
}

/* A daemon whose main process nobody knows, until one is named. */
static void heads(struct sim *s)
{
    if (s->d.type == TYPE_FORKING && s->f.state == JOB_STARTING && s->main && one_in(s, 6)) {
        s->main = s->main_dying = false;
        s->others++;
        step(s, (struct fsm_input){.event = EV_HEADLESS});
        step(s, (struct fsm_input){.event = EV_READY});
    } else if (s->f.state == JOB_UP && s->f.headless && s->others > s->others_dying && one_in(s, 4)) {
        s->main = true;
        s->main_dying = false;
        s->others--;
        step(s, (struct fsm_input){.event = EV_MAIN});
    }
}

static void somebody_asks(struct sim *s)
{
    static const enum fsm_event events[] = {EV_START, EV_STOP, EV_RELOAD, EV_RELOAD};

    if (one_in(s, 6) || over(s->f.state))
        step(s, (struct fsm_input){.event = events[random_below(&s->rnd, ARRAY_SIZE(events))]});
}

/* What a signal has reached is gone in time; what SIGKILL has reached always. */
static void die(struct sim *s)
{
    bool killed = s->f.state == JOB_STOP_KILL || s->f.state == JOB_FINAL_KILL;

    if (!killed && one_in(s, 2))
        return;
    while (s->others_dying)
        end_other(s);
    if (s->command_dying)
        end_command(s);
    if (s->main_dying)
        end_main(s);
}

/* The loop is punctual: it tells each deadline when it is there. */
static void pass_time(struct sim *s, uint64_t span)
{
    uint64_t until = s->now + span;

    while (s->f.deadline <= until) {
        uint64_t deadline = s->f.deadline;

        die(s);
        if (s->f.deadline != deadline)
            continue;
        s->now = s->f.deadline;
        step(s, (struct fsm_input){.event = EV_TIME});
    }
    s->now = until;
}

/* However resisting its processes are: STOP ends it. */
static void finish(struct sim *s)
{
    step(s, (struct fsm_input){.event = EV_STOP});
    while (!over(s->f.state)) {
        MUST(s, s->f.deadline != USEC_INFINITY, "it would never end");
        s->now = s->f.deadline;
        step(s, (struct fsm_input){.event = EV_TIME});
    }
    MUST(s, s->f.state == JOB_DONE || s->f.result != RESULT_SUCCESS, "the result at the end");
}

static void sim_init(struct sim *s, uint64_t seed, struct seen *seen)
{
    *s = (struct sim){.seed = seed, .rnd = seed * 2654435761, .now = BEGIN, .seen = seen};
    describe(s);
    fsm_init(&s->f, &s->d);
    seen->states[s->f.state]++;
}

static void live(struct sim *s)
{
    static const uint64_t spans[] = {USEC_PER_MSEC, 300 * USEC_PER_MSEC, 2 * USEC_PER_SEC, 15 * USEC_PER_SEC};

    step(s, (struct fsm_input){.event = EV_START});
    for (int i = 0; i < EVENTS; i++) {
        pass_time(s, random_below(&s->rnd, (unsigned)spans[random_below(&s->rnd, ARRAY_SIZE(spans))]));
        processes(s);
        says(s);
        heads(s);
        somebody_asks(s);
    }
    finish(s);
}

static void all_was_seen(const struct seen *seen)
{
    for (int i = 0; i < JOB_STATE_MAX; i++)
        CHECK(seen->states[i], "never %s", job_state_name((enum job_state)i));
    for (int i = 0; i < RESULT_MAX; i++)
        CHECK(seen->results[i], "never %s", job_result_name((enum job_result)i));
    for (int i = 0; i < EV_MAX; i++)
        CHECK(seen->events[i], "never %s", event_names[i]);
    for (int bit = 0; 1 << bit <= ACT_END; bit++)
        CHECK(seen->actions[bit], "never action %#x", 1U << bit);
    for (int i = JOB_START_PRE; i < JOB_DONE; i++)
        CHECK(seen->moves[i][JOB_DONE] || seen->moves[i][JOB_FAILED] || seen->moves[i][JOB_STOP_TERM] ||
                  seen->moves[i][JOB_STOP_KILL],
              "nothing ever ended from %s", job_state_name((enum job_state)i));
}

static void random_lives(void **state)
{
    struct seen seen = {0};
    unsigned lives = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        struct sim s;

        sim_init(&s, seed, &seen);
        live(&s);
        lives += s.lives;
    }
    all_was_seen(&seen);
    assert_true(lives > 3 * LIVES); /* they were started again and again */
}

/* Restart=always without anybody who asks: the limit alone ends the loop, and until then the CPU is left alone. */
static void crash_loops(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct seen seen = {0};
        struct sim s;

        sim_init(&s, seed, &seen);
        s.d.type = TYPE_EXEC;
        s.d.restart = RESTART_ALWAYS;
        s.d.ready.n = s.commands.lists[EXEC_CONDITION].n = s.commands.lists[EXEC_START_PRE].n = 0;
        s.d.start.n = 1;
        s.d.remain_after_exit = false;
        s.exits.restart_prevent = (struct exitset){0};
        step(&s, (struct fsm_input){.event = EV_START});
        while (!over(s.f.state) && s.now < BEGIN + 60 * USEC_PER_SEC) {
            if (s.main)
                end_main(&s);
            while (s.command)
                end_command(&s);
            while (s.others)
                end_other(&s);
            if (s.f.deadline != USEC_INFINITY)
                pass_time(&s, s.f.deadline - s.now);
        }
        MUST(&s, s.lives <= 60 * 100 + 1, "%u lives in a minute", s.lives);
        if (limited(&s) && s.f.result == RESULT_START_LIMIT_HIT)
            MUST(&s, s.lives >= (unsigned)s.d.start_limit_burst, "%u lives are less than the limit", s.lives);
        else
            MUST(&s, s.now >= BEGIN + 60 * USEC_PER_SEC, "it has ended, but not at the limit");
    }
}

/* Events that no hands would ever send, in any order: nothing of what must never happen happens. */
static void chaos(void **state)
{
    struct seen seen = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        bool alive = false;
        struct sim s;

        sim_init(&s, seed, &seen);
        for (int i = 0; i < EVENTS; i++) {
            struct fsm_input in = some_end(&s, (enum fsm_event)random_below(&s.rnd, EV_MAX), false);
            enum job_state from = s.f.state;
            unsigned actions;

            s.now += random_below(&s.rnd, 3 * USEC_PER_SEC);
            if (one_in(&s, 3) && s.f.deadline != USEC_INFINITY)
                s.now = s.f.deadline > s.now ? s.f.deadline : s.now;
            in.now = s.now;
            if (in.event == EV_NOSTART && one_in(&s, 3))
                in.code = 0;
            in.usec = one_in(&s, 9) ? UINT64_MAX : random_below(&s.rnd, 40 * USEC_PER_SEC);
            in.random = (uint32_t)next_random(&s.rnd);
            if (in.event == EV_EXIT || in.event == EV_NOSTART)
                alive = false;
            actions = fsm_step(&s.f, &s.d, &in);
            remember(&s, &in, from, actions);
            invariants(&s, &in, from, actions);
            MUST(&s, !(actions & ACT_RUN) || !alive, "a second main process");
            alive |= !!(actions & ACT_RUN);
            if (in.event == EV_MAIN || in.event == EV_HEADLESS)
                alive = s.f.main;
            MUST(&s, s.f.main == alive, "the main process");
        }
    }
    all_was_seen(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives),
        cmocka_unit_test(crash_loops),
        cmocka_unit_test(chaos),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
