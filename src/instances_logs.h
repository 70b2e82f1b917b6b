/* The last lines of an instance's output, wherever they went: through its daemon, which keeps some, to the journal, to
 * a file. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "instances.h"

/* One line, without its newline. What is not known is empty or 0. */
struct log_line {
    char time[40]; /* RFC 3339 */
    char identifier[128];
    pid_t pid;
    const char *text;
    size_t len;
};

struct logs_query {
    const char *unit; /* of one of its units; NULL: of the only one, or of all where they go to one file */
    unsigned lines;
    bool recent; /* those that the daemon remembers will do: it knows whose they are */
    bool follow; /* and then those that come, until the instance has ended */
    void (*line)(void *ctx, const struct log_line *line);
    void (*dropped)(void *ctx, uint64_t n); /* so many lines came too fast to be shown */
    void *ctx;
};

/* Shows what @q wants of the instance, one that instance_find() has found. 0; 1 and the instance's error reply in
 * *@ret_refusal (the caller owns it); negative errno, with the reason in words in @why (-ENODATA: nothing is known of
 * its output; -EOPNOTSUPP: a library is missing). */
int instance_logs(const struct instance *i, const struct logs_query *q, json_t **ret_refusal, char *why, size_t size);
