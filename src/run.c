/* One start. run_instance() is the list of what happens, in the order of daemon(7); each line is a step that either
 * succeeds or has told why not. In fork mode the process that goes on behind detach() is the daemon. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "control.h"
#include "daemon.h"
#include "detach.h"
#include "directive.h"
#include "facts.h"
#include "launch.h"
#include "nofile.h"
#include "parse.h"
#include "pidfile.h"
#include "proc.h"
#include "rundir.h"
#include "run_inside.h"
#include "strv.h"
#include "textbuf.h"
#include "tree_remains.h"

#define MANY_UNITS 64

static void decide(struct run *run)
{
    struct mode_facts facts;

    proc_self(&run->self);
    run->identity = run->self.id;
    facts_gather_mode(&facts, run->identity.pid, run->identity.ppid);
    facts.request = run->cli->mode;
    facts.fork_asked = run->cli->fork;
    mode_decide(&facts, &run->verdict);
    cgroup_find(&run->cgroup); /* now that /proc knows us: a daemon behind the fork would have to be looked up first */
}

static bool forks(const struct run *run)
{
    return run->verdict.mode == MODE_FORK;
}

/* The number in a variable that is for this process, as the PID in another one says; @optional: or says nothing. */
static const char *addressed(const char *key, const char *pid_key, bool optional)
{
    const char *value = getenv(key), *text = getenv(pid_key);
    pid_t pid;

    if (!text)
        return optional ? value : NULL;
    return parse_pid(text, &pid) == 0 && pid == getpid() ? value : NULL;
}

/* What the environment says to us, before it is cleaned (sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3)). */
static int read_environment(struct run *run)
{
    const char *notify = run->verdict.notify ? getenv("NOTIFY_SOCKET") : NULL;
    const char *watchdog = notify ? addressed("WATCHDOG_USEC", "WATCHDOG_PID", true) : NULL;
    const char *listen = addressed("LISTEN_FDS", "LISTEN_PID", false), *names = getenv("LISTEN_FDNAMES");
    extern char **environ;
    int n;

    if (notify && !(run->notify_socket = strdup(notify)))
        return -ENOMEM;
    if (watchdog)
        (void)parse_timespan(watchdog, 1, &run->watchdog_usec);
    if (listen && parse_int(listen, 1, 1024, &n) == 0) {
        run->listen_fds = (unsigned)n;
        if (names && !(run->listen_names = strdup(names)))
            return -ENOMEM;
    }
    run->upward.notify_socket = run->notify_socket;
    run->stdout_is_journal = facts_stdout_is_journal();
    return strv_copy(&run->env, environ);
}

/* daemon(7) steps 1, 2, 4 and 10 (the mask of step 3 is set where signals are heard), in every mode: COMMAND finds the
 * same world in all of them. Only what belongs to the caller's terminal and session stays where that terminal stays. */
static int clean_up(struct run *run)
{
    int r = read_environment(run);

    if (r < 0)
        return run_complain(run, EXIT_FAILURE, -r, "cannot read its environment: %s", strerror(-r));
    run->umask = umask(0);
    if (run->listen_fds) { /* they may have taken the place of one that is said to be passed, and is not */
        run->self.fd = close_fd(run->self.fd);
        run->cgroup.fd = close_fd(run->cgroup.fd);
    }
    r = run->self.has_standard ? 0 : detach_open_standard();
    if (r >= 0)
        r = detach_close_descriptors(run->listen_fds);
    if (r < 0)
        return run_complain(run, EXIT_FAILURE, -r, "cannot clean up: %s", strerror(-r));
    detach_reset_signals(run->self.ignored);
    r = forks(run) ? launch_open(&run->channel) : 0;
    if (r < 0)
        return run_complain(run, EXIT_FAILURE, -r, "cannot fork: %s", strerror(-r));
    if (forks(run))
        env_filter(run->env, detach_drops_variable);
    if (!run->verdict.under_systemd)
        env_filter(run->env, mode_leaked);
    env_filter(run->env, detach_drops_protocol);
    detach_replace_environment(run->env);
    return GO_ON;
}

/* Without stdio, whose buffer for stderr is 8 kB of stack: what the starter has touched the daemon keeps. */
static void say_path(const char *name, const char *path)
{
    cleanup_free char *line = JOIN("amphid: ", name, ": the log goes to ", path, "\n");

    if (line)
        (void)!write(STDERR_FILENO, line, strlen(line));
}

