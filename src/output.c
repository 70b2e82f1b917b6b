/* One stream of the child's output. We read only what is known to be there, so reads never block; the child's writes
 * do: a child that writes faster than we can forward waits, and nothing is lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "cleanup.h"
#include "output.h"

#define READ_SIZE (16 * 1024)

static void keep(struct output *o, const char *line, size_t len)
{
    char **slot = &o->tail[o->n_tail % TAIL_LINES];

    free(*slot);
    *slot = strndup(line, len);
    o->n_tail++;
}

static void got_line(void *ctx, const char *line, size_t len)
{
    struct output *o = ctx;

    if (o->keep_tail)
        keep(o, line, len);
    log_output(o->log, jobspec_identifier(o->spec), o->spec->syslog_facility, o->stream, o->pid, line, len);
}

/* One read's worth; the pipe is known to be readable. 0: the stream has ended. */
static ssize_t forward(struct output *o)
{
    char data[READ_SIZE];
    ssize_t n = read(o->watch.fd, data, sizeof(data));

    if (n < 0)
        return -errno;
    if (n > 0) {
        int r = linebuf_feed(&o->lines, data, (size_t)n, got_line, o);

        if (r < 0)
            return r;
    }
    return n;
}

/* Nothing more comes, or is wanted. */
static void finish(struct output *o)
{
    linebuf_finish(&o->lines, got_line, o);
    loop_close(o->loop, &o->watch);
}

static int readable(struct watch *w, uint32_t events)
{
    struct output *o = CONTAINER_OF(w, struct output, watch);
    ssize_t n = forward(o);

    if (n == 0 || (n < 0 && n != -EINTR))
        finish(o);
    return 0;
}

int output_open(struct output *o, struct loop *loop, struct log *log, const struct jobspec *spec,
                enum log_stream stream, int *ret_child_fd)
{
    cleanup_close int theirs = -1, ours = -1;
    int ends[2], r;

    *o = (struct output){.watch = {.fd = -1, .fn = readable},
                         .loop = loop,
                         .log = log,
                         .spec = spec,
                         .stream = stream,
                         .keep_tail = stream == STREAM_STDERR};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    ours = ends[0];
    theirs = ends[1];
    o->watch.fd = ours;
    r = loop_add(loop, &o->watch, EPOLLIN);
    if (r < 0) {
        o->watch.fd = -1;
        return r;
    }
    take_fd(ours);
    *ret_child_fd = take_fd(theirs);
    return 0;
}

void output_drain(struct output *o)
{
    int n = 0;

    /* Not until nothing comes any more: a grandchild may hold the pipe and write for ever. */
    if (o->watch.fd < 0 || ioctl(o->watch.fd, FIONREAD, &n) < 0)
        return;
    while (n > 0) {
        ssize_t got = forward(o);

        if (got <= 0 && got != -EINTR)
            return;
        n -= got > 0 ? (int)got : 0;
    }
}

void output_close(struct output *o)
{
    if (o->watch.fd < 0)
        return;
    output_drain(o);
    finish(o);
}

char *output_tail(const struct output *o)
{
    unsigned first = o->n_tail > TAIL_LINES ? o->n_tail - TAIL_LINES : 0;
    char *text = NULL;
    size_t len = 0;
    FILE *f;

    if (o->n_tail == 0)
        return NULL;
    f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    for (unsigned i = first; i < o->n_tail; i++)
        fprintf(f, "%s\n", o->tail[i % TAIL_LINES] ? o->tail[i % TAIL_LINES] : "");
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

void output_forget_tail(struct output *o)
{
    for (size_t i = 0; i < TAIL_LINES; i++) {
        free(o->tail[i]);
        o->tail[i] = NULL;
    }
    o->n_tail = 0;
    o->keep_tail = false;
}
