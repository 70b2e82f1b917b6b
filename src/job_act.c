/* Carrying out what the state machine answers: signals, commands, the main process. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "cleanup.h"
#include "job_step.h"

/* Until it is reaped a child's PID is its own; for one that is not our child we hold a pidfd. */
static void signal_main(const struct job *job, int sig)
{
    if (job->more && job->more->main_end.fd >= 0)
        (void)syscall(SYS_pidfd_send_signal, job->more->main_end.fd, sig, NULL, 0);
    else if (job->pid > 0)
        (void)kill(job->pid, sig);
}

/* Is any of its processes left? Only where none is known the tree has to be asked. */
static bool has_any(struct job *job)
{
    return job->pid > 0 || job->control > 0 || !tree_is_empty(&job->tree);
}

/* systemd.kill(5), KillMode=, SendSIGHUP=: to the main process first. */
static void terminate(struct job *job)
{
    const struct jobspec *d = job->c.spec;
    bool all = d->kill_mode == KILL_CONTROL_GROUP && has_any(job);
    int sig = job->comes_back && d->restart_kill_signal ? d->restart_kill_signal : d->kill_signal;

    signal_main(job, sig);
    signal_main(job, SIGCONT); /* a stopped one hears it then, too */
    if (job->control > 0 && !all)
        (void)kill(job->control, sig);
    if (all)
        (void)tree_signal(&job->tree, sig, job->pid);
    if (!d->send_sighup)
        return;
    signal_main(job, SIGHUP);
    if (all)
        (void)tree_signal(&job->tree, SIGHUP, job->pid);
}

static void kill_command(const struct job *job)
{
    if (job->control > 0)
        (void)kill(job->control, SIGKILL);
}

/* Without a cgroup one pass may miss whoever's parent was just ending, so it is repeated for as long as there is
 * anybody. */
void job_kill_rest(struct job *job)
{
    const struct jobspec *d = job->c.spec;

    if (job_kills_all(d) && d->final_kill_signal == SIGKILL && has_any(job))
        (void)tree_kill(&job->tree);
}

static void kill_all(struct job *job)
{
    const struct jobspec *d = job->c.spec;

    if (d->kill_mode != KILL_NONE)
        signal_main(job, d->final_kill_signal);
    kill_command(job);
    if (d->final_kill_signal == SIGKILL)
        job_kill_rest(job);
    else if (job_kills_all(d) && has_any(job))
        (void)tree_signal(&job->tree, d->final_kill_signal, job->pid);
}

static int watch_name(struct job *job)
{
    const char *name = NULL;
    int r;

    if (!job->more)
        return 0;
    job->more->bus = systemd_bus_free(job->more->bus);
    job->more->has_name = false;
    for (size_t i = 0; i < job->more->n_gates; i++)
        if (job->more->gates[i].kind == PROBE_DBUS)
            name = job->more->gates[i].target;
    if (!name)
        return 0;
    r = systemd_bus_watch(&job->more->bus, job->c.common->loop, name, job->more->on->name_changed, job);
    if (r == -EOPNOTSUPP)
        return job_fail(job, EXIT_FDS, 0, "the D-Bus cannot be asked: libsystemd is not installed");
    return r < 0 ? job_fail(job, EXIT_FDS, -r, "there is no D-Bus") : 0;
}

static int begin_to_wait(struct job *job)
{
    int r;

    job->ready = ready_free(job->ready);
    if (!job->more || job->more->n_gates == 0)
        return 0;
    r = ready_new(&job->ready, job->more->gates, job->more->n_gates, &job->more->probes, &job->more->on->ready, job);
    return r < 0 ? job_fail(job, EXIT_MEMORY, -r, "Ready=") : 0;
}

/* What was known of the last life, when the first thing of a new one is done. */
static void begin_life(struct job *job)
{
    if (job->life == job->fsm.started)
        return;
    job->life = job->fsm.started;
    job_forget_spawn(job);
    job->tree.mark[0] = '\0';
    job->was_up = false;
    if (job->more)
        job->more->said_error = job->more->said_status = 0;
    job_because(job, NULL);
    free(job->error);
    job->error = NULL;
    if (job->more && job->c.spec->fd_store_preserve == FD_STORE_NO)
        job->more->store = fdstore_free(job->more->store);
}

/* systemd.service(5), results: where no process could be had it is for want of resources. */
static struct fsm_input not_started(const struct job *job)
{
    int status = job->error ? (int)job->error->exit_status : EXIT_MEMORY;

    return (struct fsm_input){.event = EV_NOSTART, .code = status == EXIT_MEMORY ? 0 : CLD_EXITED, .status = status};
}

#define IDLE_USEC (5 * USEC_PER_SEC) /* systemd.service(5), Type=idle: "subject to a 5s timeout" */

/* It counts as running, until job_go(). */
static void wait_idly(struct job *job)
{
    job->idle = true;
    job->more->later.fn = job->more->on->idle_over;
    loop_arm(job->c.common->loop, &job->more->later, now_usec() + IDLE_USEC);
}

static struct fsm_input run_main(struct job *job)
{
    const struct job_ops *ops = job->c.common->ops;

    if (job_open(job) < 0 || begin_to_wait(job) < 0 || watch_name(job) < 0)
        return not_started(job);
    if (job->c.spec->type == TYPE_IDLE && ops->busy && ops->busy(job->c.ops_ctx, job)) {
        wait_idly(job);
        return (struct fsm_input){.event = EV_EXEC};
    }
    if (job_run_main(job) < 0)
        return not_started(job);
    ops->started(job->c.ops_ctx, job);
    return (struct fsm_input){.event = EV_EXEC};
}

