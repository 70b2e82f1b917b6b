/* One look at one thing: it has one descriptor or one process, and one deadline. Each of its steps is the last thing
 * that a callback does, as it may be the end of the look, where the owner's function may free everything. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "parse.h"
#include "probe.h"
#include "textbuf.h"

#define REQUEST_MAX 2048 /* the longest path (probespec.c), the longest host and the headers */
#define READ_SIZE 4096

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage room;
};

/* With its group, if it has its own: its children. The PID is nobody else's, as it is not reaped yet. */
static void kill_command(struct probe *p)
{
    (void)kill(getpgid(p->pid) == p->pid ? -p->pid : p->pid, SIGKILL);
    p->killed = p->pid;
    p->pid = 0;
}

/* Closing is not enough for epoll(7): a command that was just started still shares the descriptor for a moment, because
 * vfork(2) returns when the new program has its memory, which is before the kernel closes what is close-on-exec. */
static void close_socket(struct probe *p)
{
    loop_remove(p->c->loop, &p->watch);
    loop_close(p->c->loop, &p->watch);
}

/* Nothing is left of the look. */
static void stop(struct probe *p)
{
    close_socket(p);
    loop_arm(p->c->loop, &p->limit, USEC_INFINITY);
    if (p->pid > 0)
        kill_command(p);
    p->running = false;
}

static void finish(struct probe *p, bool ok)
{
    stop(p);
    if (ok)
        p->why[0] = '\0';
    p->fn(p->fn_ctx, p, ok, p->why);
}

static void __attribute__((format(printf, 2, 3))) fail(struct probe *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(p->why, sizeof(p->why), fmt, ap);
    va_end(ap);
    finish(p, false);
}

static int limit_reached(struct timer *t)
{
    struct probe *p = CONTAINER_OF(t, struct probe, limit);

    fail(p, "no answer within %g s", (double)p->limit_usec / USEC_PER_SEC);
    return 0;
}

/* The address to try at the @attempt-th time: its length, 0 if there is none any more. */
static socklen_t inet_address(const struct probespec *spec, unsigned attempt, union address *ret)
{
    static const char local[][12] = {"127.0.0.1", "::1"};
    const bool both = STREQ(spec->target, "localhost");
    const char *host = spec->target;

    if (attempt >= (both ? ARRAY_SIZE(local) : 1))
        return 0;
    if (both)
        host = local[attempt];
    *ret = (union address){.any.sa_family = AF_INET};
    if (inet_pton(AF_INET, host, &ret->in.sin_addr) == 1) {
        ret->in.sin_port = htons((uint16_t)spec->number);
        return sizeof(ret->in);
    }
    *ret = (union address){.in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)spec->number)}};
    return inet_pton(AF_INET6, host, &ret->in6.sin6_addr) == 1 ? sizeof(ret->in6) : 0;
}

static socklen_t next_address(const struct probe *p, union address *ret, int *ret_type)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

    *ret_type = SOCK_STREAM;
    if (p->spec->kind != PROBE_UNIX)
        return inet_address(p->spec, p->attempt, ret);
    if (p->why[0] || p->attempt >= ARRAY_SIZE(types))
        return 0;
    *ret_type = types[p->attempt];
    *ret = (union address){.un.sun_family = AF_UNIX};
    strcpy(ret->un.sun_path, p->spec->target); /* probespec.c has seen that it fits */
    return sizeof(ret->un);
}

/* 0, or a positive errno: EINPROGRESS if the answer is to be waited for. */
static int try_address(struct probe *p, const union address *a, socklen_t len, int type)
{
    int r;

    p->watch.fd = socket(a->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->watch.fd < 0)
        return errno;
    r = loop_add(p->c->loop, &p->watch, EPOLLOUT);
    if (r < 0)
        return -r;
    return connect(p->watch.fd, &a->any, len) < 0 ? errno : 0;
}

/* Why an attempt has failed. The first counts: "localhost" is 127.0.0.1 for most, and that there is no ::1 tells them
 * nothing. A socket of another type is the one case in which a socket's path is tried again. */
static void note_error(struct probe *p, int error)
{
    const bool full = p->spec->kind == PROBE_UNIX && error == EAGAIN; /* connect(2) */

    close_socket(p);
    if (!p->why[0] && error != EPROTOTYPE)
        (void)snprintf(p->why, sizeof(p->why), "%s", full ? "its queue of connections is full" : strerror(error));
}

/* A port among those that the kernel gives out (ip_local_port_range) may be given to the very socket that asks for it;
 * TCP then connects it with itself (RFC 9293, 3.5, simultaneous open), and nobody has answered. */
static bool is_own_echo(int fd)
{
    union address ours = {.room = {0}}, theirs = {.room = {0}};
    socklen_t n = sizeof(ours), m = sizeof(theirs);

    return getsockname(fd, &ours.any, &n) == 0 && getpeername(fd, &theirs.any, &m) == 0 && n == m &&
           memcmp(&ours, &theirs, n) == 0;
}

