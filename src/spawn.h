/* Starting the main process: everything is built before the fork, the child only applies a list of steps and
 * executes. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include "jobspec.h"

/* How a set-up step's failure is told: systemd.exec(5), "Process Exit Codes". */
enum spawn_exit {
    EXIT_CHDIR = 200,
    EXIT_NICE = 201,
    EXIT_FDS = 202,
    EXIT_EXEC = 203,
    EXIT_MEMORY = 204,
    EXIT_LIMITS = 205,
    EXIT_OOM_ADJUST = 206,
    EXIT_SIGNAL_MASK = 207,
    EXIT_STDOUT = 209,
    EXIT_GROUP = 216,
    EXIT_USER = 217,
    EXIT_CGROUP = 219,
    EXIT_SETSID = 220, /* also for the process group */
    EXIT_STDERR = 222,
    EXIT_NO_NEW_PRIVILEGES = 227,
};

/* What must be known besides the description. */
struct spawn_context {
    char *const *env;          /* what the child inherits of our environment; borrowed */
    const char *notify_socket; /* for NOTIFY_SOCKET, NULL: none */
    unsigned listen_fds;       /* descriptors 3.. that are passed on */
    const char *listen_names;  /* LISTEN_FDNAMES, NULL: none */
    bool own_group;            /* a daemon's child; in the foreground it shares the terminal's group with us */
    bool stay;                 /* without UMask= keep the caller's; the directory is kept anyway */
    mode_t umask;              /* the caller's */
};

/* Ready to run. Owned by the caller: spawn_done(). */
struct spawn {
    const struct jobspec *spec;
    char *path;   /* of the program */
    char **env;
    unsigned listen_fds; /* as in the context */
    char *listen_names;
    char *directory;  /* NULL: stay */
    mode_t umask;
    bool directory_optional, own_group;
    bool drop;    /* the three below are set */
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    int n_groups;
};

/* Why it could not be. */
struct spawn_error {
    enum spawn_exit exit_status;
    int error;      /* positive errno */
    char what[256]; /* "WorkingDirectory=/x: No such file or directory" */
};

/* Fills @e: @error (positive errno, or 0) is added to the text in words. Returns -1. */
int spawn_fail(struct spawn_error *e, enum spawn_exit exit_status, int error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Looks up the program, the user and the groups, reads the environment files. 0, or -1 with *@ret_error filled. */
int spawn_prepare(struct spawn *ret, const struct jobspec *spec, const struct spawn_context *ctx,
                  struct spawn_error *ret_error);
void spawn_done(struct spawn *s);

/* Looks up the program @name with the job's PATH into *@ret (the caller frees). 0, or -1 with *@ret_error filled. */
int spawn_find(const struct spawn *s, const char *name, char **ret, struct spawn_error *ret_error);

/* A descriptor that the child gets under a number. */
struct spawn_fd {
    int fd, number;
};

/* What differs from one run to the next. All borrowed; nothing is consumed. */
struct spawn_run {
    const struct command *command; /* which one of the unit's; NULL: the first of ExecStart=, or with
                                    * @argv that of a probe, looked up by argv[0] */
    char *const *argv;        /* with the variables put in; NULL: as the command has it */
    bool main;                /* the main process: it gets what was passed to us, and KillSignal= if we are killed */
    char *const *more_env;    /* put into the environment for this run: MAINPID=..., WATCHDOG_USEC=...; NULL: nothing */
    int stdout_fd, stderr_fd; /* -1: as they are */
    int cgroup_fd;            /* the child is born there (clone3(2), CLONE_INTO_CGROUP); -1: in ours */
    const struct spawn_fd *fds; /* fd:N of Ready=, and the store's from 3 + the passed ones on */
    size_t n_fds;
    unsigned n_stored;          /* how many of them are the store's: they are counted in LISTEN_FDS */
    const char *stored_names;   /* their names, "a:b", for LISTEN_FDNAMES; NULL: "stored" each */
    bool watchdog;              /* WATCHDOG_PID= is said beside WATCHDOG_USEC= (sd_watchdog_enabled(3)) */
};

/* The environment of one run. */
struct spawn_env {
    char **v;         /* the strings are borrowed, but for those below */
    char *fds, *names;
    char listen_pid[24], watchdog_pid[28]; /* "LISTEN_PID=", "WATCHDOG_PID=": only the child can complete them */
};

/* The job's environment, what @run puts over it, and LISTEN_* (sd_listen_fds(3)) where descriptors are passed: only the
 * main program gets those. -ENOMEM. @e must stay where it is. */
int spawn_env_make(struct spawn_env *e, const struct spawn *s, const struct spawn_run *run);
void spawn_env_done(struct spawn_env *e);

/* Forks and executes. Returns when the program runs: 0 with its process in *@ret_pid; or -1 with *@ret_error, and
 * nothing is left of the child. */
int spawn_run(const struct spawn *s, const struct spawn_run *run, pid_t *ret_pid, struct spawn_error *ret_error);
