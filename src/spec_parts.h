/* The small parts of a description, each of one subject that most units say nothing about (jobspec.h). */
#pragma once
#include <stdint.h>
#include <sys/resource.h>
#include "exitset.h"
#include "probespec.h"

/* systemd.exec(5), LimitCPU= and its kin. */
struct spec_limits {
    struct rlimit limits[RLIM_NLIMITS];
    uint32_t set; /* bit 1 << RLIMIT_* */
};

/* systemd.service(5): which ends are good, which are the last, which never are. */
struct spec_exits {
    struct exitset success, restart_prevent, restart_force;
};

/* What an unhealthy job leads to. */
enum __attribute__((packed)) health_action { HEALTH_RESTART, HEALTH_NONE, HEALTH_WATCHDOG };

/* Health= and how it is asked for. */
struct spec_health {
    struct probespec health; /* kind PROBE_NONE: none is asked for */
    uint64_t interval, timeout, start_period;
    int retries;
    enum health_action action;
};

/* Where lines go that the log cannot take now: the child waits, or they are counted and dropped. */
enum __attribute__((packed)) log_overflow { OVERFLOW_BLOCK, OVERFLOW_DROP };

/* What stands before a line where the log is text; of journalctl(1)'s output modes. */
enum log_format { FORMAT_SHORT_ISO_PRECISE, FORMAT_CAT };

/* What happens to lines on their way to the log. */
struct spec_log {
    uint64_t rate_interval; /* LogRateLimitIntervalSec=, 0: no limit */
    int rate_burst;
    enum log_overflow overflow;
    enum log_format format;
    uint64_t file_max_size; /* bytes before a log file is rotated, 0: never */
    int file_max_files;     /* how many old ones are kept */
    uint64_t line_max;      /* bytes */
};

const struct spec_limits *spec_limits_defaults(void);
const struct spec_exits *spec_exits_defaults(void);
const struct spec_health *spec_health_defaults(void);
const struct spec_log *spec_log_defaults(void);

/* Frees what @part holds, not @part. */
void spec_health_done(void *part);
