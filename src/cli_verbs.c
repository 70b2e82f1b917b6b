/* The verbs on the command line: which there are, and what goes with each. */
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "cli_verbs.h"
#include "json.h"
#include "parse.h"
#include "rundir.h"
#include "unitname.h"

/* LSB: program is not installed. */
#define EXIT_NOT_INSTALLED 5
#define LINES_MAX 1000000

enum operand { OPERAND_NONE, OPERAND_NAME, OPERAND_NAME_OPTIONAL, OPERAND_PID, OPERAND_UNITS, OPERAND_UNITS_OPTIONAL };

static const struct verb {
    const char *name;
    int (*run)(const struct verb_args *a);
    enum operand operand;
    unsigned options; /* VERB_JSON: it takes jansson in any case */
} verbs[] = {
    {"status", verb_status, OPERAND_NAME_OPTIONAL, VERB_JSON},
    {"list", verb_list, OPERAND_NONE, VERB_JSON},
    {"logs", verb_logs, OPERAND_NAME, VERB_JSON | VERB_LINES},
    {"start", verb_start, OPERAND_NAME, 0},
    {"stop", verb_stop, OPERAND_NAME, 0},
    {"restart", verb_restart, OPERAND_NAME, 0},
    {"reload", verb_reload, OPERAND_NAME_OPTIONAL, 0},
    {"rotate", verb_rotate, OPERAND_NAME, 0},
    {"wait", verb_wait, OPERAND_NAME, VERB_FOR},
    {"is-ready", verb_is_ready, OPERAND_NAME, 0},
    {"is-healthy", verb_is_healthy, OPERAND_NAME, 0},
    {"detect", verb_detect, OPERAND_NONE, VERB_JSON},
    {"inspect", verb_inspect, OPERAND_PID, VERB_JSON},
    {"explain", verb_explain, OPERAND_UNITS, VERB_JSON | VERB_JSON_ONLY | VERB_ALL},
    {"verify", verb_verify, OPERAND_UNITS, 0},
    {"enable", verb_enable, OPERAND_UNITS, 0},
    {"disable", verb_disable, OPERAND_UNITS, 0},
    {"mask", verb_mask, OPERAND_UNITS, 0},
    {"unmask", verb_unmask, OPERAND_UNITS, 0},
    {"is-enabled", verb_is_enabled, OPERAND_UNITS, 0},
    {"list-unit-files", verb_list_unit_files, OPERAND_UNITS_OPTIONAL, 0},
};

int cli_lines(struct cli *c, const char *arg)
{
    int n;

    c->verb_options |= VERB_LINES;
    if (parse_int(arg, 0, LINES_MAX, &n) < 0)
        return cli_usage("--lines=%s: expected a number", arg);
    c->verb_args.lines = (unsigned)n;
    return -1;
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
    c->verb = v->run;
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
