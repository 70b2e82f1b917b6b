/* The control socket's server. One connection is served in the order of its calls, and nothing of it is read
 * while one of them is unanswered: so it can hold one message and one reply of ours and never more. All of
 * them together are bounded too, and whoever may change nothing is the first to be shown out, so that a user
 * with a thousand connections cannot keep root away. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cleanup.h"
#include "control_inside.h"
#include "nofile.h"
#include "self.h"
#include "unixsock.h"

#define CONNS_MAX 64
/* How much of one connection's is done before others have their turn. */
#define CALLS_PER_ROUND 16

static void conn_close(struct conn *c)
{
    struct conn **p = &c->server->conns;

    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    c->server->n_conns--;
    if (c->server->loop)
        loop_remove(c->server->loop, &c->watch);
    stream_done(&c->stream);
    conn_forget(c);
    free(c);
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
        /* The rest is in our buffer, where epoll sees nothing; but it can be written to at once. */
        if (n == CALLS_PER_ROUND)
            return conn_want(c, EPOLLOUT);
        if (c->pending.method != MANAGER_NONE) {
            if (c->behind == 0) {
                stream_trim(&c->stream);
                return conn_want(c, 0);
            }
            r = conn_tell_lines(c);
            if (r < 0)
                return r;
            continue;
        }
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
    } else if ((events & (EPOLLHUP | EPOLLERR)) && c->pending.method != MANAGER_NONE) {
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

    if (unixsock_peer(fd, &pid, &uid) >= 0)
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
    if (loop_add(s->loop, &c->watch, c->events) < 0) {
        conn_close(c);
        return;
    }
    if (s->n_conns > CONNS_MAX)
        evict(s);
    else
        (void)on_conn(&c->watch, EPOLLIN); /* whoever connects has something to say, and mostly said it by now */
}

static int on_pause(struct timer *t)
{
    struct control *s = CONTAINER_OF(t, struct control, pause);

    return loop_modify(s->loop, &s->watch, EPOLLIN);
}

static int accept_one(void *listen_fd)
{
    return accept4(*(int *)listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static int on_listen(struct watch *w, uint32_t events)
{
    struct control *s = CONTAINER_OF(w, struct control, watch);
    int fd = nofile_insist(accept_one, &w->fd); /* whoever wants to stop what has used up all descriptors must be let in */

    if (fd >= 0) {
        conn_new(s, fd);
        return 0;
    }
    if (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN)
        return 0;
    /* No descriptor or memory left, and epoll would tell us of the same connection for ever: make room, or look away
     * for a second. */
    if (!evict(s)) {
        (void)loop_modify(s->loop, w, 0);
        loop_arm(s->loop, &s->pause, now_usec() + USEC_PER_SEC);
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

void control_close(struct control *s)
{
    if (!s || !s->loop)
        return;
    (void)unlink(s->path);
    loop_close(s->loop, &s->watch);
    loop_arm(s->loop, &s->pause, USEC_INFINITY);
    for (struct conn *c = s->conns; c; c = c->next) {
        conn_answer_end(c);
        loop_remove(s->loop, &c->watch);
    }
    s->loop = NULL;
}

struct control *control_free(struct control *s)
{
    if (!s)
        return NULL;
    control_close(s);
    while (s->conns) {
        (void)stream_write(&s->conns->stream);
        conn_close(s->conns);
    }
    free(s->path);
    free(s);
    return NULL;
}