static int open_log(struct run *run)
{
    struct log_request q = run->cli->log;
    cleanup_free char *what = NULL;
    bool fallback;
    int r;

    q.detaching = forks(run);
    q.file_max_size = spec_log(&run->cli->spec)->file_max_size;
    q.file_max_files = spec_log(&run->cli->spec)->file_max_files;
    r = log_open(&run->log, &q, &what);
    if (r < 0)
        return run_complain(run, EXIT_FAILURE, -r, "cannot log to %s: %s", what ? what : "anything", strerror(-r));
    fallback = q.detaching && !q.path && (log_kind(run->log) == LOG_TO_FILE || log_kind(run->log) == LOG_TO_JSON);
    if (fallback)
        say_path(run->cli->name, log_path(run->log));
    /* Where stderr is the log, or the unit's journal, words there would only be said twice. */
    if (log_kind(run->log) == LOG_TO_STDERR || run->verdict.under_systemd)
        run->upward.print_as = NULL;
    log_set_identity(run->log, &run->identity);
    return GO_ON;
}

static void log_beginning(struct run *run)
{
    const struct mode_verdict *v = &run->verdict;
    const char *mode = mode_name(v->mode);
    const struct cli *cli = run->cli;
    size_t more = cli->units ? strv_len(cli->units) - 1 : 0;
    char others[48] = "";

    if (more > 0)
        snprintf(others, sizeof(others), " and %zu more unit%s", more, more == 1 ? "" : "s");
    log_stage(run->log, STAGE_DETECT, v->fork_skipped || v->drop_env ? LOG_NOTICE : LOG_INFO,
              FIELDS({"MODE", mode}, {"REASON", v->reason}), "%s: %s", mode, v->reason);
    log_stage(run->log, STAGE_START, LOG_INFO, NULL, "amphid " AMPHID_VERSION " starts %s%s",
              jobspec_argv(&cli->spec) ? jobspec_argv(&cli->spec)[0]
              : cli->units             ? cli->units[0]
                                       : "the units that are enabled",
              others);
}

/* The instance's directory and the PID file in it: from here on, the name is ours, and what is left of an instance that
 * was killed is ended before anything is begun. */
static int claim_name(struct run *run)
{
    cleanup_free char *path = NULL;
    const char *why = "";
    bool was_there;
    pid_t owner = 0;
    int r;

    /* Whoever ends just now takes the directory away behind us: then once more. */
    do {
        free(path);
        free(run->rundir);
        path = run->rundir = NULL;
        r = rundir_make(run->cli->name, &run->rundir);
        if (r < 0)
            return run_no_rundir(run, -r);
        was_there = r > 0;
        path = JOIN(run->rundir, "/pid");
        if (!path)
            return run_no_rundir(run, ENOMEM);
        r = pidfile_lock(&run->pidfiles[0], path, true, &owner, &why);
    } while (r == -ENOENT);
    if (r < 0)
        return run_not_locked(run, path, -r, owner, why);
    r = was_there || !run->pidfiles[0].empty ? remains_end(run->rundir) : 0;
    if (r > 0)
        log_stage(run->log, STAGE_START, LOG_WARNING, NULL,
                  "killed what an instance before this one had left behind: %d process%s", r, r == 1 ? "" : "es");
    return GO_ON;
}

/* --pidfile. A relative path is one from here; the daemon will be elsewhere. */
static int lock_second_pidfile(struct run *run)
{
    const char *path = run->cli->pidfile, *why = "";
    cleanup_free char *absolute = path ? path_absolute(path) : NULL;
    pid_t owner = 0;
    int r;

    if (!path)
        return GO_ON;
    if (!absolute)
        return run_not_locked(run, path, errno, 0, "cannot be found");
    r = pidfile_lock(&run->pidfiles[1], absolute, false, &owner, &why);
    return r < 0 ? run_not_locked(run, path, -r, owner, why) : GO_ON;
}

static int write_pidfiles(struct run *run)
{
    pid_t pid = log_identity(run->log)->pid;

    for (size_t i = 0; i < ARRAY_SIZE(run->pidfiles); i++) {
        struct pidfile *p = &run->pidfiles[i];
        int r = p->path ? pidfile_write(p, pid) : 0;

        if (r < 0)
            return run_complain(run, EXIT_FAILURE, -r, "PID file %s cannot be written: %s", p->path, strerror(-r));
    }
    log_stage(run->log, STAGE_PIDFILE, LOG_INFO, NULL, "PID %d in %s, locked", pid,
              run->pidfiles[run->pidfiles[1].path ? 1 : 0].path);
    if (run->cli->no_wait && forks(run)) /* the starter need not know more */
        upward_ready(&run->upward, "");
    return GO_ON;
}

