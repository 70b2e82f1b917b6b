/* The gates of one start. Each holds, or not yet; when the last one does, the owner is told. Telling is the last thing
 * done wherever it is done (settle()), and everything is closed before, so that the owner may free all this there. */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "ready.h"

/* From the end of one look to the next: a fast start is seen at once, a slow one costs nothing. */
#define WAIT_FIRST USEC_PER_MSEC
#define WAIT_MAX (250 * USEC_PER_MSEC)
#define SLOW_AFTER (10 * USEC_PER_SEC)
#define WAIT_SLOW USEC_PER_SEC
/* For one look. It doubles when it was too short: a check that takes long gets its chance, and a connection that was
 * lost is tried afresh soon. */
#define LIMIT_FIRST (2 * USEC_PER_SEC)
#define LIMIT_MAX (10 * USEC_PER_SEC)

struct gate {
    struct ready *r;
    const struct probespec *spec;
    bool holds;
    struct probe probe;
    struct timer timer;        /* the next look, or the end of delay: */
    uint64_t wait, limit;      /* the present ones of the above */
    uint64_t looked;           /* when the present look began */
    struct watch fd;           /* fd: our end */
    regex_t regex;             /* log: */
    bool compiled;
    char why[sizeof(((struct probe *)NULL)->why)]; /* what was seen last */
};

struct ready {
    const struct probe_context *c;
    const struct ready_ops *ops;
    void *ctx;
    uint64_t since; /* the main process runs, CLOCK_MONOTONIC usec */
    bool begun;     /* the owner may be told */
    bool told;
    const struct gate *failed; /* one that never will hold */
    size_t n;
    struct gate gates[];
};

/* What each kind waits for as long as nothing else is known. */
static const char waits[PROBE_KIND_MAX][24] = {
    [PROBE_NOTIFY] = "no READY=1",        [PROBE_FD] = "no newline",
    [PROBE_TCP] = "no answer yet",        [PROBE_UNIX] = "no answer yet",
    [PROBE_HTTP] = "no answer yet",       [PROBE_FILE] = "not there yet",
    [PROBE_LOG] = "no such line",         [PROBE_EXEC] = "has not ended yet",
    [PROBE_PIDFILE] = "no main process", [PROBE_DELAY] = "not over yet",
    [PROBE_DBUS] = "nobody has that name",
};

static void close_gate(struct gate *g)
{
    struct loop *loop = g->r->c->loop;

    probe_cancel(&g->probe);
    loop_arm(loop, &g->timer, USEC_INFINITY);
    loop_remove(loop, &g->fd); /* as probe.c says */
    loop_close(loop, &g->fd);
    if (g->compiled)
        regfree(&g->regex);
    g->compiled = false;
}

/* Tells what is decided, if it is. @r may be gone behind this. */
static void settle(struct ready *r)
{
    char why[256];

    if (!r->begun || r->told)
        return;
    for (size_t i = 0; !r->failed && i < r->n; i++)
        if (!r->gates[i].holds)
            return;
    r->told = true;
    for (size_t i = 0; i < r->n; i++)
        close_gate(&r->gates[i]);
    if (r->failed) {
        (void)snprintf(why, sizeof(why), "%s", r->failed->why);
        r->ops->failed(r->ctx, why);
    } else
        r->ops->ready(r->ctx);
}

static void hold(struct gate *g)
{
    g->holds = true;
    close_gate(g);
}

static void look(struct gate *g)
{
    g->looked = now_usec();
    probe_start(&g->probe, g->limit);
}

static int timer_over(struct timer *t)
{
    struct gate *g = CONTAINER_OF(t, struct gate, timer);

    if (g->spec->kind == PROBE_DELAY) {
        hold(g);
        settle(g->r);
    } else
        look(g);
    return 0;
}

static void looked(void *ctx, struct probe *p, bool ok, const char *why)
{
    struct gate *g = ctx;
    uint64_t now = now_usec();

    if (ok) {
        hold(g);
        settle(g->r);
        return;
    }
    (void)snprintf(g->why, sizeof(g->why), "%s", why);
    if (now - g->looked >= g->limit && g->limit < LIMIT_MAX)
        g->limit = 2 * g->limit < LIMIT_MAX ? 2 * g->limit : LIMIT_MAX;
    loop_arm(g->r->c->loop, &g->timer, now + g->wait);
    g->wait = 2 * g->wait < WAIT_MAX ? 2 * g->wait : now - g->r->since < SLOW_AFTER ? WAIT_MAX : WAIT_SLOW;
}

/* s6's way (s6-notifywhenup(8)): what comes before the newline is of no interest, nor is what follows. */
static int fd_event(struct watch *w, uint32_t events)
{
    struct gate *g = CONTAINER_OF(w, struct gate, fd);
    struct ready *r = g->r;
    char data[512];
    ssize_t n = read(w->fd, data, sizeof(data));

    if (n < 0 ? errno == EAGAIN || errno == EINTR : n > 0 && !memchr(data, '\n', (size_t)n))
        return 0;
    if (n > 0)
        hold(g);
    else {
        (void)snprintf(g->why, sizeof(g->why), "fd %d was closed before it said it is ready", g->spec->number);
        r->failed = g;
    }
    settle(r);
    return 0;
}

