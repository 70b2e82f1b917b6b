/* Starting a process of the job, second half. The child is made by vfork, so its cost does not depend on our size and
 * the exec's result is known when vfork returns, without a pipe. Where it is to be born in a cgroup it is made by
 * clone3, which does the same: moving it later would cost milliseconds (the kernel waits for all CPUs). Where it is to
 * become another user no memory is shared: a process of that user must never have root's. Without clone3 a close-on-exec
 * pipe tells the moment of the exec then, and without shared memory the report lies in a page that both have. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cgroup.h"
#include "cleanup.h"
#include "clone3.h"
#include "directive.h"
#include "reaper.h"
#include "spawn.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

/* What the child says: that it is there; and before it ends which step has failed, with which errno. Zero: it has
 * executed. */
struct report {
    volatile bool begun;
    volatile int exit_status, error;
    const char *volatile what;
};

struct child {
    const struct spawn *s;
    const struct spawn_run *run;
    const char *path;
    char *const *argv;
    struct spawn_env *env;
    int *fds;   /* run->fds, out of the way */
    int above;  /* the first number that is nobody's target */
    pid_t parent;
    bool enter; /* it has to go into its cgroup by itself */
    struct report *report;
};

/* ---- in the child, between fork and exec: system calls only ---- */

/* Who cannot go there stays with us: it is a descendant anyway (tree.h). */
static int step_cgroup(const struct child *c)
{
    if (c->enter)
        (void)cgroup_enter(c->run->cgroup_fd);
    return 0;
}

/* A group of its own, but the daemon's session: no session leader, it can never get a terminal by opening one. */
static int step_group(const struct child *c)
{
    return c->s->own_group ? setpgid(0, 0) : 0;
}

static int step_stdout(const struct child *c)
{
    return c->run->stdout_fd >= 0 ? dup2(c->run->stdout_fd, STDOUT_FILENO) : 0;
}

static int step_stderr(const struct child *c)
{
    return c->run->stderr_fd >= 0 ? dup2(c->run->stderr_fd, STDERR_FILENO) : 0;
}

/* What was passed to us is for the main program alone. Without close_range(2) of Linux 5.11 the others get it, too. */
static int step_not_passed(const struct child *c)
{
    if (!c->run->main)
        (void)syscall(__NR_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    return 0;
}

/* One may have the number that another is to get: first all go above all of these numbers. */
static int step_fds(const struct child *c)
{
    for (size_t i = 0; i < c->run->n_fds; i++) {
        c->fds[i] = fcntl(c->run->fds[i].fd, F_DUPFD_CLOEXEC, c->above);
        if (c->fds[i] < 0)
            return -1;
    }
    for (size_t i = 0; i < c->run->n_fds; i++)
        if (dup2(c->fds[i], c->run->fds[i].number) < 0)
            return -1;
    return 0;
}

static int step_oom(const struct child *c)
{
    char text[16];
    int fd, n;

    if (!c->s->spec->oom_score_adjust_set)
        return 0;
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC | O_NOCTTY);
    n = snprintf(text, sizeof(text), "%d", c->s->spec->oom_score_adjust);
    return fd < 0 || write(fd, text, (size_t)n) != n ? -1 : 0;
}

static int step_nice(const struct child *c)
{
    return c->s->spec->nice_set ? setpriority(PRIO_PROCESS, 0, c->s->spec->nice) : 0;
}

static int step_umask(const struct child *c)
{
    umask(c->s->umask);
    return 0;
}

static int step_limits(const struct child *c)
{
    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        if (c->s->spec->limits_set & 1U << i && setrlimit((__rlimit_resource_t)i, &c->s->spec->limits[i]) < 0) {
            c->report->what = directive_limit_name((int)i);
            return -1;
        }
    return 0;
}

/* The raw system calls: those of the C library would act on all threads of the process whose memory we share. */
static int step_groups(const struct child *c)
{
    const struct spawn *s = c->s;

    if (!s->drop)
        return 0;
    /* Without rights this is refused; it is no failure if we are already whom we shall be. */
    if (syscall(SYS_setgroups, s->n_groups, s->groups) < 0 && (geteuid() == 0 || s->spec->supplementary_groups))
        return -1;
    return (int)syscall(SYS_setresgid, s->gid, s->gid, s->gid);
}

static int step_user(const struct child *c)
{
    return c->s->drop ? (int)syscall(SYS_setresuid, c->s->uid, c->s->uid, c->s->uid) : 0;
}