static void tell_command(struct job *job, pid_t pid, int code, int status, const char *why)
{
    const struct command_end e = {.list = job->control_list,
                                  .command = &jobspec_commands(job->c.spec, job->control_list)->v[job->command],
                                  .pid = pid,
                                  .code = code,
                                  .status = status,
                                  .why = why};

    job->c.common->ops->command_ended(job->c.ops_ctx, job, &e);
}

/* The command job->command of the list and, while they cannot be started and that does not matter, those behind it. */
static struct fsm_input run_commands(struct job *job)
{
    const struct command_list *list = jobspec_commands(job->c.spec, job->fsm.list);
    struct fsm_input end = {.event = EV_CONTROL, .code = CLD_EXITED};

    job->control_list = job->fsm.list;

    for (; job->command < list->n; job->command++) {
        struct spawn_error error = {0};

        if (job_open(job) == 0 && job_run_command(job, &error) == 0)
            return NOTHING;
        if (!error.what[0] && job->error)
            error = *job->error;
        tell_command(job, 0, CLD_EXITED, (int)error.exit_status, error.what);
        end.status = (int)error.exit_status;
        if (!list->v[job->command].ignore_failure)
            return end;
        end.status = 0;
    }
    return end;
}

/* What only a start needs ends with it. */
static void leave_start(struct job *job, struct job_more *m)
{
    struct loop *loop = job->c.common->loop;

    if (!job->idle)
        loop_arm(loop, &m->later, USEC_INFINITY);
    m->seek_usec = 0;
    if (job_is_ready(job) || job->fsm.state == JOB_START_POST)
        return;
    m->bus = systemd_bus_free(m->bus);
    if (!job->idle)
        return;
    job->idle = false; /* as if it had been, and heard its KillSignal= */
    loop_arm(loop, &m->later, USEC_INFINITY);
    job->exit_code = CLD_KILLED;
    job->exit_status = SIGTERM;
}

/* What the state that has been reached does not need any more. */
static void leave(struct job *job)
{
    if (job->fsm.state != JOB_STARTING) {
        job->ready = ready_free(job->ready);
        if (job->more)
            leave_start(job, job->more);
    }
    if (!job_is_ready(job) && job->health && job->health->state != HEALTH_UNKNOWN)
        health_end(job->health);
}

/* systemd.service(5), FileDescriptorStorePreserve=: with restart they outlive only lives that are followed by others.
 */
static void end_all(struct job *job)
{
    job_close(job);
    job_forget_spawn(job);
    if (job->more && job->c.spec->fd_store_preserve != FD_STORE_YES && !job->comes_back)
        job->more->store = fdstore_free(job->more->store);
}

struct fsm_input job_act(struct job *job, unsigned actions)
{
    leave(job);
    if (actions & ACT_RELOAD_SIGNAL)
        signal_main(job, job->c.spec->reload_signal);
    if (actions & ACT_WATCHDOG)
        signal_main(job, job->c.spec->watchdog_signal);
    if (actions & ACT_TERM)
        terminate(job);
    if (actions & ACT_KILL)
        kill_all(job);
    if (actions & ACT_CANCEL) {
        kill_command(job);
        job->control = 0;
    }
    if (actions & ACT_READY) {
        if (job->output)
            output_forget_tail(&job->output->streams[STREAM_STDERR]);
        if (job->health)
            health_begin(job->health);
        job_spare_spawn(job);
    }
    /* systemd.service(5), PIDFile=: who has lost its rights cannot do it itself. */
    if (actions & (ACT_END | ACT_AGAIN) && job->c.spec->pid_file)
        (void)unlink(job->c.spec->pid_file);
    if (actions & ACT_END)
        end_all(job);
    if (actions & (ACT_CONTROL | ACT_RUN))
        begin_life(job);
    if (actions & ACT_CONTROL) {
        job->command = 0;
        return run_commands(job);
    }
    return actions & ACT_RUN ? run_main(job) : NOTHING;
}

/* What was said before the end comes before it. */
void job_drain(struct job *job)
{
    if (job->more)
        notifysock_drain(&job->more->notify);
    for (size_t i = 0; job->output && i < ARRAY_SIZE(job->output->streams); i++)
        output_drain(&job->output->streams[i]);
}

/* Does the state machine wait for the list that the command was of? */
static bool list_counts(const struct job *job)
{
    enum job_state s = job->fsm.state;

    return job->fsm.list == job->control_list && (s == JOB_CONDITION || s == JOB_START_PRE || s == JOB_START_POST ||
                                                  s == JOB_RELOADING || s == JOB_STOP || s == JOB_STOP_POST);
}

struct fsm_input job_command_ended(struct job *job, const struct child_end *end)
{
    const struct command_list *list = jobspec_commands(job->c.spec, job->control_list);
    bool failed = end->code != CLD_EXITED || end->status != 0;

    tell_command(job, end->pid, end->code, end->status, NULL);
    job->control = 0;
    if (!list_counts(job))
        return NOTHING;
    if (failed && !list->v[job->command].ignore_failure)
        return (struct fsm_input){.event = EV_CONTROL, .code = end->code, .status = end->status};
    job->command++;
    return run_commands(job);
}
