/* Starting what belongs to a job. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "job_run.h"
#include "parse.h"
#include "spec_exec.h"
#include "strv.h"
#include "systemd.h"
#include "textbuf.h"

/* Streams of the journal are each process's own: they end with it, and one that a crash of journald has cut is not
 * handed on to the next. */
static int open_streams(const struct job *job, struct spawn_run *run, struct spawn_error *ret_error)
{
    const struct jobspec *d = job->c.spec;
    int *fds[] = {&run->stdout_fd, &run->stderr_fd};

    run->journal = job->c.route == OUTPUT_STREAM;
    for (size_t i = 0; i < ARRAY_SIZE(fds) && job->c.route == OUTPUT_STREAM; i++) {
        unsigned copies = spec_exec_copies(spec_exec(d), (int)i + 1);

        *fds[i] = systemd_journal_stream(jobspec_identifier(d), d->syslog_facility | d->stream_level[i],
                                         d->syslog_level_prefix, copies & COPY_KMSG, copies & COPY_CONSOLE);
        if (*fds[i] < 0)
            return spawn_fail(ret_error, i == STREAM_STDOUT ? EXIT_STDOUT : EXIT_STDERR, -*fds[i],
                              "a stream of the journal");
    }
    return 0;
}

static void complain(void *ctx, const char *text)
{
    const struct job *job = ctx;

    log_stage(job->c.common->log, STAGE_START, LOG_WARNING, NULL, "%s", text);
}

/* Starts what @run says, with the job's output. */
static int run_with_output(struct job *job, struct spawn_run *run, pid_t *ret_pid, struct spawn_error *ret_error)
{
    int r = open_streams(job, run, ret_error);

    if (r >= 0)
        r = spawn_run(job->spawn, run, ret_pid, ret_error);
    if (r >= 0)
        (void)tree_add(&job->tree, *ret_pid); /* else it is found as an orphan would be */
    if (job->c.route == OUTPUT_STREAM) {
        close_fd(run->stdout_fd);
        close_fd(run->stderr_fd);
    }
    return r;
}

static int put_number(char ***env, const char *key, uint64_t number)
{
    char text[64];

    snprintf(text, sizeof(text), "%s=%llu", key, (unsigned long long)number);
    return env_put(env, text);
}

static int put_text(char ***env, const char *key, const char *value)
{
    char text[64];

    snprintf(text, sizeof(text), "%s=%s", key, value);
    return env_put(env, text);
}

/* What only the main process is told. */
static int main_environment(const struct job *job, char ***ret)
{
    const struct jobspec *d = job->c.spec;
    int r = 0;

    if (job->fsm.watchdog_usec)
        r = put_number(ret, "WATCHDOG_USEC", job->fsm.watchdog_usec);
    if (r >= 0 && d->fd_store_max > 0)
        r = put_number(ret, "FDSTORE", (uint64_t)d->fd_store_max);
    if (r >= 0 && d->restart_mode == RESTART_DEBUG && job->fsm.restarts > 0)
        r = env_put(ret, "DEBUG_INVOCATION=1");
    for (char *const *p = job->c.more_env; r >= 0 && p && *p; p++)
        r = env_put(ret, *p);
    return r;
}

/* systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager". */
static int run_environment(const struct job *job, enum exec_list list, char ***ret)
{
    bool after = list == EXEC_STOP || list == EXEC_STOP_POST;
    char name[16];
    int r = 0;

    if (list == EXEC_START)
        return main_environment(job, ret);
    if (job->pid > 0)
        r = put_number(ret, "MAINPID", (uint64_t)job->pid);
    if (r >= 0 && after)
        r = put_text(ret, "SERVICE_RESULT", job_result_name(job->fsm.result));
    if (r >= 0 && after && job->exit_code && job->pid == 0) {
        r = put_text(ret, "EXIT_CODE", exit_code_name(job->exit_code));
        if (r >= 0 && job->exit_code == CLD_EXITED)
            r = put_number(ret, "EXIT_STATUS", (uint64_t)job->exit_status);
        else if (r >= 0)
            r = put_text(ret, "EXIT_STATUS", signal_name(job->exit_status, name) + strlen("SIG"));
    }
    return r;
}

static void base_run(const struct job *job, struct spawn_run *run)
{
    const struct job_output *o = job->output;

    *run = (struct spawn_run){
        .stdout_fd = o ? o->fds[STREAM_STDOUT] : -1,
        .stderr_fd = o ? o->fds[STREAM_STDERR] : -1,
        .cgroup_fd = job->tree.cgroup_fd,
    };
}

/* "a:b": @name behind the others. */
static int add_name(char **names, const char *name)
{
    cleanup_free char *old = *names;

    *names = JOIN(old ? old : "", old ? ":" : "", name);
    return *names ? 0 : -ENOMEM;
}

