/* What the instance says of itself, in the words of manager_idl.h. */
#include <stdio.h>
#include "cleanup.h"
#include "exitset.h"
#include "manager.h"
#include "textbuf.h"

/* The object @o (consumed) with @more (consumed) in it; NULL if one of them is. */
static json_t *merge(json_t *o, json_t *more)
{
    if (!o || !more || json_object_update(o, more) < 0) {
        json_decref(o);
        o = NULL;
    }
    json_decref(more);
    return o;
}

/* A number that may be unknown. */
static json_t *number(uint64_t n, bool known)
{
    return known ? json_integer((json_int_t)n) : json_null();
}

static json_t *exit_json(int code, int status)
{
    return json_pack("{s:o, s:o}", "exitCode", varlink_text(exit_code_name(code)), "exitStatus",
                     number((uint64_t)status, code != 0));
}

static json_t *command_json(char *const *argv)
{
    json_t *list = json_array();

    for (size_t i = 0; argv && argv[i]; i++)
        if (json_array_append_new(list, varlink_text(argv[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *pids_json(const pid_t *pids, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, json_integer(pids[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* How it is, beyond its state. */
static json_t *condition_json(const struct job_status *j)
{
    return json_pack("{s:I, s:o, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:I}", "restarts",
                     (json_int_t)j->restarts, "exitTime", number(j->exit_time, j->exit_time != 0), "nextStart",
                     number(j->next_start, j->next_start != 0), "ready", j->ready, "readiness",
                     varlink_text(j->readiness), "healthy", j->healthy, "health", varlink_text(j->health),
                     "healthReason", varlink_text(j->health_reason), "pids", pids_json(j->pids, j->n_pids), "memory",
                     number(j->memory, j->memory != UINT64_MAX), "cpuUSec",
                     number(j->cpu_usec, j->cpu_usec != UINT64_MAX), "droppedLines", (json_int_t)j->dropped_lines);
}

static json_t *job_json(const struct job_status *j)
{
    json_t *o = json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:I, s:o}", "name", varlink_text(j->name), "identifier",
                          varlink_text(j->identifier ? j->identifier : j->name), "state",
                          job_state_name(j->state), "result", job_result_name(j->result), "mainPid",
                          number((uint64_t)j->main_pid, j->main_pid > 0), "command", command_json(j->argv), "since",
                          (json_int_t)j->since, "statusText", varlink_text(j->status_text));

    o = merge(o, json_pack("{s:o, s:o}", "path", varlink_text(j->path), "description", varlink_text(j->description)));
    return merge(merge(o, exit_json(j->exit_code, j->exit_status)), condition_json(j));
}

json_t *manager_instance(const struct instance_status *st)
{
    json_t *jobs = json_array();

    for (size_t i = 0; i < st->n_jobs; i++)
        if (json_array_append_new(jobs, job_json(&st->jobs[i])) < 0) {
            json_decref(jobs);
            return NULL;
        }
    return json_pack("{s:o, s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "main",
                     varlink_text(st->only_main && st->n_jobs > 0 ? st->jobs[0].name : NULL), "name", varlink_text(st->name),
                     "pid", (int)st->pid, "version", AMPHID_VERSION, "mode", varlink_text(st->mode), "reason",
                     varlink_text(st->reason), "state", varlink_text(st->state), "statusText",
                     varlink_text(st->status_text ? st->status_text : ""), "since", (json_int_t)st->since,
                     "log", varlink_text(st->log), "jobs", jobs);
}

/* By hand, since all of it is words and numbers: somebody who waits is no reason to open a library. */
char *manager_wait_text(const struct manager_end *end)
{
    const char *code = exit_code_name(end->exit_code);
    char status[12];

    snprintf(status, sizeof(status), "%d", end->exit_status);
    return JOIN("{\"parameters\":{\"result\":\"", job_result_name(end->result), "\",\"exitCode\":", code ? "\"" : "",
                code ? code : "null", code ? "\"" : "", ",\"exitStatus\":", code ? status : "null", "}}");
}

/* An error whose @parameters (consumed) are more than one string. */
static json_t *error_json(const char *error, json_t *parameters)
{
    return parameters ? json_pack("{s:s, s:o}", "error", error, "parameters", parameters) : NULL;
}

json_t *manager_start_failed(const struct job_status *job)
{
    char reason[512];
    struct textbuf b = TEXTBUF(reason);

    reason[0] = '\0';
    manager_explain(&b, job, MANAGER_READY);
    return error_json(MANAGER_START_FAILED,
                      merge(json_pack("{s:s, s:o}", "result", job_result_name(job->result), "reason",
                                      varlink_text(reason)),
                            exit_json(job->exit_code, job->exit_status)));
}

json_t *manager_ended(const struct manager_end *end)
{
    return error_json(MANAGER_ENDED, merge(json_pack("{s:s}", "result", job_result_name(end->result)),
                                           exit_json(end->exit_code, end->exit_status)));
}
