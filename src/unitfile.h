/* The form of unit files, systemd.syntax(7): text → (section, key, value, line). Pure: it knows neither the sections
 * that there are nor what a key means. */
#pragma once
#include <stddef.h>

/* systemd.syntax(7): a line may have so many bytes, continuations included. */
#define UNITFILE_LINE_MAX (1024UL * 1024)

/* Who hears what is read. Texts are lent for the call. */
struct unitfile_reader {
    /* A section begins. 1: its assignments are wanted; 0: they are passed over; negative: ends the reading. */
    int (*section)(void *ctx, unsigned line, const char *name);
    /* An assignment in a wanted section, blanks around key and value removed; keys that begin with "X-" are passed
     * over.
     * @line is where it begins. Negative: ends the reading. */
    int (*assign)(void *ctx, unsigned line, const char *section, const char *key, const char *value);
    /* What is said cannot be understood and is passed over, or (what the reading ends with) cannot be passed over. */
    void (*complain)(void *ctx, unsigned line, const char *text);
};

/* Reads the @size bytes at @text, which is written over; behind them is room for one more. 0; -EBADMSG (the head of a
 * section cannot be understood: what follows would be taken for another's) or -ENOBUFS (a line above
 * UNITFILE_LINE_MAX), both told to complain(); or what section() or assign() has answered. */
int unitfile_parse(char *text, size_t size, const struct unitfile_reader *reader, void *ctx);
