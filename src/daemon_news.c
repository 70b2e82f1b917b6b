/* News of the job: each is logged once, told upward and to those who wait on the control socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include "cleanup.h"
#include "daemon_state.h"
#include "self.h"
#include "systemd.h"

void daemon_set_status(struct daemon *d)
{
    struct textbuf b = TEXTBUF(d->status_text);

    if (!d->has_job) {
        textbuf_puts(&b, "no jobs");
        return;
    }
    textbuf_printf(&b, "%s %s", d->config->spec->name, job_state_name(d->job.fsm.state));
    if (d->job.pid > 0)
        textbuf_printf(&b, ", PID %d", d->job.pid);
    if (d->job.health.state == HEALTH_HEALTHY || d->job.health.state == HEALTH_UNHEALTHY)
        textbuf_printf(&b, ", %s", health_name(d->job.health.state));
    if (d->job.fsm.restarts > 0)
        textbuf_printf(&b, ", %u restart%s", d->job.fsm.restarts, d->job.fsm.restarts == 1 ? "" : "s");
    if (d->job.status_text)
        textbuf_printf(&b, ": %s", d->job.status_text);
}

int daemon_open_control(struct daemon *d)
{
    cleanup_free char *path = NULL;

    if (d->control)
        return 0;
    if (asprintf(&path, "%s/control", d->config->rundir) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    return control_new(&d->control, d->loop, path, daemon_control(), d);
}

/* Numbers as the text of a field; they live as long as the statement. */
struct number {
    char text[24];
};

static struct number number(long long n)
{
    struct number t;

    snprintf(t.text, sizeof(t.text), "%lld", n);
    return t;
}

static void tell_changed(struct daemon *d)
{
    struct job_status status;

    if (!d->control)
        return;
    job_status(&d->job, &status);
    control_job_changed(d->control, &status);
}

static void job_started(void *ctx, struct job *job)
{
    struct daemon *d = ctx;
    const struct spawn *s = d->config->spawn;

    if (s->drop && job->fsm.restarts == 0)
        log_stage(d->log, STAGE_PRIVILEGES, LOG_INFO, NULL, "dropped: COMMAND is user %u, group %u, in %d more",
                  (unsigned)s->uid, (unsigned)s->gid, s->n_groups);
    else if (job->fsm.restarts == 0)
        log_stage(d->log, STAGE_PRIVILEGES, LOG_INFO, NULL, "kept: COMMAND is user %u, as we are",
                  (unsigned)self_uid());
    log_stage(d->log, STAGE_EXEC, LOG_INFO, FIELDS({"MAIN_PID", number(job->pid).text}), "%s runs as PID %d", s->path,
              job->pid);
}

static void job_ready(struct daemon *d)
{
    int r = daemon_open_control(d);

    if (r < 0)
        log_stage(d->log, STAGE_FAILED, LOG_ERR, NULL, "no control socket in %s: %s", d->config->rundir, strerror(-r));
    daemon_set_status(d);
    log_stage(d->log, STAGE_READY, LOG_INFO, FIELDS({"MAIN_PID", number(d->job.pid).text}), "%s", d->status_text);
    if (d->told_up)
        upward_status(d->upward, d->status_text);
    else
        upward_ready(d->upward, d->status_text);
    d->told_up = true;
}

/* The last words of a job that never came up. The caller frees; NULL: none. */
static char *last_words(const struct daemon *d)
{
    char *text = NULL;

    if (d->config->route != OUTPUT_STREAM)
        return output_tail(&d->job.out[STREAM_STDERR]);
    if (d->job.exit_pid > 0 && systemd_journal_tail(d->job.exit_pid, TAIL_LINES, &text) < 0)
        return NULL;
    return text;
}

static void job_exited(void *ctx, struct job *job)
{
    struct daemon *d = ctx;
    char text[64];
    struct textbuf b = TEXTBUF(text);
    bool clean = job->exit_code == CLD_EXITED && job->exit_status == 0;

    job_explain_exit(job->exit_code, job->exit_status, &b);
    log_stage(d->log, STAGE_CHILD_EXIT, clean || d->stopping ? LOG_INFO : LOG_WARNING,
              FIELDS({"MAIN_PID", number(job->exit_pid).text}, {"EXIT_CODE", exit_code_name(job->exit_code)},
                     {"EXIT_STATUS", number(job->exit_status).text}),
              "%s (PID %d) %s", jobspec_argv(d->config->spec)[0], job->exit_pid, text);
}

static void command_ended(void *ctx, struct job *job, const struct command_end *e)
{
    struct daemon *d = ctx;
    char text[64];
    struct textbuf b = TEXTBUF(text);
    bool failed = e->code != CLD_EXITED || e->status != 0;

    job_explain_exit(e->code, e->status, &b);
    log_stage(d->log, STAGE_COMMAND, failed ? LOG_WARNING : LOG_INFO,
              FIELDS({"EXIT_CODE", exit_code_name(e->code)}, {"EXIT_STATUS", number(e->status).text}), "%s%s %s%s%s",
              exec_list_name(e->list), e->command->argv[0], e->why ? "could not be started: " : text,
              e->why ? e->why : "", failed && e->command->ignore_failure ? " (\"-\": it does not matter)" : "");
}

