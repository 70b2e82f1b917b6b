/* The verbs on the command line: which there are, and what goes with each. */
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "cli_verbs.h"
#include "json.h"
#include "parse.h"
#include "rundir.h"
#include "unitname.h"
#include "usec.h"

/* LSB: program is not installed. */
#define EXIT_NOT_INSTALLED 5
#define LINES_MAX 1000000

enum operand { OPERAND_NONE, OPERAND_NAME, OPERAND_NAME_OPTIONAL, OPERAND_PID, OPERAND_UNITS, OPERAND_UNITS_OPTIONAL };

/* The verb, its name, what follows it, its options (VERB_JSON: it takes jansson in any case). */
#define VERBS(X)                                                                                          \
    X(status, "status", NAME_OPTIONAL, VERB_JSON)                                                         \
    X(list, "list", NONE, VERB_JSON)                                                                      \
    X(logs, "logs", NAME, VERB_JSON | VERB_LINES)                                                         \
    X(start, "start", NAME, 0)                                                                            \
    X(stop, "stop", NAME, 0)                                                                              \
    X(restart, "restart", NAME, 0)                                                                        \
    X(reload, "reload", NAME_OPTIONAL, 0)                                                                 \
    X(rotate, "rotate", NAME, 0)                                                                          \
    X(wait, "wait", NAME, VERB_FOR)                                                                       \
    X(is_ready, "is-ready", NAME, 0)                                                                      \
    X(is_healthy, "is-healthy", NAME, 0)                                                                  \
    X(detect, "detect", NONE, VERB_JSON)                                                                  \
    X(inspect, "inspect", PID, VERB_JSON)                                                                 \
    X(explain, "explain", UNITS, VERB_JSON | VERB_JSON_ONLY | VERB_ALL)                                   \
    X(verify, "verify", UNITS, 0)                                                                         \
    X(enable, "enable", UNITS, VERB_NOW)                                                                  \
    X(disable, "disable", UNITS, VERB_NOW)                                                                \
    X(reenable, "reenable", UNITS, 0)                                                                     \
    X(link, "link", UNITS, 0)                                                                             \
    X(mask, "mask", UNITS, VERB_NOW)                                                                      \
    X(unmask, "unmask", UNITS, 0)                                                                         \
    X(is_enabled, "is-enabled", UNITS, 0)                                                                 \
    X(list_unit_files, "list-unit-files", UNITS_OPTIONAL, 0)

static const struct verb {
    char name[16];
    enum operand operand;
    unsigned options;
} verbs[] = {
#define X(verb, name, operand, options) {name, OPERAND_##operand, options},
    VERBS(X)
#undef X
};

static int (*run_of(const struct verb *v))(const struct verb_args *a)
{
#define X(verb, name, operand, options) DO_##verb,
    enum { VERBS(X) };
#undef X

    switch (v - verbs) {
#define X(verb, name, operand, options)                                                                      \
    case DO_##verb:                                                                                          \
        return verb_##verb;
        VERBS(X)
#undef X
    default:
        return NULL;
    }
}

int cli_flag(struct cli *c, unsigned verb_option, bool *flag)
{
    c->verb_options |= verb_option;
    *flag = true;
    return -1;
}

int cli_lines(struct cli *c, const char *arg)
{
    int n;

    c->verb_options |= VERB_LINES;
    if (parse_int(arg, 0, LINES_MAX, &n) < 0)
        return cli_usage("--lines=%s: expected a number", arg);
    c->verb_args.lines = (unsigned)n;
    return -1;
}

int cli_timeout(struct cli *c, const char *arg)
{
    uint64_t *usec = &c->verb_args.timeout_usec;

    c->verb_options |= VERB_FOR;
    return parse_timespan(arg, USEC_PER_SEC, usec) < 0 || *usec == 0
               ? cli_usage("--timeout=%s: expected a time, as 5s or 1min 30s", arg)
               : -1;
}

