/* The resident part, the same in every mode: one loop, the signals, the control socket, the job. */
#pragma once
#include <stdint.h>
#include "job.h"
#include "mode.h"
#include "upward.h"

/* All borrowed, outliving daemon_run(). */
struct daemon_config {
    const char *name;
    const struct jobspec *spec; /* no command: no job, only the resident daemon */
    const struct spawn *spawn;  /* prepared, unless there is no job */
    const struct mode_verdict *verdict;
    struct log *log;
    struct upward *upward;
    const char *rundir;
    enum output_route route;
    unsigned listen_fds;    /* passed to us, and on to the job */
    uint64_t watchdog_usec; /* WATCHDOG_USEC=, 0: nobody asks */
};

/* Runs until the job has ended or somebody asks for the end. Returns the exit status of the process. */
int daemon_run(const struct daemon_config *config);
