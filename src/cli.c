/* The command line. Options come before COMMAND, which stands behind "--"; what stands alone is a verb. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli_verbs.h"
#include "directive.h"
#include "cleanup.h"
#include "parse.h"
#include "rundir.h"
#include "speccheck.h"
#include "strv.h"
#include "textbuf.h"
#include "unitload.h"
#include "unitname.h"
#include "usec.h"

/* LSB: invalid arguments. */
#define EXIT_USAGE 2

/* Fits a screen of 24 lines. */
static const char help[] =
    "amphid [OPTIONS] -- COMMAND [ARG...]   run COMMAND as a daemon\n"
    "amphid [OPTIONS] UNIT...               run units: web.service, ./web.service\n"
    "amphid [OPTIONS]                       be resident: run what /etc/amphid enables\n"
    "amphid run --wait UNIT                 run it here, and end as it does\n"
    "  --fork                    detach; return when all is up, or say why not\n"
    "  --no-wait                 with --fork: return as soon as it is detached\n"
    "  --mode=MODE               auto, fork, foreground or systemd [auto]\n"
    "  -n, --name=NAME           of the instance [the command's or the unit's]\n"
    "  -p, --property=KEY=VALUE  a directive of amphid.unit(5); -p help lists them\n"
    "  --uid= --gid= --working-directory= --setenv= --nice= --restart=    are some\n"
    "  --ready=PROBE, --health=PROBE   is it up, is it well? tcp:PORT, unix:PATH,\n"
    "                            http:... file:PATH, log:REGEX, exec:COMMAND ...\n"
    "  --unit-path=DIR, --strict where units are; refuse what cannot be honoured\n"
    "  --log=TARGET              auto, journal, syslog, stderr, json or file:/PATH\n"
    "  --trace, --pidfile=PATH   show the stages as a table; one more PID file\n"
    "amphid VERB [--json]                   ask running instances; NAME: or a unit\n"
    "  status [NAME], list       how it is; all of them without NAME\n"
    "  logs NAME [-n N] [-f]     the last lines of its output; -f follows it\n"
    "  start, stop, restart, reload, rotate NAME   returns when that has happened\n"
    "  wait NAME [--for=ready|healthy|stopped] [--timeout=T], is-ready, is-healthy\n"
    "  enable, disable, reenable, link, (un)mask, is-enabled UNIT, list-unit-files\n"
    "  explain, verify UNIT      what becomes of each line of it; what is wrong\n"
    "  detect, inspect PID       which world this is; a process measured\n"
    "  -h, --help  --version     amphid(1) says it all\n";

/* Options that are a directive each. */
#define DIRECTIVE_OPTIONS(X)                                                                                 \
    X(UID, "uid", "User")                                                                                    \
    X(GID, "gid", "Group")                                                                                   \
    X(DIRECTORY, "working-directory", "WorkingDirectory")                                                    \
    X(NICE, "nice", "Nice")                                                                                  \
    X(READY, "ready", "Ready")                                                                               \
    X(HEALTH, "health", "Health")                                                                            \
    X(HEALTH_INTERVAL, "health-interval", "HealthInterval")                                                  \
    X(HEALTH_TIMEOUT, "health-timeout", "HealthTimeout")                                                     \
    X(HEALTH_RETRIES, "health-retries", "HealthRetries")                                                     \
    X(HEALTH_START_PERIOD, "health-start-period", "HealthStartPeriod")                                       \
    X(HEALTH_ACTION, "health-action", "HealthAction")                                                        \
    X(RESTART, "restart", "Restart")                                                                         \
    X(RELOAD_SIGNAL, "reload-signal", "ReloadSignal")                                                        \
    X(LOG_OVERFLOW, "log-overflow", "LogOverflow")                                                           \
    X(LOG_FORMAT, "log-format", "LogFormat")

enum directive_option {
    DIRECTIVE_BEFORE_FIRST = 511,
#define X(id, option, key) DIRECTIVE_##id,
    DIRECTIVE_OPTIONS(X)
#undef X
        DIRECTIVE_PAST_LAST
};

