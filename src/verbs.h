/* The verbs that look at or talk to running instances. Each returns the process's exit status (LSB), has
 * printed its answer on stdout and, if something is wrong, one line on stderr. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct verb_args {
    const char *name; /* instance, NULL where none was given */
    bool json;
    pid_t pid;        /* inspect */
};

int verb_status(const struct verb_args *a);
int verb_list(const struct verb_args *a);
int verb_stop(const struct verb_args *a);
int verb_reload(const struct verb_args *a);
int verb_wait(const struct verb_args *a);
int verb_detect(const struct verb_args *a);
int verb_inspect(const struct verb_args *a);
