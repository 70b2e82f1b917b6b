/* What is asked on the control socket. Most answers are known as bytes, and so are the
 * calls of our own verbs: JSON is read and written, and jansson opened for it, only where there is more to say. */
#include <errno.h>
#include <string.h>
#include "cleanup.h"
#include "control_inside.h"

/* What the daemon's refusal @error means on the wire. */
static int refuse(struct conn *c, int error, const char *job)
{
    const struct control *s = c->server;
    const struct job_status *j;
    struct instance_status st;

    if (error == -ENOENT)
        return conn_error(c, MANAGER_NO_SUCH_JOB, "job", job ? job : "");
    if (error == -ENOTSUP)
        return conn_error(c, MANAGER_REFUSED, "reason", "it has no ExecReload=");
    if (error == -EPERM)
        return conn_error(c, MANAGER_REFUSED, "reason", "the unit may not be started or stopped by hand");
    if (error == -EDEADLK)
        return conn_error(c, MANAGER_REFUSED, "reason", "it contradicts other units; the log says which");
    if (error == -ELIBBAD)
        return conn_error(c, MANAGER_REFUSED, "reason", "a unit that it requires cannot be loaded; the log says which");
    control_look(s, &st);
    j = manager_find_job(&st, job);
    return conn_error(c, MANAGER_NOT_UP, "state", j ? job_state_name(j->state) : st.state);
}

/* The job that a call means which is about one. 1, and it is in *@ret; else 0 and the answer is given. */
static int find_one(struct conn *c, const struct manager_request *req, const struct instance_status *st,
                    const struct job_status **ret)
{
    int r;

    *ret = manager_find_job(st, req->job);
    if (*ret)
        return 1;
    if (!req->job && st->n_jobs > 1)
        r = conn_error(c, VARLINK_INVALID_PARAMETER, "parameter", "job");
    else
        r = refuse(c, -ENOENT, req->job);
    return r < 0 ? r : 0;
}

/* ---- the methods ---- */

static int call_status(struct conn *c)
{
    const struct control *s = c->server;
    struct instance_status st;
    int r = json_open();

    if (r < 0)
        return r;
    s->ops->status(s->ctx, &st);
    return conn_json(c, varlink_reply(json_pack("{s:o}", "instance", manager_instance(&st))));
}

static int call_check(struct conn *c, const struct manager_request *req)
{
    const struct control *s = c->server;
    const struct job_status *j = NULL;
    struct instance_status st;
    struct manager_end end;
    char reason[512] = "";
    struct textbuf b = TEXTBUF(reason);
    int r;

    control_look(s, &st);
    if (req->job && !manager_find_job(&st, req->job))
        return refuse(c, -ENOENT, req->job);
    if (manager_progress(&st, req->job, NULL, req->goal, &end) == MANAGER_REACHED)
        return conn_text(c, strdup(MANAGER_YES));
    /* The first one that is not. */
    for (size_t i = 0; i < st.n_jobs && !j; i++)
        if ((req->job ? STREQ(st.jobs[i].name, req->job) : !st.jobs[i].idle) &&
            manager_progress(&st, st.jobs[i].name, NULL, req->goal, &end) != MANAGER_REACHED)
            j = &st.jobs[i];
    if (j)
        manager_explain(&b, j, req->goal);
    r = json_open();
    return r < 0 ? r
                 : conn_json(c, varlink_reply(json_pack("{s:b, s:o}", "ok", 0, "reason",
                                                        varlink_text(reason[0] ? reason : st.state))));
}

static int call_stop(struct conn *c, const struct manager_request *req)
{
    const struct control *s = c->server;
    struct instance_status st;
    const struct job_status *j = NULL;
    int r;

    if (req->job) {
        control_look(s, &st);
        j = manager_find_job(&st, req->job);
    }
    if (j && manager_job_ended(j))
        return conn_done(c);
    /* Before the daemon is asked: it may report the end while it is asked. */
    r = conn_wait(c, req, req->job);
    if (r < 0)
        return r;
    r = s->ops->stop(s->ctx, req->job);
    if (r >= 0)
        return 0;
    conn_forget(c);
    return refuse(c, r, req->job);
}

/* Start and Restart. */
static int call_start(struct conn *c, const struct manager_request *req)
{
    const struct control *s = c->server;
    bool again = req->method == MANAGER_RESTART;
    struct instance_status st;
    const struct job_status *j;
    int r;

    control_look(s, &st);
    r = find_one(c, req, &st, &j);
    if (r <= 0)
        return r;
    r = conn_wait(c, req, j->name);
    if (r < 0)
        return r;
    c->since = j->since;
    c->begun = c->queued = false;
    r = again ? s->ops->restart(s->ctx, req->job) : s->ops->start(s->ctx, req->job);
    if (r < 0 && r != -EALREADY) {
        conn_forget(c);
        return refuse(c, r, req->job);
    }
    c->begun |= r == -EALREADY;
    conn_look(c);
    return 0;
}

