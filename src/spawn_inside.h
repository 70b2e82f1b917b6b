/* What the files of spawn share: one run, from the parent's preparations to the child's steps. */
#pragma once
#include "spawn.h"
#include "spec_exec.h"

/* systemd.exec(5), $PATH: where programs are. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the child says: that it is there; and before it ends which step has failed, with which errno. Zero: it has
 * executed. */
struct report {
    volatile bool begun;
    volatile int exit_status, error;
    const char *volatile what;
};

/* The environment of one run. */
struct spawn_env {
    char **v;     /* the strings are borrowed, but for those below */
    char **own;   /* what was made for this run */
    char **files; /* of EnvironmentFile= */
    size_t room;
    char listen_pid[24], watchdog_pid[28], exec_pid[32]; /* only the child can complete them */
};

/* Where a standard stream comes from, when all defaults and couplings are known. */
struct stream_plan {
    enum stdio_kind kind; /* STDIO_DEFAULT: it stays as it is */
    int fd;               /* STDIO_JOURNAL, STDIO_SOCKET, STDIO_FD: to be duplicated */
    bool both;            /* STDIO_FILE: the same file is input and output */
};

struct child;

struct step {
    int (*apply)(const struct child *c); /* in the child; -1 and errno */
    enum spawn_exit exit_status;
    const char *what;
};

#define STEPS_MAX 48 /* more than there are */

struct child {
    const struct spawn *s;
    const struct spawn_run *run;
    const struct jobspec *d;
    const struct spec_exec *x;
    enum command_rights rights;
    const char *path;
    char *const *argv;
    struct spawn_env *env;
    const struct stdio *stdio; /* as they are asked for */
    struct stream_plan streams[3];
    struct step *steps; /* those that apply, STEPS_MAX at most */
    size_t n_steps;
    int *fds;          /* run->fds, out of the way */
    size_t n_fds;      /* how many of them are passed */
    int above;         /* the first number that is nobody's target */
    pid_t parent;
    bool probe;        /* none of the unit's commands: it looks at it, and must not touch its files or its terminal */
    bool enter;        /* it has to go into its cgroup by itself */
    bool leads;        /* it leads a session, for its terminal */
    bool waits;        /* it may have to wait before it executes: nobody waits for that */
    bool own_memory;   /* it must not share ours */
    bool becomes;      /* another user or group */
    bool lowered;      /* it begins with our table of descriptors, and keeps the lowest */
    struct report *report;
};

/* Chooses the steps that apply, in systemd's order. */
void spawn_choose_steps(struct child *c);

/* Plans the standard streams. -1 with *@e if there is nothing to connect one to. */
int spawn_plan_streams(struct child *c, struct spawn_error *e);

/* "StandardOutput=file:/x", for a message. Returns @buf. */
const char *spawn_stream_words(const struct child *c, int stream, char *buf, size_t size);

/* Is one of them a terminal? */
bool spawn_has_terminal(const struct child *c);

/* Fills in what its directives take away together: the bounding set and NoNewPrivileges=. */
void spawn_imply(struct spawn *s);

/* Adds a step, if it applies. */
void spawn_step(struct child *c, bool applies, int (*apply)(const struct child *c), enum spawn_exit exit_status,
                const char *what);

/* Does it pay that the child begins with our table of descriptors? Then its streams are among the lowest now, until
 * spawn_forget_lowered(). */
bool spawn_lower(struct child *c);
void spawn_forget_lowered(const struct child *c);

/* The steps of one part of the way, in their order. */
void spawn_steps_table(struct child *c);   /* before all others: a table of descriptors of its own */
void spawn_steps_streams(struct child *c); /* its terminal and standard streams */
void spawn_steps_process(struct child *c); /* scheduling, limits and the like */
void spawn_steps_rights(struct child *c);  /* who it is, and what it may */

/* The environment of @c's run, as systemd.exec(5) puts it together. @e must stay where it is. -1 with *@error. */
int spawn_env_make(struct spawn_env *e, const struct child *c, struct spawn_error *error);
void spawn_env_done(struct spawn_env *e);

/* Looks up the program @name: a unit's in ExecSearchPath= or the fixed directories of the system, a command line's in
 * the PATH of @env. The caller frees *@ret. -1 with *@error. */
int spawn_find(const struct spawn *s, char *const *env, const char *name, char **ret, struct spawn_error *error);

int spawn_no_memory(struct spawn_error *e);

/* What is made for the unit before its processes (spawn_surroundings.c): what it will be, and its variables. */
int spawn_surround(struct spawn *s, struct spawn_error *e);

/* DynamicUser=: 1: @s is that user now; 0: it is not asked for, or (its name in @ret_name, else "") in the user
 * database; -1 with *@e. */
int spawn_claim_user(struct spawn *s, char ret_name[32], struct spawn_error *e);

/* Makes them, before a command runs: its directories, and at the first one of a life its credentials. */
int spawn_make_surroundings(const struct spawn *s, struct spawn_error *e);

/* Frees it, and gives the user back. Returns NULL. */
struct surroundings *surroundings_free(struct surroundings *around);
