/* The steps of a SysV daemon, daemon(7), one small function each. launch.c calls them in order. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Before step 1: where 0, 1 or 2 are missing, /dev/null takes their place, so that nothing of ours can land there. */
int detach_open_standard(void);

/* Step 1: closes every descriptor above 2 and above the @n_passed that were passed on purpose (LISTEN_FDS). */
int detach_close_descriptors(unsigned n_passed);

/* Step 2: every signal that the caller @ignored (1 << signal - 1) gets its default again. A program that was just
 * executed has no handlers, so there is nothing else to reset. */
void detach_reset_signals(uint64_t ignored);

/* Step 4: does the variable belong to the caller's terminal, session or shell, so that it would lie in a daemon? For
 * env_filter(). */
bool detach_drops_variable(const char *assignment);

/* Is the variable a supervisor's word to us alone, in any mode? COMMAND must not take it for its own. */
bool detach_drops_protocol(const char *assignment);

/* Step 4: what the environment was is blanked (/proc/PID/environ shows it), and @env, which stays the caller's, is the
 * environment from now on; NULL: none. */
void detach_replace_environment(char **env);

/* Step 8, seen from the daemon: returns when the process @first that forked it is gone: the parent is the reaper then,
 * whose PID it returns. */
pid_t detach_wait_for_parent(pid_t first);

/* Step 9: 0, 1 and 2 become /dev/null; @too is closed, best with them: as 3. */
int detach_null(int too);
