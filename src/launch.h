/* The double fork, and the starter that waits to tell the truth: daemon(7) steps 5 to 11, 14 and 15. */
#pragma once
#include "log.h"
#include "upward.h"

/* Detaches. Returns twice:
 *   1 in the starter, when the daemon has told how it went: *@ret_status is the exit status, everything is printed;
 *   0 in the daemon, with u->channel_fd open to the starter, in its own session, 0-2 on /dev/null, umask 0, in /.
 * Before that, negative errors of socketpair(2) and vfork(2) in the only process there is.
 * @log shows each step; @name goes before the starter's words. */
int launch_detach(struct upward *u, struct log *log, const char *name, int *ret_status);
