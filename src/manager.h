/* io.amphid.Manager without socket or daemon: which method a call means and who may call it, and the
 * instance's state as JSON. Pure. */
#pragma once
#include "json.h"
#include <stdbool.h>
#include "status.h"
#include "varlink.h"

#define MANAGER_INTERFACE "io.amphid.Manager"
#define MANAGER_NO_SUCH_JOB MANAGER_INTERFACE ".NoSuchJob" /* job */
#define MANAGER_NOT_UP MANAGER_INTERFACE ".NotUp"          /* state */

enum manager_method { MANAGER_NONE, MANAGER_STATUS, MANAGER_STOP, MANAGER_RELOAD, MANAGER_WAIT };

struct manager_request {
    enum manager_method method;
    const char *job; /* NULL: the whole instance; borrowed from the call */
};

/* How a job ended, in fsm.h's and waitid(2)'s numbers. All zero: well, and without a process of its own. */
struct manager_end {
    enum job_result result;
    int exit_code, exit_status;
};

/* Understands @call, from a caller who may change things (@privileged) or only look. Returns NULL and the
 * request in *@ret, or the message that answers it already (the caller owns it): errors, and everything that
 * org.varlink.service does. */
json_t *manager_request(const struct varlink_call *call, bool privileged, struct manager_request *ret);

/* The type Instance; the caller owns it. NULL without memory. */
json_t *manager_instance(const struct instance_status *st);

/* The reply to Wait; the caller owns it. NULL without memory. */
json_t *manager_wait_reply(const struct manager_end *end);

/* Has the job come to its end, whichever it was? */
bool manager_job_ended(const struct job_status *job);

/* The job of that name, or NULL. */
const struct job_status *manager_find_job(const struct instance_status *st, const char *name);

/* Adds the end of @job to what is known of the whole: the first failure stays, else the latest end counts. */
void manager_add_end(struct manager_end *sum, const struct job_status *job);

/* Have all jobs ended, and is there one? @besides (NULL: none) counts as ended whatever the list says of it.
 * Adds the ends to *@ret. */
bool manager_all_ended(const struct instance_status *st, const struct job_status *besides,
                       struct manager_end *ret);
