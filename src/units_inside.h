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
    unsigned complaints;
    char *fault; /* the first one for which the unit cannot be used; NULL: none */
};

/* Whose name it is in the end. */
struct unit *units_itself(struct unit *u);

/* A place for @name in the graph and in the set; and the same for one that may be there already, which is the machine's
 * if its name says so. -ENOMEM. */
int units_place(struct units *all, const char *name, struct unit **ret);
int units_name(struct units *all, const char *name, struct unit **ret);

/* The machine has it. */
void units_make_host(struct unit *u);

/* Frees what it holds, and it. NULL is fine. */
void units_free_file(struct unit_file *file);

/* Is it the machine's to have it, whatever files there are? */
bool units_is_host(const char *name);

/* Is what such a dependency names loaded with the unit that is? */
bool units_pull(enum unit_dep dep);

bool units_is_target(const char *name);

/* Tells the graph what @file says of @u and of others; behind it only the graph knows. -ENOMEM. */
int unit_link(struct unit *u, struct unit_file *file);

/* All of @names are @u's. -ENOMEM. */
int unit_take_names(struct unit *u, char *const *names);
