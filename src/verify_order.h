/* Would a unit start with all that it pulls in? */
#pragma once
#include "unitload.h"

/* Reads all units that @unit pulls in or that are ordered around it, and asks the graph for its start, without starting
 * anything. What it says (a circle in the order, jobs that contradict each other) goes to @say. Units that cannot be
 * loaded are no matter here. -ENOMEM. */
int verify_order(const struct unit_paths *paths, const struct unit_file *unit, void (*say)(void *ctx, const char *text),
                 void *ctx);
