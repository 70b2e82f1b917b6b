/* The value of a directive as `systemctl show` prints it: one writer a form, for the tables. The form that goes with a
 * setter of directive_set.h needs no naming in a row; a row names another one with .get. */
#pragma once
#include <stdio.h>
#include "directive.h"

void get_enum(const struct jobspec *d, const struct directive *row, FILE *out);
void get_number(const struct jobspec *d, const struct directive *row, FILE *out); /* int, or an enumeration by number */
void get_bool(const struct jobspec *d, const struct directive *row, FILE *out);
void get_string(const struct jobspec *d, const struct directive *row, FILE *out);
void get_words(const struct jobspec *d, const struct directive *row, FILE *out);
void get_plain_words(const struct jobspec *d, const struct directive *row, FILE *out); /* nothing in quotes */
void get_mode(const struct jobspec *d, const struct directive *row, FILE *out);
void get_span(const struct jobspec *d, const struct directive *row, FILE *out);
void get_size(const struct jobspec *d, const struct directive *row, FILE *out);
void get_commands(const struct jobspec *d, const struct directive *row, FILE *out);

/* Writes @usec as systemd.time(7) has it: "1min 30s", "100ms", "infinity". */
void put_span(FILE *out, uint64_t usec);

/* Writes @s, in double quotes if a shell would need them. */
void put_quoted(FILE *out, const char *s);

/* Tells @emit what @row's directive has become in @d, under the name of `systemctl show`; a limit is two of these. A value
 * of several entries has a line for each. 1; 0: it is not shown; -ENOMEM. */
int directive_show(const struct jobspec *d, const struct directive *row,
                   void (*emit)(void *ctx, const char *property, const char *value), void *ctx);
