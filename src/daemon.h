/* The resident part, the same in every mode: one loop, the signals, the control socket, the units. */
#pragma once
#include <stdint.h>
#include "mode.h"
#include "units.h"
#include "upward.h"

struct control;

struct cgroup_home;

/* All borrowed, outliving daemon_run(). */
struct daemon_config {
    const char *name;
    struct units *units;
    struct unit *const *first; /* those that are wanted from the start */
    size_t n_first;
    bool resident; /* it stays when all of them are over */
    const struct spawn_context *spawn; /* what a command line's processes find; what was passed to us is for an only one */
    const struct mode_verdict *verdict;
    struct log *log;
    struct upward *upward;
    const char *rundir;
    const struct cgroup_home *cgroup; /* in which we are */
    uint64_t watchdog_usec; /* WATCHDOG_USEC=, 0: nobody asks */
    bool inherit;           /* units' output stays where ours goes, unless somebody here has to read it */
};

/* Runs until the units are over or somebody asks for the end. Returns the exit status of the process, and in
 * *@ret_control (the caller's to free, NULL: nobody) those who wait for the end of the instance: control_free() tells
 * them. */
int daemon_run(const struct daemon_config *config, struct control **ret_control);

/* What the graph of the units calls; its context is the set, which daemon_run() makes its own. */
const struct graph_ops *daemon_graph(void);