int cli_goal(struct cli *c, const char *arg)
{
    static const char goals[][8] = {[WAIT_STOPPED] = "stopped", [WAIT_READY] = "ready", [WAIT_HEALTHY] = "healthy"};
    size_t g = 0;

    c->verb_options |= VERB_FOR;
    while (g < ARRAY_SIZE(goals) && !STREQ(goals[g], arg))
        g++;
    c->verb_args.goal = (enum wait_goal)g;
    return g == ARRAY_SIZE(goals) ? cli_usage("--for=%s: expected ready, healthy or stopped", arg) : -1;
}

static bool takes_units(const struct verb *v)
{
    return v->operand == OPERAND_UNITS || v->operand == OPERAND_UNITS_OPTIONAL;
}

/* What was given and does not go with @v. -1: nothing. */
static int check_options(struct cli *c, const struct verb *v)
{
    unsigned odd;

    if (c->short_n && v->options & VERB_LINES) {
        c->name = STREQ(c->name, c->short_n) ? NULL : c->name;
        odd = (unsigned)cli_lines(c, c->short_n);
        if ((int)odd >= 0)
            return (int)odd;
    }
    odd = c->verb_options & ~v->options;
    if (c->verb_args.json && !(v->options & VERB_JSON))
        return cli_usage("%s: has no --json", v->name);
    if (odd)
        return cli_usage("%s: has no %s", v->name, odd & VERB_ALL     ? "--all"
                                              : odd & VERB_NOW   ? "--now"
                                              : odd & VERB_LINES ? "--lines or --follow"
                                                                 : "--for or --timeout");
    if (c->unit_path && !takes_units(v))
        return cli_usage("%s: has no --unit-path", v->name);
    if (v->operand == OPERAND_NAME || v->operand == OPERAND_NAME_OPTIONAL)
        c->verb_args.instance = c->name;
    else if (c->name)
        return cli_usage("%s: does not go with --name", v->name);
    if (c->verb_args.instance && !rundir_name_valid(c->verb_args.instance))
        return cli_usage("%s --name=%s: expected the name of an instance", v->name, c->verb_args.instance);
    if (c->run_option)
        return cli_usage("%s: does not go with %s", v->name, c->run_option);
    return -1;
}

static int take_operand(struct cli *c, const struct verb *v, const char *operand)
{
    if (v->operand == OPERAND_PID)
        return parse_pid(operand, &c->verb_args.pid) < 0 ? cli_usage("%s %s: expected a PID", v->name, operand) : -1;
    if (!rundir_name_valid(operand) && !unit_name_valid(operand))
        return cli_usage("%s %s: expected the name of an instance or of a unit", v->name, operand);
    c->verb_args.name = operand;
    return -1;
}

int cli_take_verb(struct cli *c, int argc, char **argv)
{
    const struct verb *v = NULL;
    int n = argc - 1, r;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (STREQ(argv[0], verbs[i].name))
            v = &verbs[i];
    if (!v)
        return cli_usage("%s: no such verb; a command goes behind --", argv[0]);
    r = check_options(c, v);
    if (r >= 0)
        return r;
    if ((v->options & VERB_JSON_ONLY ? c->verb_args.json : v->options & VERB_JSON) && json_open() < 0) {
        fprintf(stderr, "amphid: %s: libjansson.so.4 is not installed\n", v->name);
        return EXIT_NOT_INSTALLED;
    }
    c->verb = run_of(v);
    if (takes_units(v)) {
        c->verb_args.units = argv + 1;
        c->verb_args.unit_path = c->unit_path;
        if (n && c->verb_args.all)
            return cli_usage("%s: --all is of all directives, not of a unit", v->name);
        return n || c->verb_args.all || v->operand == OPERAND_UNITS_OPTIONAL ? -1 : cli_usage("%s: the name of a unit is missing", v->name);
    }
    if (n > (v->operand == OPERAND_NONE ? 0 : 1))
        return cli_usage("%s %s: one word too many", v->name, argv[n]);
    if (n == 0)
        return v->operand == OPERAND_NAME && c->verb_args.instance ? -1
               : v->operand == OPERAND_NAME  ? cli_usage("%s: the name of an instance is missing", v->name)
               : v->operand == OPERAND_PID ? cli_usage("%s: a PID is missing", v->name)
                                           : -1;
    return take_operand(c, v, argv[1]);
}
