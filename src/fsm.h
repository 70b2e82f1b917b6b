/* The state machine of a job, pure: no system call, no clock. (description, state, input) -> state, actions.
 * The only function that writes a job's state is fsm_step(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "jobspec.h"

/* The names are what status and log show. */
#define JOB_STATES(X)                                                                                        \
    X(INACTIVE, "inactive")     /* not started yet */                                                        \
    X(CONDITION, "condition")   /* ExecCondition= runs */                                                    \
    X(START_PRE, "start-pre")   /* ExecStartPre= runs */                                                     \
    X(STARTING, "starting")     /* the main process runs, but is not ready */                                \
    X(START_POST, "start-post") /* it is ready, ExecStartPost= runs */                                       \
    X(UP, "up")                                                                                              \
    X(EXITED, "exited")         /* RemainAfterExit=: as if it were up, but its main process has ended */     \
    X(RELOADING, "reloading")                                                                                \
    X(STOP, "stop")                   /* ExecStop= runs */                                                   \
    X(STOP_WATCHDOG, "stop-watchdog") /* WatchdogSignal= is sent */                                          \
    X(STOP_TERM, "stopping")          /* KillSignal= is sent */                                              \
    X(STOP_KILL, "killing")           /* FinalKillSignal= is sent */                                         \
    X(STOP_POST, "stop-post")         /* ExecStopPost= runs */                                               \
    X(FINAL_KILL, "final-kill")       /* what that has left behind is killed */                              \
    X(RESTART, "auto-restart")        /* the time until the next start */                                    \
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
    X(START_LIMIT_HIT, "start-limit-hit")                                                                    \
    X(PROTOCOL, "protocol")                                                                                  \
    X(RESOURCES, "resources")                                                                                \
    X(OOM_KILL, "oom-kill")                                                                                  \
    X(EXEC_CONDITION, "exec-condition")

#define X(id, name) JOB_##id,
enum __attribute__((packed)) job_state { JOB_STATES(X) JOB_STATE_MAX };
#undef X
#define X(id, name) RESULT_##id,
enum __attribute__((packed)) job_result { JOB_RESULTS(X) RESULT_MAX };
#undef X

#define FSM_EVENTS(X)                                                                                        \
    X(START)     /* somebody asks for the start */                                                           \
    X(EXEC)      /* the main process runs its program */                                                     \
    X(NOSTART)   /* it could not be started; the exit status that tells why, code 0: there was no process */ \
    X(CONTROL)   /* the command list has ended, with the end of its last command, or the first that failed: \
                  * told only in the state that runs it */                                                   \
    X(READY)     /* all of Ready= hold */                                                                    \
    X(NOTREADY)  /* one of them never will: the end of fd:N, a daemon without main process */                \
    X(HEADLESS)  /* Type=forking: the daemon runs, but nobody knows which is its main process;       \
                  * READY follows */                                                                                  \
    X(MAIN)      /* and now it is known, or another one is it */                                             \
    X(RELOADING) /* the child says RELOADING=1; @usec: its MONOTONIC_USEC= */                                \
    X(RELOAD)    /* somebody asks for a reload */                                                            \
    X(STOP)      /* somebody asks for the end */                                                             \
    X(EXIT)      /* the main process has ended */                                                            \
    X(EMPTY)     /* no process of the job is left; told after EXIT, and at once when a step waits for it */  \
    X(ALIVE)     /* the child says EXTEND_TIMEOUT_USEC=: @usec more from now on */                           \
    X(PING)      /* the child says WATCHDOG=1, or WATCHDOG_USEC=: @usec (> 0) is the new interval */         \
    X(HANG)      /* the child says WATCHDOG=trigger, or is unhealthy with that action */                     \
    X(UNHEALTHY) /* the health check has failed, with the action restart */                                  \
    X(STOPPING)  /* the child says STOPPING=1: it ends by itself */                                          \
    X(LOST)      /* Type=dbus: its name on the bus is gone */                                                \
    X(OOM)       /* the kernel has killed a process of it for want of memory */                              \
    X(RESET)     /* the child says RESTART_RESET=1 */                                                        \
    X(TIME)      /* the deadline is there */

#define X(id) EV_##id,
enum fsm_event { FSM_EVENTS(X) EV_MAX };
#undef X

