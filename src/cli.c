/* The command line. Options come before COMMAND, which stands behind "--"; what stands alone is a verb. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "cli_verbs.h"
#include "rundir.h"
#include "speccheck.h"
#include "strv.h"
#include "unitload.h"
#include "unitname.h"
#include "usec.h"

/* Directives that cannot be meant together. */
static int check_directives(const struct jobspec *d)
{
    const char *fault = jobspec_argv(d) ? jobspec_fault(d) : NULL, *doubt = speccheck_doubt(d, false, 0);

    if (fault)
        return cli_usage("the command %s", fault);
    return doubt ? cli_usage("%s", doubt) : -1;
}

/* What cannot be meant together. */
static int check(const struct cli *c)
{
    bool forks = c->fork || c->mode == MODE_WANT_FORK;

    if (c->verb_args.json)
        return cli_usage("--json goes with a verb; for the log it is --log=json");
    if (c->verb_options)
        return cli_usage("--lines, --follow, --for and --timeout go with a verb");
    if (c->fork && (c->mode == MODE_WANT_FOREGROUND || c->mode == MODE_WANT_SYSTEMD))
        return cli_usage("--fork and --mode=foreground or systemd contradict each other");
    if (c->no_wait && !forks)
        return cli_usage("--no-wait goes with --fork");
    if (forks && c->log.kind == LOG_TO_STDERR)
        return cli_usage("--log=stderr goes with the terminal, which --fork leaves");
    if (!rundir_name_valid(c->name))
        return cli_usage("--name=%s: expected letters, digits and :_.@- (not a dot or dash first)", c->name);
    if (c->wait && (c->fork || !c->units))
        return cli_usage("--wait goes with run UNIT, and not with --fork");
    if (!c->units)
        return check_directives(&c->spec);
    if (c->units[1] && (c->properties || c->environment))
        return cli_usage("-p and its short forms go with one unit");
    return -1;
}

static int take_command(struct cli *c, char **argv)
{
    if (!argv[0])
        return cli_usage("--: a command is missing behind it");
    if (!argv[0][0])
        return cli_usage("the command is an empty word");
    if (command_list_add(&c->spec.start, argv) < 0)
        return cli_usage("out of memory");
    if (!c->name) {
        const char *slash = strrchr(argv[0], '/');

        c->name = slash ? slash + 1 : argv[0];
    }
    return -1;
}

/* "postgresql@15-main" of /etc/postgresql@15-main.service: the instance's name. By an alias a unit is started under its
 * own name, so that nobody can start it twice. */
static int name_by_unit(struct cli *c, const char *unit)
{
    const char *slash = strrchr(unit, '/');
    char id[UNIT_NAME_SIZE];
    char *name = strdup(slash ? slash + 1 : unit_find_id(c->unit_path, unit, id) == 0 ? id : unit);
    size_t n = name ? strlen(name) : 0;

    if (!name)
        return cli_usage("out of memory");
    if (n > 8 && STREQ(name + n - 8, ".service"))
        name[n - 8] = '\0';
    c->unit_name = name;
    c->name = name;
    return -1;
}

/* Is it a unit, and nothing else? */
static bool is_unit(const char *word)
{
    char full[UNIT_NAME_SIZE];

    return strchr(word, '/') || (unit_name_complete(word, full) >= 0 && STREQ(word, full));
}

/* UNIT..., or run UNIT... where every word is one. */
static int take_units(struct cli *c, int argc, char **argv, bool run)
{
    for (int i = 0; i < argc; i++) {
        if (!run && !is_unit(argv[i]))
            return cli_usage("%s: expected the name of a unit, as %s.service", argv[i], argv[i]);
        if (strv_push(&c->units, argv[i]) < 0)
            return cli_usage("out of memory");
    }
    if (argc == 0)
        return cli_usage("run: the name of a unit is missing");
    return c->name ? -1 : name_by_unit(c, argv[0]);
}

/* Where COMMAND begins: behind the first "--". @argc if there is none. */
static int find_command(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (STREQ(argv[i], "--"))
            return i;
    return argc;
}

int cli_parse(struct cli *ret, int argc, char **argv)
{
    int n = find_command(argc, argv), r;
    struct cli *c = ret;

    *c = (struct cli){.mode = MODE_AUTO, .verb_args = {.lines = VERB_LINES_DEFAULT, .timeout_usec = USEC_INFINITY}};
    jobspec_init(&c->spec);
    r = cli_options(c, n, argv);
    if (r >= 0)
        return r;
    if (optind < n && n < argc)
        return cli_usage("%s: neither a verb nor a unit goes with a command", argv[optind]);
    if (optind < n && STREQ(argv[optind], "run"))
        r = take_units(c, n - optind - 1, argv + optind + 1, true);
    else if (optind < n && is_unit(argv[optind]))
        r = take_units(c, n - optind, argv + optind, false);
    else if (optind < n)
        return cli_take_verb(c, n - optind, argv + optind);
    if (r < 0 && n < argc)
        r = take_command(c, argv + n + 1);
    if (r >= 0)
        return r;
    if (!c->name)
        c->name = "amphid";
    c->log.name = c->name;
    c->spec.name = strdup(c->name);
    return c->spec.name ? check(c) : cli_usage("out of memory");
}

void cli_done(struct cli *c)
{
    jobspec_done(&c->spec);
    strv_free(c->units);
    strv_free(c->properties);
    strv_free(c->environment);
    free(c->unit_name);
}
