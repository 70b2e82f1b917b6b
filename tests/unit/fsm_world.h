/* A job without a loop: its description, its state and a clock; and its life step by step. Include it after unit.h. */
#pragma once
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

static inline void with_list(struct world *w, enum exec_list list)
{
    *(list == EXEC_START ? &w->d.start : &w->commands.lists[list]) = (struct command_list){&one_command, 1};
}

static inline void world_init(struct world *w, enum job_type type)
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

static inline unsigned send_full(struct world *w, enum fsm_event event, int code, int status, uint64_t usec)
{
    const struct fsm_input in = {
        .event = event, .now = w->now, .usec = usec, .code = code, .status = status, .random = w->random};

    return fsm_step(&w->f, &w->d, &in);
}

static inline unsigned send(struct world *w, enum fsm_event event)
{
    return send_full(w, event, CLD_EXITED, 0, 0);
}

/* The clock moves to the deadline. */
static inline unsigned wait_for_it(struct world *w)
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

static inline bool deadline_is(const struct world *w, int seconds, uint64_t before)
{
    return w->f.deadline == (seconds == NONE   ? USEC_INFINITY
                             : seconds == SAME ? before
                                               : w->now + (unsigned)seconds * USEC_PER_SEC);
}

static inline void play(const char *what, struct world *w, const struct step *steps, size_t n)
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
static inline void bring_up(struct world *w)
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

#define TERM ACT_STOPPING | ACT_TERM
