/* The only place that waits for processes. */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Called for each ended child while it is still a zombie, so that its PID cannot have been used again. True: go on; false:
 * no other is of interest. */
typedef bool (*reaper_fn)(void *ctx, const siginfo_t *info);

/* All children that have ended: looks at each (WNOWAIT), lets @fn act on it, then reaps it. Never blocks. */
void reaper_run(reaper_fn fn, void *ctx);

/* Is the child @pid stopped (SIGSTOP, SIGTSTP) just now? */
bool reaper_is_stopped(pid_t pid);

/* Waits until the child @pid has ended and reaps it. True if it exited with 0. */
bool reaper_wait(pid_t pid);
