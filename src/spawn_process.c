/* Starting a process of a unit: how it runs. Scheduling, limits and other properties that the kernel keeps for a
 * process. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cleanup.h"
#include "directive.h"
#include "ioprio.h"
#include "spawn_inside.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

static bool is_privilege(int error)
{
    return error == EPERM || error == EACCES;
}

/* Writes @text to a file of /proc about this process. */
static int write_proc(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), r;

    if (fd < 0)
        return -1;
    r = write(fd, text, strlen(text)) < 0 ? -1 : 0;
    if (close(fd) < 0 && r == 0)
        r = -1;
    return r;
}

static bool has_oom(const struct child *c)
{
    return c->d->oom_score_adjust_set;
}

/* A unit that may not have it goes without, as with systemd: in a container nobody may. */
static int step_oom(const struct child *c)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", c->d->oom_score_adjust);
    return write_proc("/proc/self/oom_score_adj", text) == 0 || (c->s->ctx.clean && is_privilege(errno)) ? 0 : -1;
}

static bool has_coredump_filter(const struct child *c)
{
    return c->x->coredump_filter_set;
}

static int step_coredump_filter(const struct child *c)
{
    char text[24];

    snprintf(text, sizeof(text), "0x%llx", (unsigned long long)c->x->coredump_filter);
    return write_proc("/proc/self/coredump_filter", text) == 0 || is_privilege(errno) ? 0 : -1;
}

static bool has_nice(const struct child *c)
{
    return c->d->nice_set;
}

/* A unit gets as near to it as it may. */
static int step_nice(const struct child *c)
{
    struct rlimit limit;
    int best;

    if (setpriority(PRIO_PROCESS, 0, c->d->nice) == 0)
        return 0;
    if (!c->s->ctx.clean || !is_privilege(errno) || getrlimit(RLIMIT_NICE, &limit) < 0)
        return -1;
    best = limit.rlim_cur > 40 ? -20 : 20 - (int)limit.rlim_cur;
    if (best < getpriority(PRIO_PROCESS, 0))
        (void)setpriority(PRIO_PROCESS, 0, best);
    return 0;
}

static bool has_scheduler(const struct child *c)
{
    return c->x->cpu_policy_set || c->x->cpu_priority_set || c->x->cpu_reset_on_fork;
}

/* A priority that the policy does not have becomes the nearest one: a realtime policy alone gets its lowest. */
static int step_scheduler(const struct child *c)
{
    int policy = (int)c->x->cpu_policy;
    int least = sched_get_priority_min(policy), most = sched_get_priority_max(policy);
    struct sched_param param = {.sched_priority = c->x->cpu_priority};

    if (param.sched_priority < least)
        param.sched_priority = least;
    if (param.sched_priority > most)
        param.sched_priority = most;
    return sched_setscheduler(0, policy | (c->x->cpu_reset_on_fork ? SCHED_RESET_ON_FORK : 0), &param);
}

static bool has_affinity(const struct child *c)
{
    return c->x->cpus;
}

static int step_affinity(const struct child *c)
{
    return syscall(SYS_sched_setaffinity, 0, sizeof(*c->x->cpus), c->x->cpus) < 0 ? -1 : 0;
}

static bool has_numa(const struct child *c)
{
    return c->x->numa_policy_set;
}

/* All nodes that there can be: what the kernel has no place for is refused, so it is asked. "0", or "0-3". */
static int all_nodes(struct numbers *ret)
{
    int fd = open("/sys/devices/system/node/possible", O_RDONLY | O_CLOEXEC);
    char text[64], *last;
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    unsigned most = 0;

    close_fd(fd);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    last = strrchr(text, '-');
    for (last = last ? last + 1 : text; *last >= '0' && *last <= '9'; last++)
        most = most * 10 + (unsigned)(*last - '0');
    for (unsigned i = 0; i <= most && i < NUMBERS_MAX; i++)
        ret->words[i / NUMBERS_WORD] |= 1UL << i % NUMBERS_WORD;
    return 0;
}

/* A kernel without NUMA has one node anyway. */
static int step_numa(const struct child *c)
{
    static const struct numbers none;
    struct numbers all = {0};
    const struct numbers *nodes = c->x->numa_nodes ? c->x->numa_nodes : &none;
    unsigned long most = NUMBERS_MAX;
    long r;

    if (c->x->numa_all) {
        if (all_nodes(&all) < 0)
            return 0;
        nodes = &all;
    }
    if (c->x->numa_policy == MPOL_DEFAULT || c->x->numa_policy == MPOL_LOCAL)
        nodes = NULL;
    if (!nodes)
        most = 0;
    r = syscall(SYS_set_mempolicy, c->x->numa_policy, nodes, most);
    return r < 0 && errno != ENOSYS ? -1 : 0;
}

