/* Bytes of a stream -> whole lines. Lines that lie whole in the bytes just read are given out where they are; a copy
 * is made only of the rest behind the last newline, and its memory is kept only until that line is complete. */
#include <stdlib.h>
#include <string.h>
#include "linebuf.h"

static void drop(struct linebuf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Gives out what is kept. */
static bool give(struct linebuf *b, bool more, line_fn fn, void *ctx)
{
    bool go_on = fn(ctx, b->data, b->len, more);

    drop(b);
    return go_on;
}

/* Keeps @n bytes that end no line and fit behind what is kept. */
static bool keep(struct linebuf *b, const char *data, size_t n, line_fn fn, void *ctx)
{
    char *grown;

    if (n == 0)
        return true;
    grown = realloc(b->data, b->len + n);
    if (grown) {
        memcpy(grown + b->len, data, n);
        b->data = grown;
        b->len += n;
        return true;
    }
    if (b->data && !give(b, true, fn, ctx)) { /* out of memory, but nothing is lost: it becomes two pieces */
        (void)fn(ctx, data, n, true);
        return false;
    }
    return fn(ctx, data, n, true);
}

/* One step with what begins at @data: a line, a piece or an unfinished rest. *@ret_used: how many of the bytes it
 * took. A full piece is given out when more comes: until then it may be a whole line, whose newline is still on its
 * way. */
static bool step(struct linebuf *b, const char *data, size_t n, size_t *ret_used, line_fn fn, void *ctx)
{
    size_t room = b->max - b->len;
    const char *end = memchr(data, '\n', smaller(n, room + 1));
    size_t len = end ? (size_t)(end - data) : smaller(n, room);
    bool more = !end && n > room, go_on;

    *ret_used = len + (end != NULL);
    if (!b->data && (end || more))
        return fn(ctx, data, len, more);
    go_on = keep(b, data, len, fn, ctx);
    if (b->data && (end || more))
        return give(b, more, fn, ctx) && go_on;
    if (end) /* there was no memory, so the pieces are out, and the line still wants its end */
        return fn(ctx, "", 0, false) && go_on;
    return go_on;
}

size_t linebuf_feed(struct linebuf *b, const char *data, size_t n, line_fn fn, void *ctx)
{
    size_t done = 0;
    bool go_on = true;

    while (done < n && go_on) {
        size_t used;

        go_on = step(b, data + done, n - done, &used, fn, ctx);
        done += used;
    }
    return done;
}

/* How many of @n bytes of whole lines are before the first line that begins with @c. Where @c is rare this is one pass
 * without a stop at each line, and never more than two calls for a line. */
static size_t before_special(const char *data, size_t n, int c)
{
    const char *hit, *line = data;

    while ((hit = memchr(line, c, n - (size_t)(line - data)))) {
        if (hit == data || hit[-1] == '\n')
            return (size_t)(hit - data);
        line = (const char *)memchr(hit, '\n', n - (size_t)(hit - data)) + 1;
    }
    return n;
}

/* How many of @n bytes of whole lines are surely before the first line that is longer than @max. */
static size_t before_long(const char *data, size_t n, size_t max)
{
    size_t done = 0;

    while (n - done > max) {
        const char *end = memrchr(data + done, '\n', smaller(n - done, max + 1));

        if (!end)
            break;
        done = (size_t)(end + 1 - data);
    }
    return n - done > max ? done : n;
}

size_t linebuf_plain(const struct linebuf *b, const char *data, size_t n, int special)
{
    const char *end = b->data ? NULL : memrchr(data, '\n', n);

    if (!end)
        return 0;
    n = (size_t)(end + 1 - data);
    if (special >= 0)
        n = before_special(data, n, special);
    return before_long(data, n, b->max);
}

void linebuf_finish(struct linebuf *b, line_fn fn, void *ctx)
{
    if (b->data)
        (void)give(b, false, fn, ctx);
}
