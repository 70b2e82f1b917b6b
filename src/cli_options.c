/* The options of the command line, each by itself. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "cli_verbs.h"
#include "directive.h"
#include "strv.h"
#include "textbuf.h"

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
        cli_help();
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

int cli_options(struct cli *c, int argc, char **argv)
{
    struct option list[OPTIONS_MAX + 1];
    int id, r = -1;

    opterr = 0;
    option_list(list);
    while (r < 0 && (id = getopt_long(argc, argv, ":hn:p:f", list, NULL)) != -1)
        r = id == '?' || id == ':' ? bad_option(argv, id) : take_option(c, id, argv[optind - 1], optarg);
    return r;
}
