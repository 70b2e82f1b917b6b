/* News of the job: each is logged once, told upward and to those who wait on the control socket. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include "cleanup.h"
#include "daemon_state.h"
#include "self.h"
#include "systemd.h"

static struct daemon *daemon_of(const struct unit *u)
{
    return units_owner(u->all);
}

/* ---- a start ---- */

static void job_started(void *ctx, struct job *job)
{
    struct unit *u = ctx;
    struct daemon *d = daemon_of(u);
    const struct spawn *s = job->spawn;
    bool first = job->fsm.restarts == 0 && job->fsm.command == 0;

    if (s->drop && first)
        log_unit(d->log, unit_subject(u), STAGE_PRIVILEGES, LOG_INFO, NULL,
                 "dropped: COMMAND is user %u, group %u, in %d more", (unsigned)s->uid, (unsigned)s->gid, s->n_groups);
    else if (first)
        log_unit(d->log, unit_subject(u), STAGE_PRIVILEGES, LOG_INFO, NULL, "kept: COMMAND is user %u, as we are",
                 (unsigned)self_uid());
    log_unit(d->log, unit_subject(u), STAGE_EXEC, LOG_INFO, FIELDS({"MAIN_PID", daemon_number(job->pid).text}),
             "%s runs as PID %d", s->path ? s->path : job->c.spec->start.v[job->fsm.command].path, job->pid);
}

static void job_ready(struct daemon *d, struct unit *u)
{
    int r = daemon_open_control(d);
    char text[512];
    struct textbuf b = TEXTBUF(text);

    if (r < 0)
        log_stage(d->log, STAGE_FAILED, LOG_ERR, NULL, "no control socket in %s: %s; it hears signals alone",
                  d->config->rundir, strerror(-r));
    daemon_put_job(u->job, &b);
    /* A record about a unit has its name before it. */
    log_unit(d->log, unit_subject(u), STAGE_READY, LOG_INFO, FIELDS({"MAIN_PID", daemon_number(u->job->pid).text}),
             "%s", text + (unit_subject(u) ? strlen(unit_name(u)) + 1 : 0));
    if (u != d->sole)
        return;
    if (d->told_up)
        upward_status(d->upward, text);
    else
        upward_ready(d->upward, text);
    d->told_up = true;
}

/* ---- ends ---- */

/* The last words of a job that never came up. The caller frees; NULL: none. */
static char *last_words(const struct job *job)
{
    char *text = NULL;

    if (job->c.route != OUTPUT_STREAM)
        return job_tail(job);
    if (job->exit_pid > 0 && systemd_journal_tail(job->exit_pid, TAIL_LINES, &text) < 0)
        return NULL;
    return text;
}

static void job_exited(void *ctx, struct job *job)
{
    struct unit *u = ctx;
    struct daemon *d = daemon_of(u);
    char text[64];
    struct textbuf b = TEXTBUF(text);
    bool clean = job->exit_code == CLD_EXITED && job->exit_status == 0;

    job_explain_exit(job->exit_code, job->exit_status, &b);
    log_unit(d->log, unit_subject(u), STAGE_CHILD_EXIT, clean || job->stop_asked ? LOG_INFO : LOG_WARNING,
             FIELDS({"MAIN_PID", daemon_number(job->exit_pid).text}, {"EXIT_CODE", exit_code_name(job->exit_code)},
                    {"EXIT_STATUS", daemon_number(job->exit_status).text}),
             "%s (PID %d) %s", job->c.spec->start.v[job->fsm.command].argv[0], job->exit_pid, text);
}

static void command_ended(void *ctx, struct job *job, const struct command_end *e)
{
    struct unit *u = ctx;
    char text[64];
    struct textbuf b = TEXTBUF(text);
    bool failed = e->code != CLD_EXITED || e->status != 0;

    job_explain_exit(e->code, e->status, &b);
    log_unit(job->c.common->log, unit_subject(u), STAGE_COMMAND, failed ? LOG_WARNING : LOG_INFO,
             FIELDS({"EXIT_CODE", exit_code_name(e->code)}, {"EXIT_STATUS", daemon_number(e->status).text}),
             "%s%s %s%s%s", exec_list_name(e->list), e->command->argv[0], e->why ? "could not be started: " : text,
             e->why ? e->why : "", failed && e->command->ignore_failure ? " (\"-\": it does not matter)" : "");
}

static void job_end(struct daemon *d, struct unit *u)
{
    struct job *job = u->job;
    const char *result = job_result_name(job->fsm.result);
    int error = job_errno(job), status = job_exit_status(job);
    cleanup_free char *tail = NULL;
    char text[512];
    struct textbuf b = TEXTBUF(text);
    struct job_status js;

    if (job->fsm.state == JOB_FAILED) {
        job_explain(job, &b);
        log_unit(d->log, unit_subject(u), STAGE_FAILED, LOG_ERR,
                 FIELDS({"RESULT", result}, {error ? "ERRNO" : NULL, daemon_number(error).text}), "%s", text);
        tail = job->up_once ? NULL : last_words(job);
        daemon_tell_failure(d, u, status, error, text, tail);
    } else if (u != d->sole) {
        log_unit(d->log, unit_subject(u), STAGE_STOPPED, LOG_INFO, FIELDS({"RESULT", result}), "result: %s", result);
    }
    if (d->control) {
        daemon_unit_status(u, false, &js);
        control_job_ended(d->control, &js);
    }
    if (d->is_init && job->exit_code) /* an init tells its container how its program ended, asked for or not */
        status = job->exit_code == CLD_EXITED ? job->exit_status : 128 + job->exit_status;
    daemon_note_exit(d, u, job->fsm.state == JOB_FAILED, status);
    daemon_unit_over(d, u, job->fsm.state == JOB_FAILED, status);
}

