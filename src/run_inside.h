/* The inside of one start, shared by run*.c. */
#pragma once
#include "cgroup.h"
#include "cli.h"
#include "launch.h"
#include "mode.h"
#include "pidfile.h"
#include "proc.h"
#include "run.h"
#include "units.h"
#include "upward.h"

/* What a step answers: go on, or end with the status >= 0. */
#define GO_ON (-1)

/* LSB: insufficient privilege; program is not installed. */
#define EXIT_NO_PERMISSION 4
#define EXIT_NOT_INSTALLED 5

struct control;

struct run {
    struct cli *cli;
    void (*end)(int status); /* of a process that run_instance() does not return in */
    struct proc_self self; /* as it was started */
    struct proc_identity identity;
    mode_t umask; /* the caller's */
    struct mode_verdict verdict;
    struct log *log;
    struct upward upward;
    struct launch_channel channel;
    char **env;          /* what COMMAND inherits */
    char *notify_socket; /* copied: the environment is replaced */
    uint64_t watchdog_usec;
    bool stdout_is_journal;
    unsigned listen_fds;
    char *listen_names;
    char *rundir;
    struct cgroup_home cgroup;
    struct pidfile pidfiles[2]; /* the instance's own, and --pidfile */
    struct units *units;
    struct unit **first; /* those that are wanted from the start */
    size_t n_first;
    struct control *control; /* closed; NULL: nobody waits for the end */
};

/* A start that cannot be: told to the log and upward. Returns @status. */
int run_complain(struct run *run, int status, int error, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same for the instance's directory, and for a PID file (@path) whose lock is not ours: @owner holds it, 0: nobody
 * knows who; or @why it cannot be ours at all. Both return an exit status. */
int run_no_rundir(struct run *run, int error);
int run_not_locked(struct run *run, const char *path, int error, pid_t owner, const char *why);

/* Reads what is to be run: what cannot be is refused here, before anything is forked. */
int run_load_units(struct run *run);
