/* Starting what belongs to a job. All of its processes share one tree, one notify socket and one pair of output
 * channels, which stay open over restarts: nothing that was written between two lives is lost, and a restart opens
 * nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include "cleanup.h"
#include "job_run.h"
#include "job_step.h"
#include "parse.h"
#include "proc.h"
#include "self.h"
#include "strv.h"
#include "systemd.h"

/* The pipes serve all processes, over all restarts. */
static int open_pipes(struct job *job)
{
    for (size_t i = 0; i < ARRAY_SIZE(job->out) && job->c.route == OUTPUT_PIPE; i++) {
        int r = output_open(&job->out[i], &job->output, (enum log_stream)i, &job->out_fds[i]);

        if (r < 0)
            return spawn_fail(&job->error, i == STREAM_STDOUT ? EXIT_STDOUT : EXIT_STDERR, -r, "its output");
    }
    return 0;
}

/* Streams of the journal are each process's own: they end with it, and one that a crash of journald has cut is not
 * handed on to the next. */
static int open_streams(const struct job *job, struct spawn_run *run, struct spawn_error *ret_error)
{
    const struct jobspec *d = job->c.spec;
    int *fds[] = {&run->stdout_fd, &run->stderr_fd};

    run->journal = job->c.route == OUTPUT_STREAM;
    for (size_t i = 0; i < ARRAY_SIZE(fds) && job->c.route == OUTPUT_STREAM; i++) {
        *fds[i] = systemd_journal_stream(jobspec_identifier(d), d->syslog_facility | d->stream_level[i],
                                         d->syslog_level_prefix);
        if (*fds[i] < 0)
            return spawn_fail(ret_error, i == STREAM_STDOUT ? EXIT_STDOUT : EXIT_STDERR, -*fds[i],
                              "a stream of the journal");
    }
    return 0;
}

static void complain(void *ctx, const char *text)
{
    const struct job *job = ctx;

    log_stage(job->c.log, STAGE_START, LOG_WARNING, NULL, "%s", text);
}

/* Starts what @run says, with the job's output. */
static int run_with_output(struct job *job, struct spawn_run *run, pid_t *ret_pid, struct spawn_error *ret_error)
{
    int r = open_streams(job, run, ret_error);

    if (r >= 0)
        r = spawn_run(job->c.spawn, run, ret_pid, ret_error);
    if (r >= 0)
        (void)tree_add(&job->tree, *ret_pid); /* else it is found as an orphan would be */
    if (job->c.route == OUTPUT_STREAM) {
        close_fd(run->stdout_fd);
        close_fd(run->stderr_fd);
    }
    return r;
}

static int open_notify(struct job *job, notifysock_fn fn)
{
    uid_t uid = job->c.spawn->drop ? job->c.spawn->uid : self_uid();
    int r;

    if (!jobspec_notifies(job->c.spec))
        return 0;
    r = notifysock_open(&job->notify, job->c.loop, job->c.notify_path, uid, fn, job);
    return r < 0 ? spawn_fail(&job->error, EXIT_FDS, -r, "the notify socket %s", job->c.notify_path) : 0;
}

static int open_all(struct job *job)
{
    int r = tree_open(&job->tree, job->c.forest, job->c.loop, job->c.spec->name, job->tree.fn, job);
    if (r < 0)
        return spawn_fail(&job->error, EXIT_MEMORY, -r, "the process tree");
    if (job_kills_all(job->c.spec) && tree_end_leftovers(&job->tree)) /* there are never two copies */
        log_stage(job->c.log, STAGE_START, LOG_WARNING, NULL,
                  "killed what an instance before this one had left behind");
    if (open_notify(job, job->notify.fn) < 0)
        return -1;
    return open_pipes(job);
}

int job_open(struct job *job)
{
    if (job->opened)
        return 0;
    job->opened = true;
    if (open_all(job) == 0)
        return 0;
    job_close(job); /* all or nothing: the next start tries again */
    return -1;
}

