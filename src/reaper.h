/* The only place that waits for processes. */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Called for each ended child while it is still a zombie, so that its PID cannot have been used again. True: go on;
 * false: no other is of interest. */
typedef bool (*reaper_fn)(void *ctx, const siginfo_t *info);

/* All children that have ended: looks at each (WNOWAIT), lets @fn act on it, then reaps it. Never blocks. If there are
 * very many, some are left and SIGCHLD is there again. */
void reaper_run(reaper_fn fn, void *ctx);

/* Is the child @pid stopped (SIGSTOP, SIGTSTP) just now? */
bool reaper_is_stopped(pid_t pid);

/* Waits until the child @pid has ended and reaps it. True if it exited with 0. */
bool reaper_wait(pid_t pid);

/* How it is with the process @pid: is it a child of ours, and has it ended? Until it is reaped its PID is nobody
 * else's. */
enum reaper_child { CHILD_NONE, CHILD_LIVES, CHILD_ENDED };
enum reaper_child reaper_look(pid_t pid);

/* Has this process any child at all? A zombie is one. */
bool reaper_has_children(void);
