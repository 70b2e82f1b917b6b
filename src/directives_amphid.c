/* [X-Amphid]: what systemd has no word for. systemd ignores the section (systemd.unit(5)), so one file is valid in both
 * worlds. */
#include <syslog.h>
#include "cleanup.h"
#include "directive_set.h"

static const char health_actions[][WORD_SIZE] = {
    [HEALTH_RESTART] = "restart", [HEALTH_NONE] = "none", [HEALTH_WATCHDOG] = "watchdog"};
static const char overflows[][WORD_SIZE] = {[OVERFLOW_BLOCK] = "block", [OVERFLOW_DROP] = "drop"};
static const char formats[][WORD_SIZE] = {[FORMAT_SHORT_ISO_PRECISE] = "short-iso-precise", [FORMAT_CAT] = "cat"};
static const char levels[][WORD_SIZE] = {[LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
                                         [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                                         [LOG_INFO] = "info",   [LOG_DEBUG] = "debug"};

#define HEALTH_ROW(...) PART_ROW(PART_HEALTH, spec_health, __VA_ARGS__)
#define LOG_ROW(...) PART_ROW(PART_LOG, spec_log, __VA_ARGS__)

void directives_amphid(struct directive_list *l)
{
    const struct directive rows[] = {
        ROW("Ready", set_ready, ready, "notify, fd:N, " A_PROBE ", log:REGEX, pidfile or delay:TIME"),
        ROW("RestartResetSec", set_span, restart_reset, A_TIMESPAN),
        HEALTH_ROW("Health", set_health, health, A_PROBE),
        HEALTH_ROW("HealthInterval", set_pause, interval, A_PAUSE),
        HEALTH_ROW("HealthTimeout", set_pause, timeout, A_PAUSE),
        HEALTH_ROW("HealthStartPeriod", set_span, start_period, A_TIMESPAN),
        HEALTH_ROW("HealthRetries", set_int, retries, "a number from 1 on", .min = 1, .max = 1000000),
        HEALTH_ROW("HealthAction", set_enum, action, "restart, none or watchdog", ONE_OF(health_actions)),
        ROW("SyslogLevelStderr", set_enum, stream_level[1], A_LEVEL, ONE_OF(levels),
            .flag = AT(stderr_level_set)),
        LOG_ROW("LogFormat", set_enum, format, "short-iso-precise or cat", ONE_OF(formats)),
        LOG_ROW("LogOverflow", set_enum, overflow, "block or drop", ONE_OF(overflows)),
        LOG_ROW("LogFileMaxSize", set_size, file_max_size, A_SIZE),
        LOG_ROW("LogFileMaxFiles", set_int, file_max_files, "a number", .max = 1000),
        LOG_ROW("LineMax", set_line_max, line_max, "a size from 79 on such as 48K"),
    };

    directive_add(l, "X-Amphid", rows, ARRAY_SIZE(rows));
}
