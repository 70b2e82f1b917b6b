/* The hands of one job: the state machine decides, this does. */
#pragma once
#include <signal.h>
#include "fdstore.h"
#include "fsm.h"
#include "health.h"
#include "log.h"
#include "loop.h"
#include "notifysock.h"
#include "output.h"
#include "ready.h"
#include "ring.h"
#include "spawn.h"
#include "status.h"
#include "tree.h"

struct job;

/* How a command around the main process has ended. */
struct command_end {
    enum exec_list list;
    const struct command *command;
    pid_t pid;        /* 0: it could not be started, @why says it */
    int code, status; /* waitid(2)'s */
    const char *why;
};

/* What the job's owner is told. */
struct job_ops {
    void (*started)(void *ctx, struct job *job);                  /* the main process runs its program */
    void (*acting)(void *ctx, struct job *job, unsigned actions); /* bits of enum fsm_action, about to be done */
    void (*ended)(void *ctx, struct job *job);                    /* the main process has ended, job->exit_* say how */
    void (*command_ended)(void *ctx, struct job *job, const struct command_end *e);
    void (*status)(void *ctx, struct job *job);               /* the child has said STATUS= */
    void (*alive)(void *ctx, struct job *job, uint64_t usec); /* a slow start shows life: grant it @usec more */
    void (*health)(void *ctx, struct job *job);               /* it has become healthy or unhealthy */
    void (*line)(void *ctx, struct job *job, const char *line, size_t len); /* of its output, as it passes through us */
};

/* What a job needs; all borrowed, outliving it. */
struct job_context {
    const struct jobspec *spec;
    const struct spawn *spawn;
    struct loop *loop;
    struct forest *forest; /* of all jobs of the instance; NULL: it is the only one */
    struct log *log;
    enum output_route route;
    unsigned listen_fds;     /* passed to us, and on */
    bool watched;            /* by the watchdog of a manager above us, who is told while it is healthy */
    const char *notify_path; /* where the child's notify socket is bound */
    const struct job_ops *ops;
    void *ops_ctx;
};

struct job {
    struct job_context c;
    struct fsm fsm;
    struct timer timer;
    struct tree tree;
    pid_t pid;             /* the main process, 0: there is none */
    struct watch main_end; /* a pidfd of a main process that is not our child, -1: it is one */
    pid_t control;         /* the command of a list that runs, 0: none */
    enum exec_list control_list;
    size_t command;             /* which one of that list it is */
    struct timer seek;          /* Type=forking: looks for the main process */
    uint64_t seek_usec;         /* until the next look; 0: it is not looked for */
    int exit_code, exit_status; /* of the main process that ended last; 0 0: none has */
    pid_t exit_pid;
    uint64_t exit_time; /* CLOCK_REALTIME usec */
    uint64_t since;     /* CLOCK_REALTIME usec of the last change of state */
    struct output out[2];
    int out_fds[2]; /* the child's ends: they serve all of its processes, over all restarts */
    struct ring ring;
    struct output_tap tap;
    struct output_config output;
    struct notifysock notify;
    enum notify_access notify_access;
    struct fdstore *store;
    struct probespec *gates; /* Ready= and what Type= implies; shallow copies */
    size_t n_gates;
    struct probe_context probes;
    struct ready *ready; /* NULL: nothing is waited for */
    struct health health;
    pid_t *pids; /* this and the next: what job_status() lends */
    char readiness[256];
    bool opened; /* output, notify socket, tree */
    bool stop_asked;
    bool was_up, up_once;     /* it has been up: in the last life; ever */
    siginfo_t end;            /* of the child that is being reaped; si_pid 0: none */
    char *status_text;        /* STATUS= */
    int said_error;           /* ERRNO= of the child in this life, 0: none */
    int said_status;          /* EXIT_STATUS= of the child, where nobody else tells us */
    char why[256];            /* what a start that took too long waited for */
    struct spawn_error error; /* why it could not be started; what[0] == 0: it could */
};

/* Makes @job inactive. Nothing is opened. -ENOMEM. */
int job_init(struct job *job, const struct job_context *c);

/* Starts it. What comes of it is told through the ops; they may be called before this returns. */
void job_start(struct job *job);

/* Asks for the end (idempotent), or for a stop and a start. */
void job_stop(struct job *job);
void job_restart(struct job *job);

/* Asks for a reload: 0 if it is over, 1 if acting(ACT_RELOADED) will tell, -EAGAIN if the state does not allow it. */
int job_reload(struct job *job);

/* A child has ended: call while it is a zombie, for each child; and when they are reaped, job_settle(). */
void job_reap(struct job *job, const siginfo_t *info);
void job_settle(struct job *job);

/* Kills what still runs of it; closes and frees what it holds, not the job. */
void job_done(struct job *job);

/* How it is; job_status_of_tree() looks at all of its processes, too. What is lent holds until the next call. */
void job_status(struct job *job, struct job_status *ret);
void job_status_of_tree(struct job *job, struct job_status *ret);

/* Is it ready; is it healthy (without Health=: ready)? */
bool job_is_ready(const struct job *job);
bool job_is_healthy(const struct job *job);

/* Has it ended for good? */
bool job_over(const struct job *job);

/* How a process has ended (waitid(2)'s code and status), into @b: "ended with 3", "was killed by SIGSEGV". */
void job_explain_exit(int code, int status, struct textbuf *b);

/* Why a life that is over has failed, in words, into @b; and the exit status that tells it to a shell. */
void job_explain(const struct job *job, struct textbuf *b);
int job_exit_status(const struct job *job);

/* The directive of a command list, "ExecReload="; constant. */
const char *exec_list_name(enum exec_list list);
