/* The description of one job: what to run and how, in systemd's words (systemd.service(5), systemd.exec(5),
 * systemd.kill(5)). Filled by jobspec_set() from directives, never changed while the job runs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum job_type { TYPE_SIMPLE, TYPE_EXEC, TYPE_NOTIFY, TYPE_ONESHOT };

struct jobspec {
    char *name;
    char **argv;

    enum job_type type;
    uint64_t timeout_start, timeout_stop; /* usec, USEC_INFINITY: none */
    bool timeout_start_set;
    int kill_signal;

    char *user, *group; /* NULL: stay who we are */
    char **supplementary_groups;
    char *working_directory; /* NULL: "/" for a daemon, the caller's in the foreground; "~": the user's home */
    bool working_directory_optional;
    mode_t umask;
    bool umask_set;
    char **environment;       /* KEY=VALUE */
    char **environment_files; /* absolute paths, a leading '-': may be missing */
    int nice;
    bool nice_set;
    int oom_score_adjust;
    bool oom_score_adjust_set;
    bool no_new_privileges;
    struct rlimit limits[RLIM_NLIMITS];
    uint32_t limits_set; /* bit 1 << RLIMIT_* */

    char *syslog_identifier; /* NULL: the name */
    int syslog_facility;     /* LOG_* */
};

/* The description with the defaults of the man pages. */
void jobspec_init(struct jobspec *d);

/* Frees what @d holds, not @d. */
void jobspec_done(struct jobspec *d);

/* Sets the directive @key to @value; an empty value resets lists, as in a unit file. Returns -ENOENT (no such
 * directive), -EINVAL or -ERANGE (not a value of it, *@ret_expects says what would be: constant text), -ENOMEM. */
int jobspec_set(struct jobspec *d, const char *key, const char *value, const char **ret_expects);

/* The names of all directives, one after the other: NULL past the last. For help and completion. */
const char *jobspec_directive(unsigned i);

/* The directive for the limit @resource (RLIMIT_*), "LimitNOFILE". Constant text. */
const char *jobspec_limit_name(int resource);

/* SyslogIdentifier=, by default the name. Borrowed. */
const char *jobspec_identifier(const struct jobspec *d);
