/* A set of exit statuses and signals: SuccessExitStatus=, RestartPreventExitStatus= (systemd.service(5)). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct exitset {
    uint64_t status[4]; /* bit 1 << (n % 64) of status[n / 64]: exit status n */
    uint64_t signals;   /* bit 1 << (n - 1): signal n */
};

/* Adds the words of @value: numbers from 0 to 255, names of exit statuses ("TEMPFAIL", "EXEC", systemd.exec(5)) and of
 * signals ("SIGKILL"); an empty value empties the set. -EINVAL: one of them is none of these, nothing is added. */
int exitset_add(struct exitset *s, const char *value);

/* Is the end of a process, as waitid(2) tells it (CLD_*, status or signal), in the set? */
bool exitset_has(const struct exitset *s, int code, int status);

/* The code in systemd's words ($EXIT_CODE, systemd.exec(5)): "exited", "killed", "dumped"; NULL for any other.
 * Constant. */
const char *exit_code_name(int code);
