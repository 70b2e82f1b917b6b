/* The part of a description that says what a unit is among other units: the sections [Unit] and [Install] of
 * systemd.unit(5). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "graph.h"

/* One of Condition*= and Assert*=. */
struct condition {
    unsigned kind; /* the setter's own; condition.h */
    char *value;   /* without "|" and "!" */
    bool assert;   /* Assert*=: its failure is one of the unit */
    bool trigger;  /* "|": one of these is enough */
    bool negate;   /* "!" */
};

struct condition_list {
    struct condition *v;
    size_t n;
};

/* What is done when a unit, its start or its job has come to an end: FailureAction= and the like. */
enum __attribute__((packed)) unit_action {
    UNIT_ACTION_NONE,
    UNIT_ACTION_REBOOT,
    UNIT_ACTION_REBOOT_FORCE,
    UNIT_ACTION_REBOOT_IMMEDIATE,
    UNIT_ACTION_POWEROFF,
    UNIT_ACTION_POWEROFF_FORCE,
    UNIT_ACTION_POWEROFF_IMMEDIATE,
    UNIT_ACTION_EXIT,
    UNIT_ACTION_EXIT_FORCE,
    UNIT_ACTION_HALT,
    UNIT_ACTION_HALT_FORCE,
    UNIT_ACTION_HALT_IMMEDIATE,
    UNIT_ACTION_KEXEC,
    UNIT_ACTION_KEXEC_FORCE,
    UNIT_ACTION_SOFT_REBOOT,
    UNIT_ACTION_SOFT_REBOOT_FORCE,
};

/* What a unit needs of others. An instance forgets it when its graph knows it (jobspec_drop_part()). */
struct spec_deps {
    char **deps[DEP_MAX]; /* names of units, each once in a list */
};

const struct spec_deps *spec_deps_defaults(void);
void spec_deps_done(void *part);

struct spec_unit {
    char **documentation;
    char *source_path;
    char **joins_namespace_of;
    char **requires_mounts_for, **wants_mounts_for; /* absolute paths */
    bool default_dependencies;                      /* the one that is true by default */
    bool refuse_manual_start, refuse_manual_stop, allow_isolate, ignore_on_isolate, stop_when_unneeded;
    bool collect_failed;                                 /* CollectMode=inactive-or-failed */
    enum unit_job_mode on_failure_mode, on_success_mode; /* replace, and fail for OnSuccess= */
    uint64_t job_timeout, job_running_timeout;           /* usec, USEC_INFINITY: none */
    bool job_running_timeout_set;                        /* else JobTimeoutSec= goes for both */
    enum unit_action job_timeout_action, start_limit_action, failure_action, success_action;
    int failure_exit, success_exit; /* FailureActionExitStatus=; -1: that of the main process */
    char *reboot_argument, *job_timeout_reboot_argument;
    struct condition_list conditions;
    char **wanted_by, **required_by, **upheld_by, **also, **alias; /* [Install] */
    char *default_instance;
};

const struct spec_unit *spec_unit_defaults(void);

/* Frees what @part holds, not @part. */
void spec_unit_done(void *part);
