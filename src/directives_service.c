/* [Service]: systemd.service(5) and systemd.kill(5). */
#include "directive_set.h"
#include "cleanup.h"

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

static const struct directive rows[] = {
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
    ROW("SuccessExitStatus", set_exits, success_exit, EXITS),
    ROW("RestartPreventExitStatus", set_exits, restart_prevent, EXITS),
    ROW("RestartForceExitStatus", set_exits, restart_force, EXITS),
    ROW("WatchdogSec", set_span, watchdog_usec, A_TIMESPAN),
};

const struct directive_table *directives_service(void)
{
    static const struct directive_table table = {"Service", rows, ARRAY_SIZE(rows)};

    return &table;
}
