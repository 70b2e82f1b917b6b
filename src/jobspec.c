/* The description of one job and the one table that fills it: a directive is a row (name, parser, place, what it
 * expects), so later work adds rows and not branches. The parsers are those of jobspec_set.c. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "jobspec_set.h"
#include "jobspec.h"
#include "strv.h"
#include "usec.h"

/* systemd-system.conf(5): DefaultTimeoutStartSec=, DefaultTimeoutStopSec=. */
#define DEFAULT_TIMEOUT (90 * USEC_PER_SEC)

static const char *const types[] = {[TYPE_SIMPLE] = "simple",
                                    [TYPE_EXEC] = "exec",
                                    [TYPE_NOTIFY] = "notify",
                                    [TYPE_NOTIFY_RELOAD] = "notify-reload",
                                    [TYPE_FORKING] = "forking",
                                    [TYPE_ONESHOT] = "oneshot",
                                    NULL};
static const char *const restarts[] = {[RESTART_NO] = "no",
                                       [RESTART_ALWAYS] = "always",
                                       [RESTART_ON_SUCCESS] = "on-success",
                                       [RESTART_ON_FAILURE] = "on-failure",
                                       [RESTART_ON_ABNORMAL] = "on-abnormal",
                                       [RESTART_ON_ABORT] = "on-abort",
                                       [RESTART_ON_WATCHDOG] = "on-watchdog",
                                       NULL};
static const char *const kill_modes[] = {[KILL_CONTROL_GROUP] = "control-group",
                                         [KILL_MIXED] = "mixed",
                                         [KILL_PROCESS] = "process",
                                         [KILL_NONE] = "none",
                                         NULL};
static const char *const notify_accesses[] = {
    [NOTIFY_NONE] = "none", [NOTIFY_MAIN] = "main", [NOTIFY_EXEC] = "exec", [NOTIFY_ALL] = "all", NULL};
static const char *const health_actions[] = {
    [HEALTH_RESTART] = "restart", [HEALTH_NONE] = "none", [HEALTH_WATCHDOG] = "watchdog", NULL};
