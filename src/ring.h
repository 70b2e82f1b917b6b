/* The last lines of a job's output, kept in a bounded number of bytes: what `amphid logs` shows where lines pass
 * through us. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RING_SIZE (16 * 1024)
#define RING_LINE_MAX 4096 /* of a longer line the beginning is kept: one alone must not drive out all the others */

struct ring {
    char *data; /* NULL until the first line comes */
    unsigned size, start, len;
};

/* Keeps @line; the oldest go as room is needed. Without memory nothing is kept. */
void ring_add(struct ring *r, uint64_t realtime, pid_t pid, const char *line, size_t len);

/* Keeps the last of the lines that the @n bytes at @data are, each with its newline. */
void ring_add_lines(struct ring *r, uint64_t realtime, pid_t pid, const char *data, size_t n);

/* The last @n lines as a text, "2026-11-22T15:00:00.123456+00:00 @identifier[PID]: LINE\n" each (the caller frees).
 * NULL: none, or no memory. */
char *ring_last(const struct ring *r, unsigned n, const char *identifier);

void ring_done(struct ring *r);
