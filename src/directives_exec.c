/* [Service]: systemd.exec(5), the execution environment. */
#include <syslog.h>
#include "cleanup.h"
#include "directive_set.h"

static const char *const levels[] = {[LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
                                     [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                                     [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",     NULL};

#define LIMIT(name, rlimit, text)                                                                                      \
    {                                                                                                                  \
        .key = "Limit" name, .set = set_limit, .expects = text, .resource = rlimit                                     \
    }

static const struct directive rows[] = {
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
    ROW("SyslogLevelPrefix", set_bool, syslog_level_prefix, A_BOOLEAN),
    ROW("LogRateLimitIntervalSec", set_span, log_rate_interval, A_TIMESPAN),
    ROW("LogRateLimitBurst", set_int, log_rate_burst, "a number", .max = INT32_MAX),
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

const struct directive_table *directives_exec(void)
{
    static const struct directive_table table = {"Service", rows, ARRAY_SIZE(rows)};

    return &table;
}