static int gate_init(struct gate *g, struct ready *r, const struct probespec *spec)
{
    *g = (struct gate){.r = r,
                       .spec = spec,
                       .timer = {.fn = timer_over},
                       .fd = {.fd = -1, .fn = fd_event},
                       .wait = WAIT_FIRST,
                       .limit = LIMIT_FIRST};
    probe_init(&g->probe, spec, r->c, looked, g);
    if (spec->kind == PROBE_LOG) {
        if (regcomp(&g->regex, spec->target, REG_EXTENDED | REG_NOSUB) != 0) /* it could be before */
            return -ENOMEM;
        g->compiled = true;
    }
    return 0;
}

int ready_new(struct ready **ret, const struct probespec *specs, size_t n, const struct probe_context *c,
              const struct ready_ops *ops, void *ctx)
{
    struct ready *r = calloc(1, sizeof(*r) + n * sizeof(r->gates[0]));

    if (!r)
        return -ENOMEM;
    r->c = c;
    r->ops = ops;
    r->ctx = ctx;
    for (; r->n < n; r->n++)
        if (gate_init(&r->gates[r->n], r, &specs[r->n]) < 0) {
            ready_free(r);
            return -ENOMEM;
        }
    *ret = r;
    return 0;
}

struct ready *ready_free(struct ready *r)
{
    for (size_t i = 0; r && i < r->n; i++)
        close_gate(&r->gates[i]);
    free(r);
    return NULL;
}

static struct gate *fd_gate(struct ready *r, unsigned i)
{
    for (struct gate *g = r->gates; g < r->gates + r->n; g++)
        if (g->spec->kind == PROBE_FD && i-- == 0)
            return g;
    return NULL;
}

int ready_child_fd(struct ready *r, unsigned i, int *ret_number, int *ret_child_fd)
{
    struct gate *g = fd_gate(r, i);
    int ends[2];

    if (!g)
        return -ENOENT;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK); /* ours alone: the child may expect a pipe that blocks */
    loop_close(r->c->loop, &g->fd);
    g->fd.fd = ends[0];
    *ret_number = g->spec->number;
    *ret_child_fd = ends[1];
    return 0;
}

static void begin_gate(struct gate *g)
{
    struct loop *loop = g->r->c->loop;
    int r;

    if (g->holds)
        return;
    if (g->spec->kind == PROBE_DELAY)
        loop_arm(loop, &g->timer, g->r->since + g->spec->usec);
    else if (probespec_is_repeatable(g->spec))
        look(g);
    else if (g->fd.fd >= 0) {
        r = loop_add(loop, &g->fd, EPOLLIN);
        if (r < 0) {
            (void)snprintf(g->why, sizeof(g->why), "%s", strerror(-r));
            g->r->failed = g;
        }
    }
}

void ready_begin(struct ready *r)
{
    r->since = now_usec();
    for (size_t i = 0; i < r->n; i++)
        begin_gate(&r->gates[i]);
    r->begun = true; /* not before all have begun: what holds at once must not free the rest */
    settle(r);
}

void ready_holds(struct ready *r, enum probe_kind kind)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->gates[i].spec->kind == kind && !r->gates[i].holds)
            hold(&r->gates[i]);
    settle(r);
}

bool ready_wants_lines(const struct ready *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->gates[i].compiled)
            return true;
    return false;
}

/* A copy, as regexec(3) wants a string; a NUL in it counts as a blank. Only as long as somebody waits for lines. */
void ready_line(struct ready *r, const char *line, size_t len)
{
    cleanup_free char *text = ready_wants_lines(r) ? malloc(len + 1) : NULL;

    if (!text)
        return;
    for (size_t i = 0; i < len; i++)
        text[i] = line[i] ? line[i] : ' ';
    text[len] = '\0';
    for (size_t i = 0; i < r->n; i++)
        if (r->gates[i].compiled && regexec(&r->gates[i].regex, text, 0, NULL, 0) == 0)
            hold(&r->gates[i]);
    settle(r);
}

bool ready_exited(struct ready *r, pid_t pid, int code, int status)
{
    for (size_t i = 0; i < r->n; i++)
        if (probe_exited(&r->gates[i].probe, pid, code, status))
            return true;
    return false;
}

void ready_explain(const struct ready *r, struct textbuf *b)
{
    const char *separator = "";

    for (const struct gate *g = r->gates; g < r->gates + r->n; g++) {
        if (g->holds)
            continue;
        textbuf_printf(b, "%s%s: %s", separator, g->spec->text, g->why[0] ? g->why : waits[g->spec->kind]);
        separator = "; ";
    }
}
