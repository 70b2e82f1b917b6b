/* The command line. Options come before COMMAND, which stands behind "--"; what stands alone is a verb. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "cleanup.h"
#include "json.h"
#include "parse.h"
#include "rundir.h"
#include "strv.h"
#include "usec.h"

/* LSB: invalid arguments; program is not installed. */
#define EXIT_USAGE 2
#define EXIT_NOT_INSTALLED 5

/* Fits a screen of 24 lines. */
static const char help[] =
    "amphid [OPTIONS] -- COMMAND [ARG...]   run COMMAND as a daemon\n"
    "amphid [OPTIONS]                       run the resident daemon\n"
    "  --fork                    detach; return when COMMAND is up, or say why not\n"
    "  --no-wait                 with --fork: return as soon as it is detached\n"
    "  --mode=MODE               auto, fork, foreground or systemd [auto]\n"
    "  -n, --name=NAME           name of the instance [the command's base name]\n"
    "  --pidfile=PATH            one more PID file, beside the instance's own\n"
    "  -p, --property=KEY=VALUE  a directive of systemd.exec(5), systemd.service(5)\n"
    "  --uid= --gid= --working-directory= --setenv= --nice=   short forms of -p\n"
    "  --ready=PROBE             when it is up: notify, tcp:PORT, unix:PATH, http://...,\n"
    "                            file:PATH, log:REGEX, fd:N, exec:COMMAND, delay:TIME\n"
    "  --health=PROBE            and --health-interval= -timeout= -retries= -action=\n"
    "  --restart=POLICY          no, on-failure, always ...: systemd.service(5)\n"
    "  --log=TARGET              auto, journal, syslog, stderr, json or file:/PATH\n"
    "  --trace                   show the stages as a table while they happen\n"
    "amphid VERB [--json]                   ask running instances\n"
    "  status [NAME]             how an instance is; all of them without NAME\n"
    "  list                      the instances, a line each\n"
    "  stop NAME                 end it; returns when it is gone\n"
    "  reload NAME               reload it (SIGHUP to COMMAND)\n"
    "  wait NAME                 wait for its end, exit with its status\n"
    "  detect                    which world this is, with the evidence\n"
    "  inspect PID               a process measured against daemon(7)\n"
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
    X(LOG_OVERFLOW, "log-overflow", "LogOverflow")

enum directive_option {
    DIRECTIVE_BEFORE_FIRST = 511,
#define X(id, option, key) DIRECTIVE_##id,
    DIRECTIVE_OPTIONS(X)
#undef X
        DIRECTIVE_PAST_LAST
};

static const char *const directive_keys[] = {
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
    OPT_JSON,
    OPT_VERSION,
};

