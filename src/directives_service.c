/* [Service]: systemd.service(5) and systemd.kill(5). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "directive_get.h"
#include "directive_set.h"
#include "cleanup.h"
#include "parse.h"
#include "self.h"
#include "textbuf.h"

static const char types[][WORD_SIZE] = {[TYPE_SIMPLE] = "simple",
                                        [TYPE_EXEC] = "exec",
                                        [TYPE_NOTIFY] = "notify",
                                        [TYPE_NOTIFY_RELOAD] = "notify-reload",
                                        [TYPE_FORKING] = "forking",
                                        [TYPE_ONESHOT] = "oneshot",
                                        [TYPE_DBUS] = "dbus",
                                        [TYPE_IDLE] = "idle"};
static const char exit_types[][WORD_SIZE] = {[EXIT_TYPE_MAIN] = "main", [EXIT_TYPE_CGROUP] = "cgroup"};
static const char timeout_failures[][WORD_SIZE] = {
    [TIMEOUT_TERMINATE] = "terminate", [TIMEOUT_ABORT] = "abort", [TIMEOUT_KILL] = "kill"};
static const char oom_policies[][WORD_SIZE] = {
    [OOM_STOP] = "stop", [OOM_CONTINUE] = "continue", [OOM_KILL] = "kill"};
static const char restart_modes[][WORD_SIZE] = {
    [RESTART_NORMAL] = "normal", [RESTART_DIRECT] = "direct", [RESTART_DEBUG] = "debug"};
static const char preserves[][WORD_SIZE] = {
    [FD_STORE_RESTART] = "restart", [FD_STORE_NO] = "no", [FD_STORE_YES] = "yes"};
static const char restarts[][WORD_SIZE] = {[RESTART_NO] = "no",
                                           [RESTART_ALWAYS] = "always",
                                           [RESTART_ON_SUCCESS] = "on-success",
                                           [RESTART_ON_FAILURE] = "on-failure",
                                           [RESTART_ON_ABNORMAL] = "on-abnormal",
                                           [RESTART_ON_ABORT] = "on-abort",
                                           [RESTART_ON_WATCHDOG] = "on-watchdog"};
static const char kill_modes[][WORD_SIZE] = {[KILL_CONTROL_GROUP] = "control-group",
                                             [KILL_MIXED] = "mixed",
                                             [KILL_PROCESS] = "process",
                                             [KILL_NONE] = "none"};
static const char notify_accesses[][WORD_SIZE] = {
    [NOTIFY_NONE] = "none", [NOTIFY_MAIN] = "main", [NOTIFY_EXEC] = "exec", [NOTIFY_ALL] = "all"};

/* "restart", or a boolean. */
static int set_preserve(struct jobspec *d, const struct directive *row, const char *value)
{
    bool keep;

    if (parse_bool(value, &keep) < 0)
        return set_enum(d, row, value);
    d->fd_store_preserve = keep ? FD_STORE_YES : FD_STORE_NO;
    return 0;
}

/* Both at once (systemd.service(5), TimeoutSec=). */
static int set_both_timeouts(struct jobspec *d, const struct directive *row, const char *value)
{
    int r = set_timeout(d, row, value);

    if (r >= 0)
        d->timeout_stop = d->timeout_start;
    return r;
}

/* systemd.service(5), TimeoutAbortSec=: the empty value means that of TimeoutStopSec= again. */
static int set_abort_timeout(struct jobspec *d, const struct directive *row, const char *value)
{
    int r = *value ? set_timeout(d, row, value) : 0;

    if (r >= 0)
        d->timeout_abort_set = *value;
    return r;
}

/* systemd.service(5), RuntimeMaxSec=: the empty value means none. */
static int set_limit_or_none(struct jobspec *d, const struct directive *row, const char *value)
{
    return set_timeout(d, row, *value ? value : "infinity");
}

/* systemd.service(5), PIDFile=: "may be relative", to the run time directory: /run, or the user's. */
static int set_pid_file(struct jobspec *d, const struct directive *row, const char *value)
{
    const char *base = self_uid() == 0 ? NULL : getenv("XDG_RUNTIME_DIR");
    cleanup_free char *path = NULL;

    if (strncmp(value, "/var/run/", strlen("/var/run/")) == 0)
        value += strlen("/var"); /* its name of old, which systemd replaces */
    if (!*value || *value == '/')
        return set_path(d, row, value);
    path = JOIN(base ? base : "/run", "/", value);
    if (!path)
        return -ENOMEM;
    return set_path(d, row, path);
}

/* What the D-Bus specification calls a bus name, without a connection's own (":1.42"): words of A-Z a-z 0-9 _ -, none
 * of which begins with a digit, between dots. */
static int set_bus_name(struct jobspec *d, const struct directive *row, const char *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-", digits[] = "0123456789";
    size_t words = 0;

    if (strlen(value) > 255)
        return -EINVAL;
    for (const char *p = value; *p; words++) {
        if (!strchr(letters, *p))
            return -EINVAL;
        while (*p && (strchr(letters, *p) || strchr(digits, *p)))
            p++;
        if (*p == '.' && p[1])
            p++;
        else if (*p)
            return -EINVAL;
    }
    return words == 1 ? -EINVAL : set_string(d, row, value);
}

