/* What /proc says of a process. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_TTY_MAX 32

/* The identity that the log shows at each stage, as `ps -ajx` would. */
struct proc_identity {
    pid_t ppid, pid, pgid, sid;
    int tty_nr;         /* device number of the controlling terminal, 0: none */
    uint64_t starttime; /* clock ticks since boot */
    char comm[17];
};

/* Reads /proc/@pid/stat (0: the calling process) into @ret. -ESRCH if there is no such process; errors of
 * open(2) and read(2); -EBADMSG if it cannot be understood. */
int proc_identity(pid_t pid, struct proc_identity *ret);

/* The name of a terminal ("pts/3", "tty1", "ttyS0"), "-" for none. Returns @buf. */
const char *proc_tty_name(int tty_nr, char buf[PROC_TTY_MAX]);

/* The beginning of /proc/@pid/@file (0: self), as much as one read gives, into @buf, NUL-terminated. */
int proc_read_once(pid_t pid, const char *file, char *buf, size_t size);

/* Reads all of /proc/@pid/@file (0: self) into *@ret, NUL-terminated; *@ret_len may be NULL. The caller
 * frees. */
int proc_read(pid_t pid, const char *file, char **ret, size_t *ret_len);

/* The value of "@key:\t..." in the text of a /proc/PID/status. NULL if it is not there; else a pointer into
 * @status, the value ends at '\n'. */
const char *proc_status_field(const char *status, const char *key);

/* Makes @s fit for a terminal and for JSON, in place: control characters and what is not UTF-8 become '?'.
 * Names and command lines are what other users chose. NULL is fine. Returns @s. */
char *proc_printable(char *s);
