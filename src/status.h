/* What an instance says of itself: filled by the daemon, told by the control socket. All pointers are
 * borrowed from the daemon and hold until the next event. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "fsm.h"

struct job_status {
    const char *name;
    const char *path, *description; /* of a unit: its file, Description=; NULL: none */
    bool idle;                  /* never started: nobody who asks for all of them means it */
    enum job_state state;
    enum job_result result;
    pid_t main_pid;             /* 0: none */
    char *const *argv;          /* the command line */
    const char *identifier;     /* of its lines in the log; NULL: its name */
    uint64_t since;             /* CLOCK_REALTIME usec of the last change of state */
    const char *status_text;    /* STATUS= of the child, or NULL */
    int exit_code, exit_status; /* CLD_* and status of the main process that ended last, 0 0: none has */
    uint64_t exit_time;         /* when: CLOCK_REALTIME usec, 0: never */
    unsigned restarts;
    uint64_t next_start;        /* auto-restart: CLOCK_REALTIME usec; else 0 */
    bool ready, healthy;        /* as is-ready and is-healthy tell it: without Health= healthy is ready */
    const char *readiness;      /* what is still waited for and why, "tcp:8080: connection refused"; NULL: nothing.
                                * Of a job that has failed: why */
    const char *health;         /* "healthy", "unhealthy", "starting"; NULL: no Health= */
    const char *health_reason;  /* of the last failure; NULL: none */
    const pid_t *pids;          /* the whole tree, the oldest first */
    size_t n_pids;
    uint64_t memory, cpu_usec;  /* of the tree; UINT64_MAX: not known */
    bool pending;               /* a start of it has been asked for and is not over: what has ended was before that */
    uint64_t dropped_lines;     /* LogOverflow=drop, LogRateLimit */
};

struct instance_status {
    const char *name;
    pid_t pid;
    const char *mode;        /* "fork", "foreground", "systemd" */
    const char *reason;      /* why that mode */
    const char *state;       /* "starting", "up", "reloading", "stopping": the whole instance */
    const char *status_text; /* "no jobs", "web: up, PID 12" */
    const char *log;         /* where the log goes: "journal", "syslog", "stderr", "file:/…" */
    uint64_t since;          /* CLOCK_REALTIME usec of its start */
    const struct job_status *jobs;
    size_t n_jobs;
    bool has_main;           /* the first is what the instance was started for: who names no job means that one */
    bool only_main;          /* and nothing else was asked for since: its end is the end of the instance */
};
