/* [X-Amphid]: what systemd has no word for. systemd ignores the section (systemd.unit(5)), so one file is valid in both
 * worlds. */
#include <syslog.h>
#include "cleanup.h"
#include "directive_set.h"

static const char *const health_actions[] = {
    [HEALTH_RESTART] = "restart", [HEALTH_NONE] = "none", [HEALTH_WATCHDOG] = "watchdog", NULL};
static const char *const overflows[] = {[OVERFLOW_BLOCK] = "block", [OVERFLOW_DROP] = "drop", NULL};
static const char *const levels[] = {[LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
                                     [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                                     [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",     NULL};

static const struct directive rows[] = {
    ROW("Ready", set_ready, ready, "notify, fd:N, " A_PROBE ", log:REGEX, pidfile or delay:TIME"),
    ROW("RestartResetSec", set_span, restart_reset, A_TIMESPAN),
    ROW("Health", set_health, health, A_PROBE),
    ROW("HealthInterval", set_pause, health_interval, A_PAUSE),
    ROW("HealthTimeout", set_pause, health_timeout, A_PAUSE),
    ROW("HealthStartPeriod", set_span, health_start_period, A_TIMESPAN),
    ROW("HealthRetries", set_int, health_retries, "a number from 1 on", .min = 1, .max = 1000000),
    ROW("HealthAction", set_enum, health_action, "restart, none or watchdog", .names = health_actions),
    ROW("SyslogLevelStderr", set_enum, stream_level[1], A_LEVEL, .names = levels),
    ROW("LogOverflow", set_enum, log_overflow, "block or drop", .names = overflows),
    ROW("LogFileMaxSize", set_size, log_file_max_size, A_SIZE),
    ROW("LogFileMaxFiles", set_int, log_file_max_files, "a number", .max = 1000),
    ROW("LineMax", set_line_max, line_max, "a size from 79 on such as 48K"),
};

const struct directive_table *directives_amphid(void)
{
    static const struct directive_table table = {"X-Amphid", rows, ARRAY_SIZE(rows)};

    return &table;
}
