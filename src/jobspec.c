/* The description of one job and the one table that fills it: a directive is a row (name, parser, place, what it
 * expects), so later work adds rows and not branches. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "jobspec.h"
#include "parse.h"
#include "strv.h"
#include "words.h"
#include "usec.h"

/* systemd-system.conf(5): DefaultTimeoutStartSec=, DefaultTimeoutStopSec=. */
#define DEFAULT_TIMEOUT (90 * USEC_PER_SEC)

struct directive {
    const char *key;
    int (*parse)(struct jobspec *d, void *place, const char *value, int arg);
    size_t offset;
    int arg; /* RLIMIT_* for limits */
    const char *expects;
};

static int set_string(struct jobspec *d, void *place, const char *value, int arg)
{
    char *copy = NULL;

    if (*value) {
        copy = strdup(value);
        if (!copy)
            return -ENOMEM;
    }
    free(*(char **)place);
    *(char **)place = copy;
    return 0;
}

/* A string that becomes a line of its own somewhere: without control characters. */
static int set_line(struct jobspec *d, void *place, const char *value, int arg)
{
    for (const char *p = value; *p; p++)
        if (iscntrl((unsigned char)*p))
            return -EINVAL;
    return set_string(d, place, value, arg);
}

/* Appends the words of @value to a list; the empty value empties it. */
static int set_words(struct jobspec *d, void *place, const char *value, int arg)
{
    CLEANUP(strv_freep) char **words = NULL;
    char ***list = place;
    int r;

    if (!*value) {
        *list = strv_free(*list);
        return 0;
    }
    r = words_split(value, &words);
    for (size_t i = 0; r >= 0 && words && words[i]; i++)
        r = strv_push(list, words[i]);
    return r;
}

