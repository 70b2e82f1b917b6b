/* The log: each record is formatted by stage.c in the form of the sink that it goes to. What the child says is
 * log_output.c's. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "log_inside.h"
#include "upward.h"

#define RECORD_MAX 8192 /* holds MESSAGE_MAX bytes even if each becomes six in JSON */
#define RECORD_MIN 512
#define MESSAGE_MAX 1024

/* Records of our own find room behind all lines that may stand in a queue, and are few: what is beyond that is no
 * queue any more. */
#define RECORDS_MAX (1024 * 1024)

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

static void who_writes(struct textbuf *b, const struct record *r)
{
    textbuf_puts(b, " amphid[");
    textbuf_int(b, r->identity.pid);
    textbuf_puts(b, "]: ");
}

/* In the form of the sink. */
static void write_record(struct textbuf *b, const struct log_sink *s, const struct record *r)
{
    switch (s->kind) {
    case LOG_TO_JOURNAL:
        record_journal(b, r);
        break;
    case LOG_TO_SYSLOG:
        textbuf_printf(b, "<%d>", LOG_DAEMON | r->priority);
        time_rfc3164(b, r->realtime);
        who_writes(b, r);
        record_text(b, r);
        break;
    case LOG_TO_JSON:
        record_json(b, r);
        break;
    case LOG_TO_FILE:
        time_rfc3339(b, r->realtime);
        who_writes(b, r);
        record_text(b, r);
        break;
    case LOG_TO_STDERR:
    case LOG_TO_AUTO:
        record_terminal(b, r, s->colour);
    }
}

/* Written where it is sent from. Nearly all are short; those that are not are written once more. */
static void put_record(struct log *l, const struct record *r)
{
    struct log_sink *s = &l->main.sink;
    struct textbuf b = {.cut = true};

    if (l->table && (s->kind == LOG_TO_STDERR || s->kind == LOG_TO_AUTO)) /* the table shows it already */
        return;
    if (log_sink_waiting(s) >= RECORDS_MAX) {
        l->lost++;
        return;
    }
    for (size_t size = RECORD_MIN; b.cut && size <= RECORD_MAX; size *= 2) {
        b = (struct textbuf){.data = log_sink_room(s, size), .size = size};
        if (!b.data)
            return;
        write_record(&b, s, r);
    }
    if (s->kind != LOG_TO_JOURNAL && s->kind != LOG_TO_SYSLOG)
        b.data[b.len++] = '\n'; /* over the NUL */
    log_sink_put(s, b.len);
    if (s->file.fd < 0)
        outlet_push(&l->main);
}

/* Apart, so that without --trace its buffer is no part of the stack. */
static void __attribute__((noinline)) put_row(struct log *l, const struct record *r)
{
    char data[RECORD_MAX];
    struct textbuf b = TEXTBUF(data);

    record_row(&b, r);
    if (l->trace)
        upward_trace(l->trace, data);
    else
        dprintf(STDERR_FILENO, "%s\n", data);
}

static void tell(struct log *l, const struct record *r)
{
    put_record(l, r);
    if (l->table)
        put_row(l, r);
}

static struct record make_record(const struct log *l, const char *unit, enum stage stage, int priority, const char *message)
{
    return (struct record){.stage = stage,
                           .priority = priority,
                           .realtime = realtime_usec(),
                           .name = l->main.sink.name,
                           .unit = unit,
                           .identity = l->identity,
                           .message = message};
}

void log_late(struct log *l)
{
    cleanup_free char *message = take_ptr(l->late_message);

    if (message)
        tell(l, &l->late);
}

void log_later(struct log *l, const char *unit, enum stage stage, int priority, const char *message)
{
    log_late(l);
    l->late_message = strdup(message);
    l->late = make_record(l, unit, stage, priority, l->late_message ? l->late_message : message);
    if (!l->late_message)
        tell(l, &l->late);
}

__attribute__((format(printf, 6, 0))) // clang wants to know where the format comes from
static void put(struct log *l, const char *unit, enum stage stage, int priority, const struct record_field *fields,
                const char *fmt, va_list ap)
{
    char message[MESSAGE_MAX];
    struct textbuf b = TEXTBUF(message);
    struct record r = make_record(l, unit, stage, priority, message);

    log_late(l);
    r.fields = fields;
    textbuf_vprintf(&b, fmt, ap);
    tell(l, &r);
}

void log_stage(struct log *l, enum stage stage, int priority, const struct record_field *fields, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    put(l, NULL, stage, priority, fields, fmt, ap);
    va_end(ap);
}

void log_unit(struct log *l, const char *unit, enum stage stage, int priority, const struct record_field *fields,
              const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    put(l, unit, stage, priority, fields, fmt, ap);
    va_end(ap);
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
