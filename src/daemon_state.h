/* The inside of the daemon, shared by daemon*.c. */
#pragma once
#include "control.h"
#include "daemon.h"
#include "rundir_units.h"

/* What has become of a unit, for the graph. */
struct unit_news {
    size_t unit;
    enum unit_state state;
    unsigned news;
};

struct daemon {
    const struct daemon_config *config;
    struct log *log;
    struct loop *loop;
    struct control *control;
    struct upward *upward;
    struct watch signals;
    struct timer watchdog;
    struct timer due; /* the graph's next deadline */
    struct units *units;
    struct graph *graph;
    struct unit *sole; /* the only one that was wanted from the start, and what is told upward is about it; NULL: none,
                        * or several */
    struct spawn_context worlds[2]; /* what units find, whoever starts them; [1]: with what was passed to us */
    char **unit_env;                /* of both; NULL: no unit has been started yet */
    bool idling;                    /* a job of Type=idle waits for the others */
    struct forest *forest;
    struct unit_locks unit_locks;
    struct job_common common; /* of all jobs */
    struct unit *touched;     /* one of their processes has ended, and was reaped */
    struct unit_news *news;   /* of units, which the graph hears when the event is over */
    size_t n_news, news_size;
    size_t n_counted, n_up, n_failed; /* services ever started; up; failed */
    size_t n_alive, n_asked;          /* services that are not over; those that were asked for */
    size_t n_awaited;                 /* units wanted from the start, whose start is not over */
    size_t n_missed;                  /* wanted from the start, and not up then */
    struct job_status *jobs;          /* what status() lends to the control socket */
    char status_text[512];
    uint64_t since;
    int exit_status; /* of the first that failed, else of the last that ended */
    bool failed;
    struct {
        const char *what; /* "FailureAction=", NULL: nobody's is to be taken */
        const struct unit *of;
        bool force;
    } action;     /* that ends the instance when the event is over */
    bool changed; /* the graph has something to do */
    bool stopping, ending;
    bool is_init; /* PID 1 of a container */
    bool told_up; /* whoever waits above knows that it is up */
};

static inline bool unit_alive(enum unit_state s)
{
    return s != UNIT_INACTIVE && s != UNIT_FAILED;
}

static inline bool unit_up(enum unit_state s)
{
    return s == UNIT_ACTIVE || s == UNIT_RELOADING;
}

/* From here on each part calls those before it only. */

/* ---- daemon_note.c ---- */

/* Notes that the state of @u is now @state (with @news of graph_changed()); the graph is told by daemon_settle(). */
void daemon_note(struct daemon *d, struct unit *u, enum unit_state state, unsigned news);

/* The same by the state of its job. */
void daemon_note_job(struct daemon *d, struct unit *u);

/* What OnFailure= and OnSuccess= of @u start, which is @state now, is to come to its end, too. */
void daemon_mark_followers(struct daemon *d, const struct unit *u, enum unit_state state);

/* Asks the graph. Its errors. */
int daemon_request(struct daemon *d, struct unit *u, enum unit_job job);

/* Wants @u started, as one of those that keep the instance alive. Errors of graph_request(). */
int daemon_want(struct daemon *d, struct unit *u);

/* Asks for the stop of all units, in the reverse of their order. */
void daemon_stop_units(struct daemon *d);

/* ---- daemon_action.c ---- */

/* The parent may have changed since: a daemon outlives whoever started it. */
void daemon_refresh_identity(struct daemon *d);

/* Asked for by @who, in words: the end of the instance. */
void daemon_stop(struct daemon *d, const char *who);

/* @u has come to its end, and nothing starts it again: notes what FailureAction=, SuccessAction= or StartLimitAction=
 * wants.
 * @status is the exit status of its main process, or that of its failure. */
void daemon_unit_over(struct daemon *d, const struct unit *u, bool failed, int status);

/* Its start or stop was given up: JobTimeoutAction=. */
void daemon_job_late(struct daemon *d, const struct unit *u);

/* Does what was noted. */
void daemon_take_action(struct daemon *d);

/* ---- daemon_tell.c ---- */

/* Writes d->status_text anew: "web up, PID 12", "3 units up". */
void daemon_set_status(struct daemon *d);

/* "web up, PID 12, healthy" */
void daemon_put_job(const struct job *job, struct textbuf *b);

/* How @u is, with or without what has to be read from the kernel. */
void daemon_unit_status(struct unit *u, bool tree, struct job_status *ret);

/* Tells those who wait on the control socket how @u is. */
void daemon_tell_changed(struct daemon *d, struct unit *u);

/* A line for the terminal of a starter that still waits, about @u (NULL: the instance). */
void daemon_tell_starter(struct daemon *d, const struct unit *u, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* To whoever waits above: the end of the only unit is the instance's, that of another one is a line. @tail: its last
 * words, NULL: none. */
void daemon_tell_failure(struct daemon *d, const struct unit *u, int status, int error, const char *why, char *tail);

/* What the instance ends with: the first failure of what was asked for. */
void daemon_note_exit(struct daemon *d, const struct unit *u, bool failed, int status);

/* @u has failed without a job that could tell: @status is the exit status that says so. */
void daemon_unit_failed(struct daemon *d, struct unit *u, int status, int error, const char *why);

/* The start of @u is over before there was one. It has not failed for that. */
void daemon_unit_refused(struct daemon *d, struct unit *u, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Numbers as the text of a field; they live as long as the statement. */
struct number {
    char text[24];
};

struct number daemon_number(long long n);

/* ---- daemon_begin.c ---- */

/* graph_ops.begin. */
void daemon_begin(void *ctx, size_t number, enum unit_job job);

/* Has it a reload at all? */
bool daemon_can_reload(const struct unit *u);

/* Where the output of such a unit goes. */
enum output_route daemon_route(const struct daemon *d, const struct jobspec *spec);

/* Its job is to be no more. */
void daemon_drop_job(struct unit *u);

/* ---- daemon_units.c ---- */

/* busy: of the jobs, Type=idle: is another start or stop under way than that of the unit @ctx itself? */
bool daemon_is_busy(void *ctx, struct job *job);

/* Lets the graph do what follows from all that has happened, and ends the loop when nothing is left. Before each sleep.
 */
void daemon_settle(struct daemon *d);

/* ---- daemon_control.c ---- */

/* Opens the control socket, if it is not open yet: it gets its name when there is something to control (daemon(7),
 * "New-Style Daemons", 4). Errors of control_new(). */
int daemon_open_control(struct daemon *d);

/* Asked for by @who, in words: a reload of what runs (as job_reload()). */
int daemon_reload(struct daemon *d, const char *who);

/* What others may ask of the daemon. */
const struct control_ops *daemon_control(void);

/* ---- daemon_news.c ---- */

/* What the news of a job lead to; the context is the unit. */
const struct job_ops *daemon_news(void);
