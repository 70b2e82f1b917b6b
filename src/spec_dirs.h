/* The part of a description that says which directories, which transient user and which credentials a service is given:
 * systemd.exec(5). */
#pragma once
#include <stdbool.h>

struct spec_dirs {
    bool dynamic_user;
};

const struct spec_dirs *spec_dirs_defaults(void);

/* Frees what @part holds, not @part. */
void spec_dirs_done(void *part);
