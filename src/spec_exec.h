/* The part of a description that says in which environment a service is executed, beyond what nearly all have
 * (jobspec.h): systemd.exec(5). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one of the three standard streams is connected to: StandardInput=, StandardOutput=, StandardError=. */
enum __attribute__((packed)) stdio_kind {
    STDIO_DEFAULT, /* not given: what the others make of it */
    STDIO_NULL,
    STDIO_TTY,
    STDIO_TTY_FORCE, /* input only, as the next two */
    STDIO_TTY_FAIL,
    STDIO_DATA,
    STDIO_INHERIT, /* output only: of stdin, of stdout */
    STDIO_JOURNAL,
    STDIO_KMSG,
    STDIO_JOURNAL_CONSOLE,
    STDIO_KMSG_CONSOLE,
    STDIO_SOCKET,
    STDIO_FD,   /* @target: its name, NULL: that of the stream */
    STDIO_FILE, /* @target: its path; so for the next two */
    STDIO_APPEND,
    STDIO_TRUNCATE,
};

struct stdio {
    enum stdio_kind kind;
    char *target;
};

enum __attribute__((packed)) keyring_mode { KEYRING_DEFAULT, KEYRING_INHERIT, KEYRING_PRIVATE, KEYRING_SHARED };

/* A set of numbers of CPUs or of NUMA nodes. */
#define NUMBERS_MAX 8192
#define NUMBERS_WORD (8 * sizeof(unsigned long))

struct numbers {
    unsigned long words[NUMBERS_MAX / NUMBERS_WORD];
};

struct spec_exec {
    struct stdio stdio[3];
    char *stdin_data;
    size_t stdin_size;
    char *tty_path; /* NULL: /dev/console */
    bool tty_reset, tty_vhangup, tty_vt_disallocate;
    int tty_rows, tty_columns; /* 0: as they are */

    char **search_path; /* ExecSearchPath=: absolute paths */
    char **pass_environment, **unset_environment;
    bool login_environment, login_environment_set;

    unsigned cpu_policy; /* SCHED_* */
    int cpu_priority;
    bool cpu_policy_set, cpu_priority_set, cpu_reset_on_fork;
    struct numbers *cpus;  /* NULL: all */
    uint8_t numa_policy;   /* MPOL_* */
    bool numa_policy_set, numa_all;
    struct numbers *numa_nodes;
    unsigned io_class; /* IOPRIO_CLASS_* */
    int io_priority;
    bool io_set;
    uint64_t timer_slack; /* nsec, UINT64_MAX: as it is */
    uint64_t coredump_filter;
    bool coredump_filter_set;
    unsigned long personality; /* PER_*, ULONG_MAX: as it is */
    bool memory_ksm, memory_ksm_set;
    enum keyring_mode keyring;

    uint64_t bounding, ambient; /* bit 1 << CAP_* */
    unsigned secure_bits;       /* SECBIT_* */
    char *apparmor_profile;
    bool apparmor_optional;
};

const struct spec_exec *spec_exec_defaults(void);

/* Where else the lines of a stream (1: stdout, 2: stderr) go that is connected to the journal. */
enum { COPY_KMSG = 1, COPY_CONSOLE = 2 };
unsigned spec_exec_copies(const struct spec_exec *x, int stream);

/* Frees what @part holds, not @part. */
void spec_exec_done(void *part);
