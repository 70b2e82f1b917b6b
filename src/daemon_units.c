/* Between the graph of the units and their jobs: what is to begin is begun here, what becomes of it is told to the
 * graph when the event is over. So no rule of the graph ever runs inside a step of a job. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "daemon_state.h"

#define FEW_NEWS 64 /* room for so many may stay */

/* ---- what has become of it ---- */

/* What whoever waits above us is told when all that was wanted is decided. */
static void tell_up(struct daemon *d)
{
    if (d->told_up || d->n_awaited > 0 || d->stopping)
        return;
    daemon_set_status(d);
    if (d->sole && d->n_missed > 0 && d->n_alive == 0)
        return; /* its end was told */
    if (d->n_missed > 0 && !d->config->resident) {
        upward_partly(d->upward, d->exit_status ? d->exit_status : 1, d->n_asked > 0, d->status_text);
    } else {
        if (!d->sole)
            log_stage(d->log, STAGE_READY, LOG_INFO, NULL, "%s", d->status_text);
        upward_ready(d->upward, d->status_text);
    }
    d->told_up = true;
}

static void decide(struct daemon *d, struct unit *u, bool up)
{
    if (!u->awaited)
        return;
    u->awaited = false;
    d->n_awaited--;
    d->n_missed += up ? 0 : 1;
}

/* One of those without which @u does not start, and which are not up; NULL: all are by now. */
static const struct unit *missing_need(const struct daemon *d, const struct unit *u)
{
    static const enum unit_dep needs[] = {DEP_REQUIRES, DEP_BINDS_TO, DEP_REQUISITE};

    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        size_t pos = 0, other;

        while (graph_dep(d->graph, u->number, needs[i], &pos, &other))
            if (!unit_up(units_nth(d->units, other)->state))
                return units_nth(d->units, other);
    }
    return NULL;
}

static void refuse(struct daemon *d, struct unit *u, enum unit_job_result result)
{
    const struct unit *need = result == UNIT_JOB_DEPENDENCY ? missing_need(d, u) : NULL;

    if (result == UNIT_JOB_TIMEOUT)
        daemon_unit_refused(d, u, "its start took too long (JobTimeoutSec=)");
    else
        daemon_unit_refused(d, u, "a unit that it needs did not come up%s%s", need ? ": " : "",
                            need ? unit_name(need) : "");
}

static void over(void *ctx, size_t number, enum unit_job job, enum unit_job_result result)
{
    struct daemon *d = units_owner(ctx);
    struct unit *u = units_nth(d->units, number);
    bool up = result == UNIT_JOB_DONE || result == UNIT_JOB_SKIPPED;

    d->changed = true;
    if (result == UNIT_JOB_TIMEOUT)
        daemon_job_late(d, u);
    if (job == UNIT_JOB_STOP)
        control_job_stopped(d->control, unit_name(u));
    if (job == UNIT_JOB_STOP || job == UNIT_JOB_RELOAD || result == UNIT_JOB_CANCELED)
        return;
    u->pending = false;
    if (result == UNIT_JOB_DEPENDENCY || result == UNIT_JOB_TIMEOUT)
        refuse(d, u, result);
    else if (result == UNIT_JOB_SKIPPED)
        control_job_not_started(d->control, unit_name(u), NULL);
    else
        daemon_tell_changed(d, u);
    if (result == UNIT_JOB_FAILED && u->job && !job_over(u->job))
        return; /* Restart= goes on: it is decided when that ends */
    decide(d, u, up);
}

/* The graph's sentences begin with the unit's name, which a record and a line to the starter have before them. */
static void say(void *ctx, int level, size_t number, const char *text)
{
    const struct unit *u = units_nth(ctx, number);
    struct daemon *d = units_owner(ctx);
    size_t name = strlen(unit_name(u));
    bool about = strncmp(text, unit_name(u), name) == 0 && strncmp(text + name, ": ", 2) == 0;

    text += about ? name + 2 : 0;
    log_unit(d->log, unit_subject(u), STAGE_LOAD, level, NULL, "%s", text);
    if (d && !d->told_up && level <= LOG_WARNING)
        daemon_tell_starter(d, about ? u : NULL, "%s", text);
}

static uint64_t now(void *ctx)
{
    (void)ctx;
    return now_usec();
}

const struct graph_ops *daemon_graph(void)
{
    static const struct graph_ops ops = {daemon_begin, over, say, now};

    return &ops;
}

/* ---- when an event is over ---- */

/* What is decided by a change of state alone: it came up after all, or will not. */
static void look_at(struct daemon *d, struct unit *u)
{
    if (!u->awaited || graph_job(d->graph, u->number, NULL) != UNIT_JOB_NONE)
        return;
    if (unit_up(u->state))
        decide(d, u, true);
    else if (!unit_alive(u->state))
        decide(d, u, u->state == UNIT_INACTIVE);
}

static void tell_graph(struct daemon *d)
{
    for (size_t i = 0; i < d->n_news; i++) { /* there may be more at the end than there were at the beginning */
        const struct unit_news n = d->news[i];

        graph_changed(d->graph, n.unit, n.state, n.news);
        daemon_mark_followers(d, units_nth(d->units, n.unit), n.state);
        look_at(d, units_nth(d->units, n.unit));
    }
    d->n_news = 0;
}

static void look_for_end(struct daemon *d)
{
    if (graph_pending(d->graph) > 0 || (!d->stopping && (d->config->resident || d->n_asked > 0)))
        return;
    if (d->n_alive == 0) {
        loop_exit(d->loop, d->exit_status);
    } else if (!d->ending) {
        d->ending = true; /* what was pulled in by units that are over has nothing to do any more */
        daemon_stop_units(d);
    }
}

bool daemon_is_busy(void *ctx, struct job *job)
{
    struct daemon *d = units_owner(((struct unit *)ctx)->all);
    bool busy = graph_pending(d->graph) > 1;

    (void)job;
    d->idling |= busy;
    return busy;
}

/* systemd.service(5), Type=idle: when nothing else is under way any more. */
static void end_idling(struct daemon *d)
{
    if (!d->idling || graph_pending(d->graph) > 0)
        return;
    d->idling = false;
    for (size_t i = 0; i < units_count(d->units); i++)
        if (units_nth(d->units, i)->job)
            job_go(units_nth(d->units, i)->job);
}

/* After an event that has touched many units, as the start of all: what it has left free goes back to the system. */
static void give_back(struct daemon *d)
{
    if (d->news_size <= FEW_NEWS)
        return;
    free(d->news);
    d->news = NULL;
    d->news_size = 0;
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void daemon_settle(struct daemon *d)
{
    while (d->changed || d->n_news > 0) {
        d->changed = false;
        tell_graph(d);
        daemon_take_action(d);
        loop_arm(d->loop, &d->due, graph_run(d->graph));
        end_idling(d);
        if (d->n_news > 0 || d->changed)
            continue;
        tell_up(d);
        look_for_end(d);
    }
    give_back(d);
}