/* What the hands have to do, in this order. */
enum fsm_action {
    ACT_REFUSED = 1 << 0,       /* the request does not fit the state: say so */
    ACT_RELOAD = 1 << 1,        /* tell whoever is above that a reload begins */
    ACT_RELOAD_SIGNAL = 1 << 2, /* ReloadSignal= to the main process */
    ACT_RELOAD_SEEN = 1 << 3,   /* the child reloads by itself: tell whoever is above */
    ACT_RELOADED = 1 << 4,      /* the reload is over, well if f->reload_failed is not set: tell */
    ACT_READY = 1 << 5,         /* the job is up: tell whoever waits */
    ACT_STOPPING = 1 << 6,      /* the end of this life begins, by our will: tell */
    ACT_WATCHDOG = 1 << 7,      /* WatchdogSignal= to the main process: its core may tell what it hangs at */
    ACT_TERM = 1 << 8,          /* KillSignal=, as KillMode= wants it (control-group: to all, the command that runs
                                 * included, else to the main process) */
    ACT_KILL = 1 << 9,          /* FinalKillSignal= to all that KillMode= lets us kill, that command included */
    ACT_CANCEL = 1 << 10,       /* SIGKILL to the command that runs and to nothing else: its CONTROL is told no more */
    ACT_AGAIN = 1 << 11,        /* a restart has been decided on, the f->restarts-th, at f->deadline or at once: tell */
    ACT_CONTROL = 1 << 12,      /* run the command list f->list */
    ACT_RUN = 1 << 13,          /* start the main process, the f->command-th of ExecStart=: EXEC or NOSTART is the answer */
    ACT_END = 1 << 14,          /* nothing is left to do, the result is final; a process that could not be ended, or
                                 * that KillMode=none has spared, is still f->main until its EXIT is told */
};

/* What the child has said about a reload: nothing, RELOADING=1, and then READY=1. */
enum __attribute__((packed)) reload_talk { RELOAD_SILENT, RELOAD_BEGUN, RELOAD_READY };

/* Starts within the present StartLimitIntervalSec=. They are the unit's: whoever makes its job anew hands them on. */
struct start_count {
    uint64_t begin;
    unsigned n;
};

struct fsm {
    enum job_state state;
    enum job_result result; /* of this life, or of the last one */
    uint64_t deadline;      /* CLOCK_MONOTONIC usec, USEC_INFINITY: none */
    enum exec_list list;    /* which command list runs (CONDITION, START_PRE, START_POST, RELOADING, STOP, STOP_POST) */
    unsigned command;       /* which of ExecStart= is the main process */
    bool main;              /* a main process lives, or is being started */
    bool headless;          /* without one it lives as long as any process of it does: then EMPTY is to be told */
    bool stop_asked, reload_failed;
    uint64_t started, up_since; /* of this life; 0: never was */
    uint64_t watchdog_usec;     /* 0: none */
    unsigned restarts;          /* all of them */
    unsigned growth;            /* restarts since the last forgiveness, for the delay */
    struct start_count starts;

    /* private */
    bool control;               /* a command of @list may run */
    bool unhealthy;             /* this life is ended to be started again, whatever Restart= says */
    bool left;                  /* some of its processes could not be ended */
    enum reload_talk talk;      /* about the reload that is under way */
    uint64_t reload_at;         /* when that was asked for */
    uint64_t fed_until;         /* up: the watchdog's deadline, and that of RuntimeMaxSec= */
    uint64_t runtime_end;
    int exit_code, exit_status; /* of the main process of this life, 0: it has not ended */
};

struct fsm_input {
    enum fsm_event event;
    uint64_t now;
    uint64_t usec;   /* ALIVE, PING, RELOADING */
    int code;        /* EXIT, CONTROL, NOSTART: CLD_EXITED, CLD_KILLED, CLD_DUMPED */
    int status;      /* EXIT, CONTROL, NOSTART: exit status or signal */
    uint32_t random; /* for the jitter of a restart's delay and of RuntimeMaxSec= */
};

const char *job_state_name(enum job_state s);
const char *job_result_name(enum job_result r);

/* The state before anything: inactive. */
void fsm_init(struct fsm *f, const struct jobspec *d);

/* Is it over for good (until the next START)? */
bool fsm_over(const struct fsm *f);

/* One step. Returns the actions (bits of enum fsm_action). */
unsigned fsm_step(struct fsm *f, const struct jobspec *d, const struct fsm_input *in);
