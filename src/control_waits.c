/* Calls on the control socket that are answered later: when a job is what they wait for, or never can be. */
#include <string.h>
#include <sys/socket.h>
#include "cleanup.h"
#include "control_inside.h"

static int send_start_failed(struct conn *c, const struct job_status *j)
{
    int r = json_open();

    return r < 0 ? r : conn_json(c, manager_start_failed(j));
}

static int send_ended(struct conn *c, const struct manager_end *end)
{
    int r = json_open();

    return r < 0 ? r : conn_json(c, manager_ended(end));
}

/* It is only queued: this may run inside an event of the same connection. One that could not be made would be waited
 * for in vain. */
void conn_answered(struct conn *c, int r)
{
    conn_forget(c);
    if (r < 0)
        (void)shutdown(c->stream.fd, SHUT_RDWR);
    (void)conn_want(c, EPOLLOUT);
}

/* Answers Wait if what it waits for is there, or can never be. @news (NULL: none) counts instead of what the list
 * says of that job. 1: it was answered. */
static int answer_wait(struct conn *c, const struct job_status *news, int *ret)
{
    struct instance_status st;
    struct manager_end end;

    control_look(c->server, &st);
    switch (manager_progress(&st, c->pending.job, news, c->pending.goal, &end)) {
    case MANAGER_REACHED:
        *ret = conn_text(c, manager_wait_text(c->pending.goal == MANAGER_STOPPED ? &end : &(struct manager_end){0}));
        return 1;
    case MANAGER_NEVER:
        *ret = send_ended(c, &end);
        return 1;
    case MANAGER_NOT_YET:
        break;
    }
    return 0;
}

/* Answers Start or Restart when the new life of the job is up, or will not be. A state that is as old as the call
 * belongs to the old life. 1: it was answered. */
static int answer_start(struct conn *c, const struct job_status *j, int *ret)
{
    bool changed = c->begun || j->since != c->since || (c->queued && !j->pending);

    c->queued |= j->pending;
    if (j->pending && manager_job_up(j))
        return 0;
    if (changed && (manager_job_up(j) || j->state == JOB_CONDITION || j->state == JOB_START_PRE || j->state == JOB_STARTING ||
                    j->state == JOB_START_POST))
        c->begun = true;
    if (c->begun && (manager_job_up(j) || j->state == JOB_DONE))
        *ret = conn_done(c);
    else if ((changed && manager_job_ended(j)) || (c->begun && j->state == JOB_RESTART))
        *ret = send_start_failed(c, j);
    else
        return 0;
    return 1;
}

/* Does the call that waits concern this job? */
static bool concerns(const struct conn *c, const struct job_status *job)
{
    return c->pending.method != MANAGER_NONE && (!c->pending.job || STREQ(c->pending.job, job->name));
}

/* The job (NULL: any) has changed, or ended: answers what can be answered now. */
static void news(struct conn *c, const struct job_status *job)
{
    bool ended = job && manager_job_ended(job);
    int r = 0, done = 0;

    switch (c->pending.method) {
    case MANAGER_WAIT:
        done = answer_wait(c, job, &r);
        break;
    case MANAGER_START:
    case MANAGER_RESTART:
        done = job && answer_start(c, job, &r);
        break;
    case MANAGER_STOP: /* the whole instance has ended when its socket has */
        done = ended && c->pending.job;
        if (done)
            r = conn_done(c);
        break;
    case MANAGER_RELOAD:
        done = ended;
        if (done)
            r = conn_error(c, MANAGER_RELOAD_FAILED, "state", job_state_name(job->state));
        break;
    case MANAGER_LOGS:
        if (ended)
            conn_answer_end(c);
        break;
    case MANAGER_NONE:
    case MANAGER_STATUS:
    case MANAGER_CHECK:
    case MANAGER_ROTATE:
    case MANAGER_RELOAD_UNITS:
        break;
    }
    if (done)
        conn_answered(c, r);
}

void conn_look(struct conn *c)
{
    const struct control *s = c->server;
    struct instance_status st;

    if (c->pending.method == MANAGER_NONE)
        return;
    control_look(s, &st);
    news(c, c->pending.job ? manager_find_job(&st, c->pending.job) : NULL);
}

void control_job_changed(struct control *s, const struct job_status *job)
{
    for (struct conn *c = s ? s->conns : NULL; c; c = c->next)
        if (concerns(c, job))
            news(c, job);
}

void control_job_ended(struct control *s, const struct job_status *job)
{
    if (!s)
        return;
    if (!job->pending && s->end.result == RESULT_SUCCESS) /* the first failure is what the instance ends with */
        s->end = (struct manager_end){job->result, job->exit_code, job->exit_status};
    control_job_changed(s, job);
}

void control_job_not_started(struct control *s, const char *name, const char *why)
{
    const struct job_status job = {.name = name, .state = JOB_FAILED, .result = RESULT_RESOURCES, .readiness = why};

    for (struct conn *c = s ? s->conns : NULL; c; c = c->next)
        if (concerns(c, &job) && (c->pending.method == MANAGER_START || c->pending.method == MANAGER_RESTART))
            conn_answered(c, why ? send_start_failed(c, &job) : conn_done(c));
}

void control_job_stopped(struct control *s, const char *name)
{
    const struct job_status job = {.name = name};

    for (struct conn *c = s ? s->conns : NULL; c; c = c->next)
        if (c->pending.job && concerns(c, &job) && c->pending.method == MANAGER_STOP)
            conn_answered(c, conn_done(c));
}

void control_job_reloaded(struct control *s, const struct job_status *job, bool ok)
{
    for (struct conn *c = s ? s->conns : NULL; c; c = c->next)
        if (concerns(c, job) && c->pending.method == MANAGER_RELOAD)
            conn_answered(c, ok ? conn_done(c)
                                : conn_error(c, MANAGER_RELOAD_FAILED, "state", job_state_name(job->state)));
}

void conn_answer_end(struct conn *c)
{
    struct job_status none = {.state = JOB_FAILED, .result = c->server->end.result, .readiness = "the instance ends"};
    int r = 0;

    switch (c->pending.method) {
    case MANAGER_STOP:
        r = conn_done(c);
        break;
    case MANAGER_WAIT:
        r = c->pending.goal == MANAGER_STOPPED ? conn_text(c, manager_wait_text(&c->server->end))
                                               : send_ended(c, &c->server->end);
        break;
    case MANAGER_START:
    case MANAGER_RESTART:
        r = send_start_failed(c, &none);
        break;
    case MANAGER_RELOAD:
        r = conn_error(c, MANAGER_RELOAD_FAILED, "state", job_state_name(JOB_STOP_TERM));
        break;
    case MANAGER_LOGS:
        c->pending.more = false;
        r = conn_tell_lines(c);
        break;
    case MANAGER_NONE:
    case MANAGER_STATUS:
    case MANAGER_CHECK:
    case MANAGER_ROTATE:
    case MANAGER_RELOAD_UNITS:
        return;
    }
    conn_answered(c, r);
}