static const char directive_keys[][24] = {
#define X(id, option, key) key,
    DIRECTIVE_OPTIONS(X)
#undef X
};

enum option_id {
    OPT_FORK = 256,
    OPT_NO_WAIT,
    OPT_MODE,
    OPT_PIDFILE,
    OPT_SETENV,
    OPT_LOG,
    OPT_TRACE,
    OPT_NAME,
    OPT_UNIT_PATH,
    OPT_STRICT,
    OPT_WAIT,
    OPT_VERSION,
    OPT_JSON, /* from here on: of verbs */
    OPT_ALL,
    OPT_NOW,
    OPT_LINES,
    OPT_FOR,
    OPT_TIMEOUT,
};

/* getopt_long(3) wants them with pointers: option_list() makes that of it. */
static const struct {
    char name[24];
    bool value;
    short id;
} options[] = {
    {"fork", false, OPT_FORK},
    {"no-wait", false, OPT_NO_WAIT},
    {"mode", true, OPT_MODE},
    {"name", true, OPT_NAME},
    {"pidfile", true, OPT_PIDFILE},
    {"unit-path", true, OPT_UNIT_PATH},
    {"strict", false, OPT_STRICT},
    {"wait", false, OPT_WAIT},
    {"property", true, 'p'},
#define X(id, option, key) {option, true, DIRECTIVE_##id},
    DIRECTIVE_OPTIONS(X)
#undef X
    {"setenv", true, OPT_SETENV},
    {"log", true, OPT_LOG},
    {"trace", false, OPT_TRACE},
    {"json", false, OPT_JSON},
    {"all", false, OPT_ALL},
    {"now", false, OPT_NOW},
    {"lines", true, OPT_LINES},
    {"follow", false, 'f'},
    {"for", true, OPT_FOR},
    {"timeout", true, OPT_TIMEOUT},
    {"help", false, 'h'},
    {"version", false, OPT_VERSION},
};

#define OPTIONS_MAX ARRAY_SIZE(options)

static void option_list(struct option ret[OPTIONS_MAX + 1])
{
    for (size_t i = 0; i < OPTIONS_MAX; i++)
        ret[i] = (struct option){options[i].name, options[i].value ? required_argument : no_argument, NULL, options[i].id};
    ret[OPTIONS_MAX] = (struct option){0};
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "amphid: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, " (amphid --help)\n");
    return EXIT_USAGE;
}

/* Tries it at once, so that what cannot be meant is said at once; and keeps it for a unit's description. */
static int set_directive(struct cli *c, const char *key, const char *value)
{
    cleanup_free char *assignment = NULL;
    const char *expects = "";

    switch (directive_assign(&c->spec, key, value, &expects)) {
    case 0:
        break;
    case -ENOENT:
    case -EOPNOTSUPP:
        return cli_usage("-p %s=: no such directive, or none that amphid honours", key);
    case -ENOMEM:
        return cli_usage("out of memory");
    default:
        return cli_usage("-p %s=%s: expected %s", key, value, expects);
    }
    assignment = JOIN(key, "=", value);
    if (!assignment)
        return cli_usage("out of memory");
    return strv_push(&c->properties, assignment) < 0 ? cli_usage("out of memory") : -1;
}

/* -p help, as `systemctl --type=help` has it. */
static int list_directives(void)
{
    const struct directive *row;

    for (size_t i = 0; (row = directive_nth(i, NULL)); i++)
        if (row->set)
            printf("%-24s %s\n", row->key, row->expects);
    return 0;
}

static int set_property(struct cli *c, const char *assignment)
{
    cleanup_free char *key = strdup(assignment);
    char *equals = key ? strchr(key, '=') : NULL;

    if (STREQ(assignment, "help"))
        return list_directives();
    if (!equals)
        return cli_usage("-p %s: expected KEY=VALUE, or help for a list", assignment);
    *equals = '\0';
    return set_directive(c, key, equals + 1);
}

