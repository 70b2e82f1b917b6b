/* The last lines of a job. Entries lie one behind the other in a ring of bytes that grows by doubling up to RING_SIZE:
 * a quiet job costs a few hundred bytes, and none until it says something. An entry is a head and what came in one go:
 * a line, or several with newlines between them, which costs one copy however many they are. The oldest entry gives
 * room a line at a time. */
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

#define ENTRY_MAX (RING_SIZE - sizeof(struct head))

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A place in the ring; its size is a power of two. */
static size_t place(const struct ring *r, size_t at)
{
    return (r->start + at) & (r->size - 1);
}

/* Copies @n bytes out of the ring, from @at bytes behind its start. */
static void copy_out(const struct ring *r, size_t at, void *to, size_t n)
{
    size_t from = place(r, at), part = smaller(n, r->size - from);

    memcpy(to, r->data + from, part);
    memcpy((char *)to + part, r->data, n - part);
}

/* Copies @n bytes into it, to @at bytes behind its start. */
static void copy_in(struct ring *r, size_t at, const void *data, size_t n)
{
    size_t to = place(r, at), part = smaller(n, r->size - to);

    memcpy(r->data + to, data, part);
    memcpy(r->data, (const char *)data + part, n - part);
}

/* The first newline of @n bytes from @at bytes behind its start; @at + @n: there is none. */
static size_t find_newline(const struct ring *r, size_t at, size_t n)
{
    size_t from = place(r, at), part = smaller(n, r->size - from);
    const char *end = memchr(r->data + from, '\n', part);

    if (end)
        return at + (size_t)(end - (r->data + from));
    end = memchr(r->data, '\n', n - part);
    return end ? at + part + (size_t)(end - r->data) : at + n;
}

/* Drops lines of the first entry until there is room for @n bytes, or nothing is left of it. */
static void drop_first(struct ring *r, size_t n)
{
    size_t wanted = n - (r->size - r->len), end;
    struct head h;

    copy_out(r, 0, &h, sizeof(h));
    end = wanted > h.len ? sizeof(h) + h.len : find_newline(r, sizeof(h) + wanted - 1, h.len - (wanted - 1));
    if (end < sizeof(h) + h.len) { /* its head goes before what is left */
        end = end + 1 - sizeof(h);
        h.len -= (uint32_t)end;
        copy_in(r, end, &h, sizeof(h));
    }
    r->start = place(r, end);
    r->len -= end;
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

static void add_entry(struct ring *r, uint64_t realtime, pid_t pid, const char *data, size_t len)
{
    struct head h = {.realtime = realtime, .pid = pid, .len = (uint32_t)len};
    size_t n = sizeof(h) + len;

    if (r->size - r->len < n && !grow(r, n) && r->size < n)
        return;
    while (r->size - r->len < n)
        drop_first(r, n);
    copy_in(r, r->len, &h, sizeof(h));
    copy_in(r, r->len + sizeof(h), data, len);
    r->len += n;
}

void ring_add(struct ring *r, uint64_t realtime, pid_t pid, const char *line, size_t len)
{
    add_entry(r, realtime, pid, line, smaller(len, RING_LINE_MAX));
}

/* Is one of the lines too long to be kept whole? */
static bool has_long_line(const char *data, size_t n)
{
    while (n > RING_LINE_MAX) {
        const char *end = memrchr(data, '\n', RING_LINE_MAX + 1);

        if (!end)
            return true;
        n -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    return false;
}

void ring_add_lines(struct ring *r, uint64_t realtime, pid_t pid, const char *data, size_t n)
{
    const char *past = data + n, *line = n > ENTRY_MAX + 1 ? past - ENTRY_MAX - 1 : data, *end;

    if (!has_long_line(line, (size_t)(past - line))) {
        if (line > data && line[-1] != '\n') /* of so many only the last ones have room */
            line = (const char *)memchr(line, '\n', (size_t)(past - line)) + 1;
        add_entry(r, realtime, pid, line, (size_t)(past - line) - 1);
        return;
    }
    for (line = data; line < past; line = end + 1) { /* what of long ones is kept leaves room for others */
        end = memchr(line, '\n', (size_t)(past - line));
        ring_add(r, realtime, pid, line, (size_t)(end - line));
    }
}

/* A line of an entry as text. A NUL in it becomes '?', since it is to be a part of a string. */
static void print_line(const struct head *h, const char *identifier, char *line, size_t len, FILE *out)
{
    char time[48] = "";
    struct textbuf b = TEXTBUF(time);

    for (char *nul = line; (nul = memchr(nul, '\0', len - (size_t)(nul - line)));)
        *nul = '?';
    time_rfc3339(&b, h->realtime);
    fprintf(out, "%s %s[%d]: %.*s\n", time, identifier, (int)h->pid, (int)len, line);
}

/* Goes through all lines of the @len bytes of entries at @data; prints those from the @skip-th on, if @out is there.
 * Returns how many there are. */
static size_t each_line(char *data, size_t len, size_t skip, const char *identifier, FILE *out)
{
    size_t count = 0;
    struct head h;

    for (char *past = data + len; data < past;) {
        char *line = data + sizeof(h), *end;

        memcpy(&h, data, sizeof(h));
        data = line + h.len;
        for (bool last = false; !last; line = end + 1, count++) {
            end = memchr(line, '\n', (size_t)(data - line));
            last = !end;
            if (last)
                end = data;
            if (out && count >= skip)
                print_line(&h, identifier, line, (size_t)(end - line), out);
        }
    }
    return count;
}

char *ring_last(const struct ring *r, unsigned n, const char *identifier)
{
    char *flat = r->len > 0 && n > 0 ? malloc(r->len) : NULL, *text = NULL;
    size_t size, count;
    FILE *out;

    if (!flat)
        return NULL;
    copy_out(r, 0, flat, r->len);
    count = each_line(flat, r->len, 0, NULL, NULL);
    out = open_memstream(&text, &size);
    if (out)
        (void)each_line(flat, r->len, count > n ? count - n : 0, identifier, out);
    free(flat);
    if (out && fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

void ring_done(struct ring *r)
{
    free(r->data);
    *r = (struct ring){0};
}
