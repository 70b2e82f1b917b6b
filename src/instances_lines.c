/* The lines of a log, read into their parts and shown. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "instances_logs_inside.h"

int logs_fail(const struct search *s, int error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s->why, s->size, fmt, ap);
    va_end(ap);
    return error;
}

void logs_parse(const char *s, size_t len, struct log_line *ret)
{
    const char *end = s + len, *space = memchr(s, ' ', len);
    const char *bracket = space ? memchr(space, '[', (size_t)(end - space)) : NULL;
    const char *close = bracket ? memchr(bracket, ']', (size_t)(end - bracket)) : NULL;
    size_t n_time = space ? (size_t)(space - s) : 0, n_identifier = bracket ? (size_t)(bracket - space - 1) : 0;

    *ret = (struct log_line){.text = s, .len = len};
    if (!close || end - close < 3 || close[1] != ':' || close[2] != ' ' || n_time >= sizeof(ret->time) ||
        !memchr(s, 'T', n_time) || n_identifier >= sizeof(ret->identifier) || memchr(space + 1, ' ', n_identifier))
        return;
    memcpy(ret->time, s, n_time);
    memcpy(ret->identifier, space + 1, n_identifier);
    ret->pid = (pid_t)atoi(bracket + 1);
    ret->text = close + 3;
    ret->len = (size_t)(end - ret->text);
}

void logs_show(const struct search *s, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        struct log_line line;

        logs_parse(text, (size_t)((newline ? newline : end) - text), &line);
        if (!s->identifier || !line.identifier[0] || STREQ(line.identifier, s->identifier))
            s->q->line(s->q->ctx, &line);
        text = newline ? newline + 1 : end;
    }
}
