/* What is told of units: to the log, to whoever waits above, and on the control socket. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "daemon_state.h"

void daemon_put_job(const struct job *job, struct textbuf *b)
{
    textbuf_printf(b, "%s %s", job->c.spec->name, job_state_name(job->fsm.state));
    if (job->pid > 0)
        textbuf_printf(b, ", PID %d", job->pid);
    if (job_health_state(job) == HEALTH_HEALTHY || job_health_state(job) == HEALTH_UNHEALTHY)
        textbuf_printf(b, ", %s", health_name(job_health_state(job)));
    if (job->fsm.restarts > 0)
        textbuf_printf(b, ", %u restart%s", job->fsm.restarts, job->fsm.restarts == 1 ? "" : "s");
    if (job_status_text(job))
        textbuf_printf(b, ": %s", job_status_text(job));
}

void daemon_set_status(struct daemon *d)
{
    struct textbuf b = TEXTBUF(d->status_text);

    if (d->sole && d->sole->job) {
        daemon_put_job(d->sole->job, &b);
        return;
    }
    if (d->n_counted == 0) {
        textbuf_puts(&b, "no jobs");
        return;
    }
    textbuf_printf(&b, "%zu of %zu units up", d->n_up, d->n_counted);
    if (d->n_failed > 0)
        textbuf_printf(&b, ", %zu failed", d->n_failed);
}

void daemon_unit_status(struct unit *u, bool tree, struct job_status *ret)
{
    if (u->job && tree)
        job_status_of_tree(u->job, ret);
    else if (u->job)
        job_status(u->job, ret);
    else
        *ret = (struct job_status){
            .name = unit_name(u),
            .state = u->state == UNIT_ACTIVE   ? JOB_UP
                     : u->state == UNIT_FAILED ? JOB_FAILED
                                               : JOB_INACTIVE,
            .since = u->since,
            .argv = jobspec_argv(&u->file.spec),
            .ready = u->state == UNIT_ACTIVE,
            .healthy = u->state == UNIT_ACTIVE,
            .memory = UINT64_MAX,
            .cpu_usec = UINT64_MAX,
        };
    if (u->why && (!u->job || job_over(u->job)))
        ret->readiness = u->why;
    ret->pending = u->pending;
    ret->idle = !u->job && !u->asked;
    ret->path = u->file.path;
    ret->description = u->file.spec.description;
}

void daemon_tell_starter(struct daemon *d, const struct unit *u, const char *fmt, ...)
{
    char row[1024];
    struct textbuf b = TEXTBUF(row);
    va_list ap;

    textbuf_printf(&b, "amphid: %s: ", u && u != d->sole ? unit_name(u) : d->config->name);
    va_start(ap, fmt);
    textbuf_vprintf(&b, fmt, ap);
    va_end(ap);
    upward_trace(d->upward, row);
}

struct number daemon_number(long long n)
{
    struct number t;

    snprintf(t.text, sizeof(t.text), "%lld", n);
    return t;
}

void daemon_tell_changed(struct daemon *d, struct unit *u)
{
    struct job_status status;

    if (!d->control)
        return;
    daemon_unit_status(u, false, &status);
    control_job_changed(d->control, &status);
}

void daemon_note_exit(struct daemon *d, const struct unit *u, bool failed, int status)
{
    if (!u->asked || d->failed || d->config->resident)
        return;
    d->failed = failed;
    d->exit_status = status;
}

void daemon_tell_failure(struct daemon *d, const struct unit *u, int status, int error, const char *why, char *tail)
{
    char row[NEWS_MAX];
    struct textbuf b = TEXTBUF(row);

    if (u == d->sole && (u->state == UNIT_INACTIVE || u->state == UNIT_FAILED)) {
        upward_failed(d->upward, status, error, why, tail);
        return;
    }
    if (d->told_up)
        return;
    textbuf_printf(&b, "amphid: %s: %s", u == d->sole ? d->config->name : unit_name(u), why);
    if (tail)
        textbuf_printf(&b, "\n%.*s", (int)(strlen(tail) - (*tail && tail[strlen(tail) - 1] == '\n')), tail);
    upward_trace(d->upward, row);
}

void daemon_unit_refused(struct daemon *d, struct unit *u, const char *fmt, ...)
{
    char why[512];
    struct textbuf b = TEXTBUF(why);
    va_list ap;

    va_start(ap, fmt);
    textbuf_vprintf(&b, fmt, ap);
    va_end(ap);
    unit_because(u, why);
    log_unit(d->log, unit_subject(u), STAGE_FAILED, LOG_ERR, FIELDS({"RESULT", "dependency"}), "%s", why);
    daemon_note_exit(d, u, true, 1);
    daemon_tell_failure(d, u, 1, 0, why, NULL);
    control_job_not_started(d->control, unit_name(u), why);
}

void daemon_unit_failed(struct daemon *d, struct unit *u, int status, int error, const char *why)
{
    /* systemd's words: what a set-up step refuses is an exit code (200 and up), the rest is resources. */
    const char *result = job_result_name(status >= EXIT_CHDIR ? RESULT_EXIT_CODE : RESULT_RESOURCES);

    log_unit(d->log, unit_subject(u), STAGE_FAILED, LOG_ERR,
             FIELDS({"RESULT", result}, {error ? "ERRNO" : NULL, daemon_number(error).text}), "%s", why);
    unit_because(u, why);
    daemon_note_exit(d, u, true, status);
    daemon_note(d, u, UNIT_FAILED, 0);
    daemon_tell_failure(d, u, status, error, why, NULL);
    daemon_unit_over(d, u, true, status);
}
