/* The last lines of an instance, for status. */
#pragma once
#include "instances.h"

#define STATUS_LINES 10

/* Prints the last @n lines behind an empty one; nothing if there are none to be had. */
void show_last_lines(const struct instance *i, unsigned n);
