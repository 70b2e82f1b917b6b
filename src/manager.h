/* io.amphid.Manager without socket or daemon: which method a call means and who may call it, the instance's
 * state as JSON, and how far a job is from what somebody waits for. Pure. */
#pragma once
#include "json.h"
#include <stdbool.h>
#include "status.h"
#include "textbuf.h"
#include "varlink.h"

#define MANAGER_INTERFACE "io.amphid.Manager"
#define MANAGER_NO_SUCH_JOB MANAGER_INTERFACE ".NoSuchJob"       /* job */
#define MANAGER_NOT_UP MANAGER_INTERFACE ".NotUp"                /* state */
#define MANAGER_START_FAILED MANAGER_INTERFACE ".StartFailed"    /* result, reason */
#define MANAGER_RELOAD_FAILED MANAGER_INTERFACE ".ReloadFailed"  /* state */
#define MANAGER_ENDED MANAGER_INTERFACE ".Ended"                 /* result, exitCode, exitStatus */
#define MANAGER_NOT_ROTATED MANAGER_INTERFACE ".NotRotated"      /* reason */
#define MANAGER_NOT_LOADED MANAGER_INTERFACE ".NotLoaded"         /* job, reason */
#define MANAGER_REFUSED MANAGER_INTERFACE ".Refused"              /* reason */
#define MANAGER_LOG_ELSEWHERE MANAGER_INTERFACE ".LogElsewhere"  /* log */

/* Calls and replies of our own clients, as bytes: who knows them needs no JSON. */
#define MANAGER_CALL(method) "{\"method\":\"" MANAGER_INTERFACE "." method "\"}"
#define MANAGER_CALL_FOR(method, goal)                                                                       \
    "{\"method\":\"" MANAGER_INTERFACE "." method "\",\"parameters\":{\"for\":\"" goal "\"}}"
#define MANAGER_DONE "{\"parameters\":{}}"
#define MANAGER_YES "{\"parameters\":{\"ok\":true}}"

#define MANAGER_LINES 10       /* of Logs, where no number is given */
#define MANAGER_LINES_MAX 1000000

enum manager_method {
    MANAGER_NONE,
    MANAGER_STATUS,
    MANAGER_STOP,
    MANAGER_START,
    MANAGER_RESTART,
    MANAGER_RELOAD,
    MANAGER_WAIT,
    MANAGER_CHECK,
    MANAGER_ROTATE,
    MANAGER_LOGS,
    MANAGER_RELOAD_UNITS,
};

/* What Wait waits for and Check asks. */
enum manager_goal { MANAGER_STOPPED, MANAGER_READY, MANAGER_HEALTHY };

struct manager_request {
    enum manager_method method;
    const char *job; /* NULL: the whole instance; borrowed from the call */
    enum manager_goal goal;
    unsigned lines;
    bool more;
};

/* How a job ended, in fsm.h's and waitid(2)'s numbers. All zero: well, and without a process of its own. */
struct manager_end {
    enum job_result result;
    int exit_code, exit_status;
};

enum manager_progress { MANAGER_NOT_YET, MANAGER_REACHED, MANAGER_NEVER };

/* Is @text a call of those above, byte for byte, and may the caller do it? Then the request is in *@ret. */
bool manager_known(const char *text, size_t len, bool privileged, struct manager_request *ret);

/* Understands @call, from a caller who may change things (@privileged) or only look. Returns NULL and the
 * request in *@ret, or the message that answers it already (the caller owns it): errors, and everything that
 * org.varlink.service does. */
json_t *manager_request(const struct varlink_call *call, bool privileged, struct manager_request *ret);

/* The type Instance; the caller owns it. NULL without memory. */
json_t *manager_instance(const struct instance_status *st);

/* The reply to Wait, as text; the caller frees it. NULL without memory. */
char *manager_wait_text(const struct manager_end *end);

/* The errors StartFailed and Ended; the caller owns them. NULL without memory. */
json_t *manager_start_failed(const struct job_status *job);
json_t *manager_ended(const struct manager_end *end);

/* Has the job come to its end, whichever it was? Is it up? */
bool manager_job_ended(const struct job_status *job);
bool manager_job_up(const struct job_status *job);

/* The job of that name, or NULL. @name NULL: the only one, or the main one; NULL if there are none, or several. */
const struct job_status *manager_find_job(const struct instance_status *st, const char *name);

/* How far @job (NULL: all of them) is from @goal. @news (NULL: none) counts instead of what the list says of that
 * job. Into *@ret_end goes the end of what has ended: of the first that failed, else of the last one. An instance
 * without jobs is ready, and does not end before itself. */
enum manager_progress manager_progress(const struct instance_status *st, const char *job, const struct job_status *news,
                                       enum manager_goal goal, struct manager_end *ret_end);

/* Why a job has not reached @goal, in words. */
void manager_explain(struct textbuf *b, const struct job_status *job, enum manager_goal goal);
