/* Instances as one sees them from outside: their directories, and what they answer. */
#pragma once
#include "json.h"
#include <stddef.h>
#include <sys/types.h>

struct client;

/* The LSB's status codes. */
enum instance_verdict {
    INSTANCE_RUNNING = 0,
    INSTANCE_DEAD = 1,    /* it left its PID file behind */
    INSTANCE_STOPPED = 3, /* there is none */
    INSTANCE_UNKNOWN = 4, /* something is there, but it does not answer as an instance would */
};

struct instance {
    char *name;
    enum instance_verdict verdict;
    int error;             /* INSTANCE_UNKNOWN: -errno, why; -ECONNREFUSED: @pid holds the PID file */
    pid_t pid;             /* the daemon's; 0: not known */
    json_t *info;          /* INSTANCE_RUNNING: the Instance as it was on the wire; NULL: it was not asked */
    struct client *client; /* INSTANCE_RUNNING: the connection that it answered on, with its process held */
};

/* Asks the instance @name, which may not exist: that is a verdict and no error. -ENOMEM. */
int instance_find(const char *name, struct instance *ret);

/* The same without a question to one that serves its socket: for those who have another one at once. */
int instance_open(const char *name, struct instance *ret);

/* Sends @call to a running instance and waits for the reply as long as it takes, if only it is alive; returns as
 * client_call() does. */
int instance_call(const struct instance *i, const char *call, json_t **ret);

/* Asks all instances that the caller may see, in the order of their names. -ENOMEM; errors of opendir(3). */
int instances_all(struct instance **ret, size_t *ret_n);

void instance_done(struct instance *i);
void instances_free(struct instance *v, size_t n);

/* What --json prints: Instance with "running": true, or name, state and "running": false. NULL without
 * memory. */
json_t *instance_json(const struct instance *i);

/* "running", "dead", "stopped" or "unknown". */
const char *instance_verdict_name(enum instance_verdict v);
