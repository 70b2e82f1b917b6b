/* Bytes of a stream -> whole lines. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* A longer line is given out in pieces of this size (systemd's LineMax=). */
#define LINE_MAX_BYTES (48 * 1024)

struct linebuf {
    char *data; /* the beginning of a line whose end has not come yet; NULL if there is none */
    size_t len;
};

/* What a line is given to; without its newline. */
typedef void (*line_fn)(void *ctx, const char *line, size_t len);

/* Gives out every line that @n bytes at @data complete. Only an unfinished rest is copied. -ENOMEM. */
int linebuf_feed(struct linebuf *b, const char *data, size_t n, line_fn fn, void *ctx);

/* The stream has ended: gives out a last line that has no newline, and frees. */
void linebuf_finish(struct linebuf *b, line_fn fn, void *ctx);
