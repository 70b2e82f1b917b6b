/* The description of one job: what to run and how, in systemd's words (systemd.service(5), systemd.exec(5),
 * systemd.kill(5)). Filled from directives (directive.h), never changed while the job runs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "execline.h"
#include "probespec.h"
#include "spec_parts.h"

/* Enumerations are bytes: directive_set.c writes them as such, and a thousand descriptions are nothing unusual. */
enum __attribute__((packed)) job_type {
    TYPE_SIMPLE,
    TYPE_EXEC,
    TYPE_NOTIFY,
    TYPE_NOTIFY_RELOAD,
    TYPE_FORKING,
    TYPE_ONESHOT,
    TYPE_DBUS,
    TYPE_IDLE,
};

/* systemd.service(5), ExitType=: what lives as long as the service? */
enum __attribute__((packed)) exit_type { EXIT_TYPE_MAIN, EXIT_TYPE_CGROUP };

/* systemd.service(5), TimeoutStartFailureMode=, TimeoutStopFailureMode= */
enum __attribute__((packed)) timeout_failure { TIMEOUT_TERMINATE, TIMEOUT_ABORT, TIMEOUT_KILL };

/* systemd.service(5), OOMPolicy= */
enum __attribute__((packed)) oom_policy { OOM_STOP, OOM_CONTINUE, OOM_KILL };

/* systemd.service(5), FileDescriptorStorePreserve= */
enum __attribute__((packed)) fd_store_preserve { FD_STORE_RESTART, FD_STORE_NO, FD_STORE_YES };

/* systemd.service(5), Restart= */
enum __attribute__((packed)) restart_policy {
    RESTART_NO,
    RESTART_ALWAYS,
    RESTART_ON_SUCCESS,
    RESTART_ON_FAILURE,
    RESTART_ON_ABNORMAL,
    RESTART_ON_ABORT,
    RESTART_ON_WATCHDOG,
};

/* systemd.service(5), RestartMode=: normal: whoever depends on it is told of the end in between. */
enum __attribute__((packed)) restart_mode { RESTART_NORMAL, RESTART_DIRECT, RESTART_DEBUG };

/* systemd.kill(5), KillMode= */
enum __attribute__((packed)) kill_mode { KILL_CONTROL_GROUP, KILL_MIXED, KILL_PROCESS, KILL_NONE };

/* systemd.service(5), NotifyAccess= */
enum __attribute__((packed)) notify_access { NOTIFY_NONE, NOTIFY_MAIN, NOTIFY_EXEC, NOTIFY_ALL };

/* The command lines, in the order of a life. EXEC_START holds the main process; with Type=oneshot it may be several,
 * one after the other (systemd.service(5)). */
enum __attribute__((packed)) exec_list {
    EXEC_CONDITION,
    EXEC_START_PRE,
    EXEC_START,
    EXEC_START_POST,
    EXEC_RELOAD,
    EXEC_STOP,
    EXEC_STOP_POST,
    EXEC_LIST_MAX
};

/* All but ExecStart=. */
struct spec_commands {
    struct command_list lists[EXEC_LIST_MAX];
};

/* The parts of a description that few units have: made by the first directive of theirs that is set, and all defaults
 * until then. PART_JOB is the description itself. */
enum jobspec_part {
    PART_JOB,
    PART_EXEC,   /* struct spec_exec */
    PART_DIRS,   /* struct spec_dirs */
    PART_UNIT,   /* struct spec_unit */
    PART_DEPS,   /* struct spec_deps */
    PART_COMMANDS, /* struct spec_commands */
    PART_LIMITS, /* struct spec_limits, and those of spec_parts.h behind it */
    PART_EXITS,
    PART_HEALTH,
    PART_LOG,
    PART_MAX
};

struct probe_list {
    struct probespec *v;
    size_t n;
};

struct spec_exec;
struct spec_dirs;
struct spec_unit;

struct jobspec {
    char *name;        /* of the unit, "nginx.service"; of a command line the instance's */
    void **part;       /* PART_MAX of them, NULL: as jobspec_part() has it by default; NULL itself: all are so */
    char *description; /* NULL: it is called by its name */
    uint16_t *unenforced; /* numbers of directives: what should confine the service and does not (directive_unenforced()) */
    unsigned n_unenforced;
    bool ignore_sigpipe, ignore_sigpipe_set;
    bool delegate; /* Delegate= */
    bool name_is_lent; /* and not freed with it */

    enum job_type type; /* a unit file's default is the loader's to set, where type_set is false */
    bool type_set;
    bool remain_after_exit;
    enum exit_type exit_type;
    bool timeout_start_set, timeout_abort_set; /* not set: timeout_abort is timeout_stop */
    enum timeout_failure timeout_start_failure, timeout_stop_failure;
    bool permissions_start_only; /* PermissionsStartOnly=: User= and Group= are for ExecStart= alone */
    bool non_blocking;
    bool guess_main_pid; /* Type=forking without PIDFile=: guess it, or not even that */
    enum notify_access notify_access;
    bool notify_access_set;
    enum fd_store_preserve fd_store_preserve;
    enum oom_policy oom_policy;
    bool oom_policy_set;
    enum kill_mode kill_mode;
    bool send_sighup, send_sigkill;
    enum restart_policy restart;
    enum restart_mode restart_mode;
    bool working_directory_optional;
    bool umask_set, nice_set, oom_score_adjust_set;
    bool no_new_privileges;
    uint8_t stream_level[2];     /* LOG_* of stdout and stderr */
    bool stderr_level_set;       /* else that of a unit is SyslogLevel= (units_load.c) */
    bool syslog_level_prefix;    /* "<N>" before a line is its level */
    bool identified_by_program;  /* SyslogIdentifier= is by default that of ExecStart=, else the name */

