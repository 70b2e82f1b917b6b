/* How the units are: noted for the graph, and counted; and what is asked of the graph. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "cleanup.h"
#include "daemon_state.h"
#include "fsm_rules.h"
#include "parse.h"
#include "strv.h"

/* A service counts from its first start on; one that was asked for keeps the instance alive. */
static void count(struct daemon *d, const struct unit *u, enum unit_state s, int by)
{
    size_t n = (size_t)by;

    if (!u->counted)
        return;
    d->n_up += unit_up(s) ? n : 0;
    d->n_failed += s == UNIT_FAILED ? n : 0;
    d->n_alive += unit_alive(s) ? n : 0;
    d->n_asked += u->asked && unit_alive(s) ? n : 0;
}

/* Keeps for the next start of @u, by OnFailure= or OnSuccess= of @of, what it is to be told of it (systemd.exec(5),
 * MONITOR_*): by then @of may live again. -ENOMEM. */
static int monitor(struct unit *u, const struct unit *of)
{
    const struct job *job = of->job;
    char number[16], name[16];
    const char *status = number;
    int r;

    u->next_env = strv_free(u->next_env);
    if (!job)
        return 0;
    r = env_set(&u->next_env, "MONITOR_SERVICE_RESULT", job_result_name(job->fsm.result));
    if (r >= 0 && job->exit_code) {
        snprintf(number, sizeof(number), "%d", job->exit_status);
        if (job->exit_code != CLD_EXITED)
            status = signal_name(job->exit_status, name) + strlen("SIG");
        r = env_set(&u->next_env, "MONITOR_EXIT_CODE", exit_code_name(job->exit_code));
        if (r >= 0)
            r = env_set(&u->next_env, "MONITOR_EXIT_STATUS", status);
    }
    if (r >= 0 && job->tree.mark[0])
        r = env_set(&u->next_env, "MONITOR_INVOCATION_ID", job->tree.mark);
    return r < 0 ? r : env_set(&u->next_env, "MONITOR_UNIT", unit_name(of));
}

/* The next unit that OnFailure= or OnSuccess= of @u may start, which has come to its end in @state. */
static struct unit *next_follower(const struct daemon *d, const struct unit *u, enum unit_state state, size_t *pos)
{
    enum unit_dep dep = state == UNIT_FAILED ? DEP_ON_FAILURE : DEP_ON_SUCCESS;
    size_t other;

    return !unit_alive(state) && graph_dep(d->graph, u->number, dep, pos, &other) ? units_nth(d->units, other) : NULL;
}

/* They are to be told of this end: when one is started @u may live again. */
static void tell_followers(struct daemon *d, const struct unit *u, enum unit_state state)
{
    struct unit *follower;
    size_t pos = 0;

    while ((follower = next_follower(d, u, state, &pos)))
        (void)monitor(follower, u); /* without memory it is told less */
}

void daemon_note(struct daemon *d, struct unit *u, enum unit_state state, unsigned news)
{
    struct unit_news *grown = d->news;

    tell_followers(d, u, state);
    if (d->n_news == d->news_size) {
        size_t size = d->news_size ? 2 * d->news_size : 8;

        grown = reallocarray(d->news, size, sizeof(*grown));
        if (!grown) /* the graph learns with the next change what it has missed */
            return;
        d->news = grown;
        d->news_size = size;
    }
    grown[d->n_news++] = (struct unit_news){u->number, state, news};
    count(d, u, u->state, -1);
    u->since = u->job ? u->job->since : realtime_usec();
    u->state = news & UNIT_RESTARTS ? UNIT_ACTIVATING : state;
    if (u->locked && !unit_alive(u->state)) {
        unit_unlock(&d->unit_locks, unit_name(u));
        u->locked = false;
    }
    if (!u->counted && u->kind == UNIT_IS_SERVICE) {
        u->counted = true;
        d->n_counted++;
    }
    count(d, u, u->state, 1);
}

/* systemd.service(5), RestartMode=direct: those who depend on it see nothing of the end, if another life follows. */
static bool is_hidden(const struct job *job)
{
    const struct jobspec *spec = job->c.spec;

    return spec->restart_mode == RESTART_DIRECT && !job->comes_back && fsm_wants_restart(&job->fsm, spec);
}