void job_close(struct job *job)
{
    for (size_t i = 0; i < ARRAY_SIZE(job->out); i++) {
        job->out_fds[i] = close_fd(job->out_fds[i]);
        output_close(&job->out[i]);
    }
    notifysock_close(&job->notify);
    tree_close(&job->tree);
    job->opened = false;
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

/* systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager". */
static int run_environment(const struct job *job, enum exec_list list, char ***ret)
{
    bool after = list == EXEC_STOP || list == EXEC_STOP_POST;
    char name[16];
    int r = 0;

    if (list == EXEC_LIST_MAX)
        return job->fsm.watchdog_usec ? put_number(ret, "WATCHDOG_USEC", job->fsm.watchdog_usec) : 0;
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
    *run = (struct spawn_run){
        .stdout_fd = job->out_fds[0],
        .stderr_fd = job->out_fds[1],
        .cgroup_fd = job->tree.cgroup_fd,
    };
}

/* "a:b": @name behind the others. */
static int add_name(char **names, const char *name)
{
    cleanup_free char *old = *names;

    if (asprintf(names, "%s%s%s", old ? old : "", old ? ":" : "", name) >= 0)
        return 0;
    *names = NULL;
    return -ENOMEM;
}

/* The descriptors of fd:N, whose child's ends are ours to close, at @fds; how many in *@ret. */
static int gather_ready(struct job *job, struct spawn_fd *fds, size_t *ret)
{
    int r = 0;

    for (*ret = 0; job->ready && *ret < job->n_gates && r >= 0; *ret += r >= 0)
        r = ready_child_fd(job->ready, (unsigned)*ret, &fds[*ret].number, &fds[*ret].fd);
    return r == -ENOENT ? 0 : r;
}

/* And behind them those of the store, with their names. */
static int gather_stored(const struct job *job, struct spawn_fd *fds, struct spawn_run *run, char **ret_names)
{
    int r = 0;

    for (size_t i = 0; job->store && i < fdstore_len(job->store) && r >= 0; i++) {
        const char *name;

        fds[i].fd = fdstore_get(job->store, i, &name);
        fds[i].number = 3 + (int)(job->c.listen_fds + i);
        r = add_name(ret_names, name);
        run->n_stored++;
    }
    return r;
}

int job_run_main(struct job *job)
{
    CLEANUP(strv_freep) char **env = NULL;
    cleanup_free char *names = NULL;
    cleanup_free struct spawn_fd *fds =
        calloc(job->n_gates + (job->store ? fdstore_len(job->store) : 0) + 1, sizeof(*fds));
    struct spawn_run run;
    size_t n_ready = 0;
    int r = fds ? 0 : -ENOMEM;

    base_run(job, &run);
    run.main = true;
    run.complain = complain;
    run.complain_ctx = job;
    run.watchdog = job->fsm.watchdog_usec > 0;
    if (r >= 0)
        r = run_environment(job, EXEC_LIST_MAX, &env);
    if (r >= 0)
        r = gather_ready(job, fds, &n_ready);
    if (r >= 0)
        r = gather_stored(job, fds + n_ready, &run, &names);
    run.more_env = env;
    run.fds = fds;
    run.n_fds = n_ready + run.n_stored;
    run.stored_names = names;
    r = r < 0 ? spawn_fail(&job->error, EXIT_FDS, -r, "its descriptors")
              : run_with_output(job, &run, &job->pid, &job->error);
    for (size_t i = 0; i < n_ready; i++)
        close(fds[i].fd);
    job->out[STREAM_STDOUT].pid = job->out[STREAM_STDERR].pid = job->pid;
    return r;
}

int job_run_command(struct job *job, struct spawn_error *ret_error)
{
    const struct command *command = &job->c.spec->exec[job->fsm.list].v[job->command];
    CLEANUP(strv_freep) char **env = NULL;
    struct spawn_run run;
    int r;

    base_run(job, &run);
    r = run_environment(job, job->fsm.list, &env);
    if (r < 0)
        return spawn_fail(ret_error, EXIT_MEMORY, -r, "memory");
    run.command = command;
    run.more_env = env;
    return run_with_output(job, &run, &job->control, ret_error);
}

pid_t job_run_probe(void *ctx, char *const *argv)
{
    struct spawn_error error = {0};
    struct job *job = ctx;
    struct spawn_run run;
    pid_t pid;

    base_run(job, &run);
    run.argv = argv;
    if (run_with_output(job, &run, &pid, &error) == 0)
        return pid;
    errno = error.error ? error.error : ENOENT;
    return -1;
}

static pid_t read_pid_file(const char *path)
{
    char text[32];
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    pid_t pid;

    if (n <= 0)
        return 0;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return parse_pid(text, &pid) == 0 ? pid : 0;
}

pid_t job_find_main(const struct job *job)
{
    cleanup_free pid_t *pids = NULL;
    const char *file = job->c.spec->pid_file;
    pid_t self = getpid(), found = file ? read_pid_file(file) : 0;
    int n;

    /* A stale file, or one that lies, must not make us watch and signal a stranger. */
    if (file)
        return found > 0 && tree_has(&job->tree, found) ? found : 0;
    n = tree_pids(&job->tree, &pids);
    for (int i = 0; i < n && !found; i++) {
        struct proc_identity id;

        if (pids[i] != job->control && proc_identity(pids[i], &id) >= 0 && id.ppid == self)
            found = pids[i];
    }
    return found;
}

int job_set_main(struct job *job, pid_t pid)
{
    struct proc_identity id;
    int r;

    loop_close(job->c.loop, &job->main_end);
    if (proc_identity(pid, &id) < 0)
        return -ESRCH;
    if (id.ppid != getpid()) {
        job->main_end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (job->main_end.fd < 0)
            return -errno;
        r = loop_add(job->c.loop, &job->main_end, EPOLLIN);
        if (r < 0) {
            job->main_end.fd = close_fd(job->main_end.fd);
            return r;
        }
    } else {
        (void)tree_add(&job->tree, pid);
    }
    job->pid = pid;
    job->out[STREAM_STDOUT].pid = job->out[STREAM_STDERR].pid = pid;
    return 0;
}
