/* `amphid inspect PID`: what a running process is like, gathered from /proc. */
#pragma once
#include "judge.h"

/* Fills @ret about the process @pid. -ESRCH: there is none (or it has ended and is not reaped). Release with
 * inspect_done(). */
int inspect_gather(pid_t pid, struct inspection *ret);
void inspect_done(struct inspection *i);