/* --setenv takes one assignment as it is, without the quoting of Environment=. */
static int set_variable(struct cli *c, const char *assignment)
{
    if (!strchr(assignment, '=') || assignment[0] == '=')
        return cli_usage("--setenv=%s: expected KEY=VALUE", assignment);
    return env_put(&c->spec.environment, assignment) < 0 || env_put(&c->environment, assignment) < 0
               ? cli_usage("out of memory")
               : -1;
}

/* An option of a verb. -1: go on. */
static int take_verb_option(struct cli *c, int id, const char *arg)
{
    struct verb_args *v = &c->verb_args;

    switch (id) {
    case OPT_JSON:
        v->json = true;
        return -1;
    case OPT_ALL:
        return cli_flag(c, VERB_ALL, &v->all);
    case OPT_NOW:
        return cli_flag(c, VERB_NOW, &v->now);
    case 'f':
        return cli_flag(c, VERB_LINES, &v->follow);
    case OPT_LINES:
        return cli_lines(c, arg);
    case OPT_TIMEOUT:
        return cli_timeout(c, arg);
    default:
        return cli_goal(c, arg);
    }
}

/* One option. -1: go on. */
static int take_option(struct cli *c, int id, const char *word, const char *arg)
{
    if (id == 'f' || (id >= OPT_JSON && id <= OPT_TIMEOUT))
        return take_verb_option(c, id, arg);
    if (id != 'n' && id != OPT_NAME && id != OPT_UNIT_PATH) /* which are --lines= of logs, and explain's and verify's, too */
        c->run_option = word;
    if (id > DIRECTIVE_BEFORE_FIRST && id < DIRECTIVE_PAST_LAST)
        return set_directive(c, directive_keys[id - DIRECTIVE_BEFORE_FIRST - 1], arg);
    switch (id) {
    case OPT_FORK:
        c->fork = true;
        return -1;
    case OPT_NO_WAIT:
        c->no_wait = true;
        return -1;
    case OPT_MODE:
        return mode_request_parse(arg, &c->mode) < 0
                   ? cli_usage("--mode=%s: expected auto, fork, foreground or systemd", arg)
                   : -1;
    case 'n':
        c->short_n = arg;
        c->name = arg;
        return -1;
    case OPT_NAME:
        c->name = arg;
        return -1;
    case OPT_PIDFILE:
        c->pidfile = arg;
        return *arg ? -1 : cli_usage("--pidfile=: expected a path");
    case OPT_UNIT_PATH:
        c->unit_path = arg;
        return -1;
    case OPT_STRICT:
        c->strict = true;
        return -1;
    case OPT_WAIT:
        c->wait = true;
        return -1;
    case 'p':
        return set_property(c, arg);
    case OPT_SETENV:
        return set_variable(c, arg);
    case OPT_LOG:
        return log_parse(arg, &c->log) < 0
                   ? cli_usage("--log=%s: expected auto, journal, syslog, stderr, json or file:/PATH", arg)
                   : -1;
    case OPT_TRACE:
        c->log.trace = true;
        return -1;
    case 'h':
        fputs(help, stdout);
        return 0;
    case OPT_VERSION:
        puts("amphid " AMPHID_VERSION);
        return 0;
    default:
        return EXIT_USAGE;
    }
}

static int bad_option(char **argv, int id)
{
    const char *word = argv[optind - 1];

    if (id == ':')
        return cli_usage("%s: a value is missing", word);
    if (optopt && optopt < 256)
        return cli_usage("-%c: no such option", optopt);
    return cli_usage("%s: %s", word, optopt ? "takes no value" : "no such option, or not unique");
}

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
    struct option list[OPTIONS_MAX + 1];
    int n = find_command(argc, argv), id, r = -1;
    struct cli *c = ret;

    *c = (struct cli){.mode = MODE_AUTO, .verb_args = {.lines = VERB_LINES_DEFAULT, .timeout_usec = USEC_INFINITY}};
    jobspec_init(&c->spec);
    opterr = 0;
    option_list(list);
    while (r < 0 && (id = getopt_long(n, argv, ":hn:p:f", list, NULL)) != -1)
        r = id == '?' || id == ':' ? bad_option(argv, id) : take_option(c, id, argv[optind - 1], optarg);
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
