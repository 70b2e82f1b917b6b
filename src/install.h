/* Which units are started with the machine: symlinks in the first directory of the search path (/etc/amphid, without
 * root
 * ~/.config/amphid), made of the sections [Install] of systemd.unit(5), as systemctl(1) enable and disable make them.
 * What has to be done is decided first, for all units, and then done: a unit with a mistake leaves nothing half made.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "unitpath.h"

/* A symlink to be made, or to be removed. */
struct install_change {
    char *path;
    char *target; /* NULL: it is removed */
};

struct install_plan {
    struct install_change *v;
    size_t n;
    char **no_install; /* units whose files say nothing of their installation */
};

void install_plan_done(struct install_plan *p);

/* What can be wrong is told in one line about @name; the functions that take it go on with the other units and then
 * return what was wrong first. */
typedef void install_complain(void *ctx, const char *name, const char *text);

/* What makes @names (names of units, or paths of their files; "nginx" is nginx.service) start with the machine, and all
 * that their Also= names; what is there already is not in the plan. Errors of unit_load(); -EINVAL: a template
 * without an instance; -EEXIST: the place of a symlink is taken by something else; -ENOMEM. */
int install_enable(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                   install_complain *complain, void *ctx);

/* All symlinks in the first directory that lead to the units, whoever has made them. As above; a unit without a file
 * has symlinks all the same. */
int install_disable(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                    install_complain *complain, void *ctx);

/* Their symlinks are to be those that install_enable() makes: first what install_disable() would remove is, but for the
 * symlink by which the file itself is found; then install_enable() decides anew. Fails as that does, with an empty
 * plan. */
int install_reenable(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                     install_complain *complain, void *ctx);

/* A symlink to each file, an absolute path, that is not on the search path. As above. */
int install_link_files(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                       install_complain *complain, void *ctx);

/* A symlink to /dev/null in place of the units, or its end. -EEXIST: there is a file. */
int install_mask(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                 install_complain *complain, void *ctx);
int install_unmask(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                   install_complain *complain, void *ctx);

/* Does it; each change that was made is told (NULL: to nobody). Directories are made as needed and removed when they
 * are empty. Errors of mkdir(2), symlink(2), unlink(2), with the path in *@ret_path. */
int install_apply(const struct install_plan *p, void (*done)(const struct install_change *c), const char **ret_path);

/* systemctl(1), is-enabled. */
enum install_state {
    INSTALL_ENABLED,
    INSTALL_LINKED,
    INSTALL_ALIAS,
    INSTALL_MASKED,
    INSTALL_STATIC,
    INSTALL_INDIRECT,
    INSTALL_DISABLED,
    INSTALL_GENERATED,
    INSTALL_TRANSIENT,
    INSTALL_STATE_MAX
};

/* Errors of unit_load(), but a masked unit has a state. */
int install_state(enum install_state *ret, const struct unit_paths *paths, const char *name);
const char *install_state_name(enum install_state s); /* "enabled" */
bool install_state_good(enum install_state s);        /* is-enabled's exit status is 0 */

/* The names of the units that the resident daemon starts: those in the .wants, .requires and .upholds of the first
 * directory that belong to a target of a usual boot (systemd.special(7): multi-user, graphical, network, sockets ...),
 * each once. The vector is the caller's (strv_free); NULL: none. -ENOMEM, errors of opendir(3). */
int install_enabled(const struct unit_paths *paths, char ***ret);
