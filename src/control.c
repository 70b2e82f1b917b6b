/* The control socket's server. One connection is served in the order of its calls, and nothing of it is read
 * while one of them is unanswered: so it can hold one message and one reply of ours and never more. All of
 * them together are bounded too, and whoever may change nothing is the first to be shown out, so that a user
 * with a thousand connections cannot keep root away. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cleanup.h"
#include "control.h"
#include "loop.h"
#include "manager.h"
#include "self.h"
#include "stream.h"
#include "unixsock.h"
#include "varlink.h"

#define CONNS_MAX 64
/* How much of one connection's, or of the queue's, is done before others have their turn. */
#define CALLS_PER_ROUND 16
#define ACCEPTS_PER_ROUND 16

struct conn {
    struct control *server;
    struct conn *next;
    struct watch watch;
    uint32_t events; /* what the watch waits for */
    struct stream stream;
    uint64_t active; /* the server's clock when it said something last */
    bool privileged;
    bool eof;                    /* it will say nothing more, but may still listen */
    enum manager_method pending; /* Stop or Wait that is not answered yet */
    char *job;                   /* of which job, NULL: the whole instance */
};

struct control {
    struct loop *loop;
    const struct control_ops *ops;
    void *ctx;
    char *path;
    struct watch watch;
    struct timer pause; /* after accept(2) found no descriptor left */
    struct conn *conns;
    size_t n_conns;
    uint64_t clock; /* counts events: the order is all that matters */
    struct manager_end end;
};

static void conn_close(struct conn *c)
{
    struct conn **p = &c->server->conns;

    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    c->server->n_conns--;
    loop_remove(c->server->loop, &c->watch);
    stream_done(&c->stream);
    free(c->job);
    free(c);
}

static int conn_want(struct conn *c, uint32_t events)
{
    if (c->events == events)
        return 0;
    c->events = events;
    return loop_modify(c->server->loop, &c->watch, events);
}

/* Queues @reply (consumed). */
static int conn_send(struct conn *c, json_t *reply)
{
    size_t len;
    char *text;
    int r = varlink_encode(reply, &text, &len);

    return r < 0 ? r : stream_queue(&c->stream, text, len);
}

static void conn_forget(struct conn *c)
{
    free(c->job);
    c->job = NULL;
    c->pending = MANAGER_NONE;
}

/* Answers the call that waits. It is only queued: this may run inside an event of the same connection. */
static void conn_answer(struct conn *c, const struct manager_end *end)
{
    json_t *reply = c->pending == MANAGER_WAIT ? manager_wait_reply(end) : varlink_reply(json_object());

    if (conn_send(c, reply) >= 0)
        conn_forget(c);
    (void)conn_want(c, EPOLLOUT);
}

/* What the daemon's refusal @error means on the wire. */
static json_t *refusal(const struct control *s, int error, const char *job)
{
    const struct job_status *j;
    struct instance_status st;

    if (error == -ENOENT)
        return varlink_error(MANAGER_NO_SUCH_JOB, "job", job ? job : "");
    s->ops->status(s->ctx, &st);
    j = job ? manager_find_job(&st, job) : NULL;
    return varlink_error(MANAGER_NOT_UP, "state", j ? job_state_name(j->state) : st.state);
}

