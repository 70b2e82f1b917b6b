/* How many descriptors we may have: RLIMIT_NOFILE. The soft limit is only a proposal to programs (systemd.exec(5),
 * "Process Properties"); what we start gets it as it was. */
#pragma once
#include <stdbool.h>
#include <sys/resource.h>

/* Raises the soft limit to the hard one; what it was into *@ret. false: it is that already, or cannot be raised. */
bool nofile_raise(struct rlimit *ret_before);

/* Opens a descriptor by @open, with @ctx, that must not fail because of the soft limit: with EMFILE it is called once more,
 * without that. Returns as @open does. */
int nofile_insist(int (*open)(void *ctx), void *ctx);

/* Takes that back. Descriptors that are open stay so. */
void nofile_restore(const struct rlimit *before);