static const struct option options[] = {
    {"fork", no_argument, NULL, OPT_FORK},
    {"no-wait", no_argument, NULL, OPT_NO_WAIT},
    {"mode", required_argument, NULL, OPT_MODE},
    {"name", required_argument, NULL, 'n'},
    {"pidfile", required_argument, NULL, OPT_PIDFILE},
    {"property", required_argument, NULL, 'p'},
#define X(id, option, key) {option, required_argument, NULL, DIRECTIVE_##id},
    DIRECTIVE_OPTIONS(X)
#undef X
    {"setenv", required_argument, NULL, OPT_SETENV},
    {"log", required_argument, NULL, OPT_LOG},
    {"trace", no_argument, NULL, OPT_TRACE},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

enum operand { OPERAND_NONE, OPERAND_NAME, OPERAND_NAME_OPTIONAL, OPERAND_PID };

static const struct verb {
    const char *name;
    int (*run)(const struct verb_args *a);
    enum operand operand;
    bool json;
} verbs[] = {
    {"status", verb_status, OPERAND_NAME_OPTIONAL, true},
    {"list", verb_list, OPERAND_NONE, true},
    {"stop", verb_stop, OPERAND_NAME, false},
    {"reload", verb_reload, OPERAND_NAME, false},
    {"wait", verb_wait, OPERAND_NAME, false},
    {"detect", verb_detect, OPERAND_NONE, true},
    {"inspect", verb_inspect, OPERAND_PID, true},
};

static int usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int usage(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "amphid: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, " (amphid --help)\n");
    return EXIT_USAGE;
}

static int set_directive(struct jobspec *spec, const char *key, const char *value)
{
    const char *expects = "";

    switch (jobspec_set(spec, key, value, &expects)) {
    case 0:
        return -1;
    case -ENOENT:
        return usage("-p %s=: no such directive, or none that amphid honours", key);
    case -ENOMEM:
        return usage("out of memory");
    default:
        return usage("-p %s=%s: expected %s", key, value, expects);
    }
}

static int set_property(struct jobspec *spec, const char *assignment)
{
    cleanup_free char *key = strdup(assignment);
    char *equals = key ? strchr(key, '=') : NULL;

    if (!equals)
        return usage("-p %s: expected KEY=VALUE", assignment);
    *equals = '\0';
    return set_directive(spec, key, equals + 1);
}

/* --setenv takes one assignment as it is, without the quoting of Environment=. */
static int set_variable(struct jobspec *spec, const char *assignment)
{
    if (!strchr(assignment, '=') || assignment[0] == '=')
        return usage("--setenv=%s: expected KEY=VALUE", assignment);
    return env_put(&spec->environment, assignment) < 0 ? usage("out of memory") : -1;
}

/* One option. -1: go on. */
static int take_option(struct cli *c, int id, const char *word, const char *arg)
{
    if (id != OPT_JSON)
        c->run_option = word;
    if (id > DIRECTIVE_BEFORE_FIRST && id < DIRECTIVE_PAST_LAST)
        return set_directive(&c->spec, directive_keys[id - DIRECTIVE_BEFORE_FIRST - 1], arg);
    switch (id) {
    case OPT_FORK:
        c->fork = true;
        return -1;
    case OPT_NO_WAIT:
        c->no_wait = true;
        return -1;
    case OPT_MODE:
        return mode_request_parse(arg, &c->mode) < 0
                   ? usage("--mode=%s: expected auto, fork, foreground or systemd", arg)
                   : -1;
    case 'n':
        c->name = arg;
        return -1;
    case OPT_PIDFILE:
        c->pidfile = arg;
        return *arg ? -1 : usage("--pidfile=: expected a path");
    case 'p':
        return set_property(&c->spec, arg);
    case OPT_SETENV:
        return set_variable(&c->spec, arg);
    case OPT_LOG:
        return log_parse(arg, &c->log) < 0
                   ? usage("--log=%s: expected auto, journal, syslog, stderr, json or file:/PATH", arg)
                   : -1;
    case OPT_TRACE:
        c->log.trace = true;
        return -1;
    case OPT_JSON:
        c->verb_args.json = true;
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
        return usage("%s: a value is missing", word);
    if (optopt && optopt < 256)
        return usage("-%c: no such option", optopt);
    return usage("%s: %s", word, optopt ? "takes no value" : "no such option, or not unique");
}

static int take_operand(struct cli *c, const struct verb *v, const char *operand)
{
    if (v->operand == OPERAND_PID)
        return parse_pid(operand, &c->verb_args.pid) < 0 ? usage("%s %s: expected a PID", v->name, operand) : -1;
    if (!rundir_name_valid(operand))
        return usage("%s %s: expected the name of an instance", v->name, operand);
    c->verb_args.name = operand;
    return -1;
}

static int take_verb(struct cli *c, int argc, char **argv)
{
    const struct verb *v = NULL;
    int n = argc - 1;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (STREQ(argv[0], verbs[i].name))
            v = &verbs[i];
    if (!v)
        return usage("%s: no such verb; a command goes behind --", argv[0]);
    if (c->verb_args.json && !v->json)
        return usage("%s: has no --json", v->name);
    if (c->run_option)
        return usage("%s: does not go with %s", v->name, c->run_option);
    if (json_open() < 0) {
        fprintf(stderr, "amphid: %s: libjansson.so.4 is not installed\n", v->name);
        return EXIT_NOT_INSTALLED;
    }
    c->verb = v->run;
    if (n > (v->operand == OPERAND_NONE ? 0 : 1))
        return usage("%s %s: one word too many", v->name, argv[n]);
    if (n == 0)
        return v->operand == OPERAND_NAME  ? usage("%s: the name of an instance is missing", v->name)
               : v->operand == OPERAND_PID ? usage("%s: a PID is missing", v->name)
                                           : -1;
    return take_operand(c, v, argv[1]);
}

/* Directives that cannot be meant together (systemd.service(5)). */
static int check_directives(const struct jobspec *d)
{
    if (d->type == TYPE_ONESHOT && (d->restart == RESTART_ALWAYS || d->restart == RESTART_ON_SUCCESS))
        return usage("Type=oneshot does not go with Restart=always or on-success: it would never come to an end");
    if (d->type == TYPE_ONESHOT && d->ready.n > 0)
        return usage("Type=oneshot is ready when it has ended well; Ready= does not go with it");
    if (d->pid_file && d->type != TYPE_FORKING)
        return usage("PIDFile= goes with Type=forking");
    if (d->restart_max_delay != USEC_INFINITY && d->restart_max_delay < d->restart_usec)
        return usage("RestartMaxDelaySec= is shorter than RestartSec=");
    if ((d->restart_steps > 0) != (d->restart_max_delay != USEC_INFINITY))
        return usage("RestartSteps= and RestartMaxDelaySec= go together");
    return -1;
}

/* What cannot be meant together. */
static int check(const struct cli *c)
{
    bool forks = c->fork || c->mode == MODE_WANT_FORK;

    if (c->verb_args.json)
        return usage("--json goes with a verb; for the log it is --log=json");
    if (c->fork && (c->mode == MODE_WANT_FOREGROUND || c->mode == MODE_WANT_SYSTEMD))
        return usage("--fork and --mode=foreground or systemd contradict each other");
    if (c->no_wait && !forks)
        return usage("--no-wait goes with --fork");
    if (forks && c->log.kind == LOG_TO_STDERR)
        return usage("--log=stderr goes with the terminal, which --fork leaves");
    if (!rundir_name_valid(c->name))
        return usage("--name=%s: expected letters, digits and :_.@- (not a dot or dash first)", c->name);
    return check_directives(&c->spec);
}

static int take_command(struct cli *c, char **argv)
{
    if (!argv[0])
        return usage("--: a command is missing behind it");
    if (!argv[0][0])
        return usage("the command is an empty word");
    if (strv_copy(&c->spec.argv, argv) < 0)
        return usage("out of memory");
    if (!c->name) {
        const char *slash = strrchr(argv[0], '/');

        c->name = slash ? slash + 1 : argv[0];
    }
    return -1;
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
    int n = find_command(argc, argv), id, r = -1;
    struct cli *c = ret;

    *c = (struct cli){.mode = MODE_AUTO};
    jobspec_init(&c->spec);
    opterr = 0;
    while (r < 0 && (id = getopt_long(n, argv, ":hn:p:", options, NULL)) != -1)
        r = id == '?' || id == ':' ? bad_option(argv, id) : take_option(c, id, argv[optind - 1], optarg);
    if (r >= 0)
        return r;
    if (optind < n)
        return n < argc ? usage("%s: a verb takes no command", argv[optind]) : take_verb(c, n - optind, argv + optind);
    if (n < argc)
        r = take_command(c, argv + n + 1);
    if (r >= 0)
        return r;
    if (!c->name)
        c->name = "amphid";
    c->log.name = c->name;
    c->spec.name = strdup(c->name);
    return c->spec.name ? check(c) : usage("out of memory");
}

void cli_done(struct cli *c)
{
    jobspec_done(&c->spec);
}
