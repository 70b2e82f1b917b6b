/* The log, from its opening to its end. What amphid says is log_records.c's, what the child says log_output.c's. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "log_inside.h"

#define PATIENCE (5 * USEC_PER_SEC)

int log_parse(const char *s, struct log_request *ret)
{
    static const char names[][8] = {[LOG_TO_AUTO] = "auto",
                                    [LOG_TO_JOURNAL] = "journal",
                                    [LOG_TO_SYSLOG] = "syslog",
                                    [LOG_TO_STDERR] = "stderr",
                                    [LOG_TO_JSON] = "json"};

    if (strncmp(s, "file:", 5) == 0 && s[5] == '/') {
        ret->kind = LOG_TO_FILE;
        ret->path = s + 5;
        return 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (STREQ(s, names[i])) {
            ret->kind = (enum log_kind)i;
            ret->path = NULL;
            return 0;
        }
    return -EINVAL;
}

/* To stderr, if it takes a line at once: whoever does not read it must not hold us up. */
static void say_on_stderr(const struct log *l, const char *text)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&p, 1, 0) == 1 && p.revents & POLLOUT)
        dprintf(STDERR_FILENO, "amphid: %s: %s\n", l->main.sink.name, text);
}

/* The log itself is out of order: that is said where somebody may see it, on stderr, or for a daemon in syslog if
 * that is another place. */
static void say_elsewhere(const struct log *l, const char *text)
{
    struct log_sink s = {.kind = LOG_TO_SYSLOG, .name = l->main.sink.name, .fd = -1, .file.fd = -1};
    char line[512], *room;
    struct textbuf b = TEXTBUF(line);

    if (!l->main.sink.detaching) {
        say_on_stderr(l, text);
        return;
    }
    if (l->main.sink.kind == LOG_TO_SYSLOG || log_sink_connect(&s) < 0)
        return;
    textbuf_printf(&b, "<%d>", LOG_DAEMON | LOG_ERR);
    time_rfc3164(&b, realtime_usec());
    textbuf_printf(&b, " amphid[%d]: name=%s %s", l->identity.pid, s.name, text);
    room = log_sink_room(&s, b.len);
    if (room) {
        memcpy(room, line, b.len);
        log_sink_put(&s, b.len);
        (void)log_sink_flush(&s);
    }
    log_sink_close(&s);
}

static void got_news(void *ctx, struct outlet *o, int error)
{
    struct log *l = ctx;
    uint64_t lost;
    char text[256];

    if (error) {
        snprintf(text, sizeof(text), "the log %s takes nothing: %s; what comes waits", l->main.sink.target,
                 strerror(error));
        say_elsewhere(l, text);
        return;
    }
    lost = o->sink.lost + (o == &l->main ? l->lost : 0);
    if (lost == 0 || o->sink.gone)
        return;
    o->sink.lost = 0;
    if (o == &l->main)
        l->lost = 0;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)lost);
    log_stage(l, STAGE_OUTPUT, LOG_WARNING, FIELDS({"DROPPED_LINES", text}),
              "%s records lost: there was no room for more", text);
}

int log_open(struct log **ret, const struct log_request *q, char **ret_what)
{
    struct log *l = calloc(1, sizeof(*l));
    int r;

    *ret_what = NULL;
    if (!l)
        return -ENOMEM;
    l->table = q->trace;
    outlet_init(&l->main, got_news, l);
    l->main.sink = (struct log_sink){.kind = q->kind, .path = q->path, .name = q->name, .detaching = q->detaching};
    l->main.sink.file.max_size = q->file_max_size;
    l->main.sink.file.max_files = q->file_max_files;
    for (size_t i = 0; i < ARRAY_SIZE(l->streams); i++) {
        outlet_init(&l->streams[i], got_news, l);
        l->streams[i].sink = (struct log_sink){.kind = LOG_TO_JOURNAL, .name = q->name, .fd = -1, .file.fd = -1};
    }
    log_init_output(l);
    r = log_sink_open(&l->main.sink, ret_what);
    if (r < 0) {
        log_free(l);
        return r;
    }
    if (q->trace) {
        char row[128];
        struct textbuf b = TEXTBUF(row);

        record_row_head(&b);
        dprintf(STDERR_FILENO, "%s\n", row);
    }
    *ret = l;
    return 0;
}

/* All outlets, one after the other; NULL: that was the last. */
static struct outlet *next_outlet(struct log *l, struct outlet *o)
{
    if (!o)
        return &l->main;
    if (o == &l->main)
        return &l->streams[0];
    return o + 1 < l->streams + ARRAY_SIZE(l->streams) ? o + 1 : NULL;
}

struct log *log_free(struct log *l)
{
    uint64_t deadline, lost;
    char text[256];

    if (!l)
        return NULL;
    log_late(l);
    deadline = now_usec() + PATIENCE;
    lost = l->lost;
    for (struct outlet *o = next_outlet(l, NULL); o; o = next_outlet(l, o)) {
        outlet_drain(o, deadline);
        lost += o->sink.lost + log_sink_records(&o->sink);
    }
    if (lost > 0 && !l->main.sink.detaching && !l->main.sink.gone) {
        snprintf(text, sizeof(text), "%llu lines could not be delivered to the log (%s)", (unsigned long long)lost,
                 l->main.sink.target);
        say_on_stderr(l, text);
    }
    for (struct outlet *o = next_outlet(l, NULL); o; o = next_outlet(l, o))
        log_sink_close(&o->sink);
    log_done_output(l);
    free(l);
    return NULL;
}

void log_attach(struct log *l, struct loop *loop)
{
    for (struct outlet *o = next_outlet(l, NULL); o; o = next_outlet(l, o))
        outlet_attach(o, loop);
    log_attach_output(l, loop);
}

void log_flush(struct log *l)
{
    log_late(l);
    for (struct outlet *o = next_outlet(l, NULL); o; o = next_outlet(l, o)) {
        outlet_push(o);
        if (o->sink.queue.mapped)
            log_give_back_later(l);
    }
}

const char *log_target(const struct log *l)
{
    return l->main.sink.target;
}

const char *log_path(const struct log *l)
{
    return l->main.sink.file.path;
}

enum log_kind log_kind(const struct log *l)
{
    return l->main.sink.kind;
}

/* What is gathered still belongs to the file as it is. */
static int renew(struct log *l, int (*fn)(struct logfile *f))
{
    struct log_sink *s = &l->main.sink;
    int r;

    if (s->file.fd < 0)
        return -ENOTSUP;
    outlet_push(&l->main);
    r = fn(&s->file);
    s->fd = s->file.fd;
    return r;
}

int log_reopen(struct log *l)
{
    return renew(l, logfile_reopen);
}

int log_rotate(struct log *l)
{
    return renew(l, logfile_rotate);
}

void log_set_identity(struct log *l, const struct proc_identity *id)
{
    l->identity = *id;
}

const struct proc_identity *log_identity(const struct log *l)
{
    return &l->identity;
}

void log_trace_to(struct log *l, const struct upward *u)
{
    l->trace = u;
}