static int call_reload(struct conn *c, const struct manager_request *req)
{
    const struct control *s = c->server;
    const struct job_status *j;
    struct instance_status st;
    int r;

    control_look(s, &st);
    j = manager_find_job(&st, req->job);
    r = j ? conn_wait(c, req, j->name) : 0;
    if (r < 0)
        return r;
    r = s->ops->reload(s->ctx, req->job);
    if (r > 0 && j)
        return 0;
    conn_forget(c);
    return r < 0 ? refuse(c, r, req->job) : conn_done(c);
}

static int call_wait(struct conn *c, const struct manager_request *req)
{
    const struct control *s = c->server;
    struct instance_status st;
    int r;

    control_look(s, &st);
    if (req->job && !manager_find_job(&st, req->job))
        return refuse(c, -ENOENT, req->job);
    r = conn_wait(c, req, req->job);
    if (r >= 0)
        conn_look(c);
    return r;
}

static int call_rotate(struct conn *c)
{
    const struct control *s = c->server;
    int r = s->ops->rotate(s->ctx);

    if (r >= 0)
        return conn_done(c);
    return conn_error(c, MANAGER_NOT_ROTATED, "reason", r == -ENOTSUP ? "the log goes to no file" : strerror(-r));
}

static int call_reload_units(struct conn *c)
{
    const struct control *s = c->server;
    int r = s->ops->reload_units ? s->ops->reload_units(s->ctx) : 0;

    return r >= 0 ? conn_done(c) : conn_error(c, MANAGER_REFUSED, "reason", strerror(-r));
}

static int call_logs(struct conn *c, const struct manager_request *req)
{
    const struct control *s = c->server;
    cleanup_free char *text = NULL;
    const struct job_status *j;
    struct instance_status st;
    int r;

    control_look(s, &st);
    r = find_one(c, req, &st, &j);
    if (r <= 0)
        return r;
    r = s->ops->logs(s->ctx, req->job, req->lines, &text);
    if (r == -ENODATA)
        return conn_error(c, MANAGER_LOG_ELSEWHERE, "log", st.log);
    if (r < 0)
        return r;
    if (req->more && !c->oneway && !manager_job_ended(j)) {
        r = conn_wait(c, req, j->name);
        if (r < 0)
            return r;
    }
    return conn_send_lines(c, text, 0);
}

/* ---- what came in ---- */

/* Does what a valid call asks for. */
static int call_method(struct conn *c, const struct manager_request *req)
{
    switch (req->method) {
    case MANAGER_STATUS:
        return call_status(c);
    case MANAGER_STOP:
        return call_stop(c, req);
    case MANAGER_START:
    case MANAGER_RESTART:
        return call_start(c, req);
    case MANAGER_RELOAD:
        return call_reload(c, req);
    case MANAGER_WAIT:
        return call_wait(c, req);
    case MANAGER_CHECK:
        return call_check(c, req);
    case MANAGER_ROTATE:
        return call_rotate(c);
    case MANAGER_LOGS:
        return call_logs(c, req);
    case MANAGER_RELOAD_UNITS:
        return call_reload_units(c);
    case MANAGER_NONE:
        break;
    }
    return -EBADMSG;
}

/* A job may be meant by another name, or be none yet. 1: it is the job's own; else the answer is given. */
static int resolve(struct conn *c, struct manager_request *req)
{
    const struct control *s = c->server;
    const char *why = NULL, *name;
    int r;

    if (!req->job || !s->ops->find)
        return 1;
    name = s->ops->find(s->ctx, req->job, req->method == MANAGER_START || req->method == MANAGER_RESTART, &why);
    if (name) {
        req->job = name;
        return 1;
    }
    if (!why)
        return refuse(c, -ENOENT, req->job);
    r = json_open();
    return r < 0 ? r
                 : conn_json(c, json_pack("{s:s, s:{s:o, s:s}}", "error", MANAGER_NOT_LOADED, "parameters", "job",
                                          varlink_text(req->job), "reason", why));
}

int conn_call(struct conn *c, const char *text, size_t len)
{
    struct manager_request req = {0};
    struct varlink_call call;
    json_t *answer;
    int r;

    c->oneway = false;
    if (manager_known(text, len, c->privileged, &req))
        return call_method(c, &req);
    r = json_open(); /* the first to come brings the library */
    if (r >= 0)
        r = varlink_call_parse(&call, text, len);
    if (r < 0)
        return r;
    c->oneway = call.oneway;
    answer = manager_request(&call, c->privileged, &req);
    r = answer ? conn_json(c, answer) : resolve(c, &req);
    if (!answer && r > 0)
        r = call_method(c, &req);
    varlink_call_done(&call);
    return r;
}