void daemon_note_job(struct daemon *d, struct unit *u)
{
    switch (u->job->fsm.state) {
    case JOB_INACTIVE:
    case JOB_DONE:
        daemon_note(d, u, UNIT_INACTIVE, 0);
        break;
    case JOB_FAILED:
        daemon_note(d, u, UNIT_FAILED, 0);
        break;
    case JOB_RESTART:
        if (u->job->c.spec->restart_mode == RESTART_DIRECT)
            daemon_note(d, u, UNIT_ACTIVATING, 0);
        else
            daemon_note(d, u, u->job->fsm.result == RESULT_SUCCESS ? UNIT_INACTIVE : UNIT_FAILED, UNIT_RESTARTS);
        break;
    case JOB_CONDITION:
    case JOB_START_PRE:
    case JOB_STARTING:
    case JOB_START_POST:
        daemon_note(d, u, UNIT_ACTIVATING, 0);
        break;
    case JOB_UP:
    case JOB_EXITED:
        daemon_note(d, u, UNIT_ACTIVE, 0);
        break;
    case JOB_RELOADING:
        daemon_note(d, u, UNIT_RELOADING, 0);
        break;
    case JOB_STOP:
    case JOB_STOP_WATCHDOG:
    case JOB_STOP_TERM:
    case JOB_STOP_KILL:
    case JOB_STOP_POST:
    case JOB_FINAL_KILL:
    case JOB_STATE_MAX:
        daemon_note(d, u, is_hidden(u->job) ? UNIT_ACTIVATING : UNIT_DEACTIVATING, 0);
    }
}

/* @u is wanted for itself; of a target, what it groups. */
static void mark_asked(struct daemon *d, struct unit *u)
{
    static const enum unit_dep members[] = {DEP_REQUIRES, DEP_WANTS, DEP_BINDS_TO, DEP_UPHOLDS};
    size_t pos, other;

    if (u->asked)
        return;
    count(d, u, u->state, -1);
    u->asked = true;
    count(d, u, u->state, 1);
    for (size_t i = 0; u->kind == UNIT_IS_GROUP && i < ARRAY_SIZE(members); i++)
        for (pos = 0; graph_dep(d->graph, u->number, members[i], &pos, &other);)
            mark_asked(d, units_nth(d->units, other));
}

void daemon_mark_followers(struct daemon *d, const struct unit *u, enum unit_state state)
{
    struct unit *follower;
    size_t pos = 0;

    while ((follower = next_follower(d, u, state, &pos)))
        mark_asked(d, follower);
}

int daemon_request(struct daemon *d, struct unit *u, enum unit_job job)
{
    bool starts = job == UNIT_JOB_START || job == UNIT_JOB_RESTART, before = u->pending;
    int r;

    u->pending = u->pending || starts;
    r = graph_request(d->graph, u->number, job, UNIT_JOB_REPLACE);
    if (r < 0)
        u->pending = before;
    if (r < 0 && starts && !unit_alive(u->state))
        unit_because(u, r == -ENOENT    ? "a unit that it needs cannot be loaded"
                        : r == -EBUSY   ? "what it needs contradicts what is asked for or under way"
                        : r == -EDEADLK ? "its order is a circle"
                                        : strerror(-r));
    d->changed = true;
    return r;
}

int daemon_want(struct daemon *d, struct unit *u)
{
    int r = daemon_request(d, u, UNIT_JOB_START);

    if (r >= 0)
        mark_asked(d, u);
    return r;
}

void daemon_stop_units(struct daemon *d)
{
    for (size_t i = 0; i < units_count(d->units); i++) {
        struct unit *u = units_nth(d->units, i);

        if (u->kind != UNIT_IS_HOST && !u->same &&
            (unit_alive(u->state) || graph_job(d->graph, u->number, NULL) != UNIT_JOB_NONE))
            (void)graph_request(d->graph, u->number, UNIT_JOB_STOP, UNIT_JOB_REPLACE);
    }
    d->changed = true;
}
