/* What the verbs have in common: finding the instance, one call to it, and the exit status and the line on stderr for
 * whatever goes wrong. */
#pragma once
#include "instances.h"
#include "verbs.h"

/* LSB: what an init script's action returns; and timeout(1)'s word for its own. */
enum {
    LSB_OK = 0,
    LSB_ERROR = 1,
    LSB_USAGE = 2,
    LSB_NO_PRIVILEGE = 4,
    LSB_NOT_INSTALLED = 5,
    LSB_NOT_RUNNING = 7,
    TIMED_OUT = 124,
};

/* The one line on stderr ("amphid: NAME: WHAT"). Returns @status. */
int verb_complain(const char *name, const char *what, int status);

/* The same for a negative errno. */
int verb_complain_errno(const char *name, int error);

/* Whom a name means. */
struct target {
    struct instance instance;
    char *unit; /* one of its units; NULL: the instance as such */
};

/* The target of @a, asked with Status (@ask) or only connected to: the instance of that name, else the running instance
 * that has such a unit; where a unit may be loaded (@loads) else the resident one. 0, or an exit status after the line
 * on stderr. */
int verb_target(const struct verb_args *a, bool ask, bool loads, struct target *ret);
void target_done(struct target *t);

/* What is said of it: the unit's name, or the instance's. */
const char *target_name(const struct target *t);

/* The call of @method for the target, with @goal ("ready") if there is one, as MANAGER_CALL() makes it; the caller
 * frees, NULL without memory. */
char *target_call(const struct target *t, const char *method, const char *goal);

/* The instance does not run (or nobody knows): says so. @status is for one that does not run: 0 is no error. */
int verb_not_running(const struct instance *i, int status);

/* The error reply (consumed) of an instance as a line and an exit status. */
int verb_refused(const char *name, json_t *reply);

/* Calls a running instance and waits for ever: it has its own time limits. 0 and the reply in *@ret (the caller owns
 * it; NULL: it says no more than yes); -ECONNRESET if it went away without an answer; else an exit status, told. */
int verb_call(const struct target *t, const char *method, json_t **ret);