/* Stop and Wait: 0 and the answer in *@ret if there is one already, 1 if it comes later. */
static int call_pending(struct conn *c, const struct manager_request *req, bool oneway, json_t **ret)
{
    const struct control *s = c->server;
    const struct job_status *j = NULL;
    struct manager_end end = {0};
    struct instance_status st;
    bool ended;
    int r;

    s->ops->status(s->ctx, &st);
    if (req->job) {
        j = manager_find_job(&st, req->job);
        if (!j) {
            *ret = varlink_error(MANAGER_NO_SUCH_JOB, "job", req->job);
            return 0;
        }
        manager_add_end(&end, j);
    }
    ended = j ? manager_job_ended(j) : req->method == MANAGER_WAIT && manager_all_ended(&st, NULL, &end);
    if (ended) {
        *ret = req->method == MANAGER_WAIT ? manager_wait_reply(&end) : varlink_reply(json_object());
        return 0;
    }
    if (!oneway) {
        c->job = req->job ? strdup(req->job) : NULL;
        if (req->job && !c->job)
            return -ENOMEM;
        /* Before the daemon is asked: it may report the end while it is asked. */
        c->pending = req->method;
    }
    r = req->method == MANAGER_STOP ? s->ops->stop(s->ctx, req->job) : 0;
    if (r >= 0)
        return 1;
    conn_forget(c);
    *ret = refusal(s, r, req->job);
    return 0;
}

/* Does what a valid call asks for; returns as call_pending() does. */
static int call_method(struct conn *c, const struct manager_request *req, bool oneway, json_t **ret)
{
    const struct control *s = c->server;
    struct instance_status st;
    int r;

    switch (req->method) {
    case MANAGER_STATUS:
        s->ops->status(s->ctx, &st);
        *ret = varlink_reply(json_pack("{s:o}", "instance", manager_instance(&st)));
        return 0;
    case MANAGER_RELOAD:
        r = s->ops->reload(s->ctx, req->job);
        *ret = r < 0 ? refusal(s, r, req->job) : varlink_reply(json_object());
        return 0;
    case MANAGER_STOP:
    case MANAGER_WAIT:
        return call_pending(c, req, oneway, ret);
    case MANAGER_NONE:
        break;
    }
    return -EBADMSG;
}

/* One message. Negative: the connection is to be closed. */
static int conn_call(struct conn *c, const char *text, size_t len)
{
    struct manager_request req;
    struct varlink_call call;
    json_t *answer;
    int r;

    r = varlink_call_parse(&call, text, len);
    if (r < 0)
        return r;
    answer = manager_request(&call, c->privileged, &req);
    r = answer ? 0 : call_method(c, &req, call.oneway, &answer);
    if (r == 0 && call.oneway)
        json_decref(answer);
    else if (r == 0)
        r = conn_send(c, answer);
    varlink_call_done(&call);
    return r;
}

/* Goes on with a connection as far as possible now. Negative: it is to be closed. */
static int conn_serve(struct conn *c)
{
    for (int n = 0;; n++) {
        size_t len;
        char *text;
        int r = stream_write(&c->stream);

        if (r == -EAGAIN)
            return conn_want(c, EPOLLOUT);
        if (r < 0)
            return r;
        if (c->pending) {
            stream_trim(&c->stream);
            return conn_want(c, 0);
        }
        /* The rest is in our buffer, where epoll sees nothing; but it can be written to at once. */
        if (n == CALLS_PER_ROUND)
            return conn_want(c, EPOLLOUT);
        r = stream_next(&c->stream, &text, &len);
        if (r > 0)
            r = conn_call(c, text, len);
        else if (r == 0)
            return c->eof ? -ENOTCONN : conn_want(c, EPOLLIN);
        if (r < 0)
            return r;
    }
}

static int on_conn(struct watch *w, uint32_t events)
{
    struct conn *c = CONTAINER_OF(w, struct conn, watch);
    int r = 0;

    c->active = ++c->server->clock;
    if (events & EPOLLIN) {
        r = stream_read(&c->stream);
        if (r == 0)
            c->eof = true;
        if (r == -EAGAIN)
            r = 0;
    } else if ((events & (EPOLLHUP | EPOLLERR)) && c->pending) {
        r = -EPIPE; /* nobody is left to be answered */
    }
    if (r >= 0)
        r = conn_serve(c);
    if (r < 0)
        conn_close(c);
    return 0;
}

/* Closes the connection that has been silent for the longest time, one without privileges if there is one.
 * False if there is none at all. */
