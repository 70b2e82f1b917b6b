/* Bytes of a stream -> whole lines. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct linebuf {
    size_t max; /* LineMax=, the only member to be set: a longer line is given out in pieces of this size */
    char *data; /* the beginning of a line whose end has not come yet; NULL if there is none */
    size_t len;
};

/* What a line is given to; without its newline. @more: it is a piece of a line that was too long, and more of that
 * line follows. What it answers is whether it wants further lines now; this one it has taken. */
typedef bool (*line_fn)(void *ctx, const char *line, size_t len, bool more);

/* Gives out every line that @n bytes at @data complete; only an unfinished rest is copied. Without memory for that
 * rest it is given out as a piece. Returns how many of the bytes were taken: fewer than @n if @fn wanted no more,
 * and the caller comes with the others later. */
size_t linebuf_feed(struct linebuf *b, const char *data, size_t n, line_fn fn, void *ctx);

/* How many of the @n bytes at @data are whole lines that need no look at each: none is longer than LineMax=, none
 * begins with @special (-1: any may). 0 as long as a line is under way. Nothing is taken. */
size_t linebuf_plain(const struct linebuf *b, const char *data, size_t n, int special);

/* The stream has ended: gives out a last line that has no newline, and frees. */
void linebuf_finish(struct linebuf *b, line_fn fn, void *ctx);
