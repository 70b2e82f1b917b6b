/* Starting a process of the job, second half. The child is made by vfork, so its cost does not depend on our size and
 * the exec's result is known when vfork returns, without a pipe. Where it is to be born in a cgroup it is made by
 * clone3, which does the same: moving it later would cost milliseconds (the kernel waits for all CPUs). Where it is to
 * become another user no memory is shared: a process of that user must never have root's. Without clone3 a
 * close-on-exec pipe tells the moment of the exec then, and without shared memory the report lies in a page that both
 * have. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cleanup.h"
#include "clone3.h"
#include "reaper.h"
#include "self.h"
#include "spawn_inside.h"
#include "strv.h"
#include "words.h"

/* ---- in the child ---- */

/* Nobody waits for its report: whoever reads its standard error is told. */
static void tell(const struct child *c, const struct step *step)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "%s: %s\n", c->report->what ? c->report->what : step->what ? step->what : c->path,
                     strerror(c->report->error));

    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        c->report->error = errno;
}

static void __attribute__((noreturn)) child_main(const void *arg)
{
    const struct child *c = arg;

    c->report->begun = true;
    for (size_t i = 0; i < c->n_steps; i++)
        if (c->steps[i].apply(c) < 0) {
            c->report->error = errno;
            if (c->waits)
                tell(c, &c->steps[i]);
            if (!c->report->what)
                c->report->what = c->steps[i].what;
            c->report->exit_status = (int)c->steps[i].exit_status;
            break;
        }
    _exit(c->report->exit_status);
}

/* ---- in the parent ---- */

static int stream_of(int exit_status)
{
    return exit_status == EXIT_STDIN ? STDIN_FILENO : exit_status == EXIT_STDOUT ? STDOUT_FILENO : STDERR_FILENO;
}

/* What the child's report means in words. */
static int explain(const struct child *c, struct spawn_error *e)
{
    const struct report *report = c->report;
    const struct spawn *s = c->s;
    char words[160];

    if (report->exit_status == EXIT_STDIN || report->exit_status == EXIT_STDOUT || report->exit_status == EXIT_STDERR)
        return spawn_fail(e, (enum spawn_exit)report->exit_status, report->error, "%s",
                          spawn_stream_words(c, stream_of(report->exit_status), words, sizeof(words)));
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
    return !c->own_memory && (CLONE3_SHARES || c->run->cgroup_fd < 0);
}

/* Returns when the child has executed or ended, but for one that may wait. Since Linux 6.14 (and in older ones'
 * updates) one is killed at its birth where cgroup.kill was used more often than where its parent is, or less: then it
 * is as if there were no clone3. */
