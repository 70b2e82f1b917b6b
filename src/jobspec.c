/* The description of one unit: its defaults and its end. The tables of directives (directive.h) fill it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "jobspec.h"
#include "spec_dirs.h"
#include "spec_exec.h"
#include "spec_unit.h"
#include "strv.h"
#include "usec.h"

/* systemd-system.conf(5): DefaultTimeoutStartSec=, DefaultTimeoutStopSec=. */
#define DEFAULT_TIMEOUT (90 * USEC_PER_SEC)

/* How a part is made and unmade. */
struct part {
    size_t size;
    const void *defaults;
    void (*done)(void *part); /* NULL: it holds nothing */
};

static void commands_done(void *part)
{
    struct spec_commands *c = part;

    for (size_t i = 0; i < EXEC_LIST_MAX; i++)
        command_list_done(&c->lists[i]);
}

static struct part part(enum jobspec_part p)
{
    static const struct spec_commands no_commands;

    switch (p) {
    case PART_EXEC:
        return (struct part){sizeof(struct spec_exec), spec_exec_defaults(), spec_exec_done};
    case PART_DIRS:
        return (struct part){sizeof(struct spec_dirs), spec_dirs_defaults(), spec_dirs_done};
    case PART_DEPS:
        return (struct part){sizeof(struct spec_deps), spec_deps_defaults(), spec_deps_done};
    case PART_COMMANDS:
        return (struct part){sizeof(no_commands), &no_commands, commands_done};
    case PART_LIMITS:
        return (struct part){sizeof(struct spec_limits), spec_limits_defaults(), NULL};
    case PART_EXITS:
        return (struct part){sizeof(struct spec_exits), spec_exits_defaults(), NULL};
    case PART_HEALTH:
        return (struct part){sizeof(struct spec_health), spec_health_defaults(), spec_health_done};
    case PART_LOG:
        return (struct part){sizeof(struct spec_log), spec_log_defaults(), NULL};
    case PART_UNIT:
    case PART_JOB:
    case PART_MAX:
        break;
    }
    return (struct part){sizeof(struct spec_unit), spec_unit_defaults(), spec_unit_done};
}

const void *jobspec_part(const struct jobspec *d, enum jobspec_part p)
{
    return jobspec_has_part(d, p) ? d->part[p] : part(p).defaults;
}

bool jobspec_has_part(const struct jobspec *d, enum jobspec_part p)
{
    return d->part && d->part[p];
}

int jobspec_make_part(struct jobspec *d, enum jobspec_part p)
{
    if (p == PART_JOB || jobspec_has_part(d, p))
        return 0;
    if (!d->part)
        d->part = calloc(PART_MAX, sizeof(*d->part));
    if (!d->part)
        return -ENOMEM;
    d->part[p] = malloc(part(p).size);
    if (!d->part[p])
        return -ENOMEM;
    memcpy(d->part[p], part(p).defaults, part(p).size);
    return 0;
}

void jobspec_drop_part(struct jobspec *d, enum jobspec_part p)
{
    void (*done)(void *part) = part(p).done;
    bool any = false;

    if (!jobspec_has_part(d, p))
        return;
    if (done)
        done(d->part[p]);
    free(d->part[p]);
    d->part[p] = NULL;
    for (int i = 0; i < PART_MAX; i++)
        any |= d->part[i] != NULL;
    if (any)
        return;
    free(d->part);
    d->part = NULL;
}

char *const *jobspec_argv(const struct jobspec *d)
{
    return d->start.n ? d->start.v[0].argv : NULL;
}

void jobspec_init(struct jobspec *d)
{
    *d = (struct jobspec){
        .type = TYPE_EXEC,
        .timeout_start = DEFAULT_TIMEOUT,
        .timeout_stop = DEFAULT_TIMEOUT,
        .runtime_max = USEC_INFINITY,
        .guess_main_pid = true,
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
        .ignore_sigpipe = true,
        .umask = 0022, /* systemd.exec(5), UMask= */
        .syslog_facility = LOG_DAEMON,
        .stream_level = {LOG_INFO, LOG_ERR},
        .syslog_level_prefix = true,
    };
}

void probe_list_done(struct probe_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        probespec_done(&l->v[i]);
    free(l->v);
    *l = (struct probe_list){0};
}

void jobspec_done(struct jobspec *d)
{
    if (!d->name_is_lent)
        free(d->name);
    free(d->description);
    free(d->unenforced);
    command_list_done(&d->start);
    free(d->bus_name);
    free(d->pid_file);
    probe_list_done(&d->ready);
    free(d->user);
    free(d->group);
    strv_free(d->supplementary_groups);
    free(d->working_directory);
    strv_free(d->environment);
    strv_free(d->environment_files);
    free(d->syslog_identifier);
    for (int i = PART_JOB + 1; i < PART_MAX; i++)
        jobspec_drop_part(d, (enum jobspec_part)i);
    *d = (struct jobspec){0};
}

/* systemd.service(5), Type=, ExecStart=, ExecStop=, BusName=, Restart=. */
const char *jobspec_fault(const struct jobspec *d)
{
    size_t n = d->start.n;

    if (n == 0 && spec_unit(d)->success_action != UNIT_ACTION_NONE)
        return NULL; /* it is made for what follows it */
    if (n == 0 && jobspec_commands(d, EXEC_STOP)->n == 0)
        return "has neither ExecStart= nor ExecStop=";
    if (n == 0 && d->type != TYPE_ONESHOT)
        return "has no ExecStart=, which only Type=oneshot can do without";
    if (n == 0 && !d->remain_after_exit)
        return "has no ExecStart=, which needs RemainAfterExit=yes";
    if (n > 1 && d->type != TYPE_ONESHOT)
        return "has more than one ExecStart=, which only Type=oneshot may have";
    if (d->type == TYPE_ONESHOT && (d->restart == RESTART_ALWAYS || d->restart == RESTART_ON_SUCCESS))
        return "has Restart=always or on-success, which Type=oneshot cannot have: it would never end";
    return d->type == TYPE_DBUS && !d->bus_name ? "has Type=dbus, but no BusName=" : NULL;
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

enum oom_policy jobspec_oom_policy(const struct jobspec *d)
{
    return d->oom_policy_set || !d->delegate ? d->oom_policy : OOM_CONTINUE;
}

const char *jobspec_identifier(const struct jobspec *d)
{
    const char *program = d->identified_by_program && jobspec_argv(d) ? jobspec_argv(d)[0] : d->name;
    const char *slash = d->identified_by_program ? strrchr(program, '/') : NULL;

    return d->syslog_identifier ? d->syslog_identifier : slash ? slash + 1 : program;
}