/* A thousand services take thousands of descriptors; what we take for ourselves their programs get back as it was. */
static void prepare_for_many(const struct run *run, struct spawn_context *ctx)
{
    if (run->n_first == 1 && units_count(run->units) < MANY_UNITS)
        return;
    if (!nofile_raise(&ctx->nofile))
        ctx->nofile = (struct rlimit){0};
    spawn_reserve(ctx->low_fds);
}

static int be_resident(struct run *run)
{
    enum log_kind asked = run->cli->log.kind;
    /* Streams that systemd has made bear our name: a program gets some with its own. */
    bool bears_our_name = log_kind(run->log) == LOG_TO_JOURNAL && run->stdout_is_journal;
    struct spawn_context ctx = {.env = run->env,
                                      .listen_fds = run->listen_fds,
                                      .listen_names = run->listen_names,
                                      .self = log_identity(run->log)->pid,
                                      .own_group = forks(run),
                                      .stay = !forks(run),
                                      .umask = run->umask};

    prepare_for_many(run, &ctx);
    return daemon_run(&(struct daemon_config){
        .name = run->cli->name,
        .units = run->units,
        .first = run->first,
        .n_first = run->n_first,
        .resident = !run->cli->units && !(run->n_first == 1 && run->first[0]->line),
        .spawn = &ctx,
        .verdict = &run->verdict,
        .log = run->log,
        .upward = &run->upward,
        .rundir = run->rundir,
        .cgroup = &run->cgroup,
        .watchdog_usec = run->watchdog_usec,
        .inherit = !forks(run) && !bears_our_name && (asked == LOG_TO_AUTO || asked == LOG_TO_STDERR),
    }, &run->control);
}

/* Whoever waits for the end hears of it when the name is free and the log is written; what is left then nobody sees. */
static void release(struct run *run)
{
    for (size_t i = 0; i < ARRAY_SIZE(run->pidfiles); i++)
        pidfile_remove(&run->pidfiles[i]);
    if (run->rundir)
        rundir_remove(run->rundir);
    log_free(run->log);
    control_free(run->control);
    units_free(run->units);
    free(run->first);
    free(run->rundir);
    free(run->cgroup.path);
    detach_replace_environment(NULL);
    strv_free(run->env);
    free(run->listen_names);
    free(run->notify_socket);
}

/* The rest, in the process that stays. */
static int live(void *arg)
{
    struct run *run = arg;
    int status = write_pidfiles(run);

    if (status == GO_ON)
        status = be_resident(run);
    release(run);
    return status;
}

/* daemon(7) steps 5 to 11. The daemon lives and ends in there, and so does the starter: who returns could not fork. */
static int detach(struct run *run)
{
    const char *print_as = take_ptr(run->upward.print_as); /* stderr is /dev/null */
    int r = launch_detach(&run->channel, &run->upward, run->log, run->cli->name,
                          (struct launch_daemon){.live = live, .end = run->end, .arg = run});

    run->upward.print_as = print_as;
    return run_complain(run, EXIT_FAILURE, -r, "cannot fork: %s%s", strerror(-r),
                        r == -EAGAIN ? " (RLIMIT_NPROC, or pids.max of a cgroup)" : "");
}

int run_instance(struct cli *cli, void (*end)(int status))
{
    struct run run = {.cli = cli,
                      .end = end,
                      .channel = {-1, -1},
                      .upward = {.channel_fd = -1, .print_as = cli->name},
                      .pidfiles = {PIDFILE_NONE, PIDFILE_NONE}};
    int status;

    decide(&run);
    if ((status = clean_up(&run)) == GO_ON && (status = open_log(&run)) == GO_ON) {
        log_beginning(&run);
        if ((status = run_load_units(&run)) == GO_ON && (status = claim_name(&run)) == GO_ON &&
            (status = lock_second_pidfile(&run)) == GO_ON) {
            directive_forget(); /* all is read, and what is written before the fork is the daemon's for good */
            if (!forks(&run))
                return live(&run);
            status = detach(&run);
        }
    }
    release(&run);
    return status;
}