static bool evict(struct control *s)
{
    struct conn *victim = s->conns;

    for (struct conn *c = s->conns; c; c = c->next)
        if (c->privileged != victim->privileged ? victim->privileged : c->active < victim->active)
            victim = c;
    if (victim)
        conn_close(victim);
    return victim != NULL;
}

/* Takes a new connection over; what goes wrong costs this connection and nothing else. */
static void conn_new(struct control *s, int fd)
{
    struct conn *c = NULL;
    pid_t pid;
    uid_t uid;

    if (unixsock_peer(fd, &pid, &uid) >= 0 && json_open() >= 0) /* the first to come brings the library */
        c = calloc(1, sizeof(*c));
    if (!c) {
        close(fd);
        return;
    }
    c->server = s;
    c->watch = (struct watch){.fd = fd, .fn = on_conn};
    c->events = EPOLLIN;
    c->active = ++s->clock;
    c->privileged = uid == 0 || uid == self_uid();
    stream_init(&c->stream, fd, VARLINK_MESSAGE_MAX);
    c->next = s->conns;
    s->conns = c;
    s->n_conns++;
    if (loop_add(s->loop, &c->watch, c->events) < 0)
        conn_close(c);
    else if (s->n_conns > CONNS_MAX)
        evict(s);
}

static int on_pause(struct timer *t)
{
    struct control *s = CONTAINER_OF(t, struct control, pause);

    return loop_modify(s->loop, &s->watch, EPOLLIN);
}

static int on_listen(struct watch *w, uint32_t events)
{
    struct control *s = CONTAINER_OF(w, struct control, watch);

    for (int n = 0; n < ACCEPTS_PER_ROUND; n++) {
        int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            conn_new(s, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno == EAGAIN)
            return 0;
        /* No descriptor or memory left, and epoll would tell us of the same connection for ever: make room,
         * or look away for a second. */
        if (!evict(s)) {
            (void)loop_modify(s->loop, w, 0);
            loop_arm(s->loop, &s->pause, now_usec() + USEC_PER_SEC);
        }
        return 0;
    }
    return 0;
}

int control_new(struct control **ret, struct loop *loop, const char *path, const struct control_ops *ops,
                void *ctx)
{
    struct control *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;

    if (!s)
        return -ENOMEM;
    s->loop = loop;
    s->ops = ops;
    s->ctx = ctx;
    s->watch = (struct watch){.fd = -1, .fn = on_listen};
    s->pause.fn = on_pause;
    s->path = strdup(path);
    if (s->path)
        r = s->watch.fd = unixsock_listen(path);
    if (r >= 0)
        r = loop_add(loop, &s->watch, EPOLLIN);
    if (r < 0) {
        if (s->watch.fd >= 0)
            (void)unlink(path);
        close_fd(s->watch.fd);
        free(s->path);
        free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void control_job_ended(struct control *s, const struct job_status *job)
{
    struct manager_end all = {0}, this = {0};
    struct instance_status st;
    bool last;

    manager_add_end(&s->end, job);
    manager_add_end(&this, job);
    s->ops->status(s->ctx, &st);
    last = manager_all_ended(&st, job, &all);
    for (struct conn *c = s->conns; c; c = c->next) {
        if (!c->pending)
            continue;
        if (c->job && STREQ(c->job, job->name))
            conn_answer(c, &this);
        else if (!c->job && c->pending == MANAGER_WAIT && last)
            conn_answer(c, &s->end);
    }
}

struct control *control_free(struct control *s)
{
    if (!s)
        return NULL;
    /* First the name: whoever gets an answer finds nobody there any more. */
    (void)unlink(s->path);
    loop_close(s->loop, &s->watch);
    loop_arm(s->loop, &s->pause, USEC_INFINITY);
    while (s->conns) {
        if (s->conns->pending)
            conn_answer(s->conns, &s->end);
        (void)stream_write(&s->conns->stream);
        conn_close(s->conns);
    }
    free(s->path);
    free(s);
    return NULL;
}
