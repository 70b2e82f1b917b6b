/* One stream of the child's output. While the log takes nothing, the pipe is not read: the child waits when it is
 * full, and nothing is lost. We read only what is known to be there, so reads never block.
 *
 * A child that writes each line by itself would have us awake for each. So after a read that found little, and soon
 * after the one before, what comes is left to gather for a moment: the child must be writing all the time for that
 * to happen, and no line is late by more than NAP. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "cleanup.h"
#include "output.h"
#include "output_lines.h"
#include "reaper.h"
#include "spec_exec.h"

#define NAP 150          /* usec; the timer's slack (prctl(2), PR_SET_TIMERSLACK) makes up to 200 of it */
#define SHORT (32 * 1024) /* bytes: half of a pipe, which is full with that if each line has a page to itself */
#define SOON 1000        /* usec between two reads */
#define PIPE_LARGE (256 * 1024) /* what it is to hold so that nobody waits while we nap */

/* Nothing more is read until room_again(). */
static void pause_reading(struct output_flow *o)
{
    if (!o->paused)
        loop_remove(o->c->loop, &o->end->watch);
    o->paused = true;
    log_wait(o->c->log, o->stream, &o->waiter);
}

/* The bytes go to the log as they are; the lines in them only to whom else they concern. */
static void relay(struct output_flow *o, const char *data, size_t n)
{
    log_relay(o->c->log, &o->source, data, n);
    o->unfinished = data[n - 1] != '\n';
    (void)output_take(o, data, n);
    if (!o->end->closing && output_is_blocked(o))
        pause_reading(o);
}

/* Keeps what the log does not want now. Without memory for that, it gets it all the same. */
static void keep_rest(struct output_flow *o, const char *data, size_t n)
{
    bool closing = o->end->closing;

    o->rest = malloc(n);
    if (o->rest) {
        memcpy(o->rest, data, n);
        o->rest_len = n;
        o->rest_done = 0;
    } else {
        o->end->closing = true;
        (void)output_take(o, data, n);
        o->end->closing = closing;
    }
    pause_reading(o);
}

/* What is given out from here on is of now, and of o->end->pid. */
static void begin(struct output_flow *o)
{
    o->now = realtime_usec();
    o->source.pid = o->end->pid;
}

/* Gives out what was kept. */
static void use_rest(struct output_flow *o)
{
    if (!o->rest)
        return;
    begin(o);
    o->rest_done += output_take(o, o->rest + o->rest_done, o->rest_len - o->rest_done);
    if (o->rest_done < o->rest_len)
        return;
    free(o->rest);
    o->rest = NULL;
}

static int room_again(struct output_flow *o)
{
    if (o->paused) {
        use_rest(o);
        if (o->rest || (!output_drops(o) && output_is_blocked(o))) {
            pause_reading(o);
            return 0;
        }
        o->paused = false;
        if (o->end->watch.fd >= 0 && loop_add(o->c->loop, &o->end->watch, EPOLLIN) < 0)
            return -errno;
    }
    output_say_dropped(o);
    return 0;
}

/* A child that fills the pipe in the time of a nap would wait for us, and be woken for each page that we read. */
static void make_larger(struct output_flow *o)
{
    if (!o->large)
        (void)fcntl(o->end->watch.fd, F_SETPIPE_SZ, PIPE_LARGE); /* else it stays as it is: there is a limit for each user */
    o->large = true;
}

/* One read's worth; the pipe is known to be readable. 0: the stream has ended. */
static ssize_t forward(struct output_flow *o)
{
    const char *data;
    ssize_t n = log_read(o->c->log, o->end->watch.fd, &data);
    size_t done;

    if (n <= 0)
        return n;
    o->was_short = n < SHORT;
    if (!o->was_short)
        make_larger(o);
    begin(o);
    if (o->raw) {
        relay(o, data, (size_t)n);
        return n;
    }
    done = output_take(o, data, (size_t)n);
    if (done < (size_t)n)
        keep_rest(o, data + done, (size_t)n - done);
    return n;
}

/* ---- the pipe ---- */

/* The line that is under way ends here. */
static void end_line(struct output_flow *o)
{
    begin(o);
    output_take_end(o);
    if (o->unfinished)
        log_relay(o->c->log, &o->source, "\n", 1);
    o->unfinished = o->within = false;
}

/* Nothing more comes, or is wanted. */
static void finish(struct output_flow *o)
{
    o->end->closing = true;
    use_rest(o);
    end_line(o);
    output_say_dropped(o);
    log_wait_no_more(&o->waiter);
    loop_close(o->c->loop, &o->end->watch);
}

static void nap(struct output_flow *o)
{
    static const struct timespec time = {.tv_nsec = NAP * 1000};
    uint64_t now = now_usec();

    if (o->was_short && now - o->last < SOON)
        (void)nanosleep(&time, NULL);
    o->last = now;
}

static void may_go_on(struct log_waiter *w)
{
    struct output_flow *o = CONTAINER_OF(w, struct output_flow, waiter);

    if (room_again(o) < 0)
        finish(o);
}

