/* The inside of the set of units. */
#pragma once
#include "units.h"

struct units {
    struct units_config c;
    void *owner;
    struct unit_paths *paths;
    struct graph *graph;
    struct unit **v; /* by their numbers in the graph */
    size_t n, size;
};

/* What is being read, for whom a complaint names. */
struct loading {
    const struct units *all;
    const char *name;
};

/* Is it the machine's to have it, whatever files there are? */
bool units_is_host(const char *name);
