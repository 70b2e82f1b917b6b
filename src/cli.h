/* The command line: argv -> what is wanted. */
#pragma once
#include <stdbool.h>
#include "jobspec.h"
#include "log.h"
#include "mode.h"
#include "verbs.h"

struct cli {
    int (*verb)(const struct verb_args *a); /* NULL: run something */
    struct verb_args verb_args;
    struct jobspec spec; /* of a command; all that -p says was tried on it */
    char **units;        /* names and paths of units; NULL and no command: the resident daemon */
    char **properties;   /* what -p and its short forms say, KEY=VALUE */
    char **environment;  /* --setenv= */
    char *unit_name;     /* the instance's, if it is made from that of a unit */
    const char *unit_path;
    bool strict;
    const char *name;
    bool fork, no_wait;
    bool wait; /* run --wait: stay and end as the unit does */
    enum mode_request mode;
    struct log_request log;
    const char *run_option; /* an option was given that only a run understands */
    const char *short_n;    /* -n: the name, or with logs the number of lines */
    unsigned verb_options;  /* options were given that only some verbs understand */
    const char *pidfile; /* NULL: only the one in the instance's directory */
};

/* Understands @argv into @ret, which the caller releases with cli_done(). Returns -1 to go on; else all is said and
 * it is the exit status: 0 after --help and --version, 2 (LSB: invalid arguments) after one line about the error. */
int cli_parse(struct cli *ret, int argc, char **argv);
void cli_done(struct cli *c);
