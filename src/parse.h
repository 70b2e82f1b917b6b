/* Values as the man pages write them: booleans, timespans, signals, sizes, modes. Each function returns 0 and
 * fills *@ret, or a negative errno and leaves it alone: -EINVAL (not of that form), -ERANGE (too big). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* systemd.syntax(7): 1 yes y true t on / 0 no n false f off. */
int parse_bool(const char *s, bool *ret);

/* A whole decimal number from @min to @max. */
int parse_int(const char *s, int min, int max, int *ret);

/* A process id (>= 1). */
int parse_pid(const char *s, pid_t *ret);

/* systemd.time(7): "90", "5min 20s", "1.5h", "infinity"; a bare number counts @unit_usec microseconds.
 * "infinity" gives UINT64_MAX. */
int parse_timespan(const char *s, uint64_t unit_usec, uint64_t *ret);

/* "SIGTERM", "TERM", "15", "RTMIN+3". */
int parse_signal(const char *s, int *ret);

/* "SIGTERM" for 15; never NULL ("SIGRTMIN+3", "signal 99"). @buf is used where no constant text will do. */
const char *signal_name(int sig, char buf[16]);

/* An octal file mode up to 07777. */
int parse_mode(const char *s, mode_t *ret);

/* "/a//./b/" → "/a/b", in place: as systemd keeps paths. ".." stays. */
void path_simplify(char *path);

/* A size in bytes with K M G T P E (base 1024), "infinity" gives UINT64_MAX. */
int parse_size(const char *s, uint64_t *ret);

/* syslog(3) facility by name ("daemon", "local3"): the LOG_* value. */
int parse_facility(const char *s, int *ret);

/* "SOFT:HARD" or one value for both, for the limit @resource (RLIMIT_*): a count, a size (bytes), a timespan
 * (CPU in seconds, RTTIME in microseconds) or, for RLIMIT_NICE, "+N"/"-N". systemd.exec(5), LimitCPU=. */
int parse_rlimit(const char *s, int resource, struct rlimit *ret);
