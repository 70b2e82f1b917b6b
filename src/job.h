/* The hands of one job: the state machine decides, this does. */
#pragma once
#include <signal.h>
#include "fsm.h"
#include "log.h"
#include "loop.h"
#include "notifysock.h"
#include "output.h"
#include "spawn.h"
#include "status.h"

struct job;

/* What the job's owner is told. */
struct job_ops {
    void (*started)(void *ctx, struct job *job); /* the main process runs its program */
    void (*acting)(void *ctx, struct job *job, unsigned actions); /* bits of enum fsm_action, about to be done */
    void (*status)(void *ctx, struct job *job);                  /* the child has said STATUS= */
    void (*alive)(void *ctx, struct job *job, uint64_t usec);    /* a slow start shows life: grant it @usec more */
};

/* What a job needs; all borrowed, outliving it. */
struct job_context {
    const struct jobspec *spec;
    const struct spawn *spawn;
    struct loop *loop;
    struct log *log;
    enum output_route route;
    const char *notify_path; /* where the child's notify socket is bound */
    const struct job_ops *ops;
    void *ops_ctx;
};

struct job {
    struct job_context c;
    struct fsm fsm;
    struct timer timer;
    pid_t pid; /* 0: no main process */
    int exit_code, exit_status;
    uint64_t since; /* CLOCK_REALTIME usec */
    struct output out[2];
    struct notifysock notify;
    bool stop_asked;
    bool up_once;             /* it has been up */
    char *status_text;       /* STATUS= */
    struct spawn_error error; /* why it could not be started; what[0] == 0: it could */
};

/* Makes @job stopped and ready to be started. Nothing is opened. */
void job_init(struct job *job, const struct job_context *c);

/* Starts it. What comes of it is told through the ops; they may be called before this returns. */
void job_start(struct job *job);

/* Asks for the end (idempotent), for a reload: 0, or -EAGAIN if the state does not allow it. */
void job_stop(struct job *job);
int job_reload(struct job *job);

/* The main process has ended: call while it is a zombie. */
void job_ended(struct job *job, const siginfo_t *info);

/* Kills what still runs of it; closes and frees what it holds, not the job. */
void job_done(struct job *job);

void job_status(const struct job *job, struct job_status *ret);

/* Has it ended for good? */
bool job_over(const struct job *job);

/* How the main process has ended, into @b: "ended with 3", "was killed by SIGSEGV". */
void job_explain_exit(const struct job *job, struct textbuf *b);

/* Why a job that is over has failed, in words, into @b; and the exit status that tells it to a shell. */
void job_explain(const struct job *job, struct textbuf *b);
int job_exit_status(const struct job *job);