void directives_service(struct directive_list *l)
{
    const struct directive rows[] = {
        ROW("Type", set_enum, type, "simple, exec, notify, notify-reload, forking, oneshot, dbus or idle", ONE_OF(types),
            .flag = AT(type_set)),
        ROW("ExitType", set_enum, exit_type, "main or cgroup", ONE_OF(exit_types)),
        ROW("RemainAfterExit", set_bool, remain_after_exit, A_BOOLEAN),
        ROW("GuessMainPID", set_bool, guess_main_pid, A_BOOLEAN),
        ROW("BusName", set_bus_name, bus_name, "a D-Bus name such as org.example.Service", .get = get_string),
        PART_ROW(PART_COMMANDS, spec_commands, "ExecCondition", set_command, lists[EXEC_CONDITION], A_COMMAND, .words = true),
        ROW("ExecStart", set_command, start, A_COMMAND, .words = true),
        PART_ROW(PART_COMMANDS, spec_commands, "ExecStartPre", set_command, lists[EXEC_START_PRE], A_COMMAND, .words = true),
        PART_ROW(PART_COMMANDS, spec_commands, "ExecStartPost", set_command, lists[EXEC_START_POST], A_COMMAND, .words = true),
        PART_ROW(PART_COMMANDS, spec_commands, "ExecReload", set_command, lists[EXEC_RELOAD], A_COMMAND, .words = true),
        PART_ROW(PART_COMMANDS, spec_commands, "ExecStop", set_command, lists[EXEC_STOP], A_COMMAND, .words = true),
        PART_ROW(PART_COMMANDS, spec_commands, "ExecStopPost", set_command, lists[EXEC_STOP_POST], A_COMMAND, .words = true),
        ROW("PermissionsStartOnly", set_bool, permissions_start_only, A_BOOLEAN, .property = ""),
        ROW("NonBlocking", set_bool, non_blocking, A_BOOLEAN),
        ROW("PIDFile", set_pid_file, pid_file, "a path, absolute or below /run", .get = get_string),
        ROW("NotifyAccess", set_enum, notify_access, "none, main, exec or all", ONE_OF(notify_accesses),
            .flag = AT(notify_access_set), .get = get_notify_access),
        ROW("FileDescriptorStoreMax", set_int, fd_store_max, "a number", .max = 65536),
        ROW("FileDescriptorStorePreserve", set_preserve, fd_store_preserve, "yes, no or restart", ONE_OF(preserves),
            .get = get_enum),
        ROW("TimeoutStartSec", set_timeout, timeout_start, A_TIMESPAN, .flag = AT(timeout_start_set),
            .get = get_start_timeout),
        ROW("TimeoutStopSec", set_timeout, timeout_stop, A_TIMESPAN),
        ROW("TimeoutSec", set_both_timeouts, timeout_start, A_TIMESPAN, .flag = AT(timeout_start_set), .property = ""),
        ROW("TimeoutAbortSec", set_abort_timeout, timeout_abort, A_TIMESPAN, .get = get_abort_timeout),
        ROW("TimeoutStartFailureMode", set_enum, timeout_start_failure, "terminate, abort or kill",
            ONE_OF(timeout_failures)),
        ROW("TimeoutStopFailureMode", set_enum, timeout_stop_failure, "terminate, abort or kill",
            ONE_OF(timeout_failures)),
        ROW("RuntimeMaxSec", set_limit_or_none, runtime_max, A_TIMESPAN, .get = get_span),
        ROW("RuntimeRandomizedExtraSec", set_span, runtime_extra, A_TIMESPAN),
        ROW("OOMPolicy", set_enum, oom_policy, "stop, continue or kill", ONE_OF(oom_policies),
            .flag = AT(oom_policy_set), .get = get_oom_policy),
        ROW("KillMode", set_enum, kill_mode, "control-group, mixed, process or none", ONE_OF(kill_modes)),
        ROW("KillSignal", set_signal, kill_signal, A_SIGNAL),
        ROW("RestartKillSignal", set_signal, restart_kill_signal, A_SIGNAL, .get = get_restart_kill_signal),
        ROW("FinalKillSignal", set_signal, final_kill_signal, A_SIGNAL),
        ROW("WatchdogSignal", set_signal, watchdog_signal, A_SIGNAL),
        ROW("ReloadSignal", set_signal, reload_signal, A_SIGNAL),
        ROW("SendSIGHUP", set_bool, send_sighup, A_BOOLEAN),
        ROW("SendSIGKILL", set_bool, send_sigkill, A_BOOLEAN),
        ROW("Restart", set_enum, restart, "no, always, on-success, on-failure, on-abnormal, on-abort or on-watchdog",
            ONE_OF(restarts)),
        ROW("RestartMode", set_enum, restart_mode, "normal, direct or debug", ONE_OF(restart_modes)),
        ROW("RestartSec", set_span, restart_usec, A_TIMESPAN),
        ROW("RestartSteps", set_int, restart_steps, "a number", .max = 1000),
        ROW("RestartMaxDelaySec", set_span, restart_max_delay, A_TIMESPAN),
        ROW("RestartRandomizedDelaySec", set_span, restart_extra, A_TIMESPAN),
        PART_ROW(PART_EXITS, spec_exits, "SuccessExitStatus", set_exits, success, EXITS),
        PART_ROW(PART_EXITS, spec_exits, "RestartPreventExitStatus", set_exits, restart_prevent, EXITS),
        PART_ROW(PART_EXITS, spec_exits, "RestartForceExitStatus", set_exits, restart_force, EXITS),
        ROW("WatchdogSec", set_span, watchdog_usec, A_TIMESPAN, .get = get_watchdog),
    };

    directive_add(l, "Service", rows, ARRAY_SIZE(rows));
}
