/* The log: each record is formatted by stage.c in the form of the sink that it goes to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "log.h"
#include "log_sink.h"
#include "loop.h"
#include "upward.h"

#define RECORD_MAX 8192 /* holds MESSAGE_MAX bytes even if each becomes six in JSON */
#define MESSAGE_MAX 1024

struct log {
    struct log_sink sink;
    bool table; /* --trace */
    const struct upward *trace; /* where rows of the table go; NULL: to stderr */
    struct proc_identity identity;
};

int log_parse(const char *s, struct log_request *ret)
{
    static const char *const names[] = {[LOG_TO_AUTO] = "auto",
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

int log_open(struct log **ret, const struct log_request *q, char **ret_what)
{
    struct log *l = calloc(1, sizeof(*l));
    int r;

    *ret_what = NULL;
    if (!l)
        return -ENOMEM;
    l->table = q->trace;
    l->sink = (struct log_sink){.kind = q->kind, .path = q->path, .name = q->name, .detaching = q->detaching, .fd = -1};
    r = log_sink_open(&l->sink, ret_what);
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

struct log *log_free(struct log *l)
{
    if (l) {
        log_sink_close(&l->sink);
        free(l);
    }
    return NULL;
}

void log_freep(struct log **l)
{
    log_free(*l);
}

const char *log_target(const struct log *l)
{
    return l->sink.target;
}

const char *log_path(const struct log *l)
{
    const char *colon = l->sink.gathered ? strchr(l->sink.target, ':') : NULL;

    return colon ? colon + 1 : NULL;
}

enum log_kind log_kind(const struct log *l)
{
    return l->sink.kind;
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

void log_flush(struct log *l)
{
    log_sink_flush(&l->sink);
}

static void put_record(struct log *l, const struct record *r)
{
    char data[RECORD_MAX];
    struct textbuf b = TEXTBUF(data);
    struct iovec iov;

    switch (l->sink.kind) {
    case LOG_TO_JOURNAL:
        record_journal(&b, r);
        iov = (struct iovec){b.data, b.len};
        log_sink_datagram(&l->sink, &iov, 1);
        return;
    case LOG_TO_SYSLOG:
        textbuf_printf(&b, "<%d>", LOG_DAEMON | r->priority);
        time_rfc3164(&b, r->realtime);
        textbuf_printf(&b, " amphid[%d]: ", r->identity.pid);
        record_text(&b, r);
        iov = (struct iovec){b.data, b.len};
        log_sink_datagram(&l->sink, &iov, 1);
        return;
    case LOG_TO_JSON:
        record_json(&b, r);
        break;
    case LOG_TO_FILE:
        time_rfc3339(&b, r->realtime);
        textbuf_printf(&b, " amphid[%d]: ", r->identity.pid);
        record_text(&b, r);
        break;
    case LOG_TO_STDERR:
    case LOG_TO_AUTO:
        if (l->table) /* the table shows it already */
            return;
        record_terminal(&b, r, l->sink.colour);
    }
    log_sink_line(&l->sink, &b, "", 0);
}

static void put_row(struct log *l, const struct record *r)
{
    char data[RECORD_MAX];
    struct textbuf b = TEXTBUF(data);

    record_row(&b, r);
    if (l->trace)
        upward_trace(l->trace, data);
    else
        dprintf(STDERR_FILENO, "%s\n", data);
}

void log_stage(struct log *l, enum stage stage, int priority, const struct record_field *fields, const char *fmt,
               ...)
{
    char message[MESSAGE_MAX];
    struct textbuf b = TEXTBUF(message);
    struct record r = {.stage = stage,
                       .priority = priority,
                       .realtime = realtime_usec(),
                       .name = l->sink.name,
                       .identity = l->identity,
                       .message = message,
                       .fields = fields};
    va_list ap;

    va_start(ap, fmt);
    textbuf_vprintf(&b, fmt, ap);
    va_end(ap);
    put_record(l, &r);
    if (l->table)
        put_row(l, &r);
}

static void output_json(struct log *l, const char *identifier, int priority, enum log_stream stream, pid_t pid,
                        const char *line, size_t len)
{
    size_t size = 6 * len + 512; /* a control character becomes six */
    cleanup_free char *data = malloc(size);
    struct textbuf b = {.data = data, .size = size};

    if (!data)
        return;
    textbuf_puts(&b, "{\"time\":\"");
    time_rfc3339(&b, realtime_usec());
    textbuf_printf(&b, "\",\"priority\":%d,\"name\":\"%s\",\"identifier\":\"", priority, l->sink.name);
    textbuf_json(&b, identifier, strlen(identifier));
    textbuf_printf(&b, "\",\"stream\":\"%s\",\"pid\":%d,\"message\":\"",
                   stream == STREAM_STDERR ? "stderr" : "stdout", pid);
    textbuf_json(&b, line, len);
    textbuf_puts(&b, "\"}");
    log_sink_line(&l->sink, &b, "", 0);
}

void log_output(struct log *l, const char *identifier, int facility, enum log_stream stream, pid_t pid,
                const char *line, size_t len)
{
    int priority = stream == STREAM_STDERR ? LOG_ERR : LOG_INFO;
    char head[256];
    struct textbuf b = TEXTBUF(head);
    struct iovec iov[2];

    if (l->sink.kind == LOG_TO_JSON) {
        output_json(l, identifier, priority, stream, pid, line, len);
        return;
    }
    if (l->sink.kind == LOG_TO_SYSLOG) {
        textbuf_printf(&b, "<%d>", facility | priority);
        time_rfc3164(&b, realtime_usec());
        textbuf_puts(&b, " ");
    } else if (l->sink.kind == LOG_TO_FILE) {
        time_rfc3339(&b, realtime_usec());
        textbuf_puts(&b, " ");
    }
    textbuf_printf(&b, "%.100s[%d]: ", identifier, pid);
    if (l->sink.kind == LOG_TO_SYSLOG) {
        iov[0] = (struct iovec){b.data, b.len};
        iov[1] = (struct iovec){(char *)(uintptr_t)line, len};
        log_sink_datagram(&l->sink, iov, 2);
    } else
        log_sink_line(&l->sink, &b, line, len);
}