static pid_t start_by_clone3(const struct child *c)
{
    struct clone3_args args = {.flags = (c->waits ? 0 : CLONE_VFORK) | (shares_memory(c) ? CLONE_VM : 0) |
                                        (c->lowered ? CLONE_FILES : 0),
                               .exit_signal = SIGCHLD};
    long pid;

    if (c->run->cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)c->run->cgroup_fd;
    }
    pid = clone3_run(&args, child_main, c);
    if (pid > 0 && !c->waits && !c->report->begun) {
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

/* Returns when the child has executed or ended, but for one that may wait: both close its end of the pipe, which no
 * target may overwrite. */
static pid_t start_by_fork(const struct child *c)
{
    cleanup_close int told = -1, kept = -1;
    int ends[2];
    char none;
    pid_t pid;

    if (c->waits) {
        pid = fork();
        if (pid == 0)
            child_main(c);
        return pid;
    }
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
    bool inside = c->run->cgroup_fd >= 0;
    pid_t pid = -1;

    spawn_choose_steps(c);
    if (inside || c->lowered) {
        pid = start_by_clone3(c);
        if (pid > 0 && c->run->born_inside)
            *c->run->born_inside = inside;
        if (pid > 0 || errno == EAGAIN || errno == ENOMEM)
            return pid;
    }
    c->enter = inside;
    c->lowered = false;
    spawn_choose_steps(c);
    return c->own_memory ? start_by_fork(c) : start_by_vfork(c);
}

/* With its streams where it will find them. */
static pid_t start_lowered(struct child *c)
{
    bool lowered = c->lowered = spawn_lower(c);
    pid_t pid = start(c);
    int error = errno;

    if (lowered)
        spawn_forget_lowered(c);
    errno = error;
    return pid;
}

/* As spawn_run(), with all that takes memory. */
static int run(struct child *c, pid_t *ret_pid, struct spawn_error *e)
{
    pid_t pid = start_lowered(c);
    int r;

    if (pid < 0)
        return spawn_fail(e, EXIT_MEMORY, errno, "fork");
    if (!c->waits && c->report->exit_status) {
        r = explain(c, e);
        reaper_wait(pid);
        return r;
    }
    *ret_pid = pid;
    return 0;
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
        return spawn_no_memory(e);
    r = run(c, ret_pid, e);
    munmap(c->report, sizeof(*c->report));
    return r;
}

/* Which of the unit's rights apply. systemd.service(5), PermissionsStartOnly=: to the commands of ExecStart= alone. */
static enum command_rights rights_of(const struct jobspec *d, const struct spawn_run *run, const struct command *command)
{
    const struct command_list *starts = &d->start;

    if (d->permissions_start_only && !(command >= starts->v && command < starts->v + starts->n))
        return RIGHTS_FULL;
    return command ? command->rights : RIGHTS_OF_UNIT;
}

/* What is known of the run as soon as it is known which command it is. */
static void describe(struct child *c, const struct command *command)
{
    const struct spawn *s = c->s;

    c->d = s->spec;
    c->x = spec_exec(s->spec);
    c->probe = !command;
    c->rights = rights_of(s->spec, c->run, command);
    c->becomes = s->drop && c->rights == RIGHTS_OF_UNIT;
    c->above = STDERR_FILENO + 1;
    c->n_fds = c->run->n_fds;
    for (size_t i = 0; i < c->n_fds; i++)
        if (c->above <= c->run->fds[i].number)
            c->above = c->run->fds[i].number + 1;
}

/* With its environment: the program and its arguments. */
static int find_program(struct child *c, const struct command *command, char **ret_path, char ***ret_argv,
                        struct spawn_error *e)
{
    const struct command *first = c->d->start.v;

    c->argv = c->run->argv;
    if (!c->argv && command->no_variables)
        c->argv = command->argv;
    else if (!c->argv && words_expand(command->argv, c->env->v, NULL, ret_argv) < 0)
        return spawn_no_memory(e);
    else if (!c->argv)
        c->argv = *ret_argv;
    c->path = command && command == first && c->s->path ? c->s->path : NULL;
    if (c->path)
        return 0;
    if (spawn_find(c->s, c->env->v, command ? command->path : c->argv[0], ret_path, e) < 0)
        return -1;
    c->path = *ret_path;
    return 0;
}

/* Another user's process must not have our memory, nor one that may wait, nor one that sets what the kernel keeps with
 * the memory. */
static bool needs_own_memory(const struct child *c)
{
    return (c->becomes && (c->s->uid != self_uid() || self_uid() != 0)) || c->waits || c->x->coredump_filter_set ||
           c->x->memory_ksm_set;
}

/* With the environment in place. */
static int run_with(struct child *c, const struct command *command, pid_t *ret_pid, struct spawn_error *e)
{
    CLEANUP(strv_freep) char **argv = NULL;
    cleanup_free char *path = NULL;
    cleanup_free int *fds = calloc(c->n_fds + 1, sizeof(*fds));

    if (!fds)
        return spawn_no_memory(e);
    if (find_program(c, command, &path, &argv, e) < 0)
        return -1;
    c->fds = fds;
    c->own_memory = needs_own_memory(c);
    return run_reported(c, ret_pid, e);
}

int spawn_run(const struct spawn *s, const struct spawn_run *how, pid_t *ret_pid, struct spawn_error *ret_error)
{
    const struct command *command = how->command || how->argv ? how->command : s->spec->start.v;
    struct step steps[STEPS_MAX];
    struct child c = {.s = s, .run = how, .parent = s->ctx.self ? s->ctx.self : getpid(), .steps = steps};
    struct spawn_env env;
    int r;

    describe(&c, command);
    if (command && spawn_make_surroundings(s, ret_error) < 0) /* for the unit's commands, not for a probe */
        return -1;
    if (spawn_plan_streams(&c, ret_error) < 0 || spawn_env_make(&env, &c, ret_error) < 0)
        return -1;
    c.env = &env;
    r = run_with(&c, command, ret_pid, ret_error);
    spawn_env_done(&env);
    return r;
}