static void job_end(struct daemon *d)
{
    const char *result = job_result_name(d->job.fsm.result);
    int error = d->job.error.error ? d->job.error.error : d->job.said_error, exit_status = job_exit_status(&d->job);
    cleanup_free char *tail = NULL;
    char text[512];
    struct textbuf b = TEXTBUF(text);

    if (d->job.fsm.state == JOB_FAILED) {
        job_explain(&d->job, &b);
        log_stage(d->log, STAGE_FAILED, LOG_ERR,
                  FIELDS({"RESULT", result}, {error ? "ERRNO" : NULL, number(error).text}), "%s", text);
        tail = d->job.up_once ? NULL : last_words(d);
        upward_failed(d->upward, exit_status, error, text, tail);
    }
    if (d->control) {
        struct job_status status;

        job_status(&d->job, &status);
        control_job_ended(d->control, &status);
    }
    if (d->is_init && d->job.exit_code) /* an init tells its container how its program ended, asked for or not */
        exit_status = d->job.exit_code == CLD_EXITED ? d->job.exit_status : 128 + d->job.exit_status;
    loop_exit(d->loop, exit_status);
}

/* The starter still waits and the first attempt has failed: it tells why it waits longer. */
static void tell_restart(struct daemon *d)
{
    uint64_t now = now_usec(), at = d->job.fsm.deadline;
    uint64_t ms = d->job.fsm.state == JOB_RESTART && at > now ? (at - now + 999) / 1000 : 0;
    char text[512], row[600];
    struct textbuf b = TEXTBUF(text);

    job_explain(&d->job, &b);
    log_stage(d->log, STAGE_RESTART, LOG_NOTICE, FIELDS({"RESTARTS", number(d->job.fsm.restarts).text}),
              "restart %u in %g s: %s", d->job.fsm.restarts, (double)ms / 1e3, text);
    if (d->told_up)
        return;
    snprintf(row, sizeof(row), "amphid: %s: %s; restart %u in %g s", d->config->name, text, d->job.fsm.restarts,
             (double)ms / 1e3);
    upward_trace(d->upward, row);
}

/* Why we end what has not been asked to end. */
static void tell_stopping(struct daemon *d)
{
    const char *why = d->job.fsm.result == RESULT_TIMEOUT       ? "it took too long"
                      : d->job.fsm.result == RESULT_WATCHDOG    ? "its watchdog was not fed, or it is unhealthy"
                      : d->job.fsm.result == RESULT_PROTOCOL    ? "it will never be ready"
                      : d->job.health.state == HEALTH_UNHEALTHY ? "it is unhealthy"
                                                                : "to be started again";

    if (d->stopping)
        return;
    log_stage(d->log, STAGE_STOPPING, LOG_WARNING, NULL, "%s", why);
    /* What is told to a manager is the end of us, not of one life of the job: systemd signals nobody behind STOPPING=1.
     */
    if (d->config->spec->restart == RESTART_NO && !d->job.fsm.again_asked && !d->job.fsm.unhealthy)
        upward_stopping(d->upward, "stopping");
}

static void tell_reloaded(struct daemon *d)
{
    struct job_status status;

    if (d->job.fsm.reload_failed)
        log_stage(d->log, STAGE_RELOAD, LOG_WARNING, NULL, "the reload has failed");
    upward_reloaded(d->upward, d->status_text);
    if (!d->control)
        return;
    job_status(&d->job, &status);
    control_job_reloaded(d->control, &status, !d->job.fsm.reload_failed);
}

static void job_acting(void *ctx, struct job *job, unsigned actions)
{
    struct daemon *d = ctx;

    daemon_set_status(d);
    if (actions & (ACT_RELOAD | ACT_RELOAD_SEEN))
        upward_reloading(d->upward, "reloading");
    if (actions & ACT_RELOAD_SEEN)
        log_stage(d->log, STAGE_RELOAD, LOG_INFO, NULL, "the program reloads");
    if (actions & ACT_RELOADED)
        tell_reloaded(d);
    if (actions & ACT_READY)
        job_ready(d);
    if (actions & ACT_STOPPING)
        tell_stopping(d);
    if (actions & ACT_KILL && job->fsm.state == JOB_STOP_KILL)
        log_stage(d->log, STAGE_STOPPING, LOG_WARNING, NULL, "it did not stop in time: %s",
                  d->config->spec->final_kill_signal == SIGKILL ? "SIGKILL" : "FinalKillSignal=");
    if (actions & ACT_AGAIN)
        tell_restart(d);
    if (actions & ACT_END)
        job_end(d);
    else
        tell_changed(d);
}

static void job_says(void *ctx, struct job *job)
{
    struct daemon *d = ctx;

    daemon_set_status(d);
    upward_status(d->upward, d->status_text);
}

static void job_alive(void *ctx, struct job *job, uint64_t usec)
{
    struct daemon *d = ctx;

    upward_extend(d->upward, usec);
}

static void job_health(void *ctx, struct job *job)
{
    struct daemon *d = ctx;
    const char *state = health_name(job->health.state);
    bool bad = job->health.state == HEALTH_UNHEALTHY;

    if (bad || job->health.state == HEALTH_HEALTHY)
        log_stage(d->log, STAGE_HEALTH, bad ? LOG_WARNING : LOG_INFO, FIELDS({"HEALTH", state}), "%s%s%s", state,
                  bad ? ": " : "", bad ? job->health.reason : "");
    daemon_set_status(d);
    if (d->told_up)
        upward_status(d->upward, d->status_text);
    tell_changed(d);
}

static void job_line(void *ctx, struct job *job, const char *line, size_t len)
{
    struct daemon *d = ctx;
    struct job_status status = {.name = d->config->spec->name};

    if (d->control)
        control_job_line(d->control, &status, line, len);
}

const struct job_ops *daemon_news(void)
{
    static const struct job_ops ops = {.started = job_started,
                                       .acting = job_acting,
                                       .ended = job_exited,
                                       .command_ended = command_ended,
                                       .status = job_says,
                                       .alive = job_alive,
                                       .health = job_health,
                                       .line = job_line};

    return &ops;
}
