/* The methods are rows of one table: a new one needs a row here, its text in manager_idl.h and its case in
 * control.c. */
#include <signal.h>
#include <string.h>
#include "cleanup.h"
#include "manager.h"
#include "manager_idl.h"

static const struct {
    const char *name;
    enum manager_method method;
    bool privileged;       /* it changes something */
    const char *parameter; /* the only one it takes */
} methods[] = {
    {"Status", MANAGER_STATUS, false, NULL},
    {"Stop", MANAGER_STOP, true, "job"},
    {"Reload", MANAGER_RELOAD, true, "job"},
    {"Wait", MANAGER_WAIT, false, "job"},
};

static const struct varlink_interface interfaces[] = {
    {MANAGER_INTERFACE, MANAGER_IDL},
};

static const struct varlink_service service = {
    .vendor = "amphid",
    .product = "amphid",
    .version = AMPHID_VERSION,
    .url = "",
    .interfaces = interfaces,
    .n_interfaces = ARRAY_SIZE(interfaces),
};

json_t *manager_request(const struct varlink_call *call, bool privileged, struct manager_request *ret)
{
    const struct varlink_interface *interface = NULL;
    json_t *answer = varlink_service_call(&service, call, &interface);
    const char *member, *job = NULL, *wrong;

    if (!interface)
        return answer;
    member = varlink_call_member(call, interface->name);
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!STREQ(methods[i].name, member))
            continue;
        if (methods[i].privileged && !privileged)
            return varlink_error(VARLINK_PERMISSION_DENIED, NULL, NULL);
        wrong = varlink_call_string(call, methods[i].parameter, &job);
        if (wrong)
            return varlink_error(VARLINK_INVALID_PARAMETER, "parameter", wrong);
        *ret = (struct manager_request){.method = methods[i].method, .job = job};
        return NULL;
    }
    return varlink_error(VARLINK_METHOD_NOT_FOUND, "method", call->method);
}

/* waitid(2)'s si_code in systemd's words ($EXIT_CODE); null while there is none. */
static json_t *exit_code_json(int code)
{
    return code == CLD_EXITED   ? json_string("exited")
           : code == CLD_KILLED ? json_string("killed")
           : code == CLD_DUMPED ? json_string("dumped")
                                : json_null();
}

static json_t *exit_status_json(int code, int status)
{
    return code ? json_integer(status) : json_null();
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

static json_t *job_json(const struct job_status *j)
{
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "name", varlink_text(j->name), "state",
                     job_state_name(j->state), "result", job_result_name(j->result), "mainPid",
                     j->main_pid > 0 ? json_integer(j->main_pid) : json_null(), "command",
                     command_json(j->argv), "since", (json_int_t)j->since, "statusText",
                     varlink_text(j->status_text), "exitCode", exit_code_json(j->exit_code), "exitStatus",
                     exit_status_json(j->exit_code, j->exit_status));
}

json_t *manager_instance(const struct instance_status *st)
{
    json_t *jobs = json_array();

    for (size_t i = 0; i < st->n_jobs; i++)
        if (json_array_append_new(jobs, job_json(&st->jobs[i])) < 0) {
            json_decref(jobs);
            return NULL;
        }
    return json_pack("{s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "name", varlink_text(st->name),
                     "pid", (int)st->pid, "version", AMPHID_VERSION, "mode", varlink_text(st->mode), "reason",
                     varlink_text(st->reason), "state", varlink_text(st->state), "statusText",
                     varlink_text(st->status_text ? st->status_text : ""), "since", (json_int_t)st->since,
                     "log", varlink_text(st->log), "jobs", jobs);
}

json_t *manager_wait_reply(const struct manager_end *end)
{
    return varlink_reply(json_pack("{s:s, s:o, s:o}", "result", job_result_name(end->result), "exitCode",
                                   exit_code_json(end->exit_code), "exitStatus",
                                   exit_status_json(end->exit_code, end->exit_status)));
}

bool manager_job_ended(const struct job_status *job)
{
    return job->state == JOB_DONE || job->state == JOB_FAILED;
}

const struct job_status *manager_find_job(const struct instance_status *st, const char *name)
{
    for (size_t i = 0; i < st->n_jobs; i++)
        if (STREQ(st->jobs[i].name, name))
            return &st->jobs[i];
    return NULL;
}

void manager_add_end(struct manager_end *sum, const struct job_status *job)
{
    if (sum->result == RESULT_SUCCESS)
        *sum = (struct manager_end){job->result, job->exit_code, job->exit_status};
}

bool manager_all_ended(const struct instance_status *st, const struct job_status *besides,
                       struct manager_end *ret)
{
    for (size_t i = 0; i < st->n_jobs; i++) {
        const struct job_status *j = &st->jobs[i];

        if (besides && STREQ(j->name, besides->name))
            j = besides;
        else if (!manager_job_ended(j))
            return false;
        manager_add_end(ret, j);
    }
    return st->n_jobs > 0 || besides;
}