/* The starter still waits and the first attempt has failed: it tells why it waits longer. */
static void tell_restart(struct daemon *d, const struct unit *u)
{
    const struct job *job = u->job;
    uint64_t now = now_usec(), at = job->fsm.deadline;
    uint64_t ms = job->fsm.state == JOB_RESTART && at > now ? (at - now + 999) / 1000 : 0;
    char text[512], row[600];
    struct textbuf b = TEXTBUF(text);

    job_explain(job, &b);
    log_unit(d->log, unit_subject(u), STAGE_RESTART, LOG_NOTICE,
             FIELDS({"RESTARTS", daemon_number(job->fsm.restarts).text}), "restart %u in %g s: %s", job->fsm.restarts,
             (double)ms / 1e3, text);
    if (d->told_up)
        return;
    snprintf(row, sizeof(row), "amphid: %s: %s; restart %u in %g s", u == d->sole ? d->config->name : unit_name(u),
             text, job->fsm.restarts, (double)ms / 1e3);
    upward_trace(d->upward, row);
}

/* Why we end what has not been asked to end. */
static void tell_stopping(struct daemon *d, const struct unit *u)
{
    const struct job *job = u->job;

    if (job->stop_asked)
        return;
    log_unit(d->log, unit_subject(u), STAGE_STOPPING, LOG_WARNING, NULL, "%s", job_why_ended(job));
    /* What is told to a manager is the end of us, not of one life of the job: systemd signals nobody behind
     * STOPPING=1. */
    if (u == d->sole && job->c.spec->restart == RESTART_NO && !job->fsm.unhealthy)
        upward_stopping(d->upward, "stopping");
}

/* ---- all that happens ---- */

static void tell_reloaded(struct daemon *d, struct unit *u)
{
    bool ok = !u->job->fsm.reload_failed;
    struct job_status status;

    if (!ok)
        log_unit(d->log, unit_subject(u), STAGE_RELOAD, LOG_WARNING, NULL, "the reload has failed");
    if (u == d->sole) {
        daemon_set_status(d);
        upward_reloaded(d->upward, d->status_text);
    }
    graph_reloaded(d->graph, u->number, ok);
    d->changed = true;
    if (!d->control)
        return;
    job_status(u->job, &status);
    control_job_reloaded(d->control, &status, ok);
}

static void job_acting(void *ctx, struct job *job, unsigned actions)
{
    struct unit *u = ctx;
    struct daemon *d = daemon_of(u);

    daemon_note_job(d, u);
    if (u == d->sole && actions & (ACT_RELOAD | ACT_RELOAD_SEEN))
        upward_reloading(d->upward, "reloading");
    if (actions & ACT_RELOAD_SEEN)
        log_unit(d->log, unit_subject(u), STAGE_RELOAD, LOG_INFO, NULL, "the program reloads");
    if (actions & ACT_RELOADED)
        tell_reloaded(d, u);
    if (actions & ACT_READY)
        job_ready(d, u);
    if (actions & ACT_STOPPING)
        tell_stopping(d, u);
    if (actions & ACT_KILL && job->fsm.state == JOB_STOP_KILL)
        log_unit(d->log, unit_subject(u), STAGE_STOPPING, LOG_WARNING, NULL, "it did not stop in time: %s",
                 job->c.spec->final_kill_signal == SIGKILL ? "SIGKILL" : "FinalKillSignal=");
    if (actions & ACT_AGAIN)
        tell_restart(d, u);
    if (actions & ACT_END)
        job_end(d, u);
    else
        daemon_tell_changed(d, u);
}

static void job_says(void *ctx, struct job *job)
{
    struct unit *u = ctx;
    struct daemon *d = daemon_of(u);

    (void)job;
    daemon_set_status(d);
    if (u == d->sole)
        upward_status(d->upward, d->status_text);
}

static void job_alive(void *ctx, struct job *job, uint64_t usec)
{
    struct unit *u = ctx;

    (void)job;
    upward_extend(daemon_of(u)->upward, usec);
}

static void job_health(void *ctx, struct job *job)
{
    struct unit *u = ctx;
    struct daemon *d = daemon_of(u);
    const char *state = health_name(job_health_state(job));
    bool bad = job_health_state(job) == HEALTH_UNHEALTHY;

    if (bad || job_health_state(job) == HEALTH_HEALTHY)
        log_unit(d->log, unit_subject(u), STAGE_HEALTH, bad ? LOG_WARNING : LOG_INFO, FIELDS({"HEALTH", state}),
                 "%s%s%s", state, bad ? ": " : "", bad ? job_health_reason(job) : "");
    daemon_set_status(d);
    if (d->told_up && u == d->sole)
        upward_status(d->upward, d->status_text);
    daemon_tell_changed(d, u);
}

static void job_line(void *ctx, struct job *job, const char *line, size_t len)
{
    const struct unit *u = ctx;
    struct daemon *d = daemon_of(u);
    struct job_status status = {.name = job->c.spec->name};

    if (d->control)
        control_job_line(d->control, &status, line, len);
}

static bool job_is_followed(void *ctx, struct job *job)
{
    const struct daemon *d = daemon_of(ctx);

    return d->control && control_job_is_followed(d->control, job->c.spec->name);
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
                                       .line = job_line,
                                       .listens = job_is_followed,
                                       .busy = daemon_is_busy};

    return &ops;
}
