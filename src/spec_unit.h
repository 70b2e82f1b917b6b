/* The part of a description that says what a unit is among other units: the sections [Unit] and [Install] of
 * systemd.unit(5). */
#pragma once
#include <stdbool.h>
#include "graph.h"

/* One of Condition*= and Assert*=. */
struct condition {
    unsigned kind;  /* the setter's own; condition.h */
    char *value;    /* without "|" and "!" */
    bool assert;    /* Assert*=: its failure is one of the unit */
    bool trigger;   /* "|": one of these is enough */
    bool negate;    /* "!" */
};

struct condition_list {
    struct condition *v;
    size_t n;
};

struct spec_unit {
    char *description;
    char **documentation;
    char **deps[DEP_MAX]; /* names of units */
    bool no_default_dependencies;
    struct condition_list conditions;
    char **wanted_by, **required_by, **upheld_by, **also, **alias; /* [Install] */
    char *default_instance;
};

const struct spec_unit *spec_unit_defaults(void);

/* Frees what @part holds, not @part. */
void spec_unit_done(void *part);
