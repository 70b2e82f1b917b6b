/* What /proc says of a process. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "identity.h"

/* Reads /proc/@pid/stat (0: the calling process) into @ret. -ESRCH if there is no such process; errors of
 * open(2) and read(2); -EBADMSG if it cannot be understood. */
int proc_identity(pid_t pid, struct proc_identity *ret);

/* The beginning of /proc/@pid/@file (0: self), as much as one read gives, into @buf, NUL-terminated. */
int proc_read_once(pid_t pid, const char *file, char *buf, size_t size);

/* Reads all of /proc/@pid/@file (0: self) into *@ret, NUL-terminated; *@ret_len may be NULL. The caller
 * frees. */
int proc_read(pid_t pid, const char *file, char **ret, size_t *ret_len);

/* The value of "@key:\t..." in the text of a /proc/PID/status. NULL if it is not there; else a pointer into
 * @status, the value ends at '\n'. */
const char *proc_status_field(const char *status, const char *key);
