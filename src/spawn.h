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
    char *listen_pid; /* the "LISTEN_PID=" in @env that the child fills in; borrowed from it */
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

/* Forks and executes, with @stdout_fd and @stderr_fd (-1: as they are; not consumed). Returns when the program runs:
 * 0 with its process in *@ret_pid; or -1 with *@ret_error, and nothing is left of the child. */
int spawn_run(const struct spawn *s, int stdout_fd, int stderr_fd, pid_t *ret_pid, struct spawn_error *ret_error);