/* As it is when a stream begins; what was counted stays. */
static void reset(struct output_flow *f, struct output *o)
{
    const struct jobspec *d = o->c->spec;
    const struct spec_log *lines = spec_log(d);
    struct ratelimit limit = {lines->rate_interval, (uint64_t)lines->rate_burst, f->limit.begin, f->limit.n};

    *f = (struct output_flow){.end = o,
                              .c = o->c,
                              .source = {.identifier = jobspec_identifier(d),
                                         .facility = d->syslog_facility,
                                         .level = d->stream_level[o->stream],
                                         .level_prefix = d->syslog_level_prefix,
                                         .as_it_is = lines->format == FORMAT_CAT,
                                         .stream = o->stream},
                              .stream = o->stream,
                              .copies = spec_exec_copies(spec_exec(d), (int)o->stream + 1),
                              .lines = {.max = lines->line_max},
                              .raw = log_wants_raw(o->c->log) && limit.interval == 0 && lines->overflow == OVERFLOW_BLOCK,
                              .waiter = {.fn = may_go_on},
                              .limit = limit,
                              .dropped = f->dropped};
}

/* What was readable when the loop looked may have been read since: by a child that has opened /dev/stdout, too. Its own
 * writes do block. */
static int never_wait(int fd)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* NULL: what has come stays in the pipe, and this is called again. */
static struct output_flow *flow(struct output *o)
{
    if (!o->flow && never_wait(o->watch.fd) >= 0) {
        o->flow = calloc(1, sizeof(*o->flow));
        if (o->flow)
            reset(o->flow, o);
    }
    return o->flow;
}

static int readable(struct watch *w, uint32_t events)
{
    struct output *o = CONTAINER_OF(w, struct output, watch);
    struct output_flow *f = flow(o);
    ssize_t n;

    (void)events;
    if (!f)
        return 0;
    nap(f);
    n = forward(f);
    if (n == 0 || (n < 0 && n != -EINTR && n != -EAGAIN))
        finish(f);
    return 0;
}

int output_open(struct output *o, const struct output_config *c, enum log_stream stream, int *ret_child_fd)
{
    cleanup_close int theirs = -1, ours = -1;
    int ends[2], r;

    output_forget_tail(o);
    *o = (struct output){.watch = {.fd = -1, .fn = readable},
                         .c = c,
                         .flow = o->flow,
                         .stream = stream,
                         .pid = o->pid,
                         .keep_tail = stream == STREAM_STDERR};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    ours = ends[0];
    theirs = ends[1];
    if (o->flow)
        reset(o->flow, o);
    r = o->flow ? never_wait(ours) : 0;
    if (r < 0)
        return r;
    o->watch.fd = ours;
    r = loop_add(c->loop, &o->watch, EPOLLIN);
    if (r < 0) {
        o->watch.fd = -1;
        return r;
    }
    take_fd(ours);
    *ret_child_fd = take_fd(theirs);
    return 0;
}

/* All that is in the pipe now, or what of it the log takes. */
static void drain(struct output *o)
{
    struct output_flow *f;
    int n = 0;

    /* Not until nothing comes any more: a grandchild may hold the pipe and write for ever. */
    if (ioctl(o->watch.fd, FIONREAD, &n) < 0 || n == 0 || !(f = flow(o)))
        return;
    while (n > 0 && (!f->paused || o->closing)) {
        ssize_t got = forward(f);

        if (got <= 0 && got != -EINTR)
            return;
        n -= got > 0 ? (int)got : 0;
    }
}

void output_drain(struct output *o)
{
    if (o->watch.fd < 0)
        return;
    drain(o);
    if (o->flow && !o->flow->paused && reaper_look(o->pid) != CHILD_LIVES)
        end_line(o->flow);
}

void output_close(struct output *o)
{
    if (o->watch.fd < 0)
        return;
    o->closing = true;
    if (o->flow)
        use_rest(o->flow);
    drain(o);
    if (o->flow)
        finish(o->flow);
    else
        loop_close(o->c->loop, &o->watch);
}

uint64_t output_dropped(const struct output *o)
{
    return o->flow ? o->flow->dropped : 0;
}

char *output_tail(const struct output *o)
{
    const struct output_flow *f = o->flow;
    char *text = NULL;
    unsigned first;
    size_t len = 0;
    FILE *out;

    if (!f || f->n_tail == 0)
        return NULL;
    out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    first = f->n_tail > TAIL_LINES ? f->n_tail - TAIL_LINES : 0;
    for (unsigned i = first; i < f->n_tail; i++)
        fprintf(out, "%s\n", f->tail[i % TAIL_LINES] ? f->tail[i % TAIL_LINES] : "");
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

void output_forget_tail(struct output *o)
{
    o->keep_tail = false;
    for (size_t i = 0; o->flow && i < TAIL_LINES; i++) {
        free(o->flow->tail[i]);
        o->flow->tail[i] = NULL;
    }
    if (o->flow)
        o->flow->n_tail = 0;
}

void output_done(struct output *o)
{
    output_forget_tail(o);
    free(o->flow);
    o->flow = NULL;
}
