/* The methods are rows of one table: a new one needs a row here, its text in manager_idl.h and its case in
 * control_calls.c. */
#include <signal.h>
#include <string.h>
#include "cleanup.h"
#include "manager.h"
#include "manager_idl.h"
#include "parse.h"

enum { TAKES_JOB = 1, TAKES_FOR = 2, TAKES_LINES = 4 };

static const struct method {
    char name[12];
    enum manager_method method;
    bool privileged; /* it changes something, or shows what may be secret */
    int takes;
} methods[] = {
    {"Status", MANAGER_STATUS, false, 0},
    {"Stop", MANAGER_STOP, true, TAKES_JOB},
    {"Start", MANAGER_START, true, TAKES_JOB},
    {"Restart", MANAGER_RESTART, true, TAKES_JOB},
    {"Reload", MANAGER_RELOAD, true, TAKES_JOB},
    {"Wait", MANAGER_WAIT, false, TAKES_JOB | TAKES_FOR},
    {"Check", MANAGER_CHECK, false, TAKES_JOB | TAKES_FOR},
    {"Rotate", MANAGER_ROTATE, true, 0},
    {"Logs", MANAGER_LOGS, true, TAKES_JOB | TAKES_LINES},
    {"ReloadUnits", MANAGER_RELOAD_UNITS, true, 0},
};

static const char goals[][8] = {
    [MANAGER_STOPPED] = "stopped",
    [MANAGER_READY] = "ready",
    [MANAGER_HEALTHY] = "healthy",
};

/* What the verbs send. */
static const struct {
    char text[128];
    enum manager_method method;
    enum manager_goal goal;
} known[] = {
    {MANAGER_CALL("Stop"), MANAGER_STOP, MANAGER_STOPPED},
    {MANAGER_CALL("Restart"), MANAGER_RESTART, MANAGER_STOPPED},
    {MANAGER_CALL("Start"), MANAGER_START, MANAGER_STOPPED},
    {MANAGER_CALL("Reload"), MANAGER_RELOAD, MANAGER_STOPPED},
    {MANAGER_CALL("Rotate"), MANAGER_ROTATE, MANAGER_STOPPED},
    {MANAGER_CALL("ReloadUnits"), MANAGER_RELOAD_UNITS, MANAGER_STOPPED},
    {MANAGER_CALL_FOR("Wait", "stopped"), MANAGER_WAIT, MANAGER_STOPPED},
    {MANAGER_CALL_FOR("Wait", "ready"), MANAGER_WAIT, MANAGER_READY},
    {MANAGER_CALL_FOR("Wait", "healthy"), MANAGER_WAIT, MANAGER_HEALTHY},
    {MANAGER_CALL_FOR("Check", "ready"), MANAGER_CHECK, MANAGER_READY},
    {MANAGER_CALL_FOR("Check", "healthy"), MANAGER_CHECK, MANAGER_HEALTHY},
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

static bool may_call(enum manager_method method, bool privileged)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (methods[i].method == method)
            return privileged || !methods[i].privileged;
    return false;
}

bool manager_known(const char *text, size_t len, bool privileged, struct manager_request *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strlen(known[i].text) == len && memcmp(known[i].text, text, len) == 0 &&
            may_call(known[i].method, privileged)) {
            *ret = (struct manager_request){.method = known[i].method, .goal = known[i].goal};
            return true;
        }
    return false;
}

/* The parameters of a call of @m. NULL, or the name of the one that is wrong. */
static const char *read_parameters(const struct method *m, const struct varlink_call *call, struct manager_request *ret)
{
    struct manager_request req = {.method = m->method, .more = call->more};
    struct varlink_parameter p[3];
    const char *goal = goals[m->method == MANAGER_CHECK ? MANAGER_READY : MANAGER_STOPPED], *wrong;
    int64_t lines = MANAGER_LINES;
    size_t n = 0, g = 0;

    if (m->takes & TAKES_JOB)
        p[n++] = (struct varlink_parameter){.name = "job", .string = &req.job};
    if (m->takes & TAKES_FOR)
        p[n++] = (struct varlink_parameter){.name = "for", .string = &goal};
    if (m->takes & TAKES_LINES)
        p[n++] = (struct varlink_parameter){.name = "lines", .number = &lines};
    wrong = varlink_call_read(call, p, n);
    if (wrong)
        return wrong;
    while (g < ARRAY_SIZE(goals) && !STREQ(goals[g], goal))
        g++;
    if (g == ARRAY_SIZE(goals))
        return "for";
    if (lines < 0 || lines > MANAGER_LINES_MAX)
        return "lines";
    req.goal = (enum manager_goal)g;
    req.lines = (unsigned)lines;
    *ret = req;
    return NULL;
}

