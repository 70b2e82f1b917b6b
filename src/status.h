/* What an instance says of itself: filled by the daemon, told by the control socket. All pointers are
 * borrowed from the daemon and hold until the next event. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "fsm.h"

struct job_status {
    const char *name;
    enum job_state state;
    enum job_result result;
    pid_t main_pid;             /* 0: none */
    char *const *argv;          /* the command line */
    uint64_t since;             /* CLOCK_REALTIME usec of the last change of state */
    const char *status_text;    /* STATUS= of the child, or NULL */
    int exit_code, exit_status; /* CLD_* and status of the main process, 0 0 while it runs */
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
};
