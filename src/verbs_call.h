/* What the verbs have in common: finding the instance, one call to it, and the exit status and the line on stderr for
 * whatever goes wrong. */
#pragma once
#include "instances.h"

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

/* The named instance, asked with Status or only connected to: 0, or an exit status after the line on stderr. */
int verb_find(const char *name, struct instance *ret);
int verb_open(const char *name, struct instance *ret);

/* The instance does not run (or nobody knows): says so. @status is for one that does not run: 0 is no error. */
int verb_not_running(const struct instance *i, int status);

/* The error reply (consumed) of an instance as a line and an exit status. */
int verb_refused(const char *name, json_t *reply);

/* Calls a running instance and waits for ever: it has its own time limits. 0 and the reply in *@ret (the caller owns
 * it; NULL: it says no more than yes); -ECONNRESET if it went away without an answer; else an exit status, told. */
int verb_call(const struct instance *i, const char *call, json_t **ret);