/* HTTP/1.1, as some proxies refuse 1.0; the connection is not kept. */
static void ask(struct probe *p)
{
    const bool v6 = strchr(p->spec->target, ':');
    char text[REQUEST_MAX] = "";
    struct textbuf b = TEXTBUF(text);
    ssize_t n;
    int r;

    textbuf_printf(&b,
                   "GET %s HTTP/1.1\r\nHost: %s%s%s:%d\r\nUser-Agent: amphid\r\nAccept: */*\r\n"
                   "Connection: close\r\n\r\n",
                   p->spec->http_path, v6 ? "[" : "", p->spec->target, v6 ? "]" : "", p->spec->number);
    n = send(p->watch.fd, text, b.len, MSG_NOSIGNAL);
    r = n < 0 ? -errno : (size_t)n < b.len ? -ENOBUFS : loop_modify(p->c->loop, &p->watch, EPOLLIN);
    if (r < 0) {
        fail(p, "%s", strerror(-r));
        return;
    }
    p->sent = true;
}

/* Tries what is left to try. */
static void connect_next(struct probe *p)
{
    union address a;
    socklen_t len;
    int type;

    while ((len = next_address(p, &a, &type)) > 0) {
        int error = try_address(p, &a, len, type);

        p->attempt++;
        if (error == 0 && p->spec->kind == PROBE_UNIX) {
            finish(p, true);
            return;
        }
        if (error == 0 || error == EINPROGRESS) /* the loop tells */
            return;
        note_error(p, error);
    }
    finish(p, false);
}

static void connect_over(struct probe *p)
{
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(p->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error == 0 && is_own_echo(p->watch.fd)) {
        /* Without a trace: a port in TIME_WAIT is one that the server cannot have. */
        (void)setsockopt(p->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        error = ECONNREFUSED;
    }
    if (error != 0) {
        note_error(p, error);
        connect_next(p);
    } else if (p->spec->kind == PROBE_HTTP)
        ask(p);
    else
        finish(p, true);
}

/* Only the beginning counts, but a whole read's worth is taken: unread bytes would make our close a reset, which
 * servers write into their logs. */
static void hear(struct probe *p)
{
    char data[READ_SIZE];
    ssize_t n = recv(p->watch.fd, data, sizeof(data), 0);
    size_t room = sizeof(p->head) - p->n_head;
    int code;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fail(p, "%s", n < 0 ? strerror(errno) : "closed without an answer");
        return;
    }
    if ((size_t)n < room)
        room = (size_t)n;
    memcpy(p->head + p->n_head, data, room);
    p->n_head += (unsigned)room;
    code = http_status(p->head, p->n_head);
    if (code == -EAGAIN)
        return;
    if (code < 0)
        fail(p, "the answer is not HTTP");
    else if (p->spec->code ? code == p->spec->code : code >= 200 && code <= 399)
        finish(p, true);
    else
        fail(p, "HTTP status %d", code);
}

static int socket_event(struct watch *w, uint32_t events)
{
    struct probe *p = CONTAINER_OF(w, struct probe, watch);

    if (p->sent)
        hear(p);
    else
        connect_over(p);
    return 0;
}

static void look_at_file(struct probe *p)
{
    struct stat st;

    if (stat(p->spec->target, &st) < 0)
        fail(p, "%s", strerror(errno));
    else
        finish(p, true);
}

static void run_command(struct probe *p)
{
    pid_t pid = p->c->spawn(p->c->ctx, p->spec->argv);

    if (pid < 0)
        fail(p, "could not be started: %s", strerror(errno));
    else
        p->pid = pid;
}

void probe_init(struct probe *p, const struct probespec *spec, const struct probe_context *c, probe_fn fn, void *ctx)
{
    *p = (struct probe){.spec = spec,
                        .c = c,
                        .fn = fn,
                        .fn_ctx = ctx,
                        .watch = {.fd = -1, .fn = socket_event},
                        .limit = {.fn = limit_reached}};
}

void probe_start(struct probe *p, uint64_t limit_usec)
{
    uint64_t at;

    probe_cancel(p);
    p->running = true;
    p->sent = false;
    p->n_head = p->attempt = 0;
    p->why[0] = '\0';
    p->limit_usec = limit_usec;
    if (__builtin_add_overflow(now_usec(), limit_usec, &at))
        at = USEC_INFINITY;
    loop_arm(p->c->loop, &p->limit, at);
    if (p->spec->kind == PROBE_FILE)
        look_at_file(p);
    else if (p->spec->kind == PROBE_EXEC)
        run_command(p);
    else
        connect_next(p);
}

void probe_cancel(struct probe *p)
{
    if (p->running)
        stop(p);
}

bool probe_exited(struct probe *p, pid_t pid, int code, int status)
{
    char buf[16];

    if (pid <= 0 || (pid != p->pid && pid != p->killed))
        return false;
    if (pid == p->killed) {
        p->killed = 0;
        return true;
    }
    p->pid = 0;
    if (code != CLD_EXITED)
        fail(p, "was killed by %s", signal_name(status, buf));
    else if (status != 0)
        fail(p, "ended with %d", status);
    else
        finish(p, true);
    return true;
}