static bool assignment_valid(const char *s)
{
    size_t n = strcspn(s, "=");

    if (s[n] != '=' || n == 0 || strchr("0123456789", s[0]))
        return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

static int set_environment(struct jobspec *d, void *place, const char *value, int arg)
{
    CLEANUP(strv_freep) char **words = NULL;
    char ***env = place;
    int r;

    if (!*value) {
        *env = strv_free(*env);
        return 0;
    }
    r = words_split(value, &words);
    for (size_t i = 0; r >= 0 && words && words[i]; i++)
        if (!assignment_valid(words[i]))
            r = -EINVAL;
    for (size_t i = 0; r >= 0 && words && words[i]; i++)
        r = env_put(env, words[i]);
    return r;
}

static int set_environment_file(struct jobspec *d, void *place, const char *value, int arg)
{
    char ***list = place;

    if (!*value) {
        *list = strv_free(*list);
        return 0;
    }
    if (value[value[0] == '-'] != '/')
        return -EINVAL;
    return strv_push(list, value);
}

static int set_directory(struct jobspec *d, void *place, const char *value, int arg)
{
    bool optional = value[0] == '-';
    const char *path = value + optional;

    if (*path && path[0] != '/' && !STREQ(path, "~"))
        return -EINVAL;
    d->working_directory_optional = optional;
    return set_string(d, place, path, arg);
}

static int set_umask(struct jobspec *d, void *place, const char *value, int arg)
{
    int r = parse_mode(value, place);

    if (r >= 0)
        d->umask_set = true;
    return r;
}

static int set_nice(struct jobspec *d, void *place, const char *value, int arg)
{
    int r = parse_int(value, -20, 19, place);

    if (r >= 0)
        d->nice_set = true;
    return r;
}

static int set_oom_score_adjust(struct jobspec *d, void *place, const char *value, int arg)
{
    int r = parse_int(value, -1000, 1000, place);

    if (r >= 0)
        d->oom_score_adjust_set = true;
    return r;
}

static int set_bool(struct jobspec *d, void *place, const char *value, int arg)
{
    return parse_bool(value, place);
}

static int set_limit(struct jobspec *d, void *place, const char *value, int resource)
{
    int r = parse_rlimit(value, resource, &d->limits[resource]);

    if (r >= 0)
        d->limits_set |= 1U << resource;
    return r;
}

static int set_facility(struct jobspec *d, void *place, const char *value, int arg)
{
    return parse_facility(value, place);
}

static int set_signal(struct jobspec *d, void *place, const char *value, int arg)
{
    return parse_signal(value, place);
}

static int set_type(struct jobspec *d, void *place, const char *value, int arg)
{
    static const char *const names[] = {
        [TYPE_SIMPLE] = "simple", [TYPE_EXEC] = "exec", [TYPE_NOTIFY] = "notify", [TYPE_ONESHOT] = "oneshot"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (STREQ(value, names[i])) {
            d->type = (enum job_type)i;
            return 0;
        }
    return -EINVAL;
}

/* TimeoutStartSec=, TimeoutStopSec=: seconds; 0 turns the timeout off (systemd.service(5)). */
static int set_timeout(struct jobspec *d, void *place, const char *value, int is_start)
{
    uint64_t usec;
    int r = parse_timespan(value, USEC_PER_SEC, &usec);

    if (r < 0)
        return r;
    *(uint64_t *)place = usec ? usec : USEC_INFINITY;
    if (is_start)
        d->timeout_start_set = true;
    return 0;
}

#define ROW(key, parse, member, arg, expects) {key, parse, offsetof(struct jobspec, member), arg, expects}
#define LIMIT(key, resource, expects) {"Limit" key, set_limit, 0, resource, expects}
#define A_TIMESPAN "a timespan such as 90, 5min 20s or infinity"
#define A_COUNT "a number or infinity, or SOFT:HARD"
#define A_SIZE "a size such as 512M or infinity, or SOFT:HARD"

static const struct directive directives[] = {
    ROW("Type", set_type, type, 0, "simple, exec, notify or oneshot"),
    ROW("TimeoutStartSec", set_timeout, timeout_start, 1, A_TIMESPAN),
    ROW("TimeoutStopSec", set_timeout, timeout_stop, 0, A_TIMESPAN),
    ROW("KillSignal", set_signal, kill_signal, 0, "a signal such as SIGTERM"),
    ROW("User", set_string, user, 0, "a user's name or number"),
    ROW("Group", set_string, group, 0, "a group's name or number"),
    ROW("SupplementaryGroups", set_words, supplementary_groups, 0, "names or numbers of groups"),
    ROW("WorkingDirectory", set_directory, working_directory, 0, "an absolute path or ~"),
    ROW("UMask", set_umask, umask, 0, "an octal mode such as 0022"),
    ROW("Environment", set_environment, environment, 0, "KEY=VALUE words, quoted where they hold blanks"),
    ROW("EnvironmentFile", set_environment_file, environment_files, 0, "an absolute path"),
    ROW("Nice", set_nice, nice, 0, "a number from -20 to 19"),
    ROW("OOMScoreAdjust", set_oom_score_adjust, oom_score_adjust, 0, "a number from -1000 to 1000"),
    ROW("NoNewPrivileges", set_bool, no_new_privileges, 0, "a boolean such as yes or no"),
    ROW("SyslogIdentifier", set_line, syslog_identifier, 0, "a name"),
    ROW("SyslogFacility", set_facility, syslog_facility, 0, "a facility such as daemon or local0"),
    LIMIT("CPU", RLIMIT_CPU, A_TIMESPAN ", or SOFT:HARD"),
    LIMIT("FSIZE", RLIMIT_FSIZE, A_SIZE),
    LIMIT("DATA", RLIMIT_DATA, A_SIZE),
    LIMIT("STACK", RLIMIT_STACK, A_SIZE),
    LIMIT("CORE", RLIMIT_CORE, A_SIZE),
    LIMIT("RSS", RLIMIT_RSS, A_SIZE),
    LIMIT("NOFILE", RLIMIT_NOFILE, A_COUNT),
    LIMIT("AS", RLIMIT_AS, A_SIZE),
    LIMIT("NPROC", RLIMIT_NPROC, A_COUNT),
    LIMIT("MEMLOCK", RLIMIT_MEMLOCK, A_SIZE),
    LIMIT("LOCKS", RLIMIT_LOCKS, A_COUNT),
    LIMIT("SIGPENDING", RLIMIT_SIGPENDING, A_COUNT),
    LIMIT("MSGQUEUE", RLIMIT_MSGQUEUE, A_SIZE),
    LIMIT("NICE", RLIMIT_NICE, "a nice level such as -5, or a number from 0 to 40"),
    LIMIT("RTPRIO", RLIMIT_RTPRIO, A_COUNT),
    LIMIT("RTTIME", RLIMIT_RTTIME, A_TIMESPAN ", or SOFT:HARD"),
};

void jobspec_init(struct jobspec *d)
{
    *d = (struct jobspec){
        .type = TYPE_EXEC,
        .timeout_start = DEFAULT_TIMEOUT,
        .timeout_stop = DEFAULT_TIMEOUT,
        .kill_signal = SIGTERM,
        .umask = 0022, /* systemd.exec(5), UMask= */
        .syslog_facility = LOG_DAEMON,
    };
}

void jobspec_done(struct jobspec *d)
{
    free(d->name);
    strv_free(d->argv);
    free(d->user);
    free(d->group);
    strv_free(d->supplementary_groups);
    free(d->working_directory);
    strv_free(d->environment);
    strv_free(d->environment_files);
    free(d->syslog_identifier);
    *d = (struct jobspec){0};
}

int jobspec_set(struct jobspec *d, const char *key, const char *value, const char **ret_expects)
{
    for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
        if (STREQ(key, directives[i].key)) {
            *ret_expects = directives[i].expects;
            return directives[i].parse(d, (char *)d + directives[i].offset, value, directives[i].arg);
        }
    return -ENOENT;
}

const char *jobspec_directive(unsigned i)
{
    return i < ARRAY_SIZE(directives) ? directives[i].key : NULL;
}

const char *jobspec_limit_name(int resource)
{
    for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
        if (directives[i].parse == set_limit && directives[i].arg == resource)
            return directives[i].key;
    return "Limit";
}

const char *jobspec_identifier(const struct jobspec *d)
{
    return d->syslog_identifier ? d->syslog_identifier : d->name;
}