static int step_no_new_privileges(const struct child *c)
{
    return c->s->spec->no_new_privileges ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

/* A main process does not outlive whoever watches it, even if that is killed: the next start would make a second one. But
 * KillMode=none wants it to. Set behind step_user(): a change of credentials takes it away, prctl(2). */
static int step_death_signal(const struct child *c)
{
    const struct jobspec *d = c->s->spec;

    if (!c->run->main || d->kill_mode == KILL_NONE)
        return 0;
    if (prctl(PR_SET_PDEATHSIG, d->kill_signal, 0, 0, 0) < 0)
        return -1;
    errno = ESRCH; /* it has been killed already */
    return getppid() == c->parent ? 0 : -1;
}

/* As the user: only he may be able to enter it. */
static int step_directory(const struct child *c)
{
    if (!c->s->directory || chdir(c->s->directory) == 0 || (c->s->directory_optional && errno == ENOENT))
        return 0;
    return -1;
}

/* Only the child knows its PID. */
static int step_own_pid(const struct child *c)
{
    char *variables[] = {c->env->listen_pid, c->env->watchdog_pid};

    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        char *end = strchr(variables[i], '=');

        if (end)
            snprintf(end + 1, 12, "%d", getpid());
    }
    return 0;
}

static int step_mask(const struct child *c)
{
    sigset_t none;

    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int step_exec(const struct child *c)
{
    return execve(c->path, c->argv, c->env->v);
}

/* In systemd's order: what needs rights first, the directory as the user, signals last. */
static const struct step {
    int (*apply)(const struct child *c);
    enum spawn_exit exit_status;
    const char *what;
} steps[] = {
    {step_cgroup, EXIT_CGROUP, "cgroup"},
    {step_group, EXIT_SETSID, "process group"},
    {step_stdout, EXIT_STDOUT, "standard output"},
    {step_stderr, EXIT_STDERR, "standard error"},
    {step_not_passed, EXIT_FDS, "descriptors"},
    {step_fds, EXIT_FDS, "descriptors"},
    {step_oom, EXIT_OOM_ADJUST, "OOMScoreAdjust="},
    {step_nice, EXIT_NICE, "Nice="},
    {step_umask, EXIT_SETSID, "UMask="},
    {step_limits, EXIT_LIMITS, NULL},
    {step_groups, EXIT_GROUP, "Group="},
    {step_user, EXIT_USER, "User="},
    {step_no_new_privileges, EXIT_NO_NEW_PRIVILEGES, "NoNewPrivileges="},
    {step_death_signal, EXIT_SIGNAL_MASK, "the signal at our death"},
    {step_directory, EXIT_CHDIR, "WorkingDirectory="},
    {step_own_pid, EXIT_MEMORY, "LISTEN_PID"},
    {step_mask, EXIT_SIGNAL_MASK, "signal mask"},
    {step_exec, EXIT_EXEC, NULL},
};

static void __attribute__((noreturn)) child_main(const void *arg)
{
    const struct child *c = arg;

    c->report->begun = true;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (steps[i].apply(c) < 0) {
            c->report->error = errno;
            if (!c->report->what)
                c->report->what = steps[i].what;
            c->report->exit_status = (int)steps[i].exit_status;
            break;
        }
    _exit(c->report->exit_status);
}

/* ---- in the parent ---- */

/* What the child's report means in words. */
static int explain(const struct child *c, struct spawn_error *e)
{
    const struct report *report = c->report;
    const struct spawn *s = c->s;

    if (report->exit_status == EXIT_CHDIR)
        return spawn_fail(e, EXIT_CHDIR, report->error, "WorkingDirectory=%s", s->directory);
    if (report->exit_status == EXIT_USER || report->exit_status == EXIT_GROUP)
        return spawn_fail(e, (enum spawn_exit)report->exit_status, report->error, "cannot become user %s, group %s",
                          s->spec->user ? s->spec->user : "(unchanged)",
                          s->spec->group ? s->spec->group : "(the user's)");
    if (report->exit_status == EXIT_EXEC && report->error == ENOENT && access(c->path, F_OK) == 0)
        return spawn_fail(e, EXIT_EXEC, 0, "'%s' cannot be executed: the interpreter that it names does not exist",
                          c->path);
    if (report->exit_status == EXIT_EXEC)
        return spawn_fail(e, EXIT_EXEC, report->error, "'%s' cannot be executed", c->path);
    return spawn_fail(e, (enum spawn_exit)report->exit_status, report->error, "%s", report->what);
}

/* Does the child run in our memory? */
static bool shares_memory(const struct child *c)
{
    return !c->s->drop && (CLONE3_SHARES || c->run->cgroup_fd < 0);
}

/* Returns when the child has executed or ended. Since Linux 6.14 (and in older ones' updates) one is killed at its
 * birth where cgroup.kill was used more often than where its parent is, or less: then it is as if there were no clone3. */
static pid_t start_in_cgroup(const struct child *c)
{
    struct clone3_args args = {.flags = CLONE_VFORK | CLONE_INTO_CGROUP | (shares_memory(c) ? CLONE_VM : 0),
                               .exit_signal = SIGCHLD,
                               .cgroup = (uint64_t)c->run->cgroup_fd};
    long pid = clone3_run(&args, child_main, c);

    if (pid > 0 && !c->report->begun) {
        reaper_wait((pid_t)pid);
        pid = -EIO;
    }
    if (pid > 0)
        return (pid_t)pid;
    errno = (int)-pid;
    return -1;
}

/* Kept apart so that nothing of the caller's lives in registers across vfork. */
static pid_t __attribute__((noinline)) start_by_vfork(const struct child *c)
{
    pid_t pid = vfork();

    if (pid == 0)
        child_main(c);
    return pid;
}

/* Returns when the child has executed or ended: both close its end of the pipe, which no target may overwrite. */
static pid_t start_by_fork(const struct child *c)
{
    cleanup_close int told = -1, kept = -1;
    int ends[2];
    char none;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    told = ends[0];
    kept = fcntl(ends[1], F_DUPFD_CLOEXEC, c->above);
    close(ends[1]);
    if (kept < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        child_main(c);
    kept = close_fd(kept);
    while (pid > 0 && read(told, &none, 1) < 0 && errno == EINTR)
        ;
    return pid;
}

/* Seccomp filters (Docker's) and old kernels know no clone3: only a process that cannot be had is a failure. */
static pid_t start(struct child *c)
{
    pid_t pid = -1;

    if (c->run->cgroup_fd >= 0) {
        pid = start_in_cgroup(c);
        if (pid > 0 || errno == EAGAIN || errno == ENOMEM)
            return pid;
    }
    c->enter = c->run->cgroup_fd >= 0;
    return c->s->drop ? start_by_fork(c) : start_by_vfork(c);
}

/* As spawn_run(), with all that takes memory. */
static int run(struct child *c, pid_t *ret_pid, struct spawn_error *e)
{
    pid_t pid = start(c);
    int r;

    if (pid < 0)
        return spawn_fail(e, EXIT_MEMORY, errno, "fork");
    if (c->report->exit_status) {
        r = explain(c, e);
        reaper_wait(pid);
        return r;
    }
    *ret_pid = pid;
    return 0;
}

static int no_memory(struct spawn_error *e)
{
    return spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
}

/* With the report where parent and child see it. */
static int run_reported(struct child *c, pid_t *ret_pid, struct spawn_error *e)
{
    struct report ours = {0};
    int r;

    c->report = &ours;
    if (shares_memory(c))
        return run(c, ret_pid, e);
    c->report = mmap(NULL, sizeof(*c->report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->report == MAP_FAILED)
        return no_memory(e);
    r = run(c, ret_pid, e);
    munmap(c->report, sizeof(*c->report));
    return r;
}

int spawn_run(const struct spawn *s, const struct spawn_run *how, pid_t *ret_pid, struct spawn_error *ret_error)
{
    const struct command *first = s->spec->exec[EXEC_START].v, *command = how->command ? how->command : first;
    struct child c = {.s = s, .run = how, .path = s->path, .argv = how->argv ? how->argv : command->argv,
                      .above = STDERR_FILENO + 1, .parent = getpid()};
    cleanup_free char *found = NULL;
    cleanup_free int *fds = NULL;
    struct spawn_env env;
    int r;

    if (command != first || (how->argv && !how->command)) {
        if (spawn_find(s, how->command ? command->path : how->argv[0], &found, ret_error) < 0)
            return -1;
        c.path = found;
    }
    for (size_t i = 0; i < how->n_fds; i++)
        if (c.above <= how->fds[i].number)
            c.above = how->fds[i].number + 1;
    c.fds = fds = calloc(how->n_fds + 1, sizeof(*fds));
    if (!fds || spawn_env_make(&env, s, how) < 0)
        return no_memory(ret_error);
    c.env = &env;
    r = run_reported(&c, ret_pid, ret_error);
    spawn_env_done(&env);
    return r;
}
