/* The state machine of a job, pure: no system call, no clock. (description, state, input) -> state, actions.
 * The only function that writes a job's state is fsm_step(). */
#pragma once
#include <stdint.h>
#include <sys/types.h>

struct jobspec;

/* The names are what status and log show. */
#define JOB_STATES(X)                                                                                        \
    X(STARTING, "starting")                                                                                  \
    X(UP, "up")                                                                                              \
    X(RELOADING, "reloading")                                                                                \
    X(STOP_TERM, "stopping")                                                                                 \
    X(STOP_KILL, "killing")                                                                                  \
    X(DONE, "done")                                                                                          \
    X(FAILED, "failed")

/* systemd.service(5)'s words ($SERVICE_RESULT). */
#define JOB_RESULTS(X)                                                                                       \
    X(SUCCESS, "success")                                                                                    \
    X(EXIT_CODE, "exit-code")                                                                                \
    X(SIGNAL, "signal")                                                                                      \
    X(CORE_DUMP, "core-dump")                                                                                \
    X(TIMEOUT, "timeout")                                                                                    \
    X(WATCHDOG, "watchdog")                                                                                  \
    X(PROTOCOL, "protocol")                                                                                  \
    X(RESOURCES, "resources")

#define X(id, name) JOB_##id,
enum job_state { JOB_STATES(X) JOB_STATE_MAX };
#undef X
#define X(id, name) RESULT_##id,
enum job_result { JOB_RESULTS(X) RESULT_MAX };
#undef X

#define FSM_EVENTS(X)                                                                                        \
    X(EXEC)      /* the main process runs its program */                                                     \
    X(NOSTART)   /* it could not be started */                                                               \
    X(READY)     /* the child says READY=1 */                                                                \
    X(RELOADING) /* the child says RELOADING=1 */                                                            \
    X(RELOAD)    /* somebody asks for a reload */                                                            \
    X(STOP)      /* somebody asks for the end */                                                             \
    X(EXIT)      /* the main process has ended */                                                            \
    X(ALIVE)     /* the child says EXTEND_TIMEOUT_USEC=: @usec more from now on */                           \
    X(TIME)      /* the deadline is there */

#define X(id) EV_##id,
enum fsm_event { FSM_EVENTS(X) EV_MAX };
#undef X

/* What the hands have to do, in this order. */
enum fsm_action {
    ACT_REFUSED = 1 << 0,     /* the request does not fit the state: say so */
    ACT_RELOAD = 1 << 1,      /* tell whoever is above that a reload begins, send SIGHUP to the main process */
    ACT_RELOAD_SEEN = 1 << 2, /* the child reloads by itself: tell whoever is above */
    ACT_RELOADED = 1 << 3,    /* the reload is over: tell */
    ACT_READY = 1 << 4,       /* the job is up: tell whoever waits */
    ACT_STOPPING = 1 << 5,    /* the end begins: tell */
    ACT_TERM = 1 << 6,        /* KillSignal= to the job */
    ACT_KILL = 1 << 7,        /* SIGKILL to all that is left of it */
    ACT_END = 1 << 8,         /* nothing is left to do, the result is final */
};

struct fsm {
    enum job_state state;
    enum job_result result;
    uint64_t deadline; /* CLOCK_MONOTONIC usec, USEC_INFINITY: none */
};

struct fsm_input {
    enum fsm_event event;
    uint64_t now;
    uint64_t usec;   /* ALIVE */
    int code;        /* EXIT: CLD_EXITED, CLD_KILLED, CLD_DUMPED */
    int status;      /* EXIT: exit status or signal */
};

const char *job_state_name(enum job_state s);
const char *job_result_name(enum job_result r);

/* The state before anything: starting, with TimeoutStartSec= from @now on. */
void fsm_init(struct fsm *f, const struct jobspec *d, uint64_t now);

/* One step. Returns the actions (bits of enum fsm_action). */
unsigned fsm_step(struct fsm *f, const struct jobspec *d, const struct fsm_input *in);
