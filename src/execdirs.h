/* The directories that a unit is given: RuntimeDirectory=, StateDirectory=, CacheDirectory=, LogsDirectory= and
 * ConfigurationDirectory= of systemd.exec(5). They are made before each command of the unit, for whom it runs as. */
#pragma once
#include <sys/types.h>
#include "jobspec.h"
#include "spec_dirs.h"
#include "textbuf.h"

/* Below which paths. */
struct execdirs_places {
    char *base[DIR_MAX]; /* NULL: nothing is asked for there, or the environment does not say (XDG_RUNTIME_DIR) */
};

/* The table of systemd.exec(5): of the system, or for who is not root the user's ($XDG_STATE_HOME for state and logs,
 * as newer systemd has it). Only those that @d uses. -ENOMEM. */
int execdirs_places(struct execdirs_places *ret, const struct spec_dirs *d);
void execdirs_places_done(struct execdirs_places *p);

/* Puts RUNTIME_DIRECTORY= and so on into *@env. -ENOMEM. */
int execdirs_environment(const struct spec_dirs *d, const struct execdirs_places *p, char ***env);

/* Makes them all, with their owner (-1: whose they are) and mode. On error (negative errno) *@ret_dir is the kind of
 * the one that cannot be made and @why says why: "StateDirectory=foo: /var/lib/foo: Not a directory". */
int execdirs_make(const struct spec_dirs *d, const struct execdirs_places *p, uid_t uid, gid_t gid,
                  enum exec_dir *ret_dir, struct textbuf *why);

/* The life of the unit is over: removes its runtime directories, and the symbolic links to them, unless
 * RuntimeDirectoryPreserve= keeps them. What cannot be removed is named in @why (negative errno). */
int execdirs_remove(const struct spec_dirs *d, const struct execdirs_places *p, bool restarting, struct textbuf *why);

/* Whose the first private directory of @d is, that is there: a transient user with the same number need not be given it
 * again. -ENOENT. */
int execdirs_owner(const struct spec_dirs *d, const struct execdirs_places *p, uid_t *ret);