json_t *manager_request(const struct varlink_call *call, bool privileged, struct manager_request *ret)
{
    const struct varlink_interface *interface = NULL;
    json_t *answer = varlink_service_call(&service, call, &interface);
    const char *member, *wrong;

    if (!interface)
        return answer;
    member = varlink_call_member(call, interface->name);
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!STREQ(methods[i].name, member))
            continue;
        if (methods[i].privileged && !privileged)
            return varlink_error(VARLINK_PERMISSION_DENIED, NULL, NULL);
        wrong = read_parameters(&methods[i], call, ret);
        return wrong ? varlink_error(VARLINK_INVALID_PARAMETER, "parameter", wrong) : NULL;
    }
    return varlink_error(VARLINK_METHOD_NOT_FOUND, "method", call->method);
}

bool manager_job_ended(const struct job_status *job)
{
    return (job->state == JOB_DONE || job->state == JOB_FAILED) && !job->pending;
}

bool manager_job_up(const struct job_status *job)
{
    return job->state == JOB_UP || job->state == JOB_RELOADING || job->state == JOB_EXITED;
}

const struct job_status *manager_find_job(const struct instance_status *st, const char *name)
{
    if (!name)
        return st->n_jobs == 1 || (st->n_jobs > 0 && st->has_main) ? &st->jobs[0] : NULL;
    for (size_t i = 0; i < st->n_jobs; i++)
        if (STREQ(st->jobs[i].name, name))
            return &st->jobs[i];
    return NULL;
}

static enum manager_progress job_progress(const struct job_status *j, enum manager_goal goal)
{
    bool reached = goal == MANAGER_READY     ? j->ready
                   : goal == MANAGER_HEALTHY ? j->healthy
                                             : manager_job_ended(j);

    return reached ? MANAGER_REACHED : manager_job_ended(j) ? MANAGER_NEVER : MANAGER_NOT_YET;
}

/* Among others it is no fault to have come to a good end. */
static bool has_done_its_work(const struct job_status *j)
{
    return j->state == JOB_DONE && j->result == RESULT_SUCCESS;
}

enum manager_progress manager_progress(const struct instance_status *st, const char *job, const struct job_status *news,
                                       enum manager_goal goal, struct manager_end *ret_end)
{
    enum manager_progress all = st->n_jobs == 0 && goal == MANAGER_STOPPED ? MANAGER_NOT_YET : MANAGER_REACHED;
    struct manager_end end = {0};

    for (size_t i = 0; i < st->n_jobs; i++) {
        const struct job_status *j = &st->jobs[i];
        enum manager_progress p;

        if (job ? !STREQ(j->name, job) : j->idle)
            continue;
        if (news && STREQ(j->name, news->name))
            j = news;
        p = job_progress(j, goal);
        if (!job && st->n_jobs > 1 && goal != MANAGER_STOPPED && has_done_its_work(j))
            p = MANAGER_REACHED;
        if (p == MANAGER_NEVER || all == MANAGER_REACHED)
            all = p;
        if (manager_job_ended(j) && end.result == RESULT_SUCCESS)
            end = (struct manager_end){j->result, j->exit_code, j->exit_status};
    }
    *ret_end = end;
    return all;
}

/* "exited with status 3", "was killed by SIGSEGV". */
static void explain_exit(struct textbuf *b, int code, int status)
{
    char name[16];

    if (code == CLD_EXITED)
        textbuf_printf(b, "it exited with status %d", status);
    else
        textbuf_printf(b, "it was killed by %s", signal_name(status, name));
}

void manager_explain(struct textbuf *b, const struct job_status *job, enum manager_goal goal)
{
    bool again = job->state == JOB_RESTART;

    if (again || manager_job_ended(job)) {
        if (again || job->result != RESULT_RESOURCES || !job->readiness) /* that it could not be is said by why it could not */
            textbuf_printf(b, "%s: ", again ? job_state_name(job->state) : job_result_name(job->result));
        if (job->readiness)
            textbuf_puts(b, job->readiness);
        else if (job->exit_code)
            explain_exit(b, job->exit_code, job->exit_status);
        else
            textbuf_puts(b, "it was never started");
    } else if (!job->ready) {
        textbuf_puts(b, job_state_name(job->state));
        if (job->readiness)
            textbuf_printf(b, ": %s", job->readiness);
    } else if (goal == MANAGER_HEALTHY) {
        textbuf_puts(b, job->health ? job->health : "no health check");
        if (job->health_reason)
            textbuf_printf(b, ": %s", job->health_reason);
    }
}