static const char *const overflows[] = {[OVERFLOW_BLOCK] = "block", [OVERFLOW_DROP] = "drop", NULL};
static const char *const levels[] = {[LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
                                     [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                                     [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",     NULL};

#define AT(member) offsetof(struct jobspec, member)
#define ROW(name, setter, member, text, ...)                                                                           \
    {                                                                                                                  \
        .key = name, .set = setter, .offset = AT(member), .expects = text, ##__VA_ARGS__                               \
    }
#define LIMIT(name, rlimit, text)                                                                                      \
    {                                                                                                                  \
        .key = "Limit" name, .set = set_limit, .expects = text, .resource = rlimit                                     \
    }
#define A_TIMESPAN "a timespan such as 90, 5min 20s or infinity"
#define A_PAUSE "a timespan above 0 such as 30 or 1min"
#define A_COUNT "a number or infinity, or SOFT:HARD"
#define A_LIMIT "a size such as 512M or infinity, or SOFT:HARD"
#define A_SIZE "a size such as 512M"
#define A_BOOLEAN "a boolean such as yes or no"
#define A_SIGNAL "a signal such as SIGTERM"
#define A_COMMAND "a command line, \"-\" before it where its failure does not matter"
#define A_LEVEL "emerg, alert, crit, err, warning, notice, info or debug"
#define EXITS "exit statuses and signals such as 1 TEMPFAIL SIGKILL"
#define A_PROBE "tcp:PORT, unix:PATH, http://HOST:PORT/PATH, file:PATH or exec:COMMAND"

static const struct directive directives[] = {
    ROW("Type", set_enum, type, "simple, exec, notify, notify-reload, forking or oneshot", .names = types),
    ROW("ExecStartPre", set_command, exec[EXEC_START_PRE], A_COMMAND),
    ROW("ExecStartPost", set_command, exec[EXEC_START_POST], A_COMMAND),
    ROW("ExecReload", set_command, exec[EXEC_RELOAD], A_COMMAND),
    ROW("ExecStop", set_command, exec[EXEC_STOP], A_COMMAND),
    ROW("ExecStopPost", set_command, exec[EXEC_STOP_POST], A_COMMAND),
    ROW("PIDFile", set_path, pid_file, "an absolute path"),
    ROW("NotifyAccess", set_enum, notify_access, "none, main, exec or all", .names = notify_accesses,
        .flag = AT(notify_access_set)),
    ROW("FileDescriptorStoreMax", set_int, fd_store_max, "a number", .max = 4096),
    ROW("Ready", set_ready, ready, "notify, fd:N, " A_PROBE ", log:REGEX, pidfile or delay:TIME"),
    ROW("TimeoutStartSec", set_timeout, timeout_start, A_TIMESPAN, .flag = AT(timeout_start_set)),
    ROW("TimeoutStopSec", set_timeout, timeout_stop, A_TIMESPAN),
    ROW("KillMode", set_enum, kill_mode, "control-group, mixed, process or none", .names = kill_modes),
    ROW("KillSignal", set_signal, kill_signal, A_SIGNAL),
    ROW("FinalKillSignal", set_signal, final_kill_signal, A_SIGNAL),
    ROW("WatchdogSignal", set_signal, watchdog_signal, A_SIGNAL),
    ROW("ReloadSignal", set_signal, reload_signal, A_SIGNAL),
    ROW("SendSIGHUP", set_bool, send_sighup, A_BOOLEAN),
    ROW("SendSIGKILL", set_bool, send_sigkill, A_BOOLEAN),
    ROW("Restart", set_enum, restart, "no, always, on-success, on-failure, on-abnormal, on-abort or on-watchdog",
        .names = restarts),
    ROW("RestartSec", set_span, restart_usec, A_TIMESPAN),
    ROW("RestartSteps", set_int, restart_steps, "a number", .max = 1000),
    ROW("RestartMaxDelaySec", set_span, restart_max_delay, A_TIMESPAN),
    ROW("RestartResetSec", set_span, restart_reset, A_TIMESPAN),
    ROW("StartLimitIntervalSec", set_span, start_limit_interval, A_TIMESPAN),
    ROW("StartLimitBurst", set_int, start_limit_burst, "a number", .max = INT32_MAX),
    ROW("SuccessExitStatus", set_exits, success_exit, EXITS),
    ROW("RestartPreventExitStatus", set_exits, restart_prevent, EXITS),
    ROW("RestartForceExitStatus", set_exits, restart_force, EXITS),
    ROW("WatchdogSec", set_span, watchdog_usec, A_TIMESPAN),
    ROW("Health", set_health, health, A_PROBE),
    ROW("HealthInterval", set_pause, health_interval, A_PAUSE),
    ROW("HealthTimeout", set_pause, health_timeout, A_PAUSE),
    ROW("HealthStartPeriod", set_span, health_start_period, A_TIMESPAN),
    ROW("HealthRetries", set_int, health_retries, "a number from 1 on", .min = 1, .max = 1000000),
    ROW("HealthAction", set_enum, health_action, "restart, none or watchdog", .names = health_actions),
    ROW("User", set_string, user, "a user's name or number"),
    ROW("Group", set_string, group, "a group's name or number"),
    ROW("SupplementaryGroups", set_words, supplementary_groups, "names or numbers of groups"),
    ROW("WorkingDirectory", set_directory, working_directory, "an absolute path or ~"),
    ROW("UMask", set_mode, umask, "an octal mode such as 0022", .flag = AT(umask_set)),
    ROW("Environment", set_environment, environment, "KEY=VALUE words, quoted where they hold blanks"),
    ROW("EnvironmentFile", set_environment_file, environment_files, "an absolute path"),
    ROW("Nice", set_int, nice, "a number from -20 to 19", .min = -20, .max = 19, .flag = AT(nice_set)),
    ROW("OOMScoreAdjust", set_int, oom_score_adjust, "a number from -1000 to 1000", .min = -1000, .max = 1000,
        .flag = AT(oom_score_adjust_set)),
    ROW("NoNewPrivileges", set_bool, no_new_privileges, A_BOOLEAN),
    ROW("SyslogIdentifier", set_line, syslog_identifier, "a name"),
    ROW("SyslogFacility", set_facility, syslog_facility, "a facility such as daemon or local0"),
    ROW("SyslogLevel", set_enum, stream_level[0], A_LEVEL, .names = levels),
    ROW("SyslogLevelStderr", set_enum, stream_level[1], A_LEVEL, .names = levels),
    ROW("SyslogLevelPrefix", set_bool, syslog_level_prefix, A_BOOLEAN),
    ROW("LogRateLimitIntervalSec", set_span, log_rate_interval, A_TIMESPAN),
    ROW("LogRateLimitBurst", set_int, log_rate_burst, "a number", .max = INT32_MAX),
    ROW("LogOverflow", set_enum, log_overflow, "block or drop", .names = overflows),
    ROW("LogFileMaxSize", set_size, log_file_max_size, A_SIZE),
    ROW("LogFileMaxFiles", set_int, log_file_max_files, "a number", .max = 1000),
    ROW("LineMax", set_line_max, line_max, "a size from 79 on such as 48K"),
    LIMIT("CPU", RLIMIT_CPU, A_TIMESPAN ", or SOFT:HARD"),
    LIMIT("FSIZE", RLIMIT_FSIZE, A_LIMIT),
    LIMIT("DATA", RLIMIT_DATA, A_LIMIT),
    LIMIT("STACK", RLIMIT_STACK, A_LIMIT),
    LIMIT("CORE", RLIMIT_CORE, A_LIMIT),
    LIMIT("RSS", RLIMIT_RSS, A_LIMIT),
    LIMIT("NOFILE", RLIMIT_NOFILE, A_COUNT),
    LIMIT("AS", RLIMIT_AS, A_LIMIT),
    LIMIT("NPROC", RLIMIT_NPROC, A_COUNT),
    LIMIT("MEMLOCK", RLIMIT_MEMLOCK, A_LIMIT),
    LIMIT("LOCKS", RLIMIT_LOCKS, A_COUNT),
    LIMIT("SIGPENDING", RLIMIT_SIGPENDING, A_COUNT),
    LIMIT("MSGQUEUE", RLIMIT_MSGQUEUE, A_LIMIT),
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
        .notify_access = NOTIFY_MAIN,
        .kill_signal = SIGTERM,
        .final_kill_signal = SIGKILL,
        .watchdog_signal = SIGABRT,
        .reload_signal = SIGHUP,
        .send_sigkill = true,
        .restart_usec = 100 * USEC_PER_MSEC, /* systemd-system.conf(5), DefaultRestartSec= */
        .restart_max_delay = USEC_INFINITY,
        .start_limit_interval = 10 * USEC_PER_SEC, /* DefaultStartLimitIntervalSec=, DefaultStartLimitBurst= */
        .start_limit_burst = 5,
        .health_interval = 30 * USEC_PER_SEC, /* those of Docker's HEALTHCHECK */
        .health_timeout = 30 * USEC_PER_SEC,
        .health_retries = 3,
        .umask = 0022, /* systemd.exec(5), UMask= */
        .syslog_facility = LOG_DAEMON,
        .stream_level = {LOG_INFO, LOG_ERR},
        .syslog_level_prefix = true,
        .log_file_max_files = 5,
        .line_max = 48 * 1024, /* journald.conf(5), LineMax= */
    };
}

void jobspec_done(struct jobspec *d)
{
    free(d->name);
    strv_free(d->argv);
    for (size_t i = 0; i < EXEC_LIST_MAX; i++)
        command_list_done(&d->exec[i]);
    free(d->pid_file);
    probe_list_done(&d->ready);
    probespec_done(&d->health);
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
    for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
        const struct directive *row = &directives[i];
        int r;

        if (!STREQ(key, row->key))
            continue;
        *ret_expects = row->expects;
        r = row->set(d, row, value);
        if (r >= 0 && row->flag)
            *(bool *)((char *)d + row->flag) = true;
        return r;
    }
    return -ENOENT;
}

const char *jobspec_directive(unsigned i, const char **ret_expects)
{
    if (i >= ARRAY_SIZE(directives))
        return NULL;
    *ret_expects = directives[i].expects;
    return directives[i].key;
}

bool jobspec_notifies(const struct jobspec *d)
{
    if (d->type == TYPE_NOTIFY || d->type == TYPE_NOTIFY_RELOAD || d->watchdog_usec || d->fd_store_max > 0)
        return true;
    for (size_t i = 0; i < d->ready.n; i++)
        if (d->ready.v[i].kind == PROBE_NOTIFY)
            return true;
    return d->notify_access_set && d->notify_access != NOTIFY_NONE;
}

const char *jobspec_limit_name(int resource)
{
    for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
        if (directives[i].set == set_limit && directives[i].resource == resource)
            return directives[i].key;
    return "Limit";
}

const char *jobspec_identifier(const struct jobspec *d)
{
    return d->syslog_identifier ? d->syslog_identifier : d->name;
}
