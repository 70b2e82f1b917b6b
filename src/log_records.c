/* Records of our own: each is formatted by stage.c in the form of the sink that it goes to. */
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

static struct record make_record(const struct log *l, const char *unit, enum stage stage, int priority,
                                 const char *message)
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
