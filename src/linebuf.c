/* Bytes of a stream -> whole lines. Lines that lie whole in the bytes just read are given out where they are; a copy
 * is made only of the rest behind the last newline, and its memory is kept only until that line is complete. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "linebuf.h"

static void drop(struct linebuf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = 0;
}

/* Keeps @n more bytes of an unfinished line. A full piece is given out when more comes: until then it may be a whole
 * line, whose newline is still on its way. */
static int keep(struct linebuf *b, const char *data, size_t n, line_fn fn, void *ctx)
{
    while (n > 0) {
        size_t part;
        char *grown;

        if (b->len == LINE_MAX_BYTES) {
            fn(ctx, b->data, b->len);
            drop(b);
        }
        part = n < LINE_MAX_BYTES - b->len ? n : LINE_MAX_BYTES - b->len;
        grown = realloc(b->data, b->len + part);
        if (!grown)
            return -ENOMEM;
        b->data = grown;
        memcpy(b->data + b->len, data, part);
        b->len += part;
        data += part;
        n -= part;
    }
    return 0;
}

int linebuf_feed(struct linebuf *b, const char *data, size_t n, line_fn fn, void *ctx)
{
    while (n > 0) {
        const char *end = memchr(data, '\n', n);
        size_t len = end ? (size_t)(end - data) : n;
        int r;

        if (!end)
            return keep(b, data, n, fn, ctx);
        if (b->data) {
            r = keep(b, data, len, fn, ctx);
            if (r < 0)
                return r;
            fn(ctx, b->data, b->len);
            drop(b);
        } else {
            for (; len > LINE_MAX_BYTES; len -= LINE_MAX_BYTES, n -= LINE_MAX_BYTES, data += LINE_MAX_BYTES)
                fn(ctx, data, LINE_MAX_BYTES);
            fn(ctx, data, len);
        }
        n -= len + 1;
        data += len + 1;
    }
    return 0;
}

void linebuf_finish(struct linebuf *b, line_fn fn, void *ctx)
{
    if (b->data)
        fn(ctx, b->data, b->len);
    drop(b);
}
