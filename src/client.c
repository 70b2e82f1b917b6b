/* One connection, one call at a time. Everything that waits has a deadline, because the process at the other
 * end may be stopped, traced or not amphid at all. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include "cleanup.h"
#include "client.h"
#include "loop.h"
#include "manager.h"
#include "stream.h"
#include "unixsock.h"

/* A reply holds the command lines, which the kernel lets grow to some megabytes. */
#define REPLY_MAX ((size_t)16 * 1024 * 1024)

struct client {
    struct stream stream;
    int pidfd;
    bool continues;
};

int client_new(struct client **ret, const char *path, uint64_t usec)
{
    struct client *c;
    int fd = unixsock_connect(path, usec);

    if (fd < 0)
        return fd;
    c = calloc(1, sizeof(*c));
    if (!c) {
        close(fd);
        return -ENOMEM;
    }
    stream_init(&c->stream, fd, REPLY_MAX);
    c->pidfd = -1;
    *ret = c;
    return 0;
}

struct client *client_free(struct client *c)
{
    if (c) {
        stream_done(&c->stream);
        close_fd(c->pidfd);
        free(c);
    }
    return NULL;
}

/* The moment @usec microseconds from now. */
static uint64_t deadline_in(uint64_t usec)
{
    return usec == USEC_INFINITY ? USEC_INFINITY : now_usec() + usec;
}

/* Waits for @events on @fd until @deadline. 0, -ETIMEDOUT, errors of poll(2). */
static int wait_for(int fd, short events, uint64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        uint64_t now = now_usec(), msec = (deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        int n, timeout = msec > INT32_MAX ? INT32_MAX : (int)msec;

        if (deadline == USEC_INFINITY)
            timeout = -1;
        else if (deadline <= now)
            timeout = 0;
        n = poll(&p, 1, timeout);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && deadline <= now_usec())
            return -ETIMEDOUT;
    }
}

/* Sends what is queued, to a socket that takes nothing just now. */
static int send_rest(struct client *c, uint64_t deadline)
{
    int r = -EAGAIN;

    while (r == -EAGAIN) {
        r = wait_for(c->stream.fd, POLLOUT, deadline);
        if (r >= 0)
            r = stream_write(&c->stream);
    }
    return r;
}

/* The next message, borrowed from the stream. */
static int receive(struct client *c, uint64_t deadline, char **ret, size_t *ret_len)
{
    for (;;) {
        int r = stream_next(&c->stream, ret, ret_len);

        if (r != 0)
            return r == -EMSGSIZE ? -EBADMSG : r;
        r = wait_for(c->stream.fd, POLLIN, deadline);
        if (r >= 0)
            r = stream_read(&c->stream);
        if (r == 0)
            return -ECONNRESET;
        if (r < 0 && r != -EAGAIN)
            return r;
    }
}

/* Understands a reply; returns as client_call() does. */
static int parse_reply(struct client *c, const char *text, size_t len, json_t **ret)
{
    json_t *message, *parameters;
    int r;

    *ret = NULL;
    c->continues = false;
    if (STREQ(text, MANAGER_DONE) || STREQ(text, MANAGER_YES))
        return 0;
    r = json_open();
    if (r < 0)
        return r;
    message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    parameters = json_object_get(message, "parameters");
    if (json_is_string(json_object_get(message, "error"))) {
        *ret = message;
        return 1;
    }
    r = json_is_object(parameters) ? 0 : -EBADMSG;
    if (r == 0) {
        *ret = json_incref(parameters);
        c->continues = json_is_true(json_object_get(message, "continues"));
    }
    json_decref(message);
    return r;
}

static int wait_reply(struct client *c, uint64_t deadline, json_t **ret)
{
    size_t len;
    char *text;
    int r = receive(c, deadline, &text, &len);

    return r < 0 ? r : parse_reply(c, text, len, ret);
}

/* Takes hold of the process at the other end. Where it cannot be had (a kernel before 5.3, another PID namespace) the end
 * of the connection has to do. */
static void hold(struct client *c)
{
    pid_t pid;
    uid_t uid;

    if (c->pidfd < 0 && unixsock_peer(c->stream.fd, &pid, &uid) >= 0 && pid > 0)
        c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
}

int client_call(struct client *c, const char *call, uint64_t usec, json_t **ret)
{
    char *text = strdup(call);
    int r = text ? stream_queue(&c->stream, text, strlen(text) + 1) : -ENOMEM;
    uint64_t deadline;

    if (r >= 0)
        r = stream_write(&c->stream);
    deadline = deadline_in(usec);
    if (r == -EAGAIN)
        r = send_rest(c, deadline);
    hold(c); /* while it works; its answer proves that it is this one, and none that has its number since */
    if (r >= 0)
        r = wait_reply(c, deadline, ret);
    return r == -EPIPE ? -ECONNRESET : r;
}

int client_next(struct client *c, uint64_t usec, json_t **ret)
{
    return wait_reply(c, deadline_in(usec), ret);
}

bool client_continues(const struct client *c)
{
    return c->continues;
}

uid_t client_peer_uid(const struct client *c)
{
    pid_t pid;
    uid_t uid;

    return unixsock_peer(c->stream.fd, &pid, &uid) < 0 ? (uid_t)-1 : uid;
}

int client_pidfd(struct client *c)
{
    hold(c);
    return c->pidfd;
}

int client_wait_gone(struct client *c, uint64_t usec)
{
    uint64_t deadline = deadline_in(usec);
    size_t len;
    char *text;
    int r;

    if (c->pidfd >= 0)
        return wait_for(c->pidfd, POLLIN, deadline);
    do
        r = receive(c, deadline, &text, &len);
    while (r > 0);
    return r == -ECONNRESET ? 0 : r;
}
