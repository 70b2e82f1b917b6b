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
#include "systemd.h"
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
    bool (*listens)(void *ctx, struct job *job);              /* does line() want any now? */
    /* Are others still being started? Then Type=idle waits, until job_go() or five seconds are over. NULL: never. */
    bool (*busy)(void *ctx, struct job *job);
};

/* What all jobs of an instance have in common; borrowed, outliving them. */
struct job_common {
    const struct cgroup_home *cgroup; /* below which theirs are */
    struct forest *forest; /* NULL: there is one job only */
    struct loop *loop;
    struct log *log;
    const char *rundir; /* the instance's: what job_place() is in */
    const struct job_ops *ops;
};

/* What a job needs; all borrowed, outliving it. */
struct job_context {
    const struct jobspec *spec;
    const struct spawn_context *world; /* what all of its processes inherit, but for NOTIFY_SOCKET */
    const struct job_common *common;
    char *const *more_env; /* for the main process of each life that begins from now on: MONITOR_*; NULL: nothing */
    void *ops_ctx;
    unsigned number;         /* among those of the instance */
    enum output_route route;
    bool watched; /* by the watchdog of a manager above us, who is told while it is healthy */
};

/* Both streams of the child, where they pass through us. */
struct job_output {
    struct output streams[2];
    int fds[2]; /* the child's ends: they serve all of its processes, over all restarts */
    struct ring ring;
    struct output_config config;
};

/* What job_status() lends. */
struct job_lent {
    char readiness[256];
    pid_t *pids;
};

/* How one of our children has ended; pid 0: none has. */
struct child_end {
    pid_t pid;
    int code, status; /* waitid(2)'s */
};

/* What a job does without that is simply run: one that says nothing to us, and that nobody asks whether it is ready. */
struct job_more {
    struct job *job;
    const struct job_handlers *on; /* who hears what is waited for */
    struct watch main_end; /* a pidfd of a main process that is not our child, -1: it is one */
    struct timer later;    /* Type=forking: looks for the main process; Type=idle: its exec */
    uint64_t seek_usec;    /* until the next look; 0: it is not looked for */
    struct notifysock notify;
    struct fdstore *store;
    char *status_text; /* STATUS= */
    int said_error;    /* ERRNO= of the child in this life, 0: none */
    int said_status;   /* EXIT_STATUS= of the child, where nobody else tells us */
    struct systemd_bus *bus; /* Type=dbus, dbus:NAME; NULL: nobody asks for a name */
    bool has_name;           /* it has been seen there in this life */
    struct probe_context probes;
    size_t n_gates;
    struct probespec gates[]; /* Ready= and what Type= implies; shallow copies */
};

/* A thousand of these are nothing unusual: what few jobs need, or none while it is up, is a pointer. */
struct job {
    struct job_context c;
    struct fsm fsm;
    struct timer timer;
    struct tree tree;
    struct spawn *spawn; /* of this life; NULL: to be prepared when something is to be run */
    uint64_t life;       /* which one that is: fsm.started */
    pid_t pid;           /* the main process, 0: there is none */
    pid_t control;       /* the command of a list that runs, 0: none */
    unsigned command;    /* which one of that list it is */
    enum exec_list control_list;
    enum notify_access notify_access;
    bool opened;               /* output, notify socket, tree */
    bool remembered;           /* its main process is written down */
    bool idle;                 /* it counts as running, but waits until others have been started (Type=idle) */
    bool stop_asked;
    bool comes_back;           /* the stop is the first half of a restart: RuntimeDirectoryPreserve=restart */
    bool was_up, up_once;      /* it has been up: in the last life; ever */
    int exit_code, exit_status; /* of the main process that ended last; 0 0: none has */
    pid_t exit_pid;
    struct child_end end;      /* of the child that is being reaped */
    uint64_t exit_time;        /* CLOCK_REALTIME usec */
    uint64_t since;            /* CLOCK_REALTIME usec of the last change of state */
    uint64_t oom_kills;        /* those that are known of */
    struct job_output *output; /* NULL: nothing passes through us */
    struct job_more *more;     /* NULL: it needs nothing of that */
    struct ready *ready;       /* NULL: nothing is waited for */
    struct health *health;     /* NULL: nobody asks for it */
    struct job_lent *lent;     /* what job_status() lends */
    char *why;                 /* what a start that took too long waited for; NULL: nothing is known */
    struct spawn_error *error; /* why it could not be started; NULL: it could */
};

/* Makes @job inactive. Nothing is opened. -ENOMEM. */
int job_init(struct job *job, const struct job_context *c);

/* Its file @what in the instance's directory, "notify", "notify.1" ...: cut off if that is longer than any path. */
#define JOB_PLACE_SIZE 4096
void job_place(const struct job *job, const char *what, char ret[static JOB_PLACE_SIZE]);

/* STATUS= of it, NULL: it has said none. */
const char *job_status_text(const struct job *job);

/* Starts it. What comes of it is told through the ops; they may be called before this returns. */
void job_start(struct job *job);

/* Asks for the end (idempotent). */
void job_stop(struct job *job);

/* Asks for a reload: 0 if it is over, 1 if acting(ACT_RELOADED) will tell, -EAGAIN if the state does not allow it. */
int job_reload(struct job *job);

/* All others have been started: Type=idle may go on. */
void job_go(struct job *job);

/* A child has ended: call while it is a zombie, for each child; and when they are reaped, job_settle(). */
void job_reap(struct job *job, const siginfo_t *info);
void job_settle(struct job *job);

/* Kills what still runs of it; closes and frees what it holds, not the job. */
void job_done(struct job *job);

/* The last lines of stderr of a job that was never up, and the last @n lines of all its output as ring_last() gives
 * them, as far as they passed through us. The caller frees; NULL: there are none. */
char *job_tail(const struct job *job);
char *job_last_lines(const struct job *job, unsigned n);

/* How it is; job_status_of_tree() looks at all of its processes, too. What is lent holds until the next call. */
void job_status(struct job *job, struct job_status *ret);
void job_status_of_tree(struct job *job, struct job_status *ret);

/* Is it ready; is it healthy (without Health=: ready)? */
bool job_is_ready(const struct job *job);
bool job_is_healthy(const struct job *job);

/* HEALTH_UNKNOWN without Health=; and why it is not healthy, "" if it is. */
enum health_state job_health_state(const struct job *job);
const char *job_health_reason(const struct job *job);

/* Has it ended for good? */
bool job_over(const struct job *job);

/* How a process has ended (waitid(2)'s code and status), into @b: "ended with 3", "was killed by SIGSEGV". */
void job_explain_exit(int code, int status, struct textbuf *b);

/* Why a life is ended that nobody has asked to end; the job's own text, or constant. */
const char *job_why_ended(const struct job *job);

/* Why a life that is over has failed, in words, into @b; and the exit status that tells it to a shell. */
void job_explain(const struct job *job, struct textbuf *b);
int job_exit_status(const struct job *job);

/* The errno that says most of why it has failed: of its start, or its own ERRNO=; 0: none. */
int job_errno(const struct job *job);

/* The directive of a command list, "ExecReload="; constant. */
const char *exec_list_name(enum exec_list list);
