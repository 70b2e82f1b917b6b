/* Starting a unit's processes: everything is built before the fork, the child only applies a list of steps and
 * executes. */
#pragma once
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "jobspec.h"
#include "textbuf.h"

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
    EXIT_STDIN = 208,
    EXIT_STDOUT = 209,
    EXIT_IOPRIO = 211,
    EXIT_TIMERSLACK = 212,
    EXIT_SECUREBITS = 213,
    EXIT_SETSCHEDULER = 214,
    EXIT_CPUAFFINITY = 215,
    EXIT_GROUP = 216,
    EXIT_USER = 217,
    EXIT_CAPABILITIES = 218,
    EXIT_CGROUP = 219,
    EXIT_SETSID = 220, /* also for the process group */
    EXIT_STDERR = 222,
    EXIT_NO_NEW_PRIVILEGES = 227,
    EXIT_PERSONALITY = 230,
    EXIT_APPARMOR_PROFILE = 231,
    EXIT_RUNTIME_DIRECTORY = 233,
    EXIT_KEYRING = 237,
    EXIT_STATE_DIRECTORY = 238,
    EXIT_CACHE_DIRECTORY = 239,
    EXIT_LOGS_DIRECTORY = 240,
    EXIT_CONFIGURATION_DIRECTORY = 241,
    EXIT_NUMA_POLICY = 242,
    EXIT_CREDENTIALS = 243,
};

/* What must be known besides the description. What it points to is borrowed for as long as anything that was prepared
 * with it. */
struct spawn_context {
    char *const *env;          /* what the child inherits of our environment; a unit's: spawn_unit_env() */
    char *const *own_env;      /* ours, as it was given to us, for PassEnvironment=; NULL: none */
    const char *notify_socket; /* for NOTIFY_SOCKET, NULL: none; copied */
    unsigned listen_fds;       /* descriptors 3.. that are passed on */
    const char *listen_names;  /* LISTEN_FDNAMES, NULL: none */
    pid_t self;                /* our PID; 0: it is asked for */
    bool own_group;            /* a daemon's child; in the foreground a command line shares the terminal's group with us */
    bool stay;                 /* without UMask= keep the caller's; the directory is kept anyway */
    bool clean;                /* a unit's: the defaults of systemd.exec(5) hold, and nothing of the caller's world; else
                                * it is a command line's, which differs from its caller's only where it was said so */
    mode_t umask;              /* the caller's */
    int low_fds[2];            /* of spawn_reserve(); 0 or -1: none, there will never be many descriptors */
    struct rlimit nofile;      /* what RLIMIT_NOFILE was before we raised it for ourselves; rlim_max 0: we did not */
};

/* Where there are to be thousands of descriptors: takes two of the lowest for those that a child is given, so that it
 * need not have a copy of all. They are never given back. -1: there are none to be had. */
void spawn_reserve(int low[static 2]);

struct surroundings;

/* Ready to run. Owned by the caller: spawn_done(). */
struct spawn {
    const struct jobspec *spec;
    struct spawn_context ctx;
    char *path;        /* a command line's program, found while we were where it was given; NULL: it is looked up at each run */
    char **env;        /* what we say to the unit's processes: HOME=, NOTIFY_SOCKET=, INVOCATION_ID=, ... */
    char *directory;   /* NULL: stay */
    mode_t umask;
    bool directory_optional;
    bool no_new_privileges; /* asked for, or implied by another directive */
    uint64_t bounding;      /* CapabilityBoundingSet=, without what other directives take away */
    bool drop;              /* the four below are set */
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    int n_groups;
    char invocation_id[33]; /* a unit's: of this life; "": none */
    struct surroundings *around; /* directories, credentials, a transient user; NULL: it has none */
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

/* Looks up the user and the groups, and of a command line also what else can be refused before anything is forked: the
 * program and the environment files (those of a unit may be made by its ExecStartPre=). To be done at the beginning of
 * each life. 0, or -1 with *@ret_error filled. */
int spawn_prepare(struct spawn *ret, const struct jobspec *spec, const struct spawn_context *ctx,
                  struct spawn_error *ret_error);
void spawn_done(struct spawn *s);

/* A life is over, and none of its processes is left: takes back what was made for it (credentials, runtime directories,
 * IPC objects), but not what RuntimeDirectoryPreserve= keeps, if it is to start again at once: @restarting. What cannot
 * be removed is named in @why (negative errno). */
int spawn_over(const struct spawn *s, bool restarting, struct textbuf *why);

/* The environment that a unit's processes inherit (systemd.exec(5), "Environment Variables in Spawned Processes"), of
 * which spawn_context.env is made: PATH and the system's locale; if we are not root, as with a user's manager, all of
 * @own_env. The caller frees. -ENOMEM. */
int spawn_unit_env(char ***ret, char *const *own_env);

/* A descriptor that the child gets under a number. */
struct spawn_fd {
    int fd, number;
};

/* What differs from one run to the next. All borrowed; nothing is consumed. */
struct spawn_run {
    const struct command *command; /* which one of the unit's; NULL: the first of ExecStart=, or with
                                    * @argv that of a probe, looked up by argv[0] */
    char *const *argv;        /* NULL: the command's, with the variables of its environment put in */
    bool main;                /* the main process: it gets what was passed to us, and KillSignal= if we are killed */
    char *const *more_env;    /* put into the environment for this run: MAINPID=..., WATCHDOG_USEC=...; NULL: nothing */
    int stdout_fd, stderr_fd; /* what StandardOutput=journal and StandardError=journal mean; -1: as they are */
    bool journal;             /* they are streams of the journal: JOURNAL_STREAM says so */
    int cgroup_fd;            /* the child is born there (clone3(2), CLONE_INTO_CGROUP); -1: in ours */
    bool *born_inside;        /* set to true if it was, and has not to be looked for there; NULL: nobody asks */
    const struct spawn_fd *fds; /* fd:N of Ready=, and the store's from 3 + the passed ones on */
    size_t n_fds;
    unsigned n_stored;          /* how many of them are the store's: they are counted in LISTEN_FDS */
    const char *stored_names;   /* their names, "a:b", for LISTEN_FDNAMES; NULL: "stored" each */
    void (*complain)(void *ctx, const char *text); /* told of what was passed over, as a line of EnvironmentFile= that means
                                                    * nothing; NULL: nobody */
    void *complain_ctx;
    bool watchdog;              /* WATCHDOG_PID= is said beside WATCHDOG_USEC= (sd_watchdog_enabled(3)) */
};

/* Forks and executes. Returns when the program runs: 0 with its process in *@ret_pid; or -1 with *@ret_error, and
 * nothing is left of the child. Only where the child may have to wait (StandardInput=tty for the terminal, a FIFO for
 * its other end) it returns at once: a failure after that is the child's exit status, and told on its standard error.
 */
int spawn_run(const struct spawn *s, const struct spawn_run *run, pid_t *ret_pid, struct spawn_error *ret_error);
