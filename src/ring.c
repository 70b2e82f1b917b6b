/* The last lines of a job. Entries, a head and the line each, lie one behind the other in a ring of bytes that grows
 * by doubling up to RING_SIZE: a quiet job costs a few hundred bytes, and none until it says something. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ring.h"
#include "stage.h"

#define FIRST_SIZE 512

struct head {
    uint64_t realtime;
    pid_t pid;
    uint32_t len;
};

/* A place in the ring; its size is a power of two. */
static size_t place(const struct ring *r, size_t at)
{
    return (r->start + at) & (r->size - 1);
}

/* Copies @n bytes out of the ring, from @at bytes behind its start. */
static void copy_out(const struct ring *r, size_t at, void *to, size_t n)
{
    size_t from = place(r, at), part = n < r->size - from ? n : r->size - from;

    memcpy(to, r->data + from, part);
    memcpy((char *)to + part, r->data, n - part);
}

/* Copies @n bytes to its end; there is room. */
static void copy_in(struct ring *r, const void *data, size_t n)
{
    size_t to = place(r, r->len), part = n < r->size - to ? n : r->size - to;

    memcpy(r->data + to, data, part);
    memcpy(r->data, (const char *)data + part, n - part);
    r->len += n;
}

static void drop_first(struct ring *r)
{
    struct head h;

    copy_out(r, 0, &h, sizeof(h));
    r->start = place(r, sizeof(h) + h.len);
    r->len -= sizeof(h) + h.len;
}

/* Enlarges the ring until @n more bytes fit, or up to RING_SIZE. */
static bool grow(struct ring *r, size_t n)
{
    size_t size = r->size ? r->size : FIRST_SIZE;
    char *data;

    while (size - r->len < n && size < RING_SIZE)
        size *= 2;
    if (size == r->size)
        return true;
    data = malloc(size);
    if (!data)
        return false;
    if (r->len > 0)
        copy_out(r, 0, data, r->len);
    free(r->data);
    *r = (struct ring){.data = data, .size = size, .len = r->len};
    return true;
}

void ring_add(struct ring *r, uint64_t realtime, pid_t pid, const char *line, size_t len)
{
    struct head h = {.realtime = realtime, .pid = pid, .len = (uint32_t)(len < RING_LINE_MAX ? len : RING_LINE_MAX)};
    size_t n = sizeof(h) + h.len;

    if (r->size - r->len < n && !grow(r, n) && r->size < n)
        return;
    while (r->size - r->len < n)
        drop_first(r);
    copy_in(r, &h, sizeof(h));
    copy_in(r, line, h.len);
}

/* One entry as a line. It is to be a part of a string, so a NUL in it becomes '?'. */
static void print_entry(const struct ring *r, size_t at, const struct head *h, const char *identifier, FILE *out)
{
    char line[RING_LINE_MAX], time[48] = "";
    struct textbuf b = TEXTBUF(time);

    copy_out(r, at + sizeof(*h), line, h->len);
    for (size_t i = 0; i < h->len; i++)
        if (!line[i])
            line[i] = '?';
    time_rfc3339(&b, h->realtime);
    fprintf(out, "%s %s[%d]: %.*s\n", time, identifier, (int)h->pid, (int)h->len, line);
}

char *ring_last(const struct ring *r, unsigned n, const char *identifier)
{
    unsigned count = 0;
    char *text = NULL;
    struct head h;
    size_t size;
    FILE *out;

    for (size_t at = 0; at < r->len; at += sizeof(h) + h.len, count++)
        copy_out(r, at, &h, sizeof(h));
    if (count == 0 || n == 0)
        return NULL;
    out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t at = 0; at < r->len; at += sizeof(h) + h.len, count--) {
        copy_out(r, at, &h, sizeof(h));
        if (count <= n)
            print_entry(r, at, &h, identifier, out);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

void ring_done(struct ring *r)
{
    free(r->data);
    *r = (struct ring){0};
}