/* The descriptors of fd:N, whose child's ends are ours to close, at @fds; how many in *@ret. */
static int gather_ready(struct job *job, struct spawn_fd *fds, size_t *ret)
{
    int r = 0;

    for (*ret = 0; job->ready && *ret < job->more->n_gates && r >= 0; *ret += r >= 0)
        r = ready_child_fd(job->ready, (unsigned)*ret, &fds[*ret].number, &fds[*ret].fd);
    return r == -ENOENT ? 0 : r;
}

/* And behind them those of the store, with their names. */
static int gather_stored(const struct job *job, struct spawn_fd *fds, struct spawn_run *run, char **ret_names)
{
    struct fdstore *store = job->more ? job->more->store : NULL;
    int r = 0;

    for (size_t i = 0; store && i < fdstore_len(store) && r >= 0; i++) {
        const char *name;

        fds[i].fd = fdstore_get(store, i, &name);
        fds[i].number = 3 + (int)(job->c.world->listen_fds + i);
        r = add_name(ret_names, name);
        run->n_stored++;
    }
    return r;
}

static size_t most_fds(const struct job *job)
{
    const struct job_more *m = job->more;

    return 1 + (m ? m->n_gates : 0) + (m && m->store ? fdstore_len(m->store) : 0);
}

/* systemd.service(5), NonBlocking=: of all that is passed to it. The flag belongs to the open file, so it is set here.
 */
static void set_non_blocking(const struct job *job, const struct spawn_fd *stored, unsigned n)
{
    for (unsigned i = 0; i < job->c.world->listen_fds; i++)
        (void)fcntl(3 + (int)i, F_SETFL, fcntl(3 + (int)i, F_GETFL) | O_NONBLOCK);
    for (unsigned i = 0; i < n; i++)
        (void)fcntl(stored[i].fd, F_SETFL, fcntl(stored[i].fd, F_GETFL) | O_NONBLOCK);
}

static int run_main(struct job *job, struct spawn_run *run)
{
    struct spawn_error error = {0};
    bool inside = false;

    run->born_inside = &inside;
    if (run_with_output(job, run, &job->pid, &error) < 0)
        return job_fail_as(job, &error);
    job_attribute_lines(job, job->pid);
    if (!inside || !job->tree.found_again)
        job_remember_main(job);
    return 0;
}

int job_run_main(struct job *job)
{
    CLEANUP(strv_freep) char **env = NULL;
    cleanup_free char *names = NULL;
    cleanup_free struct spawn_fd *fds = calloc(most_fds(job), sizeof(*fds));
    struct spawn_run run;
    size_t n_ready = 0;
    int r = fds ? 0 : -ENOMEM;

    base_run(job, &run);
    run.main = true;
    run.complain = complain;
    run.complain_ctx = job;
    run.command = &job->c.spec->start.v[job->fsm.command];
    run.watchdog = job->fsm.watchdog_usec > 0;
    if (r >= 0)
        r = run_environment(job, EXEC_START, &env);
    if (r >= 0)
        r = gather_ready(job, fds, &n_ready);
    if (r >= 0)
        r = gather_stored(job, fds + n_ready, &run, &names);
    if (r >= 0 && job->c.spec->non_blocking)
        set_non_blocking(job, fds + n_ready, run.n_stored);
    run.more_env = env;
    run.fds = fds;
    run.n_fds = n_ready + run.n_stored;
    run.stored_names = names;
    r = r < 0 ? job_fail(job, EXIT_FDS, -r, "its descriptors") : run_main(job, &run);
    for (size_t i = 0; i < n_ready; i++)
        close(fds[i].fd);
    return r;
}

int job_run_command(struct job *job, struct spawn_error *ret_error)
{
    struct command command = jobspec_commands(job->c.spec, job->fsm.list)->v[job->command];
    CLEANUP(strv_freep) char **env = NULL;
    struct spawn_run run;
    int r;

    base_run(job, &run);
    r = run_environment(job, job->fsm.list, &env);
    if (r < 0)
        return spawn_fail(ret_error, EXIT_MEMORY, -r, "memory");
    if (job->c.spec->permissions_start_only && command.rights == RIGHTS_OF_UNIT)
        command.rights = RIGHTS_FULL;
    run.command = &command;
    run.more_env = env;
    r = run_with_output(job, &run, &job->control, ret_error);
    if (r >= 0 && job->pid == 0) /* else both may write, and most of it is the main process's */
        job_attribute_lines(job, job->control);
    return r;
}

pid_t job_run_probe(void *ctx, char *const *argv)
{
    struct spawn_error error = {0};
    struct job *job = ctx;
    struct spawn_run run;
    pid_t pid;

    base_run(job, &run);
    run.argv = argv;
    if (job_prepare(job) == 0 && run_with_output(job, &run, &pid, &error) == 0)
        return pid;
    errno = error.error ? error.error : ENOENT;
    return -1;
}