static bool has_ioprio(const struct child *c)
{
    return c->x->io_set;
}

/* No class is the kernel's default one, best-effort in the middle. */
static int step_ioprio(const struct child *c)
{
    const struct spec_exec *x = c->x->io_class == IOPRIO_CLASS_NONE ? spec_exec_defaults() : c->x;
    unsigned level = x->io_class == IOPRIO_CLASS_IDLE ? 0 : (unsigned)x->io_priority;

    return (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(x->io_class, level));
}

static bool has_timer_slack(const struct child *c)
{
    return c->x->timer_slack != UINT64_MAX;
}

static int step_timer_slack(const struct child *c)
{
    return prctl(PR_SET_TIMERSLACK, (unsigned long)c->x->timer_slack, 0, 0, 0);
}

static bool has_personality(const struct child *c)
{
    return c->x->personality != ULONG_MAX;
}

static int step_personality(const struct child *c)
{
    return personality(c->x->personality) < 0 ? -1 : 0;
}

static bool has_ksm(const struct child *c)
{
    return c->x->memory_ksm_set;
}

static int step_ksm(const struct child *c)
{
    return prctl(PR_SET_MEMORY_MERGE, (unsigned long)c->x->memory_ksm, 0, 0, 0) == 0 || errno == EINVAL ? 0 : -1;
}

static int step_umask(const struct child *c)
{
    umask(c->s->umask);
    return 0;
}

/* ---- limits ---- */

static bool has_limits(const struct child *c)
{
    return spec_limits(c->d)->set || c->s->ctx.nofile.rlim_max;
}

static rlim_t lesser(rlim_t a, rlim_t b)
{
    return a < b ? a : b;
}

/* More than it may have: a unit gets as much as there is, as with systemd (LimitNOFILE=infinity is more than any kernel
 * has). */
static int set_limit_nearest(const struct child *c, __rlimit_resource_t resource, const struct rlimit *limit)
{
    struct rlimit now, nearest;

    if (setrlimit(resource, limit) == 0)
        return 0;
    if (!c->s->ctx.clean || errno != EPERM || getrlimit(resource, &now) < 0)
        return -1;
    nearest.rlim_max = lesser(limit->rlim_max, now.rlim_max);
    nearest.rlim_cur = lesser(limit->rlim_cur, nearest.rlim_max);
    return setrlimit(resource, &nearest);
}

static int step_limits(const struct child *c)
{
    const struct spec_limits *l = spec_limits(c->d);

    if (c->s->ctx.nofile.rlim_max && setrlimit(RLIMIT_NOFILE, &c->s->ctx.nofile) < 0)
        return -1;
    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        if (l->set & 1U << i && set_limit_nearest(c, (__rlimit_resource_t)i, &l->limits[i]) < 0) {
            c->report->what = directive_limit_name((int)i);
            return -1;
        }
    return 0;
}

void spawn_steps_process(struct child *c)
{
    spawn_step(c, has_oom(c), step_oom, EXIT_OOM_ADJUST, "OOMScoreAdjust=");
    spawn_step(c, has_coredump_filter(c), step_coredump_filter, EXIT_LIMITS, "CoredumpFilter=");
    spawn_step(c, has_nice(c), step_nice, EXIT_NICE, "Nice=");
    spawn_step(c, has_scheduler(c), step_scheduler, EXIT_SETSCHEDULER, "CPUSchedulingPolicy=");
    spawn_step(c, has_affinity(c), step_affinity, EXIT_CPUAFFINITY, "CPUAffinity=");
    spawn_step(c, has_numa(c), step_numa, EXIT_NUMA_POLICY, "NUMAPolicy=");
    spawn_step(c, has_ioprio(c), step_ioprio, EXIT_IOPRIO, "IOSchedulingClass=");
    spawn_step(c, has_timer_slack(c), step_timer_slack, EXIT_TIMERSLACK, "TimerSlackNSec=");
    spawn_step(c, has_personality(c), step_personality, EXIT_PERSONALITY, "Personality=");
    spawn_step(c, has_ksm(c), step_ksm, EXIT_MEMORY, "MemoryKSM=");
    spawn_step(c, true, step_umask, EXIT_SETSID, "UMask=");
    spawn_step(c, has_limits(c), step_limits, EXIT_LIMITS, "LimitNOFILE");
}
