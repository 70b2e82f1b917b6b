/* The credentials that a unit is given: LoadCredential=, SetCredential= and ImportCredential= of systemd.exec(5). They
 * are files in a directory that only the unit's user (and root) can read, made at the beginning of each life and
 * removed at its end. */
#pragma once
#include <sys/types.h>
#include "jobspec.h"
#include "textbuf.h"

#define CREDENTIALS_SIZE_MAX (1024 * 1024) /* systemd.exec(5): of all of a unit together */

/* The directory of those of the unit @name, for $CREDENTIALS_DIRECTORY and "%d": /run/amphid/credentials/NAME, or for
 * who is not root $XDG_RUNTIME_DIR/amphid/credentials/NAME. The caller frees. -ENOMEM. */
int credentials_dir(const char *name, char **ret);

/* Puts CREDENTIALS_DIRECTORY into *@env; a unit without credentials is not told of ours. -ENOMEM. */
int credentials_environment(const struct jobspec *d, char ***env);

/* Makes them anew, for @uid and @gid (-1: ours). On error (negative errno) nothing is left, and @why says why:
 * "LoadCredential=key:/etc/key: No such file or directory". */
int credentials_make(const struct jobspec *d, uid_t uid, gid_t gid, struct textbuf *why);

/* Removes them. */
void credentials_remove(const struct jobspec *d);
