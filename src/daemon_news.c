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
    return control_new(&d->control, d->loop, path, d->control_ops, d);
}

/* The fields that tell of the main process; numbers as text live as long as the statement. */
struct main_fields {
    char pid[12], status[12];
    const char *code;
};

static struct main_fields main_fields(const struct job *job)
{
    struct main_fields f = {.code = job->exit_code == CLD_EXITED   ? "exited"
                                    : job->exit_code == CLD_DUMPED ? "dumped"
                                                                   : "killed"};

    snprintf(f.pid, sizeof(f.pid), "%d", job->pid);
    snprintf(f.status, sizeof(f.status), "%d", job->exit_status);
    return f;
}

static void job_started(void *ctx, struct job *job)
{
    struct daemon *d = ctx;
    const struct spawn *s = d->config->spawn;
    struct main_fields f = main_fields(job);

    if (s->drop)
        log_stage(d->log, STAGE_PRIVILEGES, LOG_INFO, NULL, "dropped: COMMAND is user %u, group %u, in %d more",
                  (unsigned)s->uid, (unsigned)s->gid, s->n_groups);
    else
        log_stage(d->log, STAGE_PRIVILEGES, LOG_INFO, NULL, "kept: COMMAND is user %u, as we are",
                  (unsigned)self_uid());
    log_stage(d->log, STAGE_EXEC, LOG_INFO, FIELDS({"MAIN_PID", f.pid}), "%s runs as PID %s", s->path, f.pid);
}

static void job_ready(struct daemon *d)
{
    struct main_fields f = main_fields(&d->job);
    int r = daemon_open_control(d);

    if (r < 0)
        log_stage(d->log, STAGE_FAILED, LOG_ERR, NULL, "no control socket in %s: %s", d->config->rundir, strerror(-r));
    daemon_set_status(d);
    log_stage(d->log, STAGE_READY, LOG_INFO, FIELDS({"MAIN_PID", f.pid}), "%s", d->status_text);
    upward_ready(d->upward, d->status_text);
}

/* The last words of a job that never came up. The caller frees; NULL: none. */
static char *last_words(const struct daemon *d)
{
    char *text = NULL;

    if (d->config->route != OUTPUT_STREAM)
        return output_tail(&d->job.out[STREAM_STDERR]);
    if (d->job.pid > 0 && systemd_journal_tail(d->job.pid, TAIL_LINES, &text) < 0)
        return NULL;
    return text;
}

static void log_exit(struct daemon *d)
{
    struct main_fields f = main_fields(&d->job);
    char text[64];
    struct textbuf b = TEXTBUF(text);
    bool clean = d->job.exit_code == CLD_EXITED && d->job.exit_status == 0;

    job_explain_exit(&d->job, &b);
    log_stage(d->log, STAGE_CHILD_EXIT, clean || d->stopping ? LOG_INFO : LOG_WARNING,
              FIELDS({"MAIN_PID", f.pid}, {"EXIT_CODE", f.code}, {"EXIT_STATUS", f.status}), "%s (PID %s) %s",
              d->config->spec->argv[0], f.pid, text);
}

static void job_end(struct daemon *d)
{
    const char *result = job_result_name(d->job.fsm.result);
    int exit_status = job_exit_status(&d->job);
    cleanup_free char *tail = NULL;
    char text[512], error[12];
    struct textbuf b = TEXTBUF(text);

    if (d->job.exit_code)
        log_exit(d);
    if (d->job.fsm.result != RESULT_SUCCESS) {
        job_explain(&d->job, &b);
        snprintf(error, sizeof(error), "%d", d->job.error.error);
        log_stage(d->log, STAGE_FAILED, LOG_ERR, FIELDS({"RESULT", result}, {d->job.error.error ? "ERRNO" : NULL, error}), "%s", text);
        tail = d->job.up_once ? NULL : last_words(d);
        upward_failed(d->upward, exit_status, d->job.error.error, text, tail);
    }
    if (d->control) {
        struct job_status status;

        job_status(&d->job, &status);
        control_job_ended(d->control, &status);
    }
    loop_exit(d->loop, exit_status);
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
        upward_reloaded(d->upward, d->status_text);
    if (actions & ACT_READY)
        job_ready(d);
    if (actions & ACT_STOPPING && !d->stopping) {
        d->stopping = true;
        log_stage(d->log, STAGE_STOPPING, LOG_WARNING, NULL, "the start took too long");
        upward_stopping(d->upward, "stopping");
    }
    if (actions & ACT_KILL && !(actions & ACT_END))
        log_stage(d->log, STAGE_STOPPING, LOG_WARNING, NULL, "it did not stop in time: SIGKILL");
    if (actions & ACT_END)
        job_end(d);
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

const struct job_ops *daemon_news(void)
{
    static const struct job_ops ops = {job_started, job_acting, job_says, job_alive};

    return &ops;
}
