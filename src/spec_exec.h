/* The part of a description that says in which environment a service is executed, beyond what nearly all have
 * (jobspec.h): systemd.exec(5). */
#pragma once
#include <stdbool.h>

struct spec_exec {
    bool ignore_sigpipe;
};

const struct spec_exec *spec_exec_defaults(void);

/* Frees what @part holds, not @part. */
void spec_exec_done(void *part);
