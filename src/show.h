/* Instances for the eyes of a person: what `amphid status` and `amphid list` print. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "instances.h"

/* May @f be coloured: is it a terminal, and NO_COLOR unset (https://no-color.org)? */
bool show_may_colour(FILE *f);

/* One instance as `systemctl status` would show a unit. @now: CLOCK_REALTIME microseconds, for "2min ago". */
void show_instance(FILE *f, const struct instance *i, bool colour, uint64_t now);

/* @len bytes that somebody else has written, with their control characters (but tabs) made visible. */
void show_text(FILE *f, const char *s, size_t len);

/* One line per instance under a header, in columns. -ENOMEM, and then nothing is printed. */
int show_table(FILE *f, const struct instance *v, size_t n);

/* Why an instance that is no running one cannot be talked to, in words; @buf is lent for them. */
const char *show_problem(const struct instance *i, char *buf, size_t size);
