/* Starting the main process, second half. The child is made by vfork, so its cost does not depend on our size and the
 * exec's result is known when vfork returns, without a pipe. Where it is to become another user it is made by fork:
 * a process of that user must never share memory with root. A close-on-exec pipe tells the moment of the exec then,
 * and the report lies in memory that both share. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cleanup.h"
#include "reaper.h"
#include "spawn.h"

/* In the child, between fork and exec: system calls only. */
/* What the child says before it ends: which step, which errno. Zero: it has executed. */
struct report {
    volatile int exit_status, error;
    const char *volatile what;
};

struct child {
    const struct spawn *s;
    int stdout_fd, stderr_fd;
    struct report *report;
};

/* A group of its own, but the daemon's session: no session leader, it can never get a terminal by opening one. */
static int step_group(const struct child *c)
{
    return c->s->own_group ? setpgid(0, 0) : 0;
}

static int step_stdout(const struct child *c)
{
    return c->stdout_fd >= 0 ? dup2(c->stdout_fd, STDOUT_FILENO) : 0;
}

static int step_stderr(const struct child *c)
{
    return c->stderr_fd >= 0 ? dup2(c->stderr_fd, STDERR_FILENO) : 0;
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
            c->report->what = jobspec_limit_name((int)i);
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

/* As the user: only he may be able to enter it. */
static int step_directory(const struct child *c)
{
    if (!c->s->directory || chdir(c->s->directory) == 0 || (c->s->directory_optional && errno == ENOENT))
        return 0;
    return -1;
}

static int step_listen_pid(const struct child *c)
{
    if (c->s->listen_pid)
        snprintf(c->s->listen_pid + 11, 13, "%d", getpid());
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
    return execve(c->s->path, c->s->spec->argv, c->s->env);
}

/* In systemd's order: what needs rights first, the directory as the user, signals last. */
static const struct step {
    int (*apply)(const struct child *c);
    enum spawn_exit exit_status;
    const char *what;
} steps[] = {
    {step_group, EXIT_SETSID, "process group"},
    {step_stdout, EXIT_STDOUT, "standard output"},
    {step_stderr, EXIT_STDERR, "standard error"},
    {step_oom, EXIT_OOM_ADJUST, "OOMScoreAdjust="},
    {step_nice, EXIT_NICE, "Nice="},
    {step_umask, EXIT_SETSID, "UMask="},
    {step_limits, EXIT_LIMITS, NULL},
    {step_groups, EXIT_GROUP, "Group="},
    {step_user, EXIT_USER, "User="},
    {step_no_new_privileges, EXIT_NO_NEW_PRIVILEGES, "NoNewPrivileges="},
    {step_directory, EXIT_CHDIR, "WorkingDirectory="},
    {step_listen_pid, EXIT_MEMORY, "LISTEN_PID"},
    {step_mask, EXIT_SIGNAL_MASK, "signal mask"},
    {step_exec, EXIT_EXEC, NULL},
};

static void __attribute__((noreturn)) child_main(const struct child *c)
{
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

/* What the child's report means in words. */
static int explain(const struct spawn *s, const struct report *report, struct spawn_error *e)
{
    if (report->exit_status == EXIT_CHDIR)
        return spawn_fail(e, EXIT_CHDIR, report->error, "WorkingDirectory=%s", s->directory);
    if (report->exit_status == EXIT_USER || report->exit_status == EXIT_GROUP)
        return spawn_fail(e, (enum spawn_exit)report->exit_status, report->error, "cannot become user %s, group %s",
                          s->spec->user ? s->spec->user : "(unchanged)",
                          s->spec->group ? s->spec->group : "(the user's)");
    if (report->exit_status == EXIT_EXEC && report->error == ENOENT && access(s->path, F_OK) == 0)
        return spawn_fail(e, EXIT_EXEC, 0, "'%s' cannot be executed: the interpreter that it names does not exist", s->path);
    if (report->exit_status == EXIT_EXEC)
        return spawn_fail(e, EXIT_EXEC, report->error, "'%s' cannot be executed", s->path);
    return spawn_fail(e, (enum spawn_exit)report->exit_status, report->error, "%s", report->what);
}

/* Kept apart so that nothing of the caller's lives in registers across vfork. */
static pid_t __attribute__((noinline)) start_by_vfork(const struct child *c)
{
    pid_t pid = vfork();

    if (pid == 0)
        child_main(c);
    return pid;
}

/* Returns when the child has executed or ended: both close its end of the pipe. */
static pid_t start_by_fork(const struct child *c)
{
    int ends[2];
    char none;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        child_main(c);
    close(ends[1]);
    while (pid > 0 && read(ends[0], &none, 1) < 0 && errno == EINTR)
        ;
    close(ends[0]);
    return pid;
}

/* As spawn_run(), with the memory for the report. */
static int run(struct child *c, pid_t *ret_pid, struct spawn_error *e)
{
    pid_t pid = c->s->drop ? start_by_fork(c) : start_by_vfork(c);
    int r;

    if (pid < 0)
        return spawn_fail(e, EXIT_MEMORY, errno, "fork");
    if (c->report->exit_status) {
        r = explain(c->s, c->report, e);
        reaper_wait(pid);
        return r;
    }
    *ret_pid = pid;
    return 0;
}

int spawn_run(const struct spawn *s, int stdout_fd, int stderr_fd, pid_t *ret_pid, struct spawn_error *ret_error)
{
    struct report ours = {0};
    struct child c = {.s = s, .stdout_fd = stdout_fd, .stderr_fd = stderr_fd, .report = &ours};
    int r;

    if (!s->drop)
        return run(&c, ret_pid, ret_error);
    c.report = mmap(NULL, sizeof(*c.report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c.report == MAP_FAILED)
        return spawn_fail(ret_error, EXIT_MEMORY, errno, "memory");
    r = run(&c, ret_pid, ret_error);
    munmap(c.report, sizeof(*c.report));
    return r;
}
