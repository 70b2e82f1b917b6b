/* The verbs that look at or talk to running instances. Each returns the process's exit status (LSB), has
 * printed its answer on stdout and, if something is wrong, one line on stderr. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum wait_goal { WAIT_STOPPED, WAIT_READY, WAIT_HEALTHY };

struct verb_args {
    const char *name;     /* an instance or a unit, NULL where none was given */
    const char *instance; /* -n: the instance that has the unit; NULL: whichever has it */
    bool json;
    bool all;              /* explain: the table instead of units */
    bool now;              /* enable, disable, mask: start or stop them, too */
    bool follow;           /* logs */
    unsigned lines;        /* logs */
    enum wait_goal goal;   /* wait */
    uint64_t timeout_usec; /* wait; USEC_INFINITY: for ever */
    pid_t pid;             /* inspect */
    char *const *units;    /* explain, verify: names or paths, NULL past the last */
    const char *unit_path; /* explain, verify: --unit-path=, NULL: not given */
};

int verb_status(const struct verb_args *a);
int verb_list(const struct verb_args *a);
int verb_logs(const struct verb_args *a);
int verb_start(const struct verb_args *a);
int verb_stop(const struct verb_args *a);
int verb_restart(const struct verb_args *a);
int verb_reload(const struct verb_args *a);
int verb_rotate(const struct verb_args *a);
int verb_wait(const struct verb_args *a);
int verb_is_ready(const struct verb_args *a);
int verb_is_healthy(const struct verb_args *a);
int verb_detect(const struct verb_args *a);
int verb_inspect(const struct verb_args *a);
int verb_explain(const struct verb_args *a);
int verb_verify(const struct verb_args *a);
int verb_enable(const struct verb_args *a);
int verb_disable(const struct verb_args *a);
int verb_reenable(const struct verb_args *a);
int verb_link(const struct verb_args *a);
int verb_mask(const struct verb_args *a);
int verb_unmask(const struct verb_args *a);
int verb_is_enabled(const struct verb_args *a);
int verb_list_unit_files(const struct verb_args *a);