    int fd_store_max; /* FileDescriptorStoreMax= */
    int kill_signal, final_kill_signal, watchdog_signal, reload_signal;
    int restart_kill_signal; /* 0: kill_signal */
    int restart_steps;
    int start_limit_burst;
    int nice;
    int oom_score_adjust;
    int syslog_facility; /* LOG_* */
    mode_t umask;
    uint64_t timeout_start, timeout_stop, timeout_abort; /* usec, USEC_INFINITY: none */
    uint64_t runtime_max, runtime_extra; /* usec; runtime_max USEC_INFINITY: no limit */
    uint64_t restart_usec, restart_max_delay; /* restart_max_delay USEC_INFINITY: the delay does not grow */
    uint64_t restart_extra;                   /* at random up to so much more */
    uint64_t restart_reset;                   /* up for so long: what was before is forgiven; 0: by the longest delay */
    uint64_t start_limit_interval; /* 0: no limit */
    uint64_t watchdog_usec; /* WatchdogSec= of the child, 0: none */

    struct command_list start; /* EXEC_START; jobspec_commands() knows all lists */
    struct probe_list ready; /* Ready=: all must hold */
    char *bus_name;          /* Type=dbus */
    char *pid_file;          /* Type=forking */
    char *user, *group;      /* NULL: stay who we are */
    char **supplementary_groups;
    char *working_directory; /* NULL: "/" for a daemon, the caller's in the foreground; "~": the user's home */
    char **environment;       /* KEY=VALUE */
    char **environment_files; /* absolute paths, a leading '-': may be missing */
    char *syslog_identifier;  /* NULL: jobspec_identifier() knows better */
};

/* The description with the defaults of the man pages. */
void jobspec_init(struct jobspec *d);

/* Frees what @d holds, not @d. */
void jobspec_done(struct jobspec *d);

/* A part to be read: of @d, or else the defaults. */
const void *jobspec_part(const struct jobspec *d, enum jobspec_part part);

static inline const struct spec_exec *spec_exec(const struct jobspec *d)
{
    return (const struct spec_exec *)jobspec_part(d, PART_EXEC);
}

static inline const struct spec_dirs *spec_dirs(const struct jobspec *d)
{
    return (const struct spec_dirs *)jobspec_part(d, PART_DIRS);
}

static inline const struct spec_unit *spec_unit(const struct jobspec *d)
{
    return (const struct spec_unit *)jobspec_part(d, PART_UNIT);
}

static inline const struct spec_limits *spec_limits(const struct jobspec *d)
{
    return (const struct spec_limits *)jobspec_part(d, PART_LIMITS);
}

static inline const struct spec_exits *spec_exits(const struct jobspec *d)
{
    return (const struct spec_exits *)jobspec_part(d, PART_EXITS);
}

static inline const struct spec_health *spec_health(const struct jobspec *d)
{
    return (const struct spec_health *)jobspec_part(d, PART_HEALTH);
}

static inline const struct spec_log *spec_log(const struct jobspec *d)
{
    return (const struct spec_log *)jobspec_part(d, PART_LOG);
}

static inline const struct spec_deps *spec_deps(const struct jobspec *d)
{
    return (const struct spec_deps *)jobspec_part(d, PART_DEPS);
}

/* The commands of a list; there may be none. */
static inline const struct command_list *jobspec_commands(const struct jobspec *d, enum exec_list list)
{
    return list == EXEC_START ? &d->start
                              : &((const struct spec_commands *)jobspec_part(d, PART_COMMANDS))->lists[list];
}

/* Does it run anything (ExecStart=), and if so, the main process's command line (Type=oneshot: the first)? NULL: no. */
char *const *jobspec_argv(const struct jobspec *d);

/* Is the part its own, or the defaults? */
bool jobspec_has_part(const struct jobspec *d, enum jobspec_part part);

/* The part is by default again. */
void jobspec_drop_part(struct jobspec *d, enum jobspec_part part);

/* Makes the part, if it is not there, as it is by default. -ENOMEM. */
int jobspec_make_part(struct jobspec *d, enum jobspec_part part);

/* Why nothing can be run as @d has it, as systemd would refuse it: constant text that goes on after the unit's name
 * ("has no ExecStart=, which is ..."); NULL: it can be. */
const char *jobspec_fault(const struct jobspec *d);

/* Does the child get a notify socket: does it wait for READY=1, or may it say something (NotifyAccess=)? */
bool jobspec_notifies(const struct jobspec *d);

/* OOMPolicy=, by default stop, or continue with Delegate= (systemd.service(5)). */
enum oom_policy jobspec_oom_policy(const struct jobspec *d);

/* SyslogIdentifier=, by default the name of the program, or that of the job. Borrowed. */
const char *jobspec_identifier(const struct jobspec *d);

/* Frees what the list holds. */
void probe_list_done(struct probe_list *l);
