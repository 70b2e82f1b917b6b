/* The last lines of an instance, for status. */
#pragma once
#include "verbs_call.h"

#define STATUS_LINES 10

/* Prints the last @n lines behind an empty one; nothing if there are none to be had. */
void show_last_lines(const struct target *t, unsigned n);
