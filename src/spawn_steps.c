/* Starting a process of a unit: what the child does between fork and exec, in systemd's order. Which steps apply is
 * chosen before the fork, so what was not asked for costs nothing. They are system calls only: the child may share our
 * memory. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cgroup.h"
#include "cleanup.h"
#include "spawn_inside.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

static bool has_cgroup(const struct child *c)
{
    return c->enter;
}

/* Who cannot go there stays with us: it is a descendant anyway (tree.h). */
static int step_cgroup(const struct child *c)
{
    (void)cgroup_enter(c->run->cgroup_fd);
    return 0;
}

static bool has_group(const struct child *c)
{
    return c->leads || c->s->ctx.own_group || c->s->ctx.clean;
}

/* A group of its own, but the daemon's session: no session leader, it can never get a terminal by opening one. Only who
 * is to have a terminal is one. */
static int step_group(const struct child *c)
{
    return c->leads ? (setsid() < 0 ? -1 : 0) : setpgid(0, 0);
}

/* What was passed to us is for the main program alone, and not even for that by its number if it is a standard stream.
 */
static bool has_others(const struct child *c)
{
    return !c->run->main || c->streams[0].kind == STDIO_SOCKET || c->streams[1].kind == STDIO_SOCKET ||
           c->streams[2].kind == STDIO_SOCKET;
}

/* Without close_range(2) of Linux 5.11 they get it, too. */
static int step_not_passed(const struct child *c)
{
    (void)syscall(__NR_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    return 0;
}

static bool has_fds(const struct child *c)
{
    return c->n_fds > 0;
}

/* One may have the number that another is to get: first all go above all of these numbers. */
static int step_fds(const struct child *c)
{
    for (size_t i = 0; i < c->n_fds; i++) {
        c->fds[i] = fcntl(c->run->fds[i].fd, F_DUPFD_CLOEXEC, c->above);
        if (c->fds[i] < 0)
            return -1;
    }
    for (size_t i = 0; i < c->n_fds; i++)
        if (dup2(c->fds[i], c->run->fds[i].number) < 0)
            return -1;
    return 0;
}

static bool has_passed(const struct child *c)
{
    return c->run->main && c->s->ctx.listen_fds > 0 && (c->s->ctx.clean || c->d->non_blocking);
}

/* systemd.service(5), NonBlocking=: either way, for a unit's sockets. */
static int step_non_blocking(const struct child *c)
{
    for (unsigned i = 0; i < c->s->ctx.listen_fds; i++) {
        int fd = STDERR_FILENO + 1 + (int)i, flags = fcntl(fd, F_GETFL), wanted;

        wanted = c->d->non_blocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
        if (flags < 0 || (flags != wanted && fcntl(fd, F_SETFL, wanted) < 0))
            return -1;
    }
    return 0;
}

/* KillMode=none wants it to live on. */
static bool has_death_signal(const struct child *c)
{
    return c->run->main && c->d->kill_mode != KILL_NONE;
}

/* A main process does not outlive whoever watches it, even if that is killed: the next start would make a second one.
 * Set behind step_user(): a change of credentials takes it away, prctl(2). */
static int step_death_signal(const struct child *c)
{
    if (prctl(PR_SET_PDEATHSIG, c->d->kill_signal, 0, 0, 0) < 0)
        return -1;
    errno = ESRCH; /* it has been killed already */
    return getppid() == c->parent ? 0 : -1;
}

static bool has_directory(const struct child *c)
{
    return c->s->directory;
}

/* As the user: only he may be able to enter it. */
static int step_directory(const struct child *c)
{
    return chdir(c->s->directory) == 0 || (c->s->directory_optional && errno == ENOENT) ? 0 : -1;
}

static bool has_own_pid(const struct child *c)
{
    return c->env->listen_pid[0] || c->env->watchdog_pid[0] || c->env->exec_pid[0];
}

/* Only the child knows its PID. */
static int step_own_pid(const struct child *c)
{
    char *variables[] = {c->env->listen_pid, c->env->watchdog_pid, c->env->exec_pid};
    pid_t pid = getpid();

    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        char *end = strchr(variables[i], '=');

        if (end)
            snprintf(end + 1, 12, "%d", pid);
    }
    return 0;
}

static bool has_sigpipe(const struct child *c)
{
    return c->d->ignore_sigpipe && (c->s->ctx.clean || c->d->ignore_sigpipe_set);
}

static int step_sigpipe(const struct child *c)
{
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
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

static void first_steps(struct child *c)
{
    spawn_step(c, has_cgroup(c), step_cgroup, EXIT_CGROUP, "cgroup");
    spawn_step(c, has_group(c), step_group, EXIT_SETSID, "process group");
}

static void steps_descriptors(struct child *c)
{
    spawn_step(c, has_others(c), step_not_passed, EXIT_FDS, "descriptors");
    spawn_step(c, has_fds(c), step_fds, EXIT_FDS, "descriptors");
    spawn_step(c, has_passed(c), step_non_blocking, EXIT_FDS, "NonBlocking=");
}

static void last_steps(struct child *c)
{
    spawn_step(c, has_death_signal(c), step_death_signal, EXIT_SIGNAL_MASK, "the signal at our death");
    spawn_step(c, has_directory(c), step_directory, EXIT_CHDIR, "WorkingDirectory=");
    spawn_step(c, has_own_pid(c), step_own_pid, EXIT_MEMORY, "LISTEN_PID");
    spawn_step(c, has_sigpipe(c), step_sigpipe, EXIT_SIGNAL_MASK, "IgnoreSIGPIPE=");
    spawn_step(c, true, step_mask, EXIT_SIGNAL_MASK, "signal mask");
    spawn_step(c, true, step_exec, EXIT_EXEC, NULL);
}

/* What needs rights comes before they are given up, the directory as the user, signals last. */
void spawn_choose_steps(struct child *c)
{
    c->n_steps = 0;
    spawn_steps_table(c);
    first_steps(c);
    spawn_steps_streams(c);
    steps_descriptors(c);
    spawn_steps_process(c);
    spawn_steps_rights(c);
    last_steps(c);
}
