/* [Service]: systemd.exec(5), the execution environment. */
#include <syslog.h>
#include "cleanup.h"
#include "directive_get.h"
#include "directive_set.h"
#include "directives_exec_set.h"
#include "spec_exec.h"

static const char levels[][WORD_SIZE] = {[LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
                                         [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                                         [LOG_INFO] = "info",   [LOG_DEBUG] = "debug"};

static const char numa_policies[][WORD_SIZE] = {"default", "preferred", "bind", "interleave", "local"}; /* MPOL_* */
static const char keyring_modes[][WORD_SIZE] = {
    [KEYRING_DEFAULT] = "", [KEYRING_INHERIT] = "inherit", [KEYRING_PRIVATE] = "private", [KEYRING_SHARED] = "shared"};

#define EXEC_AT(member) offsetof(struct spec_exec, member)
#define EXEC_ROW(name, setter, member, text, ...) PART_ROW(PART_EXEC, spec_exec, name, setter, member, text, ##__VA_ARGS__)
#define AN_OUTPUT                                                                                                      \
    "inherit, null, tty, journal, kmsg, journal+console, kmsg+console, file:PATH, append:PATH, truncate:PATH, socket or " \
    "fd:NAME"
#define NAMES_OF_VARIABLES "names of variables"
#define NUMBERS "numbers and ranges such as 0-3,7"
#define CAPABILITIES "names of capabilities such as CAP_NET_ADMIN, \"~\" before them for all others"

#define LIMIT(name, rlimit, text)                                                                                      \
    {                                                                                                                  \
        .key = KEY("Limit" name), .set = set_limit, .part = PART_LIMITS, .expects = text, .resource = rlimit                                     \
    }

void directives_exec(struct directive_list *l)
{
    const struct directive rows[] = {
        ROW("User", set_string, user, "a user's name or number", .get = get_user, .vital = true),
        ROW("Group", set_string, group, "a group's name or number", .get = get_user, .vital = true),
        ROW("SupplementaryGroups", set_words, supplementary_groups, "names or numbers of groups", .words = true, .vital = true),
        ROW("WorkingDirectory", set_directory, working_directory, "an absolute path or ~", .vital = true),
        ROW("UMask", set_mode, umask, "an octal mode such as 0022", .flag = AT(umask_set)),
        ROW("Environment", set_environment, environment, "KEY=VALUE words, quoted where they hold blanks", .words = true),
        ROW("EnvironmentFile", set_environment_file, environment_files, "an absolute path",
            .property = "EnvironmentFiles"),
        ROW("Nice", set_int, nice, "a number from -20 to 19", .min = -20, .max = 19, .flag = AT(nice_set)),
        ROW("OOMScoreAdjust", set_int, oom_score_adjust, "a number from -1000 to 1000", .min = -1000, .max = 1000,
            .flag = AT(oom_score_adjust_set)),
        ROW("NoNewPrivileges", set_bool, no_new_privileges, A_BOOLEAN, .get = get_bool_of_dynamic_user),
        ROW("SyslogIdentifier", set_line, syslog_identifier, "a name"),
        ROW("SyslogFacility", set_facility, syslog_facility, "a facility such as daemon or local0"),
        ROW("SyslogLevel", set_enum, stream_level[0], A_LEVEL, ONE_OF(levels), .get = get_enum_number),
        ROW("SyslogLevelPrefix", set_bool, syslog_level_prefix, A_BOOLEAN),
        PART_ROW(PART_LOG, spec_log, "LogRateLimitIntervalSec", set_span, rate_interval, A_TIMESPAN),
        PART_ROW(PART_LOG, spec_log, "LogRateLimitBurst", set_int, rate_burst, "a number", .max = INT32_MAX),
        EXEC_ROW("PassEnvironment", set_unset_environment, pass_environment, NAMES_OF_VARIABLES, .words = true,
                 .get = get_words),
        EXEC_ROW("UnsetEnvironment", set_unset_environment, unset_environment, NAMES_OF_VARIABLES " or KEY=VALUE",
                 .resource = 1, .words = true, .get = get_words),
        EXEC_ROW("ExecSearchPath", set_search_path, search_path, "absolute paths with colons between them",
                 .get = get_words),
        EXEC_ROW("SetLoginEnvironment", set_bool, login_environment, A_BOOLEAN, .flag = EXEC_AT(login_environment_set),
                 .get = get_login_environment),
        EXEC_ROW("StandardInput", set_stdio, stdio[0], "null, tty, tty-force, tty-fail, data, file:PATH, socket or fd:NAME",
                 .resource = 0, .get = get_stdio),
        EXEC_ROW("StandardOutput", set_stdio, stdio[1], AN_OUTPUT, .resource = 1, .get = get_stdio),
        EXEC_ROW("StandardError", set_stdio, stdio[2], AN_OUTPUT, .resource = 2, .get = get_stdio),
        EXEC_ROW("StandardInputText", set_stdin_text, stdin_data, "text with C escapes", .property = ""),
        EXEC_ROW("StandardInputData", set_stdin_data, stdin_data, "base64", .literal = true, .property = ""),
        EXEC_ROW("TTYPath", set_path, tty_path, "an absolute path"),
        EXEC_ROW("TTYReset", set_bool, tty_reset, A_BOOLEAN),
        EXEC_ROW("TTYVHangup", set_bool, tty_vhangup, A_BOOLEAN),
        EXEC_ROW("TTYVTDisallocate", set_bool, tty_vt_disallocate, A_BOOLEAN),
        EXEC_ROW("TTYRows", set_int_or_none, tty_rows, "a number", .max = UINT16_MAX, .property = ""),
        EXEC_ROW("TTYColumns", set_int_or_none, tty_columns, "a number", .max = UINT16_MAX, .property = ""),
        EXEC_ROW("CPUSchedulingPolicy", set_cpu_policy, cpu_policy, "other, batch, idle, fifo or rr",
                 .flag = EXEC_AT(cpu_policy_set), .get = get_number),
        EXEC_ROW("CPUSchedulingPriority", set_int, cpu_priority, "a number from 0 to 99", .max = 99,
                 .flag = EXEC_AT(cpu_priority_set)),
        EXEC_ROW("CPUSchedulingResetOnFork", set_bool, cpu_reset_on_fork, A_BOOLEAN),
        EXEC_ROW("CPUAffinity", set_numbers, cpus, NUMBERS, .get = get_numbers),
        EXEC_ROW("NUMAPolicy", set_enum, numa_policy, "default, preferred, bind, interleave or local", ONE_OF(numa_policies),
                 .flag = EXEC_AT(numa_policy_set), .get = get_numa_policy),
        EXEC_ROW("NUMAMask", set_numa_nodes, numa_nodes, NUMBERS ", or all", .get = get_numbers),
        EXEC_ROW("IOSchedulingClass", set_io_class, io_class, "realtime, best-effort or idle", .get = get_number),
        EXEC_ROW("IOSchedulingPriority", set_io_priority, io_priority, "a number from 0 to 7", .get = get_number),
        EXEC_ROW("TimerSlackNSec", set_nsec, timer_slack, "nanoseconds, or a timespan such as 50us",
                 .get = get_timer_slack),
        EXEC_ROW("CoredumpFilter", set_coredump_filter, coredump_filter, "names of core(5)'s mappings, or a mask such as 33",
                 .words = true, .get = get_coredump_filter),
        EXEC_ROW("Personality", set_personality, personality, "an architecture of this machine such as x86-64",
                 .get = get_personality),
        EXEC_ROW("MemoryKSM", set_bool, memory_ksm, A_BOOLEAN, .flag = EXEC_AT(memory_ksm_set)),
        ROW("IgnoreSIGPIPE", set_bool, ignore_sigpipe, A_BOOLEAN, .flag = AT(ignore_sigpipe_set)),
        EXEC_ROW("KeyringMode", set_enum, keyring, "inherit, private or shared", ONE_OF(keyring_modes),
                 .get = get_keyring),
        EXEC_ROW("CapabilityBoundingSet", set_bounding, bounding, CAPABILITIES, .security = true, .harmless = "~",
                 .get = get_capabilities),
        EXEC_ROW("AmbientCapabilities", set_ambient, ambient, CAPABILITIES, .get = get_capabilities),
        EXEC_ROW("SecureBits", set_secure_bits, secure_bits,
                 "keep-caps, no-setuid-fixup or noroot, each also with -locked behind it", .words = true,
                 .get = get_number),
        EXEC_ROW("AppArmorProfile", set_apparmor, apparmor_profile, "the name of a profile", .security = true,
                 .get = get_apparmor),
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

    directive_add(l, "Service", rows, ARRAY_SIZE(rows));
}
